"""How a text table is laid out: the separator, as many cells in every line, blanks between columns."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from tsrnn import heading
from tsrnn.errors import InputError, quoted

_SEPARATORS = "\t|;,"  # a comma last: it may be a decimal one
_SHOWN = 40  # letters of a remark that are shown
SAMPLE = 50  # lines looked at for the separator and for what cells look like


def separator(lines: list[str]) -> str:
    """The one that cuts every line into the same number of cells, the most; else the first line's most frequent.

    Where text stands above the names, the lines at the end tell.
    """
    body = [line for line in lines if not heading.is_remark(line)]
    even = _even(body) or _even(body[len(body) // 2 :] if len(body) > 2 else [])
    if even:
        return max(even, key=lambda mark: even[mark])
    counts = {mark: [len(cells) for cells in rows(body, mark)] for mark in _SEPARATORS}
    chosen = {mark: widths[0] for mark, widths in counts.items() if widths and widths[0] > 1} or {",": 1}
    return max(chosen, key=lambda mark: chosen[mark])


def _even(lines: list[str]) -> dict[str, int]:
    """The separators that cut every line into the same number of cells, and that number, if it is not one."""
    widths = {mark: [len(cells) for cells in rows(lines, mark)] for mark in _SEPARATORS}
    return {mark: counts[0] for mark, counts in widths.items() if counts and counts[0] > 1 and len(set(counts)) == 1}


def blank_separated(lines: list[str]) -> bool:
    """Whether blanks alone stand between the columns: names and values, as many in a line, and no separator."""
    body = [line for line in lines[:SAMPLE] if not heading.is_remark(line)]
    cut = [line.split() for line in body]
    widths = [len(cells) for cells in cut]
    width = max(widths, key=widths.count, default=0)
    rows = [cells for cells in cut if len(cells) == width]
    if width < 2 or _even(body) or _even(body[len(body) // 2 :]) or 3 * len(rows) < 2 * len(cut):
        return False
    values = [2 * sum(map(heading.is_value, cells)) >= width for cells in rows]
    names = [heading.bare(line.strip()).split() for line in lines[:SAMPLE]]
    named = any(len(cells) == width and not any(map(heading.is_value, cells)) for cells in names)
    return named and sum(values) >= len(rows) - 1 > 0


def with_tabs(content: bytes) -> bytes:
    """The lines with a tab where blanks stood between two cells, and none at their ends."""
    stripped = re.sub(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)", b"", content)
    return re.sub(rb"[ \t]+", b"\t", stripped)


def rows(lines: list[str], mark: str) -> list[list[str]]:
    """The cells of the first lines, as far as they can be read."""
    with _long_fields():
        try:
            return [cells for cells in islice(csv.reader(lines, delimiter=mark), SAMPLE) if cells]
        except csv.Error:
            return []


def check_widths(path: Path, mark: str, skipped: int, content: Path | bytes | None = None) -> None:
    """Every line that is not blank, below those skipped, has as many cells as the first.

    Args:
        path: how the message calls the file.
        mark: the separator.
        skipped: lines above the names.
        content: what to read in place of the file.

    Raises:
        InputError: one has not; names it.
    """
    text = io.TextIOWrapper(
        io.BytesIO(content) if isinstance(content, bytes) else path.open("rb"), "utf-8", "replace", ""
    )
    with text as file, _long_fields():
        for _ in range(skipped):
            file.readline()
        lines = csv.reader(file, delimiter=mark)
        width = 0
        try:
            for cells in lines:
                width = width or len(cells)
                if cells and len(cells) != width:
                    if cells[0].lstrip().startswith("#"):
                        raise remark(path, lines.line_num + skipped, mark.join(cells))
                    raise InputError(
                        f"{path}: line {lines.line_num + skipped} has {len(cells)} cells where the first "
                        f"line names {width} columns; mend the line, or write the file again if it was cut off"
                    )
        except csv.Error as error:
            raise InputError(f"{path}: line {lines.line_num} cannot be read ({error}); mend the line") from None


def remark(path: Path, line: int, text: str) -> InputError:
    """What is said of a line of remarks among the rows."""
    return InputError(
        f"{path}: line {line} is a remark, {quoted(text.strip()[:_SHOWN])}, among the rows; drop the line, or put it "
        "above the names"
    )


def remark_in(path: Path, skipped: int, content: Path | bytes) -> InputError:
    """What is said of the first line that begins with `#`, below those skipped and the names."""
    lines = io.BytesIO(content) if isinstance(content, bytes) else path.open("rb")
    with lines as file:
        for number, line in enumerate(file, 1):
            if number > skipped + 1 and line.lstrip().startswith(b"#"):
                return remark(path, number, line.decode("utf-8", "replace"))
    return remark(path, skipped + 2, "#")


@contextmanager
def _long_fields() -> Iterator[None]:
    """The csv module refuses cells of more than 131,072 characters; a table may hold a text that long."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)
