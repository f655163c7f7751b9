"""Numbers written as text: read where every cell is one, else the first cell that is none is named with its mend."""

from pathlib import Path

import numpy as np
import polars as pl

from tsrnn import pages
from tsrnn.arrays import Floats
from tsrnn.errors import InputError, quoted

# What a spreadsheet writes for a number: separated thousands, decimal commas, a currency or a percentage.
_FIGURE = r"^[-+(\u{2212}]*\s*[€$£¥]?\s*\d[\d.,'\u{2019}_\s]*\s*[%‰€$£¥]?\s*\)?$"
_CODE = r"^\s*0\d+\s*$"  # a shop's or a basin's number: the zeros in front belong to it


def is_text(dtype: pl.DataType) -> bool:
    """Text, categories, or bytes that may be text."""
    return dtype in (pl.String, pl.Categorical, pl.Binary) or isinstance(dtype, pl.Enum)


def text(column: pl.Series) -> pl.Series:
    """Cells as text without blanks around them; blank cells and bytes that are no text become null."""
    if column.dtype == pl.Binary:
        column = pl.Series(
            column.name, [None if cell is None else cell.decode("latin-1") for cell in column], pl.String
        )
    stripped = column.cast(pl.String).str.strip_chars()
    return stripped.set(stripped == "", None) if (stripped == "").any() else stripped


def are_codes(column: pl.Series) -> bool:
    """Whether a column of text holds numbers whose leading zeros belong to them."""
    return is_text(column.dtype) and bool(text(column).str.contains(_CODE).any())


def hold_numbers(column: pl.Series) -> bool:
    """Whether a column holds numbers; also text with one in it: a stray word must not make a channel vanish unsaid."""
    if not is_text(column.dtype):
        return column.dtype.is_numeric()
    cells = text(column)
    return bool(cells.cast(pl.Float64, strict=False).is_not_null().any() or cells.str.contains(_FIGURE).any())


def read(column: pl.Series, source: str, rows: pl.Series | None = None) -> pl.Series:
    """A column of text as float64; `rows`: where its cells stood in the frame, if not in this order.

    Raises:
        InputError: a cell is no number; names the row and the mend.
    """
    if not is_text(column.dtype):
        raise InputError(
            f"{source}: column {quoted(column.name)} holds {_kind(column.dtype)} where numbers belong; "
            "turn it into numbers, or leave the column out"
        )
    cells = text(column)
    parsed = cells.cast(pl.Float64, strict=False)
    wrong = parsed.is_null() & cells.is_not_null()
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        place = 1 + (row if rows is None else int(rows[row]))
        figure = cells.slice(row, 1).str.contains(_FIGURE).any()
        mend = (
            "write numbers plainly, as 1334.5: a point for the fraction, nothing between the thousands, no unit"
            if figure
            else f"mend the cell, pass missing=[{quoted(cells[row])}] if it stands for none, or leave the column out"
        )
        raise InputError(
            f"{source}: column {quoted(column.name)}, row {place} holds {quoted(cells[row])} where a number belongs; "
            f"{mend}"
        )
    return parsed


def floats(column: pl.Series) -> Floats:
    """Missing cells as NaN; the frame's own memory where it holds floating point numbers."""
    if not column.dtype.is_float() or column.null_count() or column.n_chunks() > 1:
        folder = _home(column)
        if folder is not None:
            return _in_a_file(column, folder)
    return (column if column.dtype.is_float() else column.cast(pl.Float64)).to_numpy()


def _home(column: pl.Series) -> Path | None:
    """The folder of the file that a column of numbers lies in (`tsrnn.pages`); None: it lies in memory."""
    if not pages.any_open() or not len(column) or not column.dtype.is_numeric() or column.dtype.is_decimal():
        return None
    buffer = column.get_chunks()[0].to_arrow().buffers()[1]
    return None if buffer is None else pages.of_address(buffer.address)


def _in_a_file(column: pl.Series, folder: Path) -> Floats:
    """`floats`, of which no copy is held in memory."""
    numbers = pages.scratch(folder, (len(column),), np.float32 if column.dtype == pl.Float32 else np.float64)
    for begin in range(0, len(column), pages.BLOCK):
        block = column[begin : begin + pages.BLOCK]
        numbers[begin : begin + len(block)] = (block if block.dtype.is_float() else block.cast(pl.Float64)).to_numpy()
    return numbers


def typed(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Numbers in the type their column had, unless that would round them."""
    column = column.fill_nan(None)
    whole = dtype.is_float() or (column == column.round()).all()
    return column.cast(dtype) if whole else column


def _kind(dtype: pl.DataType) -> str:
    words = {pl.Duration: "durations", pl.Date: "dates", pl.Datetime: "dates", pl.Time: "times of day"}
    return next((word for kind, word in words.items() if dtype == kind), f"values of type {dtype}")
