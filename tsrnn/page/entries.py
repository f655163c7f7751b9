"""The lines of a board with all that a page says of each: numbers, standing over tasks, name, rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tsrnn.board import table as boards
from tsrnn.board import ties
from tsrnn.board.difference import Numbers
from tsrnn.board.skill import Standing, standings
from tsrnn.suites import Suite

NAIVE = ("seasonal_naive", "repeat_last")  # what skill is counted from where a suite names nothing
_LONG = 26  # letters of the options in a name


@dataclass(frozen=True)
class Entry:
    """A line of a board; a published one has neither rows nor a standing."""

    cells: Mapping[str, Any]  # as `board/table.py` has them
    name: str
    anchor: str = ""
    rows: pl.DataFrame | None = None
    standing: Standing | None = None

    @property
    def ours(self) -> bool:
        return self.rows is not None


def entries(table: pl.DataFrame, rows: pl.DataFrame, suite: Suite, prefix: str) -> list[Entry]:
    """The lines of a board in its order.

    Args:
        table: what `boards.board` made of the rows.
        rows: with a column for every measure and for the suite's `by`.
        prefix: of anchors, one per board of a page.
    """
    kept, records = boards.lines(rows), table.to_dicts()
    keys = [(each["model"], each["options"], each["track"]) if not each["class"] else None for each in records]
    ours = [key for key in keys if key is not None]
    found = dict(zip(ours, _standings([kept[key] for key in ours], ours, suite), strict=True))
    several = len({key[2] for key in ours}) > 1
    lines = []
    for place, (cells, key) in enumerate(zip(records, keys, strict=True)):
        name = _name(cells, several)
        if key is None:
            lines.append(Entry(cells, name))
        else:
            lines.append(Entry(cells, name, f"{prefix}{place}", kept[key], found[key]))
    return lines


def baseline(models: Sequence[str], suite: Suite) -> str | None:
    """The model that skill is counted from: the suite's, or the first naive one there is."""
    return next((name for name in (suite.baseline, *NAIVE) if name in models), None)


def pairs(lines: Sequence[Entry], by: str, measure: str, folder: Path) -> tuple[list[Entry], list[ties.Pair]]:
    """The lines of ours with every place, and every two of them compared."""
    whole = [line for line in lines if line.ours and line.cells[measure] is not None]
    return whole, ties.pairs([line.rows for line in whole if line.rows is not None], by, measure, folder)


def _name(cells: Mapping[str, Any], several: bool) -> str:
    options = cells["options"] or ""
    options = options if len(options) <= _LONG else f"{options[:_LONG]}…"
    kind = f"({cells['class']})" if cells["class"] else f"({cells['track']})" if several else ""
    return " ".join(filter(None, (cells["model"], options, kind)))


def _standings(lines: Sequence[pl.DataFrame], keys: Sequence[tuple[str, Any, str]], suite: Suite) -> list[Standing]:
    if not lines:
        return []
    folds = len({fold for line in lines for fold in line["fold"].unique()}) > 1
    columns = ["fold", suite.by] if folds else [suite.by]
    tasks = pl.concat([line.select(columns) for line in lines]).unique().sort(columns)
    scores = [_scores(line, tasks, columns, suite.measures[0]) for line in lines]
    units = tasks[columns[0]].cast(pl.String).to_list()
    base = baseline([key[0] for key in keys], suite)
    places = [place for place, key in enumerate(keys) if key[0] == base]
    best = min(places, key=lambda place: _mean(scores[place])) if places else None
    return standings(scores, units, best)


def _mean(scores: Numbers) -> float:
    """Over all tasks; a line without one of them is no baseline while another has it."""
    mean = float(np.mean(scores))
    return mean if np.isfinite(mean) else np.inf


def _scores(line: pl.DataFrame, tasks: pl.DataFrame, columns: Sequence[str], measure: str) -> Numbers:
    """[seed task] of one line."""
    seeds = [
        tasks.join(part.group_by(columns).agg(pl.col(measure).mean()), on=columns, how="left", maintain_order="left")
        for _, part in line.group_by("seed", maintain_order=True)
    ]
    return np.stack([each[measure].cast(pl.Float64).fill_null(np.nan).to_numpy() for each in seeds])
