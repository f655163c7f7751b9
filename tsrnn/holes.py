"""Holes filled where that is asked for: a line between the last value before one and the first behind it.

A row that is missing becomes one; a cell in a row that is there gets a number. A filled cell knows what came behind it
and counts as measured ever after, in scores too, so that only short holes should be filled.
"""

import numpy as np
import polars as pl

from tsrnn import index as indexing
from tsrnn.arrays import Floats, Rows
from tsrnn.errors import InputError
from tsrnn.reading import Note
from tsrnn.roles import Roles
from tsrnn.steps import Step


def plain(fill: object) -> int | None:
    """`fill=` as a number of steps.

    Raises:
        InputError: it is no whole number of at least 1.
    """
    if fill is None:
        return None
    if isinstance(fill, bool) or not isinstance(fill, int | np.integer) or fill < 1:
        raise InputError(f"fill takes the most steps that a hole may have, a whole number of at least 1, not {fill!r}")
    return int(fill)


def filled(
    table: pl.DataFrame, roles: Roles, offsets: Rows, step: Step, fill: int, counted: bool
) -> tuple[pl.DataFrame, list[Note]]:
    """The table without holes of at most `fill` steps, and how many rows and cells are new.

    Args:
        table: rows series by series.
        roles: targets and past covariates are filled; what is known ahead and what is known for good stays as it was
            in the row before.
        offsets: first row of each series, then the number of rows.
        step: of the index.
        fill: steps.
        counted: the rows are taken by number, so that none is missing.
    """
    index = table[roles.index]
    breaks = np.zeros(0, np.int64) if counted else indexing.breaks(index, offsets, step)
    lost = np.array([_missing(index, row, step) for row in breaks], np.int64)
    narrow = (lost > 0) & (lost <= fill)
    rows, counts = breaks[narrow], lost[narrow]
    grown = _grown(table, roles, step, rows, counts)
    edges = np.union1d(offsets, breaks[~narrow])  # of what hangs together
    edges = edges + np.concatenate([[0], np.cumsum(counts)])[np.searchsorted(rows, edges, side="right")]
    notes, changed = [Note("rows put into holes, as asked", int(counts.sum()), roles.index, loud=False)], []
    for name in (*roles.targets, *roles.past):
        column = grown[name]
        if column.null_count():
            values = column.cast(pl.Float64).to_numpy().copy()
            count = _bridge(values, edges, fill)
            changed.append(pl.Series(name, values).fill_nan(None))
            notes.append(Note("cells filled between two measurements, as asked", count, name, loud=False))
    return grown.with_columns(changed), [note for note in notes if note.count]


def _missing(index: pl.Series, row: int, step: Step) -> int:
    """Steps that are missing before a row."""
    older, newer = indexing.numbers(index, np.array([row - 1, row]), step)
    return int(newer - older) - 1


def _grown(table: pl.DataFrame, roles: Roles, step: Step, rows: Rows, counts: Rows) -> pl.DataFrame:
    """The table with `counts` new rows before some, whose targets and past covariates are empty."""
    pieces, done = [], 0
    for row, count in zip(rows.tolist(), counts.tolist(), strict=True):
        new = table[[row - 1] * count].drop(roles.targets, roles.past)
        index = indexing.following(table[roles.index], np.array([row - 1]), step, count)
        pieces += [table[done:row], new.with_columns(index.cast(table.schema[roles.index]))]
        done = row
    return pl.concat([*pieces, table[done:]], how="diagonal")


def _bridge(values: Floats, edges: Rows, most: int) -> int:
    """Fill every run of at most `most` NaNs that has numbers on both sides between two edges; how many were filled."""
    empty = np.isnan(values)
    bounds = np.diff(np.concatenate([[0], empty.astype(np.int8), [0]]))
    begins, ends = np.flatnonzero(bounds == 1), np.flatnonzero(bounds == -1)
    inside = np.searchsorted(edges, begins - 1, side="right") == np.searchsorted(edges, ends, side="right")
    chosen = inside & (ends - begins <= most) & (begins > 0)
    at, known = np.arange(len(values)), ~empty
    cells = np.concatenate([np.arange(a, b) for a, b in zip(begins[chosen], ends[chosen], strict=True)] or [at[:0]])
    values[cells] = np.interp(cells, at[known], values[known]) if len(cells) else 0.0
    return len(cells)
