"""The pictures of a suite's page, and the tables of where errors lie."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import polars as pl

from tsrnn.page import cells, figures, slices
from tsrnn.page.entries import NAIVE, Entry
from tsrnn.page.slices import Table
from tsrnn.suites import Suite

_LINES = 5  # of a chart, beside the naive one
_HEATS = 14  # lines of a table of parts
_BEHIND = 1.6  # times the first line's worst number: what a chart shows


@dataclass(frozen=True)
class Picture:
    """A figure under its heading, with what a reader must know of it; `table` says the same in numbers."""

    title: str
    drawn: str
    note: str = ""
    table: Any = None


def pictures(lines: Sequence[Entry], suite: Suite, folder: Path) -> dict[str, list[Picture]]:
    """`figures` of the board, `parts` of the test."""
    measure = suite.measures[0]
    words = cells.words(measure)
    ours = [line for line in lines if line.ours and line.cells[measure] is not None]
    found = [standing(lines, suite)]
    for column, across in (("seconds", "seconds a fit"), ("parameters", "parameters")):
        points = [
            figures.Cost(line.name, line.cells[column] or 0, line.cells[measure], not line.cells["parameters"])
            for line in ours
        ]
        title = f"Error against {'time' if column == 'seconds' else 'size'}"
        said = f"{words} of each line against its {across}; the dashed line joins those that nothing cheaper beats"
        drawn = figures.costs(title, points, across, words, said)
        note = "Blue and joined: no line that costs as little is better. All numbers stand in the board."
        found += [Picture(title, drawn, note)] if drawn else []
    return {"figures": [each for each in found if each.drawn], "slices": list(_slices(lines, suite, folder))}


def standing(lines: Sequence[Entry], suite: Suite) -> Picture:
    """The board itself as a picture: means with their spread over seeds, published ones hollow."""
    measure = suite.measures[0]
    words = cells.words(measure)
    marks = []
    for line in lines:
        value, spread = line.cells[measure], line.cells["spread"] or 0.0
        if value is not None:
            group = line.cells["group"] == 1
            marks.append(figures.Mark(line.name, value, value - spread, value + spread, line.ours, group))
    said = f"Mean {words} of {len(marks)} lines, lowest first: " + ", ".join(
        f"{mark.name} {mark.value:.4g}" for mark in marks[:5]
    )
    note = "Bars: one deviation over seeds. Blue: the first tie group. Hollow: published, not run here."
    drawn = figures.intervals(f"{suite.name} board", marks, f"mean {words}", said) if marks else ""
    return Picture("Mean error and its spread", drawn, note)


def _slices(lines: Sequence[Entry], suite: Suite, folder: Path) -> "Sequence[Picture]":
    measure, words = suite.measures[0], cells.words(suite.measures[0])
    rows = {line.name: line.rows for line in lines if line.rows is not None}
    found = []
    table = slices.by_lead(rows, suite, measure) or slices.by_place(rows, suite.by, measure)
    if table:
        found.append(_chart(f"Error by {suite.by}", suite.by, table, words))
    horizons = sorted({horizon for part in rows.values() for horizon in part["horizon"].unique()})
    for axis, title in slices.AXES.items():
        for horizon in horizons if axis == "lead" else horizons[:1]:
            table = slices.by_axis(rows, axis, measure, horizon, folder)
            if table and len(table[0]) > 1:
                of = f", horizon {horizon}" if len(horizons) > 1 else ""
                kind = {"lead": "step ahead"}.get(axis, axis)
                found.append(_heat(title + of, table) if axis == "channel" else _chart(title + of, kind, table, words))
    if table := slices.by_series(_once(rows), measure, folder):
        found.append(_heat("Error by series", table, words))
    return found


def _once(rows: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    return {name: part.unique(["horizon", "seed", "fold"], keep="first") for name, part in rows.items()}


def _chart(title: str, across: str, table: Table, words: str) -> Picture:
    """The best lines and a naive one, over places; the table has more."""
    places, lines = table
    near = _near(lines)
    last = [name for name in near[_LINES:] if name.split()[0] in NAIVE][:1]
    names = [*near[:_LINES], *last]
    shown = [figures.Course(name, lines[name]) for name in names]
    said = f"{title}: {words} of {', '.join(names)}; the table below says more"
    drawn = figures.courses(title, shown, places, (across, words), said)
    return Picture(title, drawn, f"The first {len(near[:_LINES])} lines of the board.", cells.heat(_fewer(table)))


def _near(lines: Mapping[str, Sequence[float]]) -> list[str]:
    """Lines that are not so far behind the first that they would press it flat."""
    most = _BEHIND * max(filter(isfinite, next(iter(lines.values()))))
    return [name for name, values in lines.items() if max(filter(isfinite, values), default=0) < most]


def _heat(title: str, table: Table, words: str = "") -> Picture:
    return Picture(title, "", words, cells.heat(_fewer(table)))


def _fewer(table: Table) -> Table:
    places, lines = table
    every = -(-len(places) // 24)
    kept = list(lines)[: _HEATS - 1] + list(lines)[_HEATS - 1 :][-1:]
    return places[::every], {name: lines[name][::every] for name in kept}
