"""Well logs, LAS 1.2 and 2.0: one well per file; a folder or a list of files makes several series.

lasio reads the header, which is where the dialects live; the numbers are parsed here, because a log that is not as
wide as its header says must be refused by line, not reshaped. Depths are the file's own: STRT, STOP and STEP are
not believed. Standard: Canadian Well Logging Society, LAS version 2.0 (2017 update).
"""

import logging
import re
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tsrnn.errors import InputError
from tsrnn.readers._base import opening

SUFFIXES = (".las",)
_NULL = -999.25  # where the header names none
_DELIMITERS = {"COMMA": ",", "TAB": "\t"}
_METRES = {"M", "METER", "METERS", "METRE", "METRES"}
_FEET = {"F", "FT", "FEET", "FOOT"}


def read(path: Path | Sequence[Path]) -> pl.DataFrame:
    """Columns `well` (the header's WELL, else the file's name), `depth` (the index curve) and the curves by mnemonic.

    Cells equal to the header's NULL are null, in every curve but the index. A log written from the bottom up is
    turned over. A mnemonic that stands twice gets `:1` and `:2`. Curves of text stay text. Where wells have
    different curves, the missing ones are null. Units are those of the file; depths are not converted.

    Raises:
        InputError: lasio is not installed; a file is missing, empty, not a log or cut off; a line is too long or
            too short; two files hold one well or measure depth in different units.
    """
    if isinstance(path, Path) and path.is_dir():
        files = sorted(each for each in path.iterdir() if each.suffix.lower() in SUFFIXES)
        if not files:
            raise InputError(f"the folder {path} holds no .las files")
    else:
        files = [path] if isinstance(path, Path) else list(path)
    wells: dict[str, Path] = {}
    units: dict[str, Path] = {}
    tables = []
    for file in files:
        table, name, unit = _well(file)
        if name in wells:
            raise InputError(f"{wells[name]} and {file} both hold well {name!r}; leave one out")
        wells[name] = units[unit] = file
        tables.append(table)
    if len(units) > 1:
        (one, first), (other, second) = list(units.items())[:2]
        raise InputError(
            f"{first} measures depth in {one!r} and {second} in {other!r}; convert one, or read them apart"
        )
    return pl.concat(tables, how="diagonal_relaxed")


def _well(path: Path) -> tuple[pl.DataFrame, str, str]:
    """Table, name and depth unit of one file."""
    head = opening(path)
    if head.startswith(b"LASF"):
        raise InputError(f"{path} is a LiDAR point cloud, which shares the ending .las with well logs")
    text = _decode(path.read_bytes())
    header = _header(path, text)
    curves = [str(curve.mnemonic) for curve in header.curves]
    if not curves:
        raise InputError(f"{path} names no curves: its ~Curve section is missing or cut off")
    cells = _cells(path, text, header, len(curves))
    name = " ".join(_value(header.well, "WELL").split()) or path.stem
    null = _number(_value(header.well, "NULL"))
    index = _numbers(cells[0], None)
    if index.dtype != pl.Float64 or index.null_count():
        raise InputError(f"{path}: the index curve {curves[0]!r} holds something that is not a number; mend it")
    columns = [pl.Series("well", [name] * len(index)), index.alias("depth")]
    for mnemonic, column in zip(curves[1:], cells[1:], strict=True):
        taken = mnemonic in {"well", "depth"}
        columns.append(_numbers(column, _NULL if null is None else null).alias(f"{mnemonic}:2" if taken else mnemonic))
    table = pl.DataFrame(columns)
    depth = index.to_numpy()
    return table.reverse() if (np.diff(depth) < 0).all() and len(depth) > 1 else table, name, _unit(header)


def _header(path: Path, text: str) -> Any:
    try:
        import lasio
    except ImportError:
        raise InputError(f'reading {path} needs lasio: pip install "tsrnn[wells]"') from None
    log = logging.getLogger("lasio")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        return lasio.read(StringIO(text), ignore_data=True, mnemonic_case="preserve")
    except Exception as error:  # lasio answers to a broken header with exceptions of many kinds
        reason = str(error).strip("'\"").splitlines()[:1]
        raise InputError(f"{path} is not a LAS well log ({' '.join(reason)}); check the file") from None
    finally:
        log.setLevel(before)


def _cells(path: Path, text: str, header: Any, width: int) -> list[list[str]]:
    """The data section as text, curve by curve: [curve][row]."""
    start = re.search(r"^\s*~A.*$", text, re.MULTILINE | re.IGNORECASE)
    if start is None:
        raise InputError(f"{path} has no ~A section, where a log's numbers stand; the file may have been cut off")
    first = text.count("\n", 0, start.end()) + 2
    body = re.split(r"^\s*~", text[start.end() + 1 :], maxsplit=1, flags=re.MULTILINE)[0]
    delimiter = _DELIMITERS.get(_value(header.version, "DLM").upper())
    if delimiter != "," and "," in body and "." not in body:
        body = body.replace(",", ".")
    if _value(header.version, "WRAP").upper() == "YES":
        tokens = body.split()
        if len(tokens) % width:
            raise InputError(f"{path}: {len(tokens)} values do not make whole rows of {width} curves; was it cut off?")
        return [tokens[k::width] for k in range(width)]
    rows = []
    for number, line in enumerate(body.split("\n"), first):
        if line.strip() and not line.lstrip().startswith("#"):
            rows.append(_row(path, number, line, delimiter, width))
    if not rows:
        raise InputError(f"{path} has an empty ~A section: the log holds no rows")
    return [list(column) for column in zip(*rows, strict=True)]


def _row(path: Path, number: int, line: str, delimiter: str | None, width: int) -> list[str]:
    cells = line.split(delimiter)
    if len(cells) != width:  # numbers that have run together where the second is negative
        cells = re.sub(r"(?<=\d)-(?=[\d.])", " -", line).split(delimiter)
    if len(cells) != width:
        raise InputError(
            f"{path}: line {number} holds {len(line.split(delimiter))} values where the ~Curve section names {width} "
            "curves; mend the line or the section"
        )
    return cells


def _numbers(cells: list[str], null: float | None) -> pl.Series:
    """Numbers where every cell is one or blank, else text; the null value becomes null in both."""
    try:
        values = np.array([float(cell) if cell.strip() else np.nan for cell in cells])
    except ValueError:
        return pl.Series([None if _is_null(cell, null) else cell.strip() for cell in cells], dtype=pl.String)
    if null is not None:
        values[np.isclose(values, null, rtol=1e-5, atol=0)] = np.nan
    return pl.Series(values).fill_nan(None)


def _is_null(cell: str, null: float | None) -> bool:
    value = _number(cell)
    return not cell.strip() or (null is not None and value is not None and bool(np.isclose(value, null, 1e-5, 0)))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _value(section: Any, mnemonic: str) -> str:
    return str(section[mnemonic].value).strip() if mnemonic in section else ""


def _unit(header: Any) -> str:
    unit = str(header.curves[0].unit).strip().upper()
    return "m" if unit in _METRES else "ft" if unit in _FEET else unit


def _decode(raw: bytes) -> str:
    """UTF-16 and UTF-8 where they announce themselves or fit, else Windows' Latin alphabet."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = raw.decode("utf-16", errors="replace")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")
