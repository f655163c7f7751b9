"""A board for other programs and other people's documents: CSV with every number, Markdown as it is read."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tsrnn.board import table as boards
from tsrnn.board.lines import measured
from tsrnn.board.own import comparable, own
from tsrnn.board.ranks import standings
from tsrnn.board.rows import apart, read
from tsrnn.suites import Suite

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes a cell for that begins so
_MARKS = str.maketrans({"|": r"\|", "<": "&lt;", ">": "&gt;", "\n": " ", "\r": " "})


def show(suite: Suite | None, folder: Path, others: int, as_csv: bool) -> None:
    """Print a suite's board, or the standings over all data sets, as CSV or as a table of Markdown."""
    table = standings(apart(read(folder))[0]) if suite is None else _board(suite, folder, others)
    text = csv(table) if as_csv else markdown(table if suite is None else _few(table, suite))
    sys.stdout.write(text)


def csv(table: pl.DataFrame) -> str:
    """Every column; a word that a spreadsheet would run stands behind an apostrophe."""
    words = [name for name, kind in table.schema.items() if kind == pl.String]
    held = [
        pl.when(pl.col(name).str.head(1).is_in(_FORMULA)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in words
    ]
    return table.with_columns(held).write_csv()


def markdown(table: pl.DataFrame) -> str:
    """A table; words of rows are text, never marks."""
    rows = [[_cell(value) for value in row] for row in table.iter_rows()]
    names = [_cell(name) for name in table.columns]
    edge = ["---:" if kind.is_numeric() else "---" for kind in table.dtypes]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (names, edge, *rows))


def _board(suite: Suite, folder: Path, others: int) -> pl.DataFrame:
    """All parts of a board, each in its order."""
    rows = own(folder, suite)
    theirs: Sequence[Any] = [comparable(rows, suite), None]
    tables = []
    for part, published in zip(apart(rows), theirs, strict=False):
        wide = measured(part, suite.measures, folder, suite.leads)
        tables.append(boards.board(wide, suite.by, suite.measures, published, folder))
    return boards.shortened(pl.concat(tables, how="diagonal_relaxed"), others)


def _few(table: pl.DataFrame, suite: Suite) -> pl.DataFrame:
    """What is read: the first measure at each place, all measures' means, seeds and costs."""
    first = suite.measures[0]
    places = [name for name in table.columns if name.startswith(f"{first}_")]
    means = [pl.col(name).alias(f"mean {name}") for name in suite.measures]
    words = [name for name in ("group", "model", "options", "track", "class") if table[name].is_not_null().any()]
    return table.select(*words, *places, *means, "spread", "seeds", "parameters", "seconds")


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 10 else f"{value:.4g}"
    return "" if value is None else str(value).translate(_MARKS)
