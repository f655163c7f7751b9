"""Rolling-origin evaluation: forecasts from several cutoffs, each made without a row after its cutoff."""

from typing import Any, Protocol, Self

import polars as pl

from tsrnn import split
from tsrnn.panel import Panel


class Forecasts(Protocol):
    """What a backtest asks of a forecaster."""

    horizon: int

    def clone(self) -> Self: ...

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
        y, forecast, and a column `q<level>` per quantile.
    """
    arrays = panel.arrays()
    parts = split.rolling(arrays, forecaster.horizon, windows, step or forecaster.horizon)
    fitted, tables = None, []
    for part in parts:
        past = panel.until(part.begin)
        if fitted is None or refit:
            fitted = forecaster.clone().fit(past)
        truth = panel.between(part.begin, part.end)
        tables.append(_scored(panel, past, truth, fitted.forecast(past, truth)))
    return pl.concat(tables)


def _scored(panel: Panel, past: Panel, truth: pl.DataFrame, forecast: pl.DataFrame) -> pl.DataFrame:
    """Truth and forecast side by side; both have one row per series and step, in the same order."""
    roles = panel.roles
    keys = [roles.id, roles.index] if roles.id else [roles.index]
    cutoffs = past.frame[roles.index].gather(past.offsets[1:] - 1)
    cutoff = cutoffs.gather(pl.int_range(len(truth), eager=True) // (len(truth) // len(cutoffs))).alias("cutoff")
    tables = []
    for name in roles.targets:
        quantiles = {
            column: column.removeprefix(f"{name}_") for column in forecast.columns if column.startswith(f"{name}_q")
        }
        named = [pl.lit(name).alias("target"), truth[name].alias("y"), forecast[name].alias("forecast")]
        levels = [forecast[column].alias(level) for column, level in quantiles.items()]
        tables.append(truth.select([*keys, cutoff, *named, *levels]))
    return pl.concat(tables)
