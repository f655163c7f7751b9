"""Several wells as one reading: one series per well, curves by name, missing ones null."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from tsrnn.errors import InputError
from tsrnn.logs.well import ID, Well
from tsrnn.reading import EMPTY, Column, Note, Reading


def together(wells: Sequence[Well]) -> Reading:
    """One reading of all wells: columns `well`, the index (`depth` or `time`) and the curves.

    Each well's units are those of its file (`Reading.series`); `tsrnn.refine` brings them together.

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
