"""The rows of a ~A section, curve by curve: all at once where every row is full, else row by row.

A log that is not as wide as its header says is refused by line, not reshaped.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl

from tsrnn.errors import InputError
from tsrnn.logs import mends
from tsrnn.logs.sections import Section

OVER = "rows that go over several lines though the header says no WRAP"
_REMARK = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_ROW = re.compile(r"^.*\S.*$", re.MULTILINE)
_SAMPLE = 20  # rows that tell how cells are kept apart
_PADDING = {0: " ", 0x1A: " "}  # what DOS and tapes put at the end
_BLANK = 32  # codes up to this one keep cells apart


@dataclass(frozen=True)
class Rows:
    """The cells of a section: each curve [row], as numbers where all of the section's are, else as text."""

    columns: list[pl.Series]
    lines: Sequence[int] = ()  # of the file, per row; empty where rows are wrapped
    mended: Counter[str] = field(default_factory=Counter)  # what was done to how many rows


def read(path: Path, section: Section, width: int, declared: str | None, wrapped: bool) -> Rows:
    """The rows of a section.

    Args:
        path: of the file, for messages.
        section: the ~A section.
        width: curves of the header.
        declared: what keeps cells apart by the header; None: blanks.
        wrapped: a row may go over several lines.

    Raises:
        InputError: there are no rows, or a row has more or fewer cells than there are curves.
    """
    body = section.text.translate(_PADDING) if "\x1a" in section.text or "\0" in section.text else section.text
    body = _REMARK.sub("", body) if "#" in body else body
    if not body.strip():
        raise InputError(f"{path} has an empty ~A section: the log holds no rows")
    mended: Counter[str] = Counter()
    separator = declared if wrapped else _separator(body, declared, width)
    if not wrapped and _goes_over_lines(body, width):
        wrapped = True
        mended[OVER] = len(body.split()) // width
    if separator != "," and "," in body and "." not in body:
        body = body.replace(",", ".")
        mended["rows with decimal commas"] = sum(1 for _ in _ROW.finditer(body))
    if wrapped and separator is not None:
        body, separator = body.replace(separator, " "), None
    columns, lines = _at_once(body, width, separator, wrapped)
    if columns:
        return Rows(columns, [] if wrapped else (lines + section.line).tolist(), mended)
    if wrapped:
        return Rows(_unwrapped(path, body, width), mended=mended)
    cells, numbers = [], []
    layout = mends.Layout(width, separator)
    for number, line in enumerate(body.split("\n"), section.line):
        if line.strip():
            cells.append(_row(path, number, line, layout, mended))
            numbers.append(number)
    return Rows([pl.Series(column, dtype=pl.String) for column in zip(*cells, strict=True)], numbers, mended)


def _separator(body: str, declared: str | None, width: int) -> str | None:
    """The declared one, or what cuts most of the first rows into as many cells as there are curves."""
    rows = [match[0] for match in islice(_ROW.finditer(body), _SAMPLE)]

    def fits(separator: str | None) -> bool:
        cut = [mends.split(row, separator, width) for row in rows]
        whole = [cells for cells in cut if len(cells) == width and not any(cell.endswith((",", ";")) for cell in cells)]
        return 2 * len(whole) > len(rows)

    return next((each for each in (declared, None, ",", ";", "\t") if fits(each)), declared)


def _goes_over_lines(body: str, width: int) -> bool:
    """Whether every row is its index alone on a line and the rest on those below it, though the header says nothing."""
    rows = _ROW.finditer(body)
    if width < 3 or any(len(match[0].split()) > 1 for match in islice(rows, 1)):
        return False
    counts = [len(match[0].split()) for match in _ROW.finditer(body)]
    filled = width
    for count in counts:
        if filled == width and count != 1:
            return False
        filled = count if filled == width else filled + count
        if filled > width:
            return False
    return filled == width and max(counts) > 1


def _at_once(body: str, width: int, separator: str | None, wrapped: bool) -> tuple[list[pl.Series], np.ndarray]:
    """The cells of a section whose every row is full, and the lines that hold rows, from 0; empty where one is not."""
    none: tuple[list[pl.Series], np.ndarray] = [], np.zeros(0, np.int64)
    if wrapped and '"' in body:
        return none  # blanks within a cell make whole rows by chance
    raw = body.encode()
    if separator is not None:
        mark = re.escape(separator.encode())
        if re.search(rb"(?m)%b[ \t]*(?:%b|$)|^[ \t]*%b" % (mark, mark, mark), raw):
            return none  # a blank cell
        marks = raw.count(separator.encode())
        raw = raw.replace(separator.encode(), b" ")
    codes = np.frombuffer(raw, np.uint8)
    blank = codes <= _BLANK
    after = np.concatenate([[True], blank[:-1]])
    begins = np.flatnonzero(~blank & after)
    edges = np.concatenate([[0], np.flatnonzero(codes == 10), [len(codes)]])
    counts = np.diff(np.searchsorted(begins, edges))
    if len(begins) % width if wrapped else not np.isin(counts, (0, width)).all():
        return none
    height = len(begins) // width
    if separator is not None and marks != height * (width - 1):
        return none  # two cells between separators
    tidy = np.where(blank, np.uint8(_BLANK), codes)
    tidy[np.flatnonzero(blank & ~after)[width - 1 :: width]] = 10  # behind the last cell of a row
    text = tidy[~(blank & after)].tobytes()  # one row a line, one blank between cells
    columns = _table(text, width, pl.Float64) or _table(text, width, pl.String)
    whole = columns and len(columns[0]) == height
    return (columns, np.flatnonzero(counts)) if whole else none


def _table(text: bytes, width: int, dtype: type[pl.DataType]) -> list[pl.Series]:
    """The columns of rows of cells between single blanks; none where a cell is not of the type."""
    schema = {f"{place}": dtype for place in range(width)}
    try:
        table = pl.read_csv(text, has_header=False, separator=" ", schema=schema, quote_char=None)
    except pl.exceptions.PolarsError:
        return []
    columns = table.get_columns()
    finite = dtype == pl.String or all(column.is_finite().all() for column in columns)
    return columns if finite and not sum(table.null_count().row(0)) else []


def _unwrapped(path: Path, body: str, width: int) -> list[pl.Series]:
    tokens = mends.tokens(body)
    if len(tokens) % width:
        tokens = mends.tokens(mends.apart(body))
    if len(tokens) % width:
        raise InputError(
            f"{path}: {len(tokens)} values, which is no number of whole rows of {width} curves; was it cut off?"
        )
    return [pl.Series(tokens[place::width], dtype=pl.String) for place in range(width)]


def _row(path: Path, number: int, line: str, layout: mends.Layout, mended: Counter[str]) -> list[str]:
    cells = mends.split(line, layout.separator, layout.width)
    if len(cells) == layout.width:
        layout.learn(line)
        return cells
    if layout.separator is None and line.count("\t") == layout.width - 1:
        return mends.split(line, "\t", layout.width)  # blank cells among them
    what, mend = layout.mend(line)
    if mend is None:
        raise InputError(
            f"{path}: line {number} holds {len(cells)} values where the ~Curve section names {layout.width} curves; "
            "mend the line or the section"
        )
    if what:
        mended[what] += 1
    return mend
