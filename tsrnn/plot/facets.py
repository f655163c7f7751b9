"""What a picture of forecasts shows, as plain arrays: of each series and target what was measured, and fans.

A facet is read from the table of `tsrnn.hindcast` and, for what came before, from a panel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from tsrnn import hindcast
from tsrnn.errors import InputError, listed, notice, unknown
from tsrnn.panel import Panel

Values = np.ndarray


@dataclass(frozen=True)
class Fan:
    """One forecast: [lead] each."""

    model: str  # "" where there is one
    cutoff: Values  # [1] its place on the index
    at: Values
    point: Values
    intervals: Mapping[str, tuple[Values, Values]]  # low and high, by the percents they should hold, widest first


@dataclass(frozen=True)
class Facet:
    """One series and target."""

    series: str  # "" where there is one
    target: str
    measured: Sequence[tuple[Values, Values]]  # index and value of each stretch without a gap; NaN: a missing cell
    fans: Sequence[Fan]


@dataclass(frozen=True)
class Choice:
    """What is shown of a table."""

    series: Sequence[str] = ()  # none: all
    targets: Sequence[str] = ()
    most: int = 6  # facets
    cutoffs: int = 8  # the newest
    rows: int | None = None  # before the first cutoff; None: three horizons


def of(table: pl.DataFrame, panel: Panel, choice: Choice) -> list[Facet]:
    """Facets of a table of forecasts of the panel's rows.

    Raises:
        InputError: no such series or target is in it, or a number is below 1.
    """
    for name, count in (("cutoffs", choice.cutoffs), ("most", choice.most), ("rows", choice.rows or 1)):
        if count < 1:
            raise InputError(f"{name} must be at least 1, not {count}")
    id = panel.roles.id
    table = table if id is None else table.with_columns(pl.col(id).cast(pl.String))
    names = [] if id is None else table[id].unique(maintain_order=True).to_list()
    pairs = _pairs(names, table["target"].unique(maintain_order=True).to_list(), choice)
    breaks = panel.arrays().breaks
    return [_facet(table, panel, breaks, pair, choice) for pair in pairs]


def measured(panel: Panel, columns: Sequence[str], choice: Choice) -> list[Facet]:
    """Facets of columns as they were measured, without a forecast; of `rows`, the newest so many of each series.

    Raises:
        InputError: as `of`.
    """
    if choice.most < 1 or (choice.rows or 1) < 1:
        raise InputError("most and rows must be at least 1")
    breaks, drawn = panel.arrays().breaks, []
    for name, column in _pairs(panel.ids if panel.roles.id else (), columns, choice):
        series = panel.ids.index(name) if name else 0
        begin, end = int(panel.offsets[series]), int(panel.offsets[series + 1])
        first = begin if choice.rows is None else max(begin, end - choice.rows)
        drawn.append(Facet(name, column, _stretches(panel, column, breaks, first, end), ()))
    return drawn


def place(index: pl.Series) -> Values:
    """Index values as matplotlib places them: dates by the clock of their zone, durations in hours."""
    if index.dtype == pl.Duration:
        return index.dt.total_microseconds().to_numpy() / 3.6e9
    if isinstance(index.dtype, pl.Datetime) and index.dtype.time_zone is not None:
        index = index.dt.replace_time_zone(None)
    return index.to_numpy() if index.dtype.is_temporal() else index.cast(pl.Float64).to_numpy()


def _known(kind: str, asked: Sequence[str], names: Sequence[str]) -> Sequence[str]:
    asked = [asked] if isinstance(asked, str) else asked
    for name in asked:
        if name not in names:
            raise unknown(kind, name, names)
    return asked or names


def _pairs(names: Sequence[str], targets: Sequence[str], choice: Choice) -> list[tuple[str, str]]:
    """Series (none: there is one without a name) and targets to draw; what is left out is said."""
    if not names and choice.series:
        raise InputError("there is one series and it has no name; leave the series out")
    shown = _known("series", choice.series, names) if names else [""]
    pairs = [(name, target) for name in shown for target in _known("target", choice.targets, targets)]
    if len(pairs) > choice.most:
        left = [", ".join(word for word in pair if word) for pair in pairs[choice.most :]]
        notice(f"{choice.most} of {len(pairs)} series and targets are drawn, without {listed(left)}; name those to see")
    return pairs[: choice.most]


def _stretches(panel: Panel, column: str, breaks: Values, first: int, last: int) -> list[tuple[Values, Values]]:
    """Rows [first, last) of one series, cut where the index has a gap."""
    edges = [first, *(int(row) for row in breaks if first < row < last), last]
    values = panel.frame[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    at = panel.frame[panel.roles.index]
    return [(place(at[a:b]), values[a:b]) for a, b in pairwise(edges)]


def _facet(table: pl.DataFrame, panel: Panel, breaks: Values, which: tuple[str, str], choice: Choice) -> Facet:
    (name, target), id, index = which, panel.roles.id, panel.roles.index
    rows = table.filter(target=target) if id is None else table.filter(pl.col(id) == name, target=target)
    newest = rows["cutoff"].unique().sort().tail(choice.cutoffs)
    rows = rows.filter(pl.col("cutoff").is_in(newest.to_list()))
    model = ["model"] if "model" in rows.columns else []
    fans = [fan(part, index) for part in rows.partition_by([*model, "cutoff"], maintain_order=True)]
    series = 0 if id is None else panel.ids.index(name)
    begin, end = int(panel.offsets[series]), int(panel.offsets[series + 1])
    known = panel.frame[index][begin:end]
    behind = choice.rows or 3 * int(table["lead"].to_numpy().max())
    first = max(begin, begin + int((known <= newest[0]).sum()) - behind)
    last = begin + int((known <= pl.concat([rows[index], newest.rename(index)]).max()).sum())
    return Facet(name, target, _stretches(panel, target, breaks, first, last), fans)


def fan(rows: pl.DataFrame, index: str) -> Fan:
    """One forecast of the table, from one cutoff."""
    levels = {float(name[1:]): name for name in rows.columns if hindcast.is_level(name)}
    pairs = {f"{100 * (high - low):.4g}": (low, high) for low, high in hindcast.central(levels)}
    intervals = {
        share: (rows[levels[low]].to_numpy(), rows[levels[high]].to_numpy())
        for share, (low, high) in pairs.items()
        if not rows[levels[low]].null_count()
    }
    model = rows["model"][0] if "model" in rows.columns else ""
    return Fan(model, place(rows["cutoff"][:1]), place(rows[index]), rows["forecast"].to_numpy(), intervals)
