"""The door: a frame comes in, columns find their roles, what counts becomes numbers, and what is wrong is named."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from tsrnn import dates, figures, missing, station
from tsrnn import levels as words
from tsrnn.arrays import Rows
from tsrnn.errors import InputError, notice, quoted, unknown
from tsrnn.frames import NAMELESS, Origin, to_polars
from tsrnn.reading import Note
from tsrnn.roles import Roles, find_roles
from tsrnn.series import check_constant, check_ids, in_order, one_series_an_id, told_apart

TREATMENT = {"freq": None, "rows_as_they_stand": False, "sort": False, "duplicates": "error", "date_format": None}
TREATMENT |= {"missing": None, "flags": None, "wind": None, "fill": None, "transforms": None}


@dataclass(frozen=True)
class Taken:
    """A frame that came in: its table, what its columns are for, and how it was read."""

    table: pl.DataFrame
    roles: Roles
    origin: Origin
    order: Rows | None  # where each row stood when it came in, if it moved
    treatment: dict[str, Any]  # the caller's, and what was found out: date_format, numbered, levels
    notes: tuple[Note, ...]  # what was met in its cells
    again: bool  # as another was read before


def take(
    frame: Any,
    source: str,
    asked: dict[str, Any],
    treatment: dict[str, Any],
    levels: words.Levels | None = None,
    numbered: bool = False,
    lacking: Collection[str] = (),
) -> Taken:
    """Read a frame; with `levels`, as another was read before.

    Args:
        frame: pandas, polars or pyarrow.
        source: how messages call it.
        asked: target, time, id, past, future, static: names, several, or None.
        treatment: `TREATMENT`'s keys.
        levels: the words of each covariate, if they were learnt before; then asked["time"] may be a name given inside.
        numbered: the rows were numbered then.
        lacking: channels that a model knows to miss, which need not be there.

    Raises:
        InputError: a column is missing, cannot be read, or can be read in several ways.
    """
    table, origin = to_polars(frame, source)
    if not table.height:
        raise InputError(f"{source} holds no rows")
    again = levels is not None
    asked, unnamed = _of_nameless(table, origin, asked, numbered, again)
    came = asked
    table, asked, treatment, notes = station.opened(table, asked, treatment, source, again)
    there = {*table.columns}
    table = _with_absent(table, (*asked["target"], *asked["past"]), lacking, source) if again else table
    roles, remark = find_roles(table, origin, source, asked, numbered, _flags(treatment))
    if unnamed in roles.targets:
        raise InputError(f"{source}: a column to forecast has no name; give it one, by which its forecast is called")
    if roles.index not in table.columns:
        table, numbered = number_rows(table, roles, source, numbered or treatment["rows_as_they_stand"]), True
    table = _with_ids(table, roles, origin, source)
    table, date_format = index_of(table, roles, source, treatment["date_format"], again)
    date_format = date_format if asked is came else treatment["date_format"]  # of the parts that were joined
    table, met = station.cleaned(table, roles, treatment, source, not asked["target"])
    if levels is None:
        levels = words.learn(table, roles.future, roles.static, roles.id, source)
    table = numbers(table, roles, source, levels, again, {*table.columns} - there)
    check_constant(table, roles.id, roles.static, source)
    if not treatment["rows_as_they_stand"]:
        _tell_apart(table, roles, (bool(asked["target"]), treatment["duplicates"] != "error", again), source)
    if remark:
        notice(remark)
    table, order, twins = _in_order(table, roles, treatment)
    met = [*met, *twins]
    treatment |= missing.kept(treatment, table.columns)
    treatment = {**treatment, "date_format": date_format, "numbered": numbered, "levels": levels}
    notes = [note for note in (*notes, *met) if note.count]
    return Taken(table, roles, origin, order, treatment, tuple(notes), again)


def _of_nameless(
    table: pl.DataFrame, origin: Origin, asked: dict[str, Any], numbered: bool, again: bool
) -> tuple[dict[str, Any], str | None]:
    """What is asked for, where an index or a column has no name, and the name that the column got inside."""
    if again and asked["time"] not in table.columns:  # rows are numbered, an index had no name
        nameless = numbered or asked["time"] in NAMELESS
        asked = {**asked, "time": None if nameless else asked["time"]}
    unnamed = next((name for name, label in origin.labels if label == ""), None)
    return ({**asked, "target": unnamed} if unnamed and asked["target"] == "" else asked), unnamed


def _with_ids(table: pl.DataFrame, roles: Roles, origin: Origin, source: str) -> pl.DataFrame:
    """The table with an id in every row.

    Raises:
        InputError: a row has none, or two ids are one text.
    """
    table = check_ids(table, roles.id, source)
    if pair := dict(origin.alike).get(roles.id or ""):
        raise InputError(f"{source}: column {quoted(roles.id)} tells series apart and holds {pair}; write them alike")
    return table


def _in_order(
    table: pl.DataFrame, roles: Roles, treatment: Mapping[str, Any]
) -> tuple[pl.DataFrame, Rows | None, list[Note]]:
    """The rows of each series together, twins dropped as asked; where each row stood, and a note on the twins."""
    table, order = in_order(table, roles.id, roles.index, treatment["sort"])
    if treatment["duplicates"] == "error":
        return table, order, []
    once = _once(table, roles, treatment["duplicates"])
    note = Note("rows whose index stood twice, dropped", table.height - once.height, roles.index, loud=False)
    return once, None, [note]


def _flags(treatment: Mapping[str, Any]) -> list[str]:
    """Columns that were named as flags of others."""
    return [flag for flag, _ in (treatment["flags"] or {}).values()]


def _with_absent(table: pl.DataFrame, names: Iterable[str], lacking: Collection[str], source: str) -> pl.DataFrame:
    """The table with channels that it lacks, missing throughout, where the model learnt what is missing.

    Raises:
        InputError: it did not.
    """
    for name in names:
        if name in table.columns:
            continue
        if name not in lacking:
            said = unknown(f"column of {source}", name, table.columns)
            raise InputError(
                f"{said}; if nothing was measured, give it as an empty column, or fit again on series some of which "
                "lack it, so that the model learns to miss it"
            )
        table = table.with_columns(pl.lit(None, pl.Float64).alias(name))
    return table


def _tell_apart(table: pl.DataFrame, roles: Roles, how: tuple[bool, bool, bool], source: str) -> None:
    """Refuse series that nobody told apart; `how`: the targets were named, twins are dropped, it is read `again`."""
    chosen, forced, again = how
    if roles.id is None:
        targets = roles.targets if chosen or len(roles.targets) == 1 else ()
        told_apart(table, roles.index, targets, source, forced, again)
    elif not forced:
        one_series_an_id(table, roles.id, roles.index, roles.targets, source, again)


def _once(table: pl.DataFrame, roles: Roles, keep: Literal["first", "last"]) -> pl.DataFrame:
    """Rows whose index stands twice in a series once."""
    return table.unique([roles.id, roles.index] if roles.id else [roles.index], keep=keep, maintain_order=True)


def numbers(
    table: pl.DataFrame,
    roles: Roles,
    source: str,
    words: Iterable[str],
    again: bool = False,
    absent: Collection[str] = (),
) -> pl.DataFrame:
    """Every column that counts holds finite numbers or nulls; `words` stay as they are.

    A column of nulls alone may be a target or a past covariate: a well ahead of which a curve was not run, a sensor
    that was out throughout, which is said where a frame is read as another was (`again`), as it is of columns that the
    frame had not and was given (`absent`). `fit` refuses it.

    Raises:
        InputError: a cell is no number, or infinite, or a column is empty.
    """
    kept, changed = set(words), {}
    for name in (*roles.targets, *roles.past, *roles.future, *roles.static):
        column = table[name]
        if name not in kept:
            if not (column.dtype.is_numeric() or column.dtype == pl.Boolean or column.dtype == pl.Null):
                column = changed[name] = figures.read(column, source)
            elif column.dtype.is_decimal():
                column = changed[name] = column.cast(pl.Float64)
        if column.null_count() == len(column):
            if name in roles.static or (not again and name in roles.future):
                raise InputError(f"{source}: column {quoted(name)} is empty; drop it or leave it out of the covariates")
            if again:
                said = "is not there" if name in absent else "holds no value in any row"
                notice(f"{source}: column {quoted(name)} {said}; it is read as missing throughout")
            column = changed[name] = column.cast(pl.String if name in kept else pl.Float64)
        if _is_infinite(column):
            row = int(column.is_infinite().fill_null(False).arg_max() or 0)
            raise InputError(
                f"{source}: column {quoted(name)}, row {row + 1} is infinite; replace it or leave it empty"
            )
    return table.with_columns(changed.values()) if changed else table


def index_of(
    table: pl.DataFrame, roles: Roles, source: str, date_format: str | None, again: bool = False
) -> tuple[pl.DataFrame, str | None]:
    """The table with an index of dates, durations or numbers, and how it was read where its cells do not tell.

    Raises:
        InputError: the index can be read in several ways or not at all.
    """
    column = table[roles.index]
    read, date_format = dates.read(column, source, date_format, None if roles.id is None else table[roles.id], again)
    if read.dtype.is_decimal():
        read = read.cast(pl.Float64)
    number = read.dtype.is_integer() or read.dtype.is_float()
    if not number and read.dtype not in (pl.Date, pl.Datetime, pl.Duration):
        raise InputError(
            f"{source}: column {quoted(roles.index)} holds values of type {read.dtype} and cannot be the index; "
            "give dates, times, whole numbers or depths"
        )
    if _is_infinite(read):
        row = int(read.is_infinite().fill_null(False).arg_max() or 0)
        raise InputError(f"{source}: column {quoted(roles.index)}, row {row + 1} is infinite; mend it or drop the row")
    return table if read is column else table.with_columns(read), date_format


def number_rows(table: pl.DataFrame, roles: Roles, source: str, said: bool) -> pl.DataFrame:
    """The table with row numbers for its index, where it has no other; `said`: the user knows."""
    if not said:
        notice(
            f"{source} has no column or index of dates or depths, so its rows are numbered from 0 as "
            f"{quoted(roles.index)}; pass time= to name one, or rows_as_they_stand=True if the rows are all there is"
        )
    return table.with_row_index(roles.index).cast({roles.index: pl.Int64})


def _is_infinite(column: pl.Series) -> bool:
    """Whether a cell is; by the extremes, which cost less than a look at every cell."""
    return column.dtype.is_float() and (column.max() == float("inf") or column.min() == -float("inf"))
