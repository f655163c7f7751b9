"""Several files of one table as one: a folder or a list of CSV, Parquet or Arrow files, each a series by its name.

    station/a.csv (date, T)
    station/b.csv (date, T)   ->   file  date  T

Where the tables have a column that tells series apart by its name, such as `station` or `unique_id`, they are laid
below each other as they are. Units that differ from file to file are brought to one, as of well logs (`tsrnn.units`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from os import fsencode
from pathlib import Path

import polars as pl

from tsrnn import units
from tsrnn.errors import InputError, listed, quoted
from tsrnn.reading import Note, Reading
from tsrnn.roles import ID_NAMES

SUFFIXES = (".csv", ".tsv", ".txt", ".dat", ".parquet", ".pq", ".arrow", ".feather", ".ipc")
_ID = "file"


def tables(folder: Path) -> list[Path]:
    """The tables in a folder, by name; none where well logs lie in it, or a store's parts."""
    files = sorted(each for each in folder.iterdir() if each.is_file() and not each.name.startswith("."))
    logs = any(each.suffix.lower() == ".las" for each in files)
    return [] if logs else [each for each in files if each.suffix.lower() in SUFFIXES]


def read(files: Sequence[Path], one: Callable[[Path], Reading]) -> Reading:
    """The rows of all files, and a column `file` that says whose they are.

    Args:
        files: of one ending, with the same columns.
        one: reads a single file.

    Raises:
        InputError: a file is of another ending, lacks a column, has one more, or holds words where another holds
            numbers; two files have one name; or what `one` refuses.
    """
    first = files[0]
    for file in files:
        if file.suffix.lower() != first.suffix.lower():
            raise InputError(
                f"{first} and {file} have two endings; files that are read as one table have one, leave the others out"
            )
    names = [_name(file) for file in files]
    if len({*names}) < len(names):
        twin = next(name for name in names if names.count(name) > 1)
        raise InputError(f"two files are called {quoted(twin)}, by which their series are told apart; rename one")
    readings = [one(file) for file in files]
    columns = readings[0].frame.columns
    for file, reading in zip(files, readings, strict=True):
        check_columns(first, columns, file, reading.frame.columns)
    id = next((name for name in columns if name.lower() in ID_NAMES), None)
    readings = readings if id is None else [_with_words(reading, id) for reading in readings]
    _check_kinds(files, [reading.frame for reading in readings])
    made = _below(readings, names, free(columns) if len(files) > 1 and id is None else "")
    told = "files, each a series by its name" if made.id else "files, laid below each other"
    return replace(made, notes=(*made.notes, Note(told, len(files))) if len(files) > 1 else made.notes)


def alone(reading: Reading, id: str | None) -> Reading:
    """A single file as one of a folder's, a series by its name, where `id` is the column of such names."""
    path = Path(reading.source)
    if id != _ID or id in reading.frame.columns or not reading.source or not path.exists():
        return reading
    files = tables(path) if path.is_dir() else [path]
    if len(files) != 1:
        return reading
    return replace(reading, frame=reading.frame.with_columns(pl.lit(_name(files[0])).alias(id)), id=id)


def _name(file: Path) -> str:
    return fsencode(file.stem).decode(errors="replace")


def check_columns(first: Path, columns: Sequence[str], file: Path, here: Sequence[str]) -> None:
    """Two files have the same columns.

    Raises:
        InputError: one has a column that the other lacks, or writes it in another case.
    """
    cased = {name.casefold(): name for name in here if name not in columns}
    for name in columns:
        if name not in here and (other := cased.get(name.casefold())):
            raise InputError(
                f"{file} writes {quoted(other)} and {first} {quoted(name)}; write the column's name alike in both"
            )
    lacking, more = ([name for name in one if name not in other] for one, other in ((columns, here), (here, columns)))
    if lacking:
        raise InputError(
            f"{file} lacks {listed(lacking)}, which {first} has; give it the column, or leave the file out"
        )
    if more:
        raise InputError(f"{file} has {listed(more)} and {first} has not; drop the column, or leave the file out")


def _check_kinds(files: Sequence[Path], frames: Sequence[pl.DataFrame]) -> None:
    """A column is of one kind in all files; where nothing was measured it is of none."""
    for name in frames[0].columns:
        kinds: dict[str, Path] = {}
        for file, frame in zip(files, frames, strict=True):
            if frame[name].null_count() < frame.height:
                kinds.setdefault(_kind(frame.schema[name]), file)
        if len(kinds) > 1:
            (one, here), (other, there) = list(kinds.items())[:2]
            raise InputError(
                f"{there}: column {quoted(name)} holds {other}, and {one} in {here}; mend its cells, or write it alike"
            )


def _with_words(reading: Reading, id: str) -> Reading:
    """Ids as text, whatever a file's own look like: 7 in one and 007 in another."""
    dtype = reading.frame.schema[id]
    whole = dtype.is_integer() or dtype == pl.String
    return replace(reading, frame=reading.frame.with_columns(pl.col(id).cast(pl.String))) if whole else reading


def _kind(dtype: pl.DataType) -> str:
    return "numbers" if dtype.is_numeric() or dtype == pl.Boolean else "dates" if dtype.is_temporal() else "text"


def _below(readings: Sequence[Reading], names: Sequence[str], id: str) -> Reading:
    """All readings as one; `id`: the column of their names, "" where there is none."""
    key = id or free(readings[0].frame.columns)
    columns = readings[0].frame.columns
    named = [
        replace(reading, frame=_holding(reading.frame.select(pl.lit(name).alias(key), *columns)))
        for name, reading in zip(names, readings, strict=True)
    ]
    made = units.united(named, None, key, "")
    return replace(made, id=id) if id else replace(made, frame=made.frame.drop(key))


def _holding(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with columns of nulls of no type, which give way to those of other files."""
    hollow = [name for name in frame.columns if frame[name].null_count() == frame.height]
    return frame.with_columns(pl.lit(None).alias(name) for name in hollow)


def free(columns: Sequence[str]) -> str:
    """A name for the column of files' names that no column has."""
    name = _ID
    while name in columns:
        name += "_"
    return name
