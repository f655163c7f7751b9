"""Rolling-origin evaluation: forecasts from several cutoffs, each made without a row after its cutoff."""

from collections.abc import Sequence
from typing import Any, Protocol, Self

import polars as pl

from tsrnn import answer, progress, split
from tsrnn.errors import InputError
from tsrnn.panel import Panel

_OWN = ("cutoff", "target", "y", "forecast")  # columns of the table


class Forecasts(Protocol):
    """What a backtest asks of a forecaster."""

    horizon: int
    quantiles: Sequence[float] | None

    def clone(self) -> Self: ...

    def get_params(self) -> dict[str, Any]: ...

    def fit(self, frame: Any) -> Self: ...

    def forecast(self, panel: Panel, future: pl.DataFrame | None = None) -> pl.DataFrame: ...


def backtest(
    forecaster: Forecasts, panel: Panel, windows: int, step: int | None = None, refit: bool = False
) -> pl.DataFrame:
    """Fit copies of `forecaster` on the rows before a cutoff and forecast what follows, `windows` times.

    Args:
        windows: how many cutoffs; the last one leaves exactly one horizon of rows.
        step: rows between cutoffs; one horizon by default, so that no row is forecast twice.
        refit: train anew at every cutoff, instead of once, before the first.

    Returns:
        One row per cutoff, series, step and target: id (where there are several series), the index, cutoff, target,
        y, forecast, and a column `q<level>` per quantile; targets of unlike types in one that holds them all.

    Raises:
        InputError: the id or the index is called as a column of the table, or a series is too short.
    """
    levels = [] if forecaster.quantiles is None else list(forecaster.quantiles)
    answer.names(panel, levels)
    for role, name in (("id", panel.roles.id), ("index", panel.roles.index)):
        if name in (*_OWN, *(f"q{level:g}" for level in levels)):
            raise InputError(f"{panel.source}: the {role} is called {name!r}, as a column of a backtest is; rename it")
    arrays = panel.arrays()
    parts = split.rolling(arrays, forecaster.horizon, windows, step or forecaster.horizon)
    fitted, tables = None, []
    asked = forecaster.get_params().get("progress", progress.AUTO)
    for part in progress.track(parts, "backtest", asked) if refit else parts:  # one training shows a bar of its own
        past = panel.until(part.begin)
        if fitted is None or refit:
            fitted = forecaster.clone().fit(past)
        truth = panel.between(part.begin, part.end)
        tables.append(_scored(panel, past, truth, fitted.forecast(past, truth), levels))
    return _stacked(tables)


def _scored(
    panel: Panel, past: Panel, truth: pl.DataFrame, forecast: pl.DataFrame, levels: Sequence[float]
) -> pl.DataFrame:
    """Truth and forecast side by side; both have one row per series and step, in the same order."""
    roles = panel.roles
    keys = [roles.id, roles.index] if roles.id else [roles.index]
    cutoffs = past.frame[roles.index].gather(past.offsets[1:] - 1)
    cutoff = cutoffs.gather(pl.int_range(len(truth), eager=True) // (len(truth) // len(cutoffs))).alias("cutoff")
    tables = []
    for name, quantile_names in answer.names(panel, levels).items():
        named = [pl.lit(name).alias("target"), truth[name].alias("y"), forecast[name].alias("forecast")]
        quantiles = [
            forecast[column].alias(f"q{level:g}") for column, level in zip(quantile_names, levels, strict=True)
        ]
        tables.append(truth.select([*keys, cutoff, *named, *quantiles]))
    return _stacked(tables)


def _stacked(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The tables below one another, each column in a type that holds what all of them hold."""
    common = {}
    for name in tables[0].columns:
        kinds = {table.schema[name] for table in tables}
        if len(kinds) > 1:
            whole = all(kind.is_integer() or kind == pl.Boolean for kind in kinds) and pl.UInt64 not in kinds
            common[name] = pl.Int64 if whole else pl.Float64
    return pl.concat([table.cast(common) for table in tables])  # type: ignore[arg-type]  # names to types
