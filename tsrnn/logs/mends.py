"""Rows whose cells do not fall apart at their blanks: quoted text, and numbers that have run together.

A writer with columns of fixed width leaves no blank where a number fills its column: `0.412-19508.9` parts at the
minus, `7.020101130.188` where the other rows' columns end. What cannot be parted keeps its place as cells that are no
number, which are counted.
"""

import csv
import re

_TOKEN = re.compile(r'"[^"\n]*"|\S+')
_TICKED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|\S+")
_MINUS = re.compile(r"(?<=\d)-(?=[\d.])")
_SEEN = 200  # rows that tell where columns end

APART = "rows of numbers that had run together, parted"
HOLES = "rows with a blank where a number belongs, read by their columns"


def split(line: str, separator: str | None, width: int) -> list[str]:
    """The cells of a row; one that ends in a separator has no cell behind it."""
    if separator is None:
        return line.split()
    cells = _quoted(line, separator) or line.split(separator)
    return cells[:-1] if len(cells) == width + 1 and not cells[-1].strip() else cells


def _quoted(line: str, separator: str) -> list[str]:
    if '"' not in line:
        return []
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return []


def tokens(body: str) -> list[str]:
    """Cells between blanks, quoted ones whole."""
    return [token.strip('"') for token in _TOKEN.findall(body)] if '"' in body else body.split()


def apart(text: str) -> str:
    """The text with a blank before every minus that stands behind a digit."""
    return _MINUS.sub(" -", text)


class Layout:
    """How the rows of a section are laid out, as far as the whole ones have told."""

    def __init__(self, width: int, separator: str | None) -> None:
        self.width, self.separator = width, separator
        self._lines: list[str] = []
        self._columns: tuple[int, list[int], list[set[int]]] = (0, [], [])  # rows looked at, ends, numbers of decimals

    def learn(self, line: str) -> None:
        """A whole row."""
        if len(self._lines) < _SEEN:
            self._lines.append(line)

    def mend(self, line: str) -> tuple[str, list[str] | None]:
        """What was done to a row, in a few words ("": nothing worth one), and its cells; None: nothing fits."""
        if self.separator is not None:
            return APART, self._whole(split(apart(line), self.separator, self.width))
        for pattern in (_TOKEN, _TICKED):
            quoted = [token.strip("\"'") for token in pattern.findall(line)]
            if len(quoted) == self.width:
                return "", quoted
        ways = (apart(line).split(), self._at_columns(line), _by_points(line))
        cells = next((cells for cells in ways if self._whole(cells)), None)
        return HOLES if cells and "" in cells else APART, cells

    def _whole(self, cells: list[str] | None) -> list[str] | None:
        return cells if cells is not None and len(cells) == self.width else None

    def _at_columns(self, line: str) -> list[str] | None:
        """The cells of a row by the columns of the others; None where they have none, or a cut is not sure."""
        ends, places = self._learnt()
        if "\t" in line or not ends or len(line) < ends[-1] or line[ends[-1] :].strip():
            return None
        cells, begin = [], 0
        for end, decimals in zip(ends, places, strict=True):
            cell, begin = line[begin:end], end
            inside = end < len(line) and not line[end - 1].isspace() and not line[end].isspace()
            if len(cell.split()) > 1 or (inside and not _is_sure(cell.strip(), decimals)):
                return None
            cells.append(cell.strip())
        return cells

    def _learnt(self) -> tuple[list[int], list[set[int]]]:
        """Where each column ends and how many decimals its cells have; none where columns end anywhere."""
        if self._columns[0] != len(self._lines):
            rows = [[(cell.end(), _decimals(cell[0])) for cell in re.finditer(r"\S+", row)] for row in self._lines]
            ends, places = [], []
            for column in zip(*rows, strict=True):
                ends.append({end for end, _ in column})
                places.append({decimals for _, decimals in column})
            fixed = all(len(end) == 1 for end in ends)
            self._columns = (len(self._lines), [max(end) for end in ends] if fixed else [], places)
        return self._columns[1], self._columns[2]


def _is_sure(cell: str, decimals: set[int]) -> bool:
    """Whether a cell that runs into the next ends where its column does: as many decimals as all others, or stars."""
    return not re.search(r"\w", cell) or (len(decimals) == 1 and 0 < _decimals(cell) == max(decimals))


def _by_points(line: str) -> list[str]:
    """A token with several decimal points is as many cells, none of them a number."""
    return [cell for token in line.split() for cell in [token] * max(1, token.count("."))]


def _decimals(cell: str) -> int:
    return len(cell.partition(".")[2])
