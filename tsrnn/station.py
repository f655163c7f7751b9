"""What a station's table needs before it is read: times of several columns joined, no sentinels, wind as u and v.

opened      before columns have found their roles
cleaned     after: in the columns that count; and notes on what is worth a look
further     rows that come later, read as those of the history were
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tsrnn import figures, holes, missing, parted, wind
from tsrnn.reading import Note
from tsrnn.roles import ID_NAMES, Roles, several

_QUALITY = "whole numbers taken for flags, and not forecast; name it as a target if it was measured"
_ZEROS = 0.75  # share of zeros from which a target is told to be zero-inflated


def plain(treatment: Mapping[str, Any]) -> dict[str, Any]:
    """A treatment with `missing`, `flags`, `wind` and `fill` in the form that a saved model keeps.

    Raises:
        InputError: one of them is not what it takes.
    """
    return {
        **treatment,
        "missing": missing.plain(treatment["missing"]),
        "flags": missing.plain_flags(treatment["flags"]),
        "wind": wind.plain(treatment["wind"]),
        "fill": holes.plain(treatment["fill"]),
    }


def opened(
    table: pl.DataFrame, asked: dict[str, Any], treatment: dict[str, Any], source: str, again: bool
) -> tuple[pl.DataFrame, dict[str, Any], dict[str, Any], list[Note]]:
    """The table with its times in one column and wind as asked; what is asked of it, its treatment, and notes.

    Args:
        table: a frame that came in.
        asked: as of `tsrnn.intake.take`.
        treatment: in its plain form.
        source: how messages call the frame.
        again: it is read as another was.

    Raises:
        InputError: a column is not there, or the parts of a date are none.
    """
    treatment = {**treatment, **plain(treatment)}
    if not again:
        missing.check(treatment["missing"], treatment["flags"], table.columns, source)
    named = {str(name) for kind, names in asked.items() if kind != "time" for name in several(names)}
    notes = []
    if asked["time"] is None or (again and asked["time"] not in table.columns):
        id = asked["id"] or next((name for name in table.columns if name.lower() in ID_NAMES), None)
        joined = parted.join(table, named, id, source, treatment["date_format"])
        if joined is not None:
            table = joined.table.rename({joined.name: asked["time"] or joined.name})
            asked = {**asked, "time": asked["time"] or joined.name}
            treatment |= {"date_format": joined.date_format}
            notes.append(joined.note)
    table, blown = wind.applied(table, treatment, named, source)
    return table, asked, treatment, [*notes, *blown]


def cleaned(
    table: pl.DataFrame, roles: Roles, treatment: Mapping[str, Any], source: str, unasked: bool
) -> tuple[pl.DataFrame, list[Note]]:
    """The table without what stands for a missing value; notes on that, and on what looks like it.

    Args:
        unasked: nobody named the targets.

    Raises:
        InputError: a column of flags is not there.
    """
    names = (*roles.targets, *roles.past, *roles.future, *roles.static)
    table, notes = missing.masked(table, names, treatment, source)
    numbers = [
        figures.text(table[name]).cast(pl.Float64, strict=False)
        for name in names
        if figures.is_text(table.schema[name]) and figures.hold_numbers(table[name])
    ]
    looked = table.with_columns(numbers) if numbers else table
    told = missing.suspected(looked, names, treatment["missing"])
    notes, suspects = [*notes, *told], {note.column for note in told}
    if unasked:
        read = {*names, roles.index, roles.id}
        left = [column for column in table.get_columns() if column.name not in read and column.dtype.is_numeric()]
        what = "values not forecast, as of a flag, a place, a part of the date, or beside the target that was told"
        asking = {column.name for column in left if missing.may_be_measured(column)}
        notes += [
            Note(_QUALITY if column.name in asking else what, column.count(), column.name, loud=column.name in asking)
            for column in left
        ]
    if unasked and treatment["wind"] is None:
        notes += wind.told(looked, roles.targets, suspects)
    return table, [*notes, *_zeros(looked, roles.targets)]


def further(
    table: pl.DataFrame, treatment: Mapping[str, Any], names: Sequence[str], index: str, source: str
) -> pl.DataFrame:
    """Later rows as the history's: times joined, wind as u and v, sentinels taken out of the columns `names`.

    Raises:
        InputError: a column is not there, or the parts of a date are none.
    """
    asked = {"time": index, "id": None, "names": names}
    if treatment["wind"] and not any({part["u"], part["v"]} & {*names} for part in treatment["wind"]):
        treatment = {**treatment, "wind": None}
    table = opened(table, asked, dict(treatment), source, again=True)[0]
    return missing.masked(table, [name for name in names if name in table.columns], treatment, source)[0]


def _zeros(table: pl.DataFrame, targets: Sequence[str]) -> list[Note]:
    """Targets such as rain, of which a squared error or a median tells little."""
    notes = []
    for name in targets:
        column = table[name]
        if not column.dtype.is_numeric() or not column.len() or (column.min() or 0) < 0:  # type: ignore[operator]  # numbers
            continue
        zeros = int((column == 0).sum())
        if zeros > _ZEROS * (len(column) - column.null_count()) > 0:
            share = 100 * zeros / (len(column) - column.null_count())
            what = f"zeros, {share:.0f} % of all cells: the median is 0; ask for quantiles, or forecast sums"
            notes.append(Note(what, zeros, name, loud=False))
    return notes
