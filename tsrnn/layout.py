"""How a text table is laid out: lines above the names, the separator, as many cells in every line."""

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from tsrnn.errors import InputError

_SEPARATORS = "\t|;,"  # a comma last: it may be a decimal one
SAMPLE = 50  # lines looked at for the separator and for what cells look like


def remarks(lines: list[str]) -> int:
    """How many lines stand above the names: blank ones, remarks, and what tells a spreadsheet the separator."""
    skipped = 0
    while skipped < len(lines) and re.match(r'\s*$|"?#|sep=.$', lines[skipped].rstrip("\r\n")):
        skipped += 1
    if 0 < skipped < len(lines) and lines[skipped - 1].startswith("#"):
        above, first = rows(lines[skipped - 1 :], separator(lines[skipped - 1 :]))[:2]
        if len(above) == len(first) > 1 and all(is_value(cell) or not cell.strip() for cell in first):
            return skipped - 1  # the names are the remark
    return skipped if skipped < len(lines) else 0


def separator(lines: list[str]) -> str:
    """The one that cuts every line into the same number of cells, the most; else the first line's most frequent."""
    widths = {mark: [len(cells) for cells in rows(lines, mark)] for mark in _SEPARATORS}
    even = {mark: counts[0] for mark, counts in widths.items() if counts and counts[0] > 1 and len(set(counts)) == 1}
    chosen = even or {mark: counts[0] for mark, counts in widths.items() if counts and counts[0] > 1} or {",": 1}
    return max(chosen, key=lambda mark: chosen[mark])


def rows(lines: list[str], mark: str) -> list[list[str]]:
    """The cells of the first lines, as far as they can be read."""
    with _long_fields():
        try:
            return [cells for cells in islice(csv.reader(lines, delimiter=mark), SAMPLE) if cells]
        except csv.Error:
            return []


def check_widths(path: Path, mark: str, skipped: int) -> None:
    """Every line that is not blank, below those skipped, has as many cells as the first.

    Raises:
        InputError: one has not; names it.
    """
    with path.open(encoding="utf-8", errors="replace", newline="") as file, _long_fields():
        for _ in range(skipped):
            file.readline()
        lines = csv.reader(file, delimiter=mark)
        width = 0
        try:
            for cells in lines:
                width = width or len(cells)
                if cells and len(cells) != width:
                    raise InputError(
                        f"{path}: line {lines.line_num + skipped} has {len(cells)} cells where the first "
                        f"line names {width} columns; mend the line, or write the file again if it was cut off"
                    )
        except csv.Error as error:
            raise InputError(f"{path}: line {lines.line_num} cannot be read ({error}); mend the line") from None


@contextmanager
def _long_fields() -> Iterator[None]:
    """The csv module refuses cells of more than 131,072 characters; a table may hold a text that long."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def is_value(name: str) -> bool:
    """Whether a cell is a number or a date, as no column is called."""
    return bool(re.fullmatch(r"[-+]?\d[\d.,:/TZ+\-eE ]*", name))
