"""What a file held: its table, what its columns are measured in, and notes on what was met on the way.

A reader says what it read. What is no number, what stands for a missing value and what was left out is counted per
column, so that a curve never loses a cell in silence: one line is said where a file is loaded, all of it by
`tsrnn describe` and by `Panel.notes`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_MOST = 6  # kinds of notes that the one line tells of


@dataclass(frozen=True)
class Column:
    """What a file says of a column.

    Args:
        unit: in the spelling of `tsrnn.units` where it is known there, else as the file has it; "": none is named.
        original: the name that the file has, where the column got another one.
        description: the file's words.
    """

    unit: str = ""
    original: str = ""
    description: str = ""


@dataclass(frozen=True)
class Note:
    """What was met in a column, and how often.

    Args:
        what: in a few words that continue "GR in well W1: 12 ...": "cells that are no number", "-999.25 beside NULL".
        count: of cells, rows or names.
        column: "": the file as a whole.
        source: the file or the series.
        loud: worth the line that is said where nobody asked; a header's own nulls are not.
    """

    what: str
    count: int
    column: str = ""
    source: str = ""
    loud: bool = True


@dataclass(frozen=True)
class Reading:
    """A reader's answer."""

    frame: "pl.DataFrame"
    columns: Mapping[str, Column] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


def line(notes: Iterable[Note]) -> str:
    """The loud notes in one sentence, alike ones added up over the series; empty where there are none."""
    counts: dict[tuple[str, str], int] = {}
    for note in notes:
        if note.loud:
            counts[note.column, note.what] = counts.get((note.column, note.what), 0) + note.count
    told = [f"{column + ': ' if column else ''}{count} {what}" for (column, what), count in counts.items()]
    rest = f"; and {len(told) - _MOST} more kinds" if len(told) > _MOST else ""
    return "; ".join(told[:_MOST]) + rest
