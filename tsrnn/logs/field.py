"""Several wells as one reading: one series per well, curves by name in whatever case, missing ones null."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from tsrnn.errors import InputError
from tsrnn.logs.well import ID, Well
from tsrnn.reading import EMPTY, Column, Note, Reading


def together(wells: Sequence[Well]) -> Reading:
    """One reading of all wells: columns `well`, the index (`depth` or `time`) and the curves.

    Each well's units are those of its file (`Reading.series`); `tsrnn.refine` brings them together. A curve that wells
    write in different cases, GR and Gr, is one: it is called as most wells call it, or else the first, which is noted.

    Raises:
        InputError: two files hold one well, or indexes run over different things.
    """
    first = wells[0]
    units: dict[str, Well] = {}
    names: dict[str, Well] = {}
    for well in wells:
        if other := names.get(well.name):
            raise InputError(f"{other.path} and {well.path} both hold well {well.name!r}; leave one out")
        if well.index != first.index:
            raise InputError(f"{first.path} runs over {first.index} and {well.path} over {well.index}; read them apart")
        names[well.name] = well
        if unit := well.columns[well.index].unit:
            units.setdefault(unit, well)
    if len(units) == 1:
        wells = [_with_unit(well, next(iter(units))) for well in wells]
    wells = _in_one_case(wells)
    columns: dict[str, Column] = {}
    for well in wells:
        for name, column in well.columns.items():
            columns.setdefault(name, column)
    tables, worded = _alike(wells)
    notes = [*(note for well in wells for note in well.notes), *worded]
    named = [table.select(pl.lit(well.name).alias(ID), pl.all()) for well, table in zip(wells, tables, strict=True)]
    return Reading(
        frame=pl.concat(named, how="diagonal_relaxed") if len(named) > 1 else named[0],
        columns=columns,
        notes=tuple(sorted(notes, key=lambda note: note.what == EMPTY)),
        index=first.index,
        id=ID,
        series={well.name: well.columns for well in wells},
    )


def _with_unit(well: Well, unit: str) -> Well:
    """The well, its index in the unit of the others where its file names none."""
    index = well.columns[well.index]
    if index.unit == unit:
        return well
    note = Note(f"index without a unit, taken as {unit} like the other wells'", 1, "", well.name)
    return replace(well, columns={**well.columns, well.index: replace(index, unit=unit)}, notes=(*well.notes, note))


def _in_one_case(wells: Sequence[Well]) -> list[Well]:
    """The wells with each curve in one spelling; a well that has two of them keeps both, which is noted as well."""
    counts = Counter(name for well in wells for name in well.table.columns[1:])
    won: dict[str, str] = {}
    for name in sorted(counts, key=counts.__getitem__, reverse=True):  # of as common ones the first that was met
        won.setdefault(name.casefold(), name)
    return [_respelt(well, won) if len(won) < len(counts) else well for well in wells]


def _respelt(well: Well, won: Mapping[str, str]) -> Well:
    """The well, its curves spelt as `won` has them, by their names in small letters."""
    table, columns, notes = well.table, dict(well.columns), list(well.notes)
    for name in well.table.columns[1:]:
        spelling = won[name.casefold()]
        if spelling == name:
            continue
        count = table.height - table[name].null_count()
        if spelling in table.columns:
            notes.append(Note(f"values of {name}, kept beside {spelling}", count, name, well.name))
            continue
        notes = [replace(note, column=spelling) if note.column == name else note for note in notes]
        notes.append(Note(f"values of {name}, taken as {spelling}", count, spelling, well.name))
        table = table.rename({name: spelling})
        column = columns.pop(name)
        columns[spelling] = replace(column, original=column.original or name)
    return replace(well, table=table, columns=columns, notes=tuple(note for note in notes if note.count))


def _alike(wells: Sequence[Well]) -> tuple[list[pl.DataFrame], list[Note]]:
    """The tables with each curve of one type: words are missing where other wells hold numbers."""
    kinds: dict[str, set[bool]] = {}
    for well in wells:
        for name, dtype in well.table.schema.items():
            if dtype != pl.Null:
                kinds.setdefault(name, set()).add(dtype == pl.String)
    mixed = {name for name, kind in kinds.items() if len(kind) > 1}
    tables, notes = [], []
    for well in wells:
        worded = [name for name in mixed if well.table.schema.get(name) == pl.String]
        tables.append(well.table.with_columns(pl.lit(None, pl.Float64).alias(name) for name in worded))
        notes += [
            Note("cells of text where other wells hold numbers, taken as missing", count, name, well.name)
            for name in worded
            if (count := well.table.height - well.table[name].null_count())
        ]
    return tables, notes
