"""What a file held: its table, what its columns are measured in, and notes on what was met on the way.

A reader says what it read. What is no number, what stands for a missing value and what was left out is counted per
column, so that a curve never loses a cell in silence: one line is said where a file is loaded, all of it by
`tsrnn describe` and by `Panel.notes`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tsrnn.errors import notice, singular

if TYPE_CHECKING:
    import polars as pl

EMPTY = "curves empty throughout"  # a note on a column of nulls
MEND = re.compile(r"missing=(?:\{.+?: )?\[(.+?)\]")  # in the words of a note, as `mend` writes it
_MOST = 6  # kinds of notes that the one line tells of


@dataclass(frozen=True)
class Column:
    """What a file says of a column.

    Args:
        unit: in the spelling of `tsrnn.units` where it is known there, else as the file has it; "": none is named.
        original: the name that the file has, where the column got another one.
        description: the file's words.
        measured: False for a place, a depth, a time or a code, which nobody forecasts unless it is named.
    """

    unit: str = ""
    original: str = ""
    description: str = ""
    measured: bool = True


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
    """A reader's answer.

    Args:
        frame: the table.
        columns: what the file says of each.
        notes: what was met.
        index: the column that the format makes the index, such as a log's depth; "": it has none.
        id: the column that the format tells series apart by; "": it has none.
        series: series -> column -> what its own file says, where a file holds one series and they may differ.
        source: how messages call it: the file, the folder or the data set; "": a frame.
    """

    frame: "pl.DataFrame"
    columns: Mapping[str, Column] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    index: str = ""
    id: str = ""
    series: Mapping[str, Mapping[str, Column]] = field(default_factory=dict)
    source: str = ""

    def roles(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The roles that somebody asked for, and the format's own where nothing was said of them.

        Columns that are no measurement are left out of the targets that nobody named.
        """
        roles = dict(asked)
        for role, name in (("time", self.index), ("id", self.id)):
            if name and not roles.get(role):
                roles[role] = name
        if self.index == roles.get("time") == "time" and self.frame.schema["time"].is_numeric():
            roles["date_format"] = roles.get("date_format") or "number"  # of a log: its unit says what it counts
        if not roles.get("target") and any(not column.measured for column in self.columns.values()):
            named = {roles.get("time"), roles.get("id"), *_names(roles)}
            measured = [name for name in self.columns if self.columns[name].measured and name not in named]
            schema = self.frame.schema
            roles["target"] = [name for name in measured if name in schema and schema[name].is_numeric()] or None
        return roles

    def spelt(self, names: Iterable[str]) -> "Reading":
        """Of well logs, the reading with its curves in the letters of `names`, which is said.

        A model that learnt from GR reads the Gr of a file without GR; of a Gr beside a gr neither is guessed at.
        """
        held, wanted = [name for name in self.frame.columns if name not in (self.index, self.id)], list(names)
        won: dict[str, str] = {}
        for name in wanted if self.series else ():
            alike, asked = ([its for its in some if its.casefold() == name.casefold()] for some in (held, wanted))
            if len(alike) == len(asked) == 1 and alike != asked:
                won[alike[0]] = name
        if not won:
            return self
        notice(f"{self.source or 'the log'}: {', '.join(f'{old} is taken as {new}' for old, new in won.items())}")

        def of(columns: Mapping[str, Column]) -> dict[str, Column]:
            told = {old: replace(its, original=its.original or old) for old, its in columns.items() if old in won}
            return {won.get(name, name): told.get(name, its) for name, its in columns.items()}

        notes = tuple(replace(note, column=won.get(note.column, note.column)) for note in self.notes)
        series = {name: of(columns) for name, columns in self.series.items()}
        return replace(self, frame=self.frame.rename(won), columns=of(self.columns), notes=notes, series=series)


def _names(roles: Mapping[str, Any]) -> Iterable[str]:
    """The covariates among the roles."""
    for kind in ("past", "future", "static"):
        value = roles.get(f"{kind}_covariates") or ()
        yield from [value] if isinstance(value, str) else value


def mend(value: float) -> str:
    """What takes cells of a number as missing, as notes name it."""
    return f"missing=[{value:.10g}]"


def line(notes: Iterable[Note]) -> str:
    """The loud notes in one sentence, alike ones added up over the series; empty where there are none."""
    counts: dict[tuple[str, str], int] = {}
    for note in notes:
        if note.loud:
            counts[note.column, note.what] = counts.get((note.column, note.what), 0) + note.count
    told = [
        f"{column + ': ' if column else ''}{singular(f'{count} {what}')}" for (column, what), count in counts.items()
    ]
    rest = f"; and {len(told) - _MOST} more kinds" if len(told) > _MOST else ""
    return "; ".join(told[:_MOST]) + rest
