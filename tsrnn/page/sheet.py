"""What the page of one suite says: its boards, comparisons, figures, samples, and where each row comes from."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tsrnn import tasks
from tsrnn.board import table as boards
from tsrnn.board.choice import criterion, said
from tsrnn.board.lines import measured
from tsrnn.board.own import comparable, own
from tsrnn.board.remarks import captions, notes, trials, uncounted, unstored
from tsrnn.board.rows import AS_IT_COMES, apart
from tsrnn.errors import InputError
from tsrnn.page import cells, classes, drawn, origin, samples
from tsrnn.page.entries import Entry, baseline, entries, pairs
from tsrnn.suites import Suite

OTHERS = 12  # published lines on a board


def sheet(suite: Suite, folder: Path, others: int = OTHERS) -> dict[str, Any]:
    """The context of `templates/board.html` for a suite's rows in a folder.

    Raises:
        InputError: as `tsrnn.board.own.own`.
    """
    rows = own(folder, suite)
    made: list[list[Entry]] = []
    parts, remarked = [], list[str]()
    for title, part in zip(("", "Models as they come"), apart(rows), strict=False):
        table, lines = _lines(part, suite, folder, others, "bc"[len(made)])
        remarks = [] if suite.leads else said(table, suite.measures)
        parts.append(_part(lines, suite, title, [*_verdict(table, lines, suite), *remarks]))
        made.append(lines)
        remarked += unstored(part, suite.measures, folder, suite.leads) + uncounted(part, suite.measures, folder)
        remarked += captions(table) + trials(part)
    first = made[0]
    return {
        "title": suite.name,
        "kind": "board",
        "by": suite.by if tasks.find(suite.task).forecasts else "",
        "facts": _facts(rows, suite, first),
        "parts": parts,
        "caption": " ".join(dict.fromkeys(remarked)),
        "matrix": cells.differences(*pairs(first, suite.by, suite.measures[0], folder), suite.measures[0]),
        "board": drawn.standing(first, suite).drawn,
        **drawn.pictures(first, suite, folder),
        "labels": classes.told(apart(rows)[0], _named(first), suite, folder),
        "samples": samples.windows(_named(first), folder),
        "origins": [_origin(line, suite) for lines in made for line in lines if line.rows is not None],
        "measures": [cells.words(name) for name in suite.measures],
        "baseline": baseline([line.cells["model"] for line in first], suite),
    }


def board(suite: Suite, folder: Path, others: int = OTHERS) -> str:
    """The board as one figure.

    Raises:
        InputError: as `sheet`, or no line has every place.
    """
    _, lines = _lines(apart(own(folder, suite))[0], suite, folder, others, "b")
    if not (figure := drawn.standing(lines, suite).drawn):
        every = f"every {suite.by}" if tasks.find(suite.task).forecasts else "every fold"
        raise InputError(f"no model in {folder} has {every} of {suite.name}; run `tsrnn bench` on")
    return figure


def _lines(
    rows: pl.DataFrame, suite: Suite, folder: Path, others: int, prefix: str
) -> tuple[pl.DataFrame, list[Entry]]:
    """A board as a table, and its lines."""
    measures = (*suite.measures, *(() if suite.leads else (criterion(suite.measures),)))
    theirs = None if (rows["track"] == AS_IT_COMES).all() else comparable(rows, suite)
    wide = measured(rows, measures, folder, suite.leads)
    table = boards.shortened(boards.board(wide, suite.by, measures, theirs, folder), others)
    return table, entries(table, wide, suite, prefix)


def _named(lines: Sequence[Entry]) -> dict[str, pl.DataFrame]:
    return {line.name: line.rows for line in lines if line.rows is not None}


def _verdict(table: pl.DataFrame, lines: Sequence[Entry], suite: Suite) -> list[str]:
    """Who wins, if anybody does."""
    best = boards.winner(table, suite.measures[0])
    together = [line.name for line in lines if line.cells["group"] == 1]
    unknown = sum(line.ours and line.cells["group"] is None for line in lines)
    if best is not None:
        sentence = f"{lines[best].name} stands first and is told apart from every other line of ours."
    elif len(together) > 1:
        others = f"; of {unknown} other line{'s' * (unknown > 1)} of ours it is not known" if unknown else ""
        sentence = f"No winner can be named: {len(together)} lines cannot be told apart: {', '.join(together)}{others}."
    else:
        sentence = "No winner can be named: which lines can be told apart is not known."
    return [sentence, *notes(table, suite.measures[0])]


def _part(lines: Sequence[Entry], suite: Suite, title: str, remarks: Sequence[str]) -> dict[str, Any]:
    tracks = list(dict.fromkeys(line.cells["track"] for line in lines if line.ours))
    classes = sorted({line.cells["class"] for line in lines} - {""})
    return {
        "title": title,
        "remarks": remarks,
        "tracks": tracks if len(tracks) > 1 else [],
        "classes": classes,
        **cells.board(lines, suite),
    }


def _facts(rows: pl.DataFrame, suite: Suite, lines: Sequence[Entry]) -> dict[str, str]:
    """What was compared, in a few words each."""
    folds = rows["fold"].n_unique()
    ahead = tasks.find(suite.task).forecasts
    windows = rows.group_by("horizon").agg(pl.col("windows").max()).sort("horizon").drop_nulls()
    counted = ", ".join(f"{count:,} at horizon {horizon}" for horizon, count in windows.iter_rows())
    facts = {
        "data": suite.data,
        "sha256": ", ".join(each[:12] for each in rows["sha256"].unique(maintain_order=True)),
        "measures": ", ".join(map(cells.words, suite.measures)),
        "lines": f"{sum(line.ours for line in lines)} of ours, {sum(not line.ours for line in lines)} published",
        "rows": f"{rows.height:,}, {_count(rows['seed'].n_unique(), 'seed')}"
        + (f", {folds} folds" if folds > 1 else ""),
        "test windows": ("every one, stride 1" + (f": {counted}" if folds == 1 and counted else "")) if ahead else "",
        "hardware": origin.listed(rows["hardware"]),
        "measured": origin.span(rows["finished"]),
    }
    return {name: value for name, value in facts.items() if value}


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _origin(line: Entry, suite: Suite) -> Mapping[str, Any]:
    assert line.rows is not None
    rows = line.rows.unique(["horizon", "seed", "fold"], keep="first", maintain_order=True)
    return {"name": line.name, "anchor": line.anchor, **origin.origin(rows, suite)}
