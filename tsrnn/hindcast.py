"""Forecasts of the past beside what came: the one table that scores, backtests and pictures are read from.

A row per cutoff, series, target and lead, in the panel's units: the id (where there are several series), the index,
`cutoff` (the newest row that was known), `lead` (steps after it, from 1), `target`, `y` (null where nothing was
measured), `forecast`, and a column `q<level>` per quantile.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl

from tsrnn import answer
from tsrnn.arrays import Floats, Rows
from tsrnn.errors import InputError
from tsrnn.panel import Panel

COLUMNS = ("cutoff", "lead", "target", "y", "forecast")


def names(panel: Panel, levels: Sequence[float], *others: str) -> None:
    """Refuse an id or index that is called as a column of the table is.

    Args:
        panel: whose roles name the columns.
        levels: of the quantiles.
        others: columns that stand beside the usual ones.

    Raises:
        InputError: names the column.
    """
    answer.names(panel, levels)
    taken = (*COLUMNS, *others, *(f"q{level:g}" for level in levels))
    for role, name in (("id", panel.roles.id), ("index", panel.roles.index)):
        if name in taken:
            raise InputError(f"{panel.source}: the {role} is called {name!r}, as a column of a backtest is; rename it")


def table(
    panel: Panel,
    starts: Rows,
    point: Floats,
    quantiles: Floats | None = None,
    levels: Sequence[float] = (),
    ends: Rows | None = None,
) -> pl.DataFrame:
    """Forecasts of rows that the panel holds.

    Args:
        panel: with the truth.
        starts: [window] the panel row of each forecast's first step.
        point: [window horizon target].
        quantiles: [window horizon target quantile].
        levels: of the quantiles.
        ends: [window] the row before which each forecast's truth ends; None: a whole horizon has come.
    """
    answer.refuse_infinite(point, quantiles)
    rows = starts[:, None] + np.arange(point.shape[1])  # [window horizon]
    kept = np.ones(rows.shape, bool) if ends is None else rows < ends[:, None]
    series = [panel.frame[name].gather(rows[kept]) for name in _keys(panel)]
    cutoff = panel.frame[panel.roles.index].gather(np.broadcast_to(starts[:, None] - 1, rows.shape)[kept])
    kind = common([panel.frame.schema[name] for name in panel.roles.targets])
    truth = [panel.frame[name].gather(rows[kept]).cast(kind) for name in panel.roles.targets]
    return _stacked(panel, [*series, cutoff.alias("cutoff")], truth, kept, (point, quantiles, levels))


def ahead(panel: Panel, forecast: pl.DataFrame, levels: Sequence[float] = ()) -> pl.DataFrame:
    """A forecast of the steps after a panel's end, as `Forecaster.forecast` gives it, with no truth yet."""
    point, quantiles = cells(panel, forecast, levels)
    shape = point.shape[:2]
    cutoff = panel.frame[panel.roles.index].gather(np.repeat(panel.offsets[1:] - 1, shape[1])).alias("cutoff")
    kind = common([panel.frame.schema[name] for name in panel.roles.targets])
    truth = [pl.repeat(None, len(forecast), dtype=kind, eager=True) for _ in panel.roles.targets]
    keys = [forecast[name] for name in _keys(panel)]
    return _stacked(panel, [*keys, cutoff], truth, np.ones(shape, bool), (point, quantiles, levels))


def cells(panel: Panel, forecast: pl.DataFrame, levels: Sequence[float]) -> tuple[Floats, Floats | None]:
    """The numbers in a forecast's frame: [series horizon target], [series horizon target quantile]."""
    named, count = answer.names(panel, levels), len(panel.ids)
    point = np.stack([forecast[name].to_numpy() for name in named], -1).reshape(count, -1, len(named))
    if not levels:
        return point, None
    flat = [np.stack([forecast[name].to_numpy() for name in columns], -1) for columns in named.values()]
    return point, np.stack(flat, 1).reshape(count, -1, len(named), len(levels))


def together(tables: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Several tables below one another, without a copy."""
    return pl.concat(tables)


def is_level(column: str) -> bool:
    """Whether a column of the table holds a quantile."""
    try:
        return column.startswith("q") and 0 < float(column[1:]) < 1
    except ValueError:
        return False


def central(levels: Iterable[float]) -> list[tuple[float, float]]:
    """The levels between which central intervals lie, widest first."""
    known = sorted(levels)
    lower = [level for level in known if level < 0.5]
    pairs = [(level, min(known, key=lambda upper: abs(1 - level - upper))) for level in lower]
    return [(low, high) for low, high in pairs if abs(1 - low - high) < 1e-9]


def common(kinds: Sequence[pl.DataType]) -> pl.DataType:
    """A type that holds what all of them hold."""
    if len(set(kinds)) == 1:
        return kinds[0]
    whole = all(kind.is_integer() or kind == pl.Boolean for kind in kinds) and pl.UInt64 not in kinds
    return pl.Int64() if whole else pl.Float64()


def _keys(panel: Panel) -> list[str]:
    return [panel.roles.id, panel.roles.index] if panel.roles.id else [panel.roles.index]


def _stacked(
    panel: Panel,
    keys: Sequence[pl.Series],
    truth: Sequence[pl.Series],
    kept: np.ndarray,
    forecast: tuple[Floats, Floats | None, Sequence[float]],
) -> pl.DataFrame:
    """The targets' tables, put together forecast by forecast; `kept` [window horizon] says which steps there are."""
    point, quantiles, levels = forecast
    lead = pl.Series("lead", np.broadcast_to(np.arange(1, kept.shape[1] + 1), kept.shape)[kept], pl.Int64)
    targets = panel.roles.targets
    kind = common([_measured(panel.frame.schema[name]) for name in targets])
    tables = []
    for k, (name, y) in enumerate(zip(targets, truth, strict=True)):
        target = pl.repeat(name, len(lead), dtype=pl.String, eager=True).alias("target")
        columns = [*keys, lead, target, y.alias("y"), pl.Series("forecast", point[..., k][kept], kind)]
        for q, level in enumerate(levels):
            assert quantiles is not None
            columns.append(pl.Series(f"q{level:g}", quantiles[..., k, q][kept], kind))
        tables.append(pl.DataFrame(columns))
    if len(tables) == 1:
        return tables[0]
    place = np.empty((len(targets), *kept.shape), np.int64)
    place[:, kept] = np.arange(len(targets) * len(lead)).reshape(len(targets), -1)
    order = place.transpose(1, 0, 2)[np.broadcast_to(kept[:, None], (len(kept), len(targets), kept.shape[1]))]
    return pl.concat(tables).select(pl.all().gather(order))


def _measured(kind: pl.DataType) -> pl.DataType:
    """The type of a forecast of such a column."""
    return pl.Float32() if kind == pl.Float32 else pl.Float64()
