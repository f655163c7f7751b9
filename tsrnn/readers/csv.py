"""Text tables: a line of column names, then one line per step.

The separator (comma, semicolon, tab, bar) is the one that cuts the first lines into as many cells as there are names;
lines of remarks on top are skipped, units below or behind names
are kept (`tsrnn.heading`). Dates that begin with the year become dates; dates written otherwise, cells
with leading zeros and whatever cannot be a number stay text for `Panel.of` to read or to name. Names that pandas'
index leaves empty become `index`, or `level_0`, `level_1`... A file that is no UTF-8 is read by Windows' Latin alphabet
(°C, µs/ft), which is said; where it is UTF-8 but for some bytes, these are replaced.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from tsrnn import heading, layout
from tsrnn.errors import InputError, notice, quoted
from tsrnn.readers._base import LATIN, contents, first_lines, in_utf8
from tsrnn.reading import Column, Note, Reading
from tsrnn.units import spelling

SUFFIXES = (".csv", ".tsv", ".txt", ".dat")
_GROUPED = r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+"  # what points between thousands look like
_LOST = "\ufffd"  # stands for bytes that are no UTF-8, so that two words may become one
_LATIN = "lines that are no UTF-8, read as Windows-1252, which is Latin-1 and more (save it as UTF-8 if it is neither)"
_REMARKS = 0.1  # share of rows up to which those that begin with # are remarks, and no names such as #1
_MISSING = ["NA", "N/A", "#N/A", "NaN", "nan", "NAN", "null", "NULL", "None"]


def read(path: Path) -> Reading:
    """One row per line below the column names, and the units that stand in these or below them.

    A first column without a name that only counts the rows, as pandas writes it, is left out.

    Raises:
        InputError: the file is missing, empty or not text; it has no column names or no rows, a name is empty or
            stands twice; a line has more or fewer cells than there are names.
    """
    reading = _read(path)
    words = [*reading.frame.columns, *(note.what for note in reading.notes), *map(str, reading.columns.values())]
    latin = in_utf8(path) if any(_LOST in word for word in words) else None
    if latin is None:
        return reading
    reading, note = _read(path, latin[0]), Note(_LATIN, latin[1])
    return replace(reading, notes=(note, *reading.notes))


def _read(path: Path, content: bytes | None = None) -> Reading:
    """The table of a file, or of its `content` in UTF-8 where the file itself is Windows' Latin alphabet."""
    lines = first_lines(path) if content is None else first_lines(path, LATIN)
    blanks = layout.blank_separated(lines)
    lines = layout.with_tabs("".join(lines).encode()).decode().splitlines(keepends=True) if blanks else lines
    separator = layout.separator(lines)
    skipped = heading.remarks(lines, separator)
    sample = layout.rows(lines[skipped:], separator)
    names = [name.strip() for name in sample[0]] if sample else []
    names = [heading.bare(name) for name in names[:1]] + names[1:]
    if all(heading.is_value(name) for name in names):
        raise InputError(f"{path} starts with values, not with column names; put a line of names on top")
    under = heading.unit_rows(sample[1:4], heading.is_toa5(lines))
    units = [
        next((unit for row in sample[1 : 1 + under] if (unit := _unit(row, place))), "") for place in range(len(names))
    ]
    sample = [sample[0], *sample[1 + under :]]
    cells = [cell for row in sample[1:] for cell in row]
    options: dict[str, Any] = {
        "source": layout.with_tabs(content or path.read_bytes()) if blanks else content or contents(path),
        "separator": separator,
        "decimal_comma": separator != "," and any(re.fullmatch(r"\s*[-+]?[\d.]*\d,\d+\s*", cell) for cell in cells),
        "encoding": "utf8-lossy",
        "null_values": _MISSING,
        "try_parse_dates": True,
        "skip_lines": skipped,
        "skip_rows_after_header": under,
    }
    frame = _named(path, _table(path, sample, names, options), names)
    said = {name: unit or heading.unit_of(name) for name, unit in zip(names, units, strict=True)}
    columns = {name: Column(spelling(said[name])) for name in frame.columns if said.get(name)}
    above = sum(bool(line.strip()) for line in lines[:skipped])
    notes = [Note("lines above the names, skipped", above, loud=False), Note("rows of units", under, loud=False)]
    words = frame.select(pl.col(pl.String).str.contains(_LOST, literal=True).sum())
    notes += [
        Note(f"cells with bytes that are no UTF-8, read as {_LOST}", int(words[name][0]), name)
        for name in words.columns
    ]
    return Reading(frame, columns, tuple(note for note in notes if note.count))


def _unit(row: list[str], place: int) -> str:
    return heading.unit(row[place]) if place < len(row) else ""


def _table(path: Path, sample: list[list[str]], names: list[str], options: dict[str, Any]) -> pl.DataFrame:
    """The rows, whatever loses something as a number or a date as text; what could be read in two ways is told of."""
    table = _parse(path, options)
    if not table.height:
        raise InputError(f"{path} holds column names but no rows")
    text = _left_as_text(table, sample, options)
    if text:
        table = _parse(path, {**options, "schema_overrides": dict.fromkeys(text, pl.String)})
    if options["decimal_comma"]:
        _refuse_thousands(path, table, sample, names)
    elif options["separator"] == ";":
        _say_what_points_are(path, table, names, options)
    _refuse_remarks(path, table.to_series(0), options)
    if table[table.columns[-1]].null_count():  # a line cut short would have been filled up with nothing
        _check_widths(path, options)
        table = table.filter(~pl.all_horizontal(pl.all().is_null()))
        if not table.height:
            raise InputError(f"{path} holds column names but no values")
    return table.with_columns(pl.col(pl.String).str.strip_chars())  # a table of columns of one width pads its ids


def _refuse_remarks(path: Path, first: pl.Series, options: dict[str, Any]) -> None:
    """Refuse lines of remarks among the rows, which have as many cells as these by chance."""
    marked = int(first.str.starts_with("#").sum()) if first.dtype == pl.String else 0
    if 0 < marked <= _REMARKS * len(first):
        raise layout.remark_in(path, options["skip_lines"], options["source"])


def _check_widths(path: Path, options: dict[str, Any]) -> None:
    layout.check_widths(path, options["separator"], options["skip_lines"], options["source"])


def _parse(path: Path, options: dict[str, Any]) -> pl.DataFrame:
    """Types guessed from the first lines; where a later line breaks the guess, from the whole file, dates as text."""
    try:
        return pl.read_csv(infer_schema_length=10_000, **options)
    except pl.exceptions.PolarsError:
        _check_widths(path, options)
    for types in ({}, {"try_parse_dates": False}, {"infer_schema": False, "try_parse_dates": False}):
        try:
            return pl.read_csv(infer_schema_length=None, **{**options, **types})
        except pl.exceptions.PolarsError as error:
            reason = quoted(str(error).splitlines()[0])[1:-1]
    raise InputError(f"{path} cannot be read as a table ({reason}); look for a quotation mark left open")


def _left_as_text(table: pl.DataFrame, sample: list[list[str]], options: dict[str, Any]) -> list[str]:
    """Columns that lose something as numbers or dates: leading zeros, the order of day and month."""
    text = []
    schema = table.schema  # asked for once: it is made anew each time
    for place, (name, dtype) in enumerate(schema.items()):
        if dtype in (pl.Date, pl.Datetime):
            shown = next((row[place] for row in sample[1:] if place < len(row) and row[place].strip()), "")
            if not re.match(r"\s*\d{4}[-/]", shown):
                text.append(name)
    numbers = [name for name, dtype in schema.items() if dtype.is_integer() or dtype.is_float()]
    again = {name: 2 * table[name].n_unique() <= table.height for name in numbers}  # as ids come again
    looked = [name for name in numbers if again[name] or schema[name].is_integer()]
    if looked:
        cells = _cells(looked, options)
        zeros = cells.select(pl.all().str.contains(r"^\s*[-+]?0\d").any()).row(0)
        kept = [schema[name].is_integer() or not options["decimal_comma"] for name in looked]
        led = {name for name, leads, may in zip(looked, zeros, kept, strict=True) if leads and may}
        text += [name for name in looked if name in led or (again[name] and _merges(table[name], cells[name], options))]
    return text


def _cells(names: list[str], options: dict[str, Any]) -> pl.DataFrame:
    """Some columns as the file has them."""
    plain = {**options, "try_parse_dates": False, "decimal_comma": False}
    return pl.read_csv(columns=names, infer_schema=False, **plain)


def _merges(numbers: pl.Series, cells: pl.Series, options: dict[str, Any]) -> bool:
    """Whether cells that differ are one number, 1e3 and 1000, and may be ids; decimal commas only if they must be."""
    cells = cells.str.strip_chars().str.replace(r"^-(0*[.,]?0*)$", "$1")
    kinds = cells.n_unique()
    if kinds == numbers.n_unique():
        return False
    return not options["decimal_comma"] or len(cells.rle()) == kinds or cells.value_counts()["count"].n_unique() == 1


def _refuse_thousands(path: Path, table: pl.DataFrame, sample: list[list[str]], names: list[str]) -> None:
    """Beside decimal commas, a point before three digits may stand between thousands."""
    for place, dtype in enumerate(table.dtypes):
        cells = [row[place].strip() for row in sample[1:] if place < len(row)]
        pointed = [cell for cell in cells if "." in cell]
        grouped = [cell for cell in pointed if re.fullmatch(_GROUPED, cell)]
        if (dtype.is_float() or dtype == pl.String) and pointed and len(grouped) == len(pointed):
            raise InputError(
                f"{path}: column {quoted(names[place])} holds {quoted(pointed[0])} and other cells a decimal comma; "
                f"write {pointed[0].replace('.', '')} or {pointed[0].replace('.', ',')}"
            )


def _say_what_points_are(path: Path, table: pl.DataFrame, names: list[str], options: dict[str, Any]) -> None:
    """Between semicolons, and where no cell has a decimal comma, 1.334 may be a thousand and more: a word on it.

    A zero in front, a fraction of other than three digits or a whole number of four in the column tells them apart.
    """
    floats = [name for name, dtype in table.schema.items() if dtype.is_float()]
    thousandths = [1000 * table[name].drop_nulls() for name in floats]
    near = [name for name, x in zip(floats, thousandths, strict=True) if ((x - x.round()).abs() < 1e-6).all()]
    if not near:
        return
    cells = _cells(near, options).select(pl.all().str.strip_chars())
    either = [name for name in near if cells[name].str.contains(rf"^({_GROUPED}|[-+]?\d{{1,3}})?$").all()]
    if either:
        shown = cells[either[0]].filter(cells[either[0]].str.contains(".", literal=True).fill_null(False))[0]
        others = f" and {len(either) - 1} more" if len(either) > 1 else ""
        notice(
            f"{path}: column {quoted(names[table.columns.index(either[0])])}{others} holds {quoted(shown)} and the "
            f"like, read as fractions ({float(shown):g}); if the points stand between thousands, write "
            f"{shown.replace('.', '')}"
        )


def _named(path: Path, table: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """The table under the names of the first line; empty ones are pandas' index in front, else left out or refused."""
    if len(names) != table.width:
        layout.check_widths(path, ",", 0)
        raise InputError(f"{path} names {len(names)} columns where its lines hold {table.width}; mend the first line")
    front = next((place for place, name in enumerate(names) if name), len(names))
    levels = ["index" if "index" not in names else "level_0"] if front == 1 else [f"level_{k}" for k in range(front)]
    named = [*levels, *names[front:]]
    empty = [place for place, name in enumerate(named) if not name]
    for place in empty:
        if table.to_series(place).null_count() < table.height:
            raise InputError(f"{path}: column {place + 1} has no name; give it one in the first line")
    seen: set[str] = set()
    for name in named:
        if name and name in seen:
            raise InputError(f"{path}: the first line names {quoted(name)} twice; rename one")
        seen.add(name)
    columns = [table.to_series(place).alias(name) for place, name in enumerate(named) if name]
    if front == 1 and len(columns) > 1 and _counts(columns[0]):
        columns = columns[1:]
    return pl.DataFrame(columns)


def _counts(column: pl.Series) -> bool:
    return column.dtype.is_integer() and column.equals(pl.int_range(len(column), eager=True))
