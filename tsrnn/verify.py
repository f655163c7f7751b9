"""Forecasts held against what came: measures of the table of `tsrnn.hindcast`, in groups of its rows.

By lead, by series, by cutoff, by model, by target: each is a group-by, and a measure is made once of a group's sums, as
`Forecaster.score` makes it. Rows without a measured truth or without a forecast count nowhere.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import polars as pl

from tsrnn import hindcast, metrics
from tsrnn.errors import InputError, unknown
from tsrnn.frames import from_polars, to_polars

USUAL = ("mae", "rmse")
_ROWS = 500_000  # of a long table that are measured at once
_COVERAGE = "coverage_"  # and the percents that an interval should hold
Names = str | Sequence[str]


def measured(forecasts: Any, by: Names = (), measures: Sequence[str] | str | None = None) -> Any:
    """Measures of groups of forecasts, in the data's units.

    Args:
        forecasts: what `Forecaster.forecasts`, `backtest` or `tsrnn.backtest.compare` gave.
        by: columns that tell groups apart, such as "lead", or the id; none: all rows are one group.
        measures: words of `tsrnn.metrics`; by default MAE, RMSE and the share of truths in each central interval
            (`coverage_80` between `q0.1` and `q0.9`).

    Returns:
        A row per group, in the order in which they come: `by`, count (of measured cells), and a column per measure, in
        the frame type given.

    Raises:
        InputError: there is no such column or measure, or a measure reads quantiles or a past that the forecasts lack.
    """
    table, origin = to_polars(forecasts, "forecasts")
    pieces = [sums(piece, by, measures) for piece in table.iter_slices(_ROWS)] or [sums(table, by, measures)]
    return from_polars(of(pieces, by), origin, "")


def groups(by: Sequence[str], id: str | None) -> list[str]:
    """The columns of groups that are named, "series" being the one that tells series apart, whatever it is called.

    Raises:
        InputError: there is one series.
    """
    if id is None and "series" in by:
        raise InputError("series tells several series apart, and there is one; leave it out, or name the column of ids")
    return [(id or name) if name == "series" else name for name in by]


def sums(table: pl.DataFrame, by: Names = (), measures: Sequence[str] | str | None = None) -> pl.DataFrame:
    """What `of` makes measures of, for one piece of a long table."""
    keys = _keys(by)
    for name in keys:
        if name not in table.columns:
            raise unknown("column of forecasts", name, table.columns)
    wanted = _wanted(table.columns, measures)
    y, point = (table[name].cast(pl.Float64).fill_null(float("nan")).to_numpy() for name in ("y", "forecast"))
    seen = ~np.isnan(y) & ~np.isnan(point)
    columns = [table[name].filter(pl.Series(seen)).alias(f"by {name}") for name in keys]
    columns.append(pl.Series("count", np.ones(seen.sum(), np.int64)))
    for name, levels in wanted.items():
        forecast = [_quantile(table, name, level)[seen] for level in levels] if levels else [point[seen]]
        said = ~np.isnan(sum(forecast))  # of models side by side, some have no quantiles
        columns.append(pl.Series(f"{name} count", said.astype(np.int64)))
        for place, cells in enumerate(_measure(name).arrays(y[seen], *forecast)):
            columns.append(pl.Series(f"{name} {place}", np.where(said, cells, 0.0)))
    return _summed(pl.DataFrame(columns), keys)


def of(pieces: Iterable[pl.DataFrame], by: Names = ()) -> pl.DataFrame:
    """The measures of a table whose pieces' `sums` these are."""
    keys = _keys(by)
    total = _summed(pl.concat(pieces), keys)
    arrays: dict[str, list[np.ndarray]] = {}
    for column in total.columns[len(keys) + 1 :]:
        arrays.setdefault(column.rpartition(" ")[0], []).append(total[column].to_numpy())
    made = [pl.Series(name, _measure(name).of(*each)).fill_nan(None) for name, each in arrays.items()]
    return total.select(*(pl.col(f"by {name}").alias(name) for name in keys), "count").with_columns(made)


def _summed(columns: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    if not keys:
        return columns.sum()
    return columns.group_by([f"by {name}" for name in keys], maintain_order=True).sum()


def _keys(by: Names) -> list[str]:
    return [by] if isinstance(by, str) else list(by)


def _wanted(columns: Sequence[str], measures: Sequence[str] | str | None) -> dict[str, tuple[float, ...]]:
    """Measures by name, with the levels that each reads."""
    if measures is not None:
        measures = metrics.words(measures, ())
        behind = [name for name in measures if metrics.named(name).history]
        if behind:
            raise InputError(f"{behind[0]} looks at each forecast's past, which no table of them holds; score by it")
        return {name: metrics.named(name).levels for name in measures}
    pairs = hindcast.central(float(name[1:]) for name in columns if hindcast.is_level(name))
    return {**dict.fromkeys(USUAL, ()), **{f"{_COVERAGE}{100 * (b - a):.4g}": (a, b) for a, b in pairs}}


def _measure(name: str) -> metrics.Measure:
    return metrics.coverage if name.startswith(_COVERAGE) else metrics.named(name)


def _quantile(table: pl.DataFrame, name: str, level: float) -> np.ndarray:
    column = f"q{level:g}"
    if column not in table.columns:
        levels = ", ".join(f"{each:g}" for each in metrics.named(name).levels)
        raise InputError(f"{name} reads the quantiles {levels}, which these forecasts have not; ask for them")
    return table[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()
