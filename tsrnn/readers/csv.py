"""Text tables: a line of column names, then one line per step.

The separator (comma, semicolon, tab) is the one that the first line holds most often. Dates become dates, whatever
cannot be a number leaves its column as text for `Panel.of` to name. Bytes that are not UTF-8 are replaced: they
stand in the units of column names more often than in data.
"""

import csv
import re
from pathlib import Path
from typing import Any

import polars as pl

from tsrnn.errors import InputError
from tsrnn.readers._base import opening

SUFFIXES = (".csv", ".tsv", ".txt")
_MISSING = ["NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "None"]
_OTHERS = {
    b"PAR1": "a parquet file",
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"\x1f\x8b": "a gzip archive",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"\x89HDF": "an HDF5 file",
}


def read(path: Path) -> pl.DataFrame:
    """One row per line below the column names.

    A first column without a name that only counts the rows, as pandas writes it, is left out.

    Raises:
        InputError: the file is missing, empty or not text; it has no column names or no rows; a line has more or
            fewer cells than there are names.
    """
    head = opening(path)
    _is_text(path, head)
    first = _text(head).lstrip("\ufeff").lstrip("\r\n").split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    names = [name.strip().strip('"') for name in first.split(separator)]
    if all(_is_value(name) for name in names):
        raise InputError(f"{path} starts with values, not with column names; put a line of names on top")
    options: dict[str, Any] = {
        "separator": separator,
        "decimal_comma": separator != "," and bool(re.search(r"\d,\d", _text(head))),
        "encoding": "utf8-lossy",
        "null_values": _MISSING,
        "try_parse_dates": True,
    }
    table = _parse(path, options)
    if not table.height:
        raise InputError(f"{path} holds column names but no rows")
    if table[table.columns[-1]].null_count():  # a line cut short would have been filled up with nothing
        _check_widths(path, separator)
        table = table.filter(~pl.all_horizontal(pl.all().is_null()))
    return _without_counter(table)


def _parse(path: Path, options: dict[str, Any]) -> pl.DataFrame:
    """Types guessed from the first lines; where a later line breaks the guess, from the whole file."""
    try:
        return pl.read_csv(path, infer_schema_length=10_000, **options)
    except pl.exceptions.PolarsError:
        _check_widths(path, options["separator"])
    try:
        return pl.read_csv(path, infer_schema_length=None, **options)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read as a table ({reason}); look for a quotation mark left open") from None


def _check_widths(path: Path, separator: str) -> None:
    """Every line that is not blank has as many cells as the first."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        lines = csv.reader(file, delimiter=separator)
        width = 0
        for cells in lines:
            width = width or len(cells)
            if cells and len(cells) != width:
                raise InputError(
                    f"{path}: line {lines.line_num} has {len(cells)} cells where the first line names {width} columns; "
                    "mend the line, or write the file again if it was cut off"
                )


def _without_counter(table: pl.DataFrame) -> pl.DataFrame:
    name = table.columns[0]
    if name.strip() or table.width == 1 or not table[name].dtype.is_integer():
        return table
    counts = table[name].equals(pl.int_range(table.height, eager=True).alias(name))
    return table.drop(name) if counts else table


def _is_text(path: Path, head: bytes) -> None:
    kind = next((kind for magic, kind in _OTHERS.items() if head.startswith(magic)), None)
    if kind is None and b"\0" in head:
        kind = "binary"
    if kind:
        raise InputError(f"{path} is {kind}, not a text table; save it as CSV in UTF-8")


def _is_value(name: str) -> bool:
    return bool(re.fullmatch(r"[-+]?\d[\d.,:/TZ+\-eE ]*", name))


def _text(head: bytes) -> str:
    return head.decode("utf-8", errors="replace")
