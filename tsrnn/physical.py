"""What no rock, no tool and no hole can be: values beyond a quantity's range, washed-out hole, values far from all.

Everything here counts. Only `clip` changes a cell, into a missing one, and it is asked for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tsrnn.arrays import Floats, Rows
from tsrnn.families import Families, Family, of
from tsrnn.reading import Note, Reading
from tsrnn.units import conversion

if TYPE_CHECKING:
    import polars as pl

WASHED_OUT = "washout"  # the column of flags
_OVER = 2.0  # inches by which a washed-out hole is wider than the bit
_MANY = 0.1  # share of a well's values
_FAR = 100  # deviations
_FAR_IN_LOG = 15  # deviations of the logarithms, of what is positive throughout
_SAMPLE = 100_000  # values that say where most of a column lies
_FEWEST = 20  # values
_SERIES = 1000  # looked at one by one
_EDGE = 1e300  # float64 ends at 1.8e308
_NORMAL = 1.349  # the interquartile range of a unit Gaussian


def checked(reading: Reading, families: Families, id: str | None, clip: bool = False) -> Reading:
    """A reading with a note for every well and curve that has values beyond the range of its family.

    A curve whose unit is not known is not judged. The note is loud where the values are so many that the curve may be
    in another unit, or be another one.

    Args:
        reading: as a reader gives it.
        families: say the ranges, in their own units.
        id: the column that tells wells apart, if there is one.
        clip: make these values null.
    """
    import polars as pl

    notes, clipped, id = list(reading.notes), [], id if id in reading.frame.columns else None
    for name, bounds in judged(reading, families).items():
        values, unit = reading.frame[name], reading.columns[name].unit
        beyond = ((values < bounds[0]) | (values > bounds[1])).fill_null(False)
        if beyond.any():
            what = f"values beyond {bounds[0]:g} to {bounds[1]:g} {unit}{' made null' if clip else ''}"
            met = _counted(reading.frame, beyond, id, what, name)
            measured = {note.source: note.count for note in _counted(reading.frame, values.is_not_null(), id, "", name)}
            notes += [replace(note, loud=note.count > _MANY * measured[note.source]) for note in met]
            clipped.append(pl.when(~beyond).then(pl.col(name)).alias(name))
    frame = reading.frame.with_columns(clipped) if clip else reading.frame
    return replace(reading, frame=frame, notes=tuple(notes))


def judged(reading: Reading, families: Families) -> dict[str, tuple[float, float]]:
    """The range, in its own unit, of every curve of numbers whose family and unit tell one."""
    ranges: dict[str, tuple[float, float]] = {}
    for name, said in reading.columns.items():
        family = of(name, families)
        if family and (bounds := _bounds(family, said.unit)) and name in reading.frame.columns:
            ranges |= {name: bounds} if reading.frame.schema[name].is_numeric() else {}
    return ranges


def washed_out(reading: Reading, families: Families, id: str | None, column: bool = False) -> Reading:
    """A reading with a quiet note for every well with washed-out hole: CALI - BS above 2 in.

    `column`: flags beside the curves, 1 where the hole is washed out, 0 where it is not, null where nothing tells.
    """
    import polars as pl

    inches, id = {}, id if id in reading.frame.columns else None
    for family in ("CALI", "BS"):
        for name, said in reading.columns.items():
            kin = of(name, families)
            if family not in inches and kin is not None and kin.name == family and name in reading.frame.columns:
                way = conversion(said.unit, "in")
                if way is not None:
                    inches[family] = name, way.of(reading.frame[name])
    if len(inches) < 2:
        return reading
    (caliper, hole), (bit, size) = inches["CALI"], inches["BS"]
    flags = (hole - size > _OVER).alias(WASHED_OUT)
    notes = _counted(
        reading.frame, flags.fill_null(False), id, f"rows of washed-out hole, {caliper} - {bit} above 2 in", caliper
    )
    frame = reading.frame.with_columns(flags.cast(pl.Int8)) if column else reading.frame
    quiet = tuple(replace(note, loud=False) for note in notes)
    return replace(reading, frame=frame, notes=(*reading.notes, *quiet))


def far(
    names: Sequence[str], columns: Iterable[Floats], offsets: Rows, logged: Iterable[str] = (), loud: bool = True
) -> list[Note]:
    """A note for every column with values a hundred deviations away from the middle of all and of their own series, or
    so near the end of float64 that sums and squares of them are beyond it.

    The middle and the deviation are the median and the interquartile range's, which a few values do not move; where
    most values are one, as of rain, those of the others. Of what is positive throughout, values must be far in the
    logarithm too: a discharge spans decades.

    Args:
        names: of the columns.
        columns: [row] each, NaN where a cell is missing.
        offsets: first row of each series, then the number of rows.
        logged: columns that span decades, judged by their logarithms alone.
        loud: of the notes.
    """
    notes, decades = [], set(logged)
    for name, column in zip(names, columns, strict=True):
        out = _out(column, name in decades)
        if len(out) and len(offsets) > 2:
            series = np.unique(np.searchsorted(offsets, out, side="right") - 1)[:_SERIES]
            apart = [offsets[k] + _out(column[offsets[k] : offsets[k + 1]], name in decades) for k in series]
            out = np.intersect1d(out, np.concatenate(apart))
        if len(out):
            worst = column[out][np.argmax(np.abs(column[out].astype(np.float64)))]
            what = f"values a hundred deviations away from the others, such as {worst:g}"
            notes.append(Note(what, len(out), name, loud=loud))
        elif column.dtype == np.float64 and len(column):
            worst = max(np.fmax.reduce(column), np.fmin.reduce(column), key=abs)
            if abs(worst) > _EDGE:
                what = f"values near the largest number that a computer holds, such as {worst:g}"
                notes.append(Note(what, int((np.abs(column) > _EDGE).sum()), name, loud=loud))
    return notes


def _out(column: Floats, log: bool) -> Rows:
    """The rows whose values are far out."""
    low, high = _ends(column, log)
    with np.errstate(invalid="ignore"):
        return np.flatnonzero((column < low) | (column > high))


def _ends(column: Floats, log: bool) -> tuple[float, float]:
    """Beyond which a value is far out; infinite where nothing tells."""
    values = column[:: max(1, len(column) // _SAMPLE)].astype(np.float64)
    values = values[np.isfinite(values)]
    positive = bool(len(values)) and float(np.nanmin(column)) > 0
    with np.errstate(over="ignore", invalid="ignore"):  # near float64's end nothing is far from the others
        low, high = (-np.inf, np.inf) if log and positive else _around(values, _FAR)
    if positive:
        with np.errstate(over="ignore"):
            lower, upper = np.exp(_around(np.log(values), _FAR if log else _FAR_IN_LOG))
        low, high = (lower, upper) if log else (min(low, lower), max(high, upper))
    return low, high


def _around(values: Floats, deviations: float) -> tuple[float, float]:
    if len(values) < _FEWEST:
        return -np.inf, np.inf
    quarter, middle, three = np.quantile(values, [0.25, 0.5, 0.75])
    if quarter == three:
        others = values[values != middle]
        quarter, three = np.quantile(others, [0.25, 0.75]) if len(others) >= _FEWEST else (-np.inf, np.inf)
        quarter, three = min(quarter, middle), max(three, middle)
    reach = deviations * (three - quarter) / _NORMAL
    return (middle - reach, middle + reach) if reach > 0 else (-np.inf, np.inf)


def _bounds(family: Family, unit: str) -> tuple[float, float] | None:
    """The range of a family in a curve's own unit; None where there is none, or the unit is another quantity's."""
    way = conversion(family.unit, unit) if unit and family.range else None
    if way is None or family.range is None:
        return None
    low, high = (end * way.factor + way.offset for end in family.range)
    return low, high


def _counted(frame: "pl.DataFrame", flags: "pl.Series", id: str | None, what: str, column: str) -> list[Note]:
    """A note for each well that has a flag."""
    if id is None:
        count = int(flags.sum())
        return [Note(what, count, column)] if count else []
    wells = frame[id].filter(flags).value_counts()
    counts = dict(zip(wells[id].cast(str).to_list(), wells["count"].to_list(), strict=True))
    order = frame[id].unique(maintain_order=True).cast(str).to_list()
    return [Note(what, counts[well], column, well) for well in order if well in counts]
