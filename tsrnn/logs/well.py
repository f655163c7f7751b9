"""One well as a table: its index and its curves by name, with what its file says of them."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from tsrnn.errors import InputError, quoted
from tsrnn.logs import cells, clock, kinds, mends
from tsrnn.logs.cells import Told
from tsrnn.logs.header import Curve, Header, depth_unit
from tsrnn.logs.rows import OVER, Rows
from tsrnn.reading import EMPTY, Column, Note

ID, DEPTH, TIME = "well", "depth", "time"
_FEW, _FAR = 3, 100  # rows that tell a step; steps to a neighbour that no depth is away


@dataclass(frozen=True)
class Well:
    """A file's table: the index first, then its curves; units and notes."""

    path: Path
    name: str
    table: pl.DataFrame
    columns: dict[str, Column]
    notes: tuple[Note, ...]

    @property
    def index(self) -> str:
        return self.table.columns[0]


def of(path: Path, header: Header, sections: Sequence[Rows], met: Sequence[tuple[str, int, bool]] = ()) -> Well:
    """The well of a header and the rows below it.

    Args:
        path: of the file.
        header: its curves, as many as rows have cells.
        sections: the rows of each ~A section.
        met: what was met on the way: what, how often, whether it is said unasked.

    Raises:
        InputError: the index holds something that is no number and no time.
    """
    name = header.well or path.stem
    told = Told(list(met))
    for what, count in sum((rows.mended for rows in sections), Counter()).items():
        told.add(what, count, loud=what in (mends.APART, mends.HOLES, OVER))
    index, unit = _index(path, header, sections, told)
    first = header.curves[0]
    columns = {index.name: Column(unit, first.mnemonic, first.description, measured=False)}
    curves, notes = _curves(header, sections, name, columns, told)
    table = _in_order(pl.DataFrame([index, *curves]), [len(rows.columns[0]) for rows in sections], told)
    return Well(path, name, table, columns, (*(Note(w, n, "", name, loud) for w, n, loud in told.notes), *notes))


def _curves(
    header: Header, sections: Sequence[Rows], source: str, columns: dict[str, Column], told: Told
) -> tuple[list[pl.Series], list[Note]]:
    """The curves behind the index, in the header's order, and what was met in each; `columns` takes what they are.

    One that holds nothing has no type, and no column where another has its name.
    """
    curves: dict[int, pl.Series] = {}
    hollow: dict[int, Curve] = {}
    notes: list[Note] = []
    for place, curve in enumerate(header.curves[1:], 1):
        about = Told([])
        sentinels = not kinds.is_place(curve.mnemonic)
        column = cells.curve(_joined(sections, place), header.null, curve.unit, about, sentinels)
        if column.null_count() == len(column):
            hollow[place] = curve
            about.add("curve empty throughout", 1, loud=False)
        else:
            name = _free(curve, {ID, *columns}, about)
            curves[place], columns[name] = column.alias(name), _column(curve, name)
        notes += [Note(what, count, curve.mnemonic, source, loud) for what, count, loud in about.notes]
    told.add(EMPTY, len(hollow))
    height = sum(len(rows.columns[0]) for rows in sections)
    for place, curve in hollow.items():
        if curve.mnemonic not in {ID, *columns}:
            curves[place] = pl.Series(curve.mnemonic, [None] * height, pl.Null)
            columns[curve.mnemonic] = _column(curve, curve.mnemonic)
    return [curves[place] for place in sorted(curves)], notes


def _joined(sections: Sequence[Rows], place: int) -> pl.Series:
    """The cells of one curve in all sections: [row]."""
    parts = [rows.columns[place] for rows in sections]
    if len({part.dtype for part in parts}) > 1:
        parts = [part.cast(pl.String) for part in parts]
    return pl.concat([part.alias("") for part in parts])


def _index(path: Path, header: Header, sections: Sequence[Rows], told: Told) -> tuple[pl.Series, str]:
    """The index, called by what it runs over, and its unit."""
    curve, column = header.curves[0], _joined(sections, 0)
    name = TIME if kinds.is_timed(curve.mnemonic, curve.unit) else DEPTH
    times = clock.seconds([str(cell) for cell in column], curve.unit) if name == TIME else None
    if times is not None:
        days = next((k for k, other in enumerate(header.curves) if k and other.mnemonic.upper() == "DATE"), None)
        index, midnights = clock.index(times, None if days is None else _joined(sections, days))
        told.add(clock.OVER, midnights)
        return index, ""
    text = column.dtype == pl.String
    values = (column.str.strip_chars() if text else column).cast(pl.Float64, strict=False).alias(name)
    wrong = ~values.is_finite().fill_null(False)
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        raise InputError(
            f"{path}: {_where(sections, row)} holds {quoted(column[row])} in the index curve "
            f"{quoted(curve.mnemonic)}, which is not a number; mend it"
        )
    astray = header.null.hits(values.to_numpy()) & _off(values.to_numpy())
    if astray.any():
        where = _where(sections, int(astray.argmax()))
        raise InputError(
            f"{path}: {where} holds the header's NULL {header.null.text} in the index curve {quoted(curve.mnemonic)}; "
            "mend it, or leave the row out"
        )
    return values, _unit(header, told)


def _off(values: np.ndarray) -> np.ndarray:
    """Index values that turn back from a neighbour, or lie very far from it: [row]."""
    if len(values) < _FEW:
        return np.zeros(len(values), bool)
    steps = np.diff(values)
    share = steps / (np.median(steps) or 1.0)
    strange = (share <= 0) | (share > _FAR)
    return np.asarray(np.append(False, strange) | np.append(strange, False))


def _where(sections: Sequence[Rows], row: int) -> str:
    lines = [line for rows in sections for line in rows.lines]
    return f"line {lines[row]}" if lines else f"row {row + 1}"


def _unit(header: Header, told: Told) -> str:
    """The index's unit, of STRT where its own line has none."""
    unit, start = depth_unit(header.curves[0].unit), depth_unit(header.start_unit)
    if unit and start and unit != start:
        told.add(f"index in {unit} by its curve and in {start} by STRT, taken as {unit}", 1)
    if not unit and start:
        told.add(f"index without a unit, taken as {start} like STRT", 1, loud=False)
    return unit or start


def _column(curve: Curve, name: str) -> Column:
    original = curve.mnemonic if curve.mnemonic != name else ""
    return Column(curve.unit, original, curve.description, kinds.is_measured(curve.mnemonic))


def _free(curve: Curve, taken: Collection[str], told: Told) -> str:
    """The curve's own name, or with the first free number behind it."""
    if curve.mnemonic not in taken:
        return curve.mnemonic
    name = next(name for k in range(2, len(taken) + 3) if (name := f"{curve.mnemonic}:{k}") not in taken)
    index = curve.mnemonic in (ID, DEPTH, TIME)
    told.add(f"curve more of this name, kept as {name}", 1, loud=not index)
    return name


def _in_order(table: pl.DataFrame, heights: Sequence[int], told: Told) -> pl.DataFrame:
    """The rows from the top down; of a later section only what lies outside the depths of those before."""
    whole, row = None, 0
    for height in heights:
        part, row = table.slice(row, height), row + height
        index = part.to_series(0)
        if index.is_sorted(descending=True) and not index.is_sorted():
            part = part.reverse()
            told.add("rows turned over, written from the bottom up", height, loud=False)
        if whole is None:
            whole = part
            continue
        covered = whole.to_series(0)
        fresh = part.filter(~part.to_series(0).is_between(covered.min(), covered.max()))
        told.add("rows of another ~A section, read as well", fresh.height)
        told.add("rows of another ~A section at depths that one before has, left out", height - fresh.height)
        whole = pl.concat([whole, fresh]).sort(table.columns[0])
    return table if whole is None else whole
