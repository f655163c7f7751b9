"""Rolling-origin evaluation: forecasts from several cutoffs, each made without a row after its cutoff."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, Self

import numpy as np
import polars as pl

from tsrnn import cutoffs, hindcast, progress, split
from tsrnn.arrays import Arrays, Rows
from tsrnn.cutoffs import Cutoff, Reach
from tsrnn.errors import InputError
from tsrnn.frames import Origin
from tsrnn.panel import Panel

Refit = bool | int | None


class Forecasts(Protocol):
    """What a backtest asks of a forecaster."""

    horizon: int
    input_size: int
    pad: bool
    val_size: float

    @property
    def _levels(self) -> list[float]: ...

    def anew(self, frame: Any) -> Self: ...

    def configs(self) -> Any: ...

    def get_params(self) -> dict[str, Any]: ...

    def forecast(self, panel: Panel, future: pl.DataFrame | None = None) -> pl.DataFrame: ...

    def clone(self) -> Self: ...

    def fit(self, frame: Any, *, split: Any = None) -> Self: ...

    def forecasts(self, frame: Any = None, *, every: int = 1, part: str | None = None, split: Any = None) -> Any: ...


def backtest(
    forecaster: Forecasts, panel: Panel, windows: int, step: int | None = None, refit: Refit = None
) -> pl.DataFrame:
    """Forecast from `windows` cutoffs what followed them, with copies of `forecaster` trained on the rows before.

    Cutoffs are moments common to all series, and rows counted from each series' end where their indexes cannot be
    compared (`tsrnn.cutoffs`). A series is forecast where it has enough rows before the cutoff, and as far as it goes
    on after it; it is trained on where it has enough rows for that.

    Args:
        forecaster: its parameters are used; it stays as it is.
        panel: the rows.
        windows: how many cutoffs; the last one leaves one horizon of steps.
        step: steps between cutoffs; one horizon by default, so that no row is forecast twice.
        refit: True: model and scaler are learnt anew at every cutoff; k: at every k-th; None or False: once, before the
            first cutoff, and not at all where the forecaster is fitted and this is False.

    Returns:
        The table of `tsrnn.hindcast`.

    Raises:
        InputError: the id or the index is called as a column of the table, or the panel is too short.
    """
    return _tables({"": forecaster}, panel, windows, step, refit)[""]


def left_out(forecaster: Forecasts, panel: Panel, row: split.SplitRow, every: int = 1) -> pl.DataFrame:
    """Forecasts of each series by a copy of `forecaster` that was trained on others: leave one out (`split.folds`).

    Args:
        forecaster: its parameters are used; it stays as it is.
        panel: several series.
        row: {"leave_one_out": "series"}, or the name of the column that tells them apart.
        every: forecast from every so many steps of a series.

    Returns:
        The table of `tsrnn.hindcast`, series by series.

    Raises:
        InputError: another split, fewer than three series, or what `fit` and `forecasts` refuse.
    """
    if not isinstance(row, Mapping) or split.LEAVE_ONE_OUT not in row:
        raise InputError(f"a backtest is split as {{'leave_one_out': 'series'}}, or not at all, not {row!r}")
    hindcast.names(panel, forecaster._levels)
    plain, tables = replace(panel, origin=Origin()), []
    folds = split.folds(panel.ids, row, panel.roles.id)
    asked = forecaster.get_params().get("progress", progress.AUTO)
    for fold in progress.track(list(folds.values()), "left out", asked):
        copy = forecaster.clone().fit(plain, split=fold)
        tables.append(copy.forecasts(plain, every=every, part="test", split=fold))
    return hindcast.together(tables)


def left_out_beside(models: Mapping[str, Forecasts], panel: Panel, word: str, every: int = 1) -> Any:
    """`left_out` of several forecasters, with a column `model` in front where they are several."""
    tables = {name: left_out(each, panel, {split.LEAVE_ONE_OUT: word}, every) for name, each in models.items()}
    if len(tables) == 1:
        return panel.native(next(iter(tables.values())))
    named = [table.select(pl.lit(name).alias("model"), pl.all()) for name, table in tables.items()]
    return panel.native(pl.concat(named, how="diagonal_relaxed"))


def compare(
    models: Mapping[str, Forecasts],
    frame: Any,
    *,
    windows: int = 8,
    step: int | None = None,
    refit: Refit = None,
    **roles: Any,
) -> Any:
    """`backtest` of several forecasters side by side, on the same cutoffs, series and rows.

    Args:
        models: forecasters of one horizon, by the names that the table shall give them.
        frame: a `Panel`, or a pandas, polars or pyarrow frame.
        windows: as of `backtest`.
        step: as of `backtest`.
        refit: as of `backtest`.
        roles: columns of the frame, as of `Panel.of`.

    Returns:
        The table of `tsrnn.hindcast` with a column `model` in front, in the frame type given.

    Raises:
        InputError: as `backtest`, or the horizons differ.
    """
    panel = Panel.of(frame, **roles)
    tables = _tables(models, panel, windows, step, refit, "model")
    named = [table.select(pl.lit(name).alias("model"), pl.all()) for name, table in tables.items()]
    return panel.native(pl.concat(named, how="diagonal_relaxed"))


def _tables(
    models: Mapping[str, Forecasts], panel: Panel, windows: int, step: int | None, refit: Refit, *others: str
) -> dict[str, pl.DataFrame]:
    every = _cadence(refit)
    for forecaster in models.values():
        forecaster.configs()
        hindcast.names(panel, forecaster._levels, *others)
    reach, arrays = _reach(models), panel.arrays()
    moments = cutoffs.plan(panel, arrays, reach, windows, step)
    cutoffs.say_what_is_left_out(panel, moments, reach)
    keep = refit is False
    return {name: _rolled(forecaster, panel, arrays, moments, every, keep) for name, forecaster in models.items()}


def _rolled(
    forecaster: Forecasts, panel: Panel, arrays: Arrays, moments: Sequence[Cutoff], every: int | None, keep: bool
) -> pl.DataFrame:
    """The table of one forecaster; `keep`: where it is fitted, it is asked as it is."""
    fitted, tables, levels = forecaster if keep and hasattr(forecaster, "model_") else None, [], forecaster._levels
    asked = forecaster.get_params().get("progress", progress.AUTO)
    shown = progress.track(moments, "backtest", asked) if every else moments  # one training shows a bar of its own
    for k, cutoff in enumerate(shown):
        if fitted is None or (every is not None and k % every == 0):
            fitted = forecaster.anew(panel.until(_learnt(forecaster, arrays, cutoff)))
        if not cutoff.asked.any():
            continue
        begin, end = cutoff.begin[cutoff.asked], cutoff.end[cutoff.asked]
        past = panel.until(np.where(cutoff.asked, cutoff.begin, arrays.offsets[:-1]))
        answer = fitted.forecast(past, panel.between(begin, end))
        tables.append(hindcast.table(panel, begin, *hindcast.cells(past, answer, levels), levels, end))
    return pl.concat(tables)


def _learnt(forecaster: Forecasts, arrays: Arrays, cutoff: Cutoff) -> Rows:
    """The row up to which each series is trained on: the cutoff, or its first where it is too short to learn from."""
    rows = cutoff.begin - arrays.offsets[:-1]
    need = forecaster.horizon + (1 if forecaster.pad else forecaster.input_size)
    long = rows - split.held_out(rows, forecaster.horizon, forecaster.val_size) >= need
    if not long.any():
        long = rows > 0  # `fit` says what they lack
    return np.where(long, cutoff.begin, arrays.offsets[:-1])


def _reach(models: Mapping[str, Forecasts]) -> Reach:
    """What the most demanding of them needs, so that all are asked for the same forecasts."""
    horizons = {forecaster.horizon for forecaster in models.values()}
    if len(horizons) != 1:
        said = ", ".join(str(horizon) for horizon in sorted(horizons)) or "no model"
        raise InputError(f"models are compared at one horizon, not at {said}; give all of them the same")
    behind = max(1 if each.pad else int(each.input_size) for each in models.values())
    return Reach(int(horizons.pop()), behind, min(int(each.input_size) for each in models.values()))


def _cadence(refit: Refit) -> int | None:
    """Cutoffs from one training to the next; None: there is only one, if any."""
    if refit is None or refit is False:
        return None
    if not isinstance(refit, int | np.integer) or refit < 1:
        raise InputError(f"refit is True, False, or every how many cutoffs to train anew, not {refit!r}")
    return int(refit)
