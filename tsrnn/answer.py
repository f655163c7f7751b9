"""What a forecast looks like as a frame: ids and times, a column per target, one per quantile beside it."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from tsrnn.errors import InputError
from tsrnn.panel import Panel

MEASURED_TO = "measured_to"  # column of the last measurement
STATUS = "status"  # column that says what was skipped


def frame(panel: Panel, point: np.ndarray, quantiles: np.ndarray | None, levels: Sequence[float]) -> pl.DataFrame:
    """Forecasts beside their ids and times: a column per target, and `<target>_q<level>` per quantile.

    Args:
        point: [series horizon target].
        quantiles: [series horizon target quantile], or None.

    Raises:
        InputError: a forecast is not a number.
    """
    refuse_infinite(point, quantiles)
    columns, schema = [], panel.frame.schema
    for k, (name, quantile_names) in enumerate(names(panel, levels).items()):
        kind = pl.Float32 if schema[name] == pl.Float32 else pl.Float64
        columns.append(pl.Series(name, point[:, :, k].reshape(-1), kind))
        for q, quantile_name in enumerate(quantile_names):
            assert quantiles is not None
            columns.append(pl.Series(quantile_name, quantiles[:, :, k, q].reshape(-1), kind))
    return panel.future(point.shape[1]).hstack(columns)


def marked(panel: Panel, answered: pl.DataFrame, horizon: int, skipped: Mapping[str, str]) -> pl.DataFrame:
    """A forecast of some series among the steps ahead of all of them: empty where skipped, and `status` says why."""
    keys = panel.future(horizon)
    forecast = np.repeat([name not in skipped for name in panel.ids], horizon)
    rows = pl.Series(np.cumsum(forecast) - 1).set(pl.Series(~forecast), None)
    values = [answered[name].gather(rows) for name in answered.columns if name not in keys.columns]
    said = np.repeat([skipped.get(name, "ok") for name in panel.ids], horizon)
    return keys.with_columns(*values, pl.Series(STATUS, said, pl.String))


def since(panel: Panel, history: Panel, answered: pl.DataFrame, horizon: int) -> pl.DataFrame:
    """A forecast, and where logs go on without a target beside it the depth of each one's last measurement.

    Rows that tell covariates known ahead are there to be forecast, and nothing is said of them.

    Args:
        panel: as it came.
        history: up to each series' last measured target.
        answered: `horizon` rows for each series.
        horizon: steps.
    """
    index = panel.frame[panel.roles.index]
    if not index.dtype.is_float() or panel.roles.future or MEASURED_TO in answered.columns:
        return answered
    ends = history.frame[panel.roles.index].gather(history.offsets[1:] - 1)
    if not (index.gather(panel.offsets[1:] - 1) > ends).any():
        return answered
    return answered.with_columns(ends.gather(np.repeat(np.arange(len(ends)), horizon)).alias(MEASURED_TO))


def samples(panel: Panel, paths: np.ndarray) -> pl.DataFrame:
    """Paths beside their ids and times: `sample` 0, 1... at every step, and a column per target.

    Args:
        paths: [series horizon target sample].

    Raises:
        InputError: a path is not a number, or a column is called `sample`.
    """
    refuse_infinite(paths)
    taken = [panel.roles.id, panel.roles.index, *panel.roles.targets]
    if "sample" in taken:
        raise InputError(f"{panel.source}: a column is called 'sample', as that of the paths' numbers is; rename it")
    horizon, count = paths.shape[1], paths.shape[3]
    steps = panel.future(horizon)
    rows = steps[np.repeat(np.arange(len(steps)), count)]
    columns = [pl.Series("sample", np.tile(np.arange(count), len(steps)))]
    for k, name in enumerate(panel.roles.targets):
        kind = pl.Float32 if panel.frame.schema[name] == pl.Float32 else pl.Float64
        columns.append(pl.Series(name, paths[:, :, k].reshape(-1), kind))
    return rows.with_columns(columns)


def refuse_infinite(point: np.ndarray, quantiles: np.ndarray | None = None) -> None:
    """Raise one sentence where a forecast is not a number."""
    if not np.isfinite(point).all() or (quantiles is not None and not np.isfinite(quantiles).all()):
        raise InputError(
            "the model's forecast is not a number, since its weights or the rows it starts from have grown beyond "
            "bounds; fit it again, with a lower learning_rate if need be"
        )


def names(panel: Panel, levels: Sequence[float], skips: bool = False) -> dict[str, list[str]]:
    """Columns of a forecast: each target's own, and its quantiles'.

    Args:
        skips: the forecast has a column that says what was skipped.

    Raises:
        InputError: two of them, or one and the id or index, would have the same name.
    """
    named = {name: [f"{name}_q{level:.12g}" for level in levels] for name in panel.roles.targets}
    taken = [name for name in (panel.roles.id, panel.roles.index, *named) if name is not None]
    if skips and STATUS in taken:
        raise InputError(
            f"{panel.source}: a forecast with on_short='skip' has a column {STATUS!r} of its own; rename the other one"
        )
    for target, quantile_names in named.items():
        for name, level in zip(quantile_names, levels, strict=True):
            if name in taken:
                raise InputError(
                    f"{panel.source}: a forecast would have two columns called {name!r}, one of them the quantile "
                    f"{level:.12g} of {target!r}; rename the other column, or leave that quantile out"
                )
            taken.append(name)
    return named
