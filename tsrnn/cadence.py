"""The step that an index keeps, read from its rows: an even length, months on a day, days of the week.

Whole months on one day go before equal lengths (July, August, September are months, not 31 days); among the other
readings that fit every row, the one with the fewest gaps. Where none fits, the median difference is one step, which
is said, or refused where rows are too far from it.
"""

import numpy as np
import polars as pl

from tsrnn import almanac, frequency
from tsrnn.arrays import Rows
from tsrnn.errors import InputError, notice
from tsrnn.steps import (
    Months,
    Step,
    Weekdays,
    day_of,
    days_of,
    month_of,
    on_clock,
    physical,
    unit_of,
    zone_of,
)

Ends = np.ndarray  # [row] bool: the row has one before it in its series, a known time after it
_SAMPLE = 100_000  # differences looked at to find a length
_EVEN = {"i": 0.01, "f": 0.05}  # share of a step by which rows may be off unsaid; depths are rounded
_HOURS = 1 / 6  # of a day, up to which a step leaves room for hours that are closed
_OPEN = 0.9  # share of a day's steps that are not all of it, and of the open ones that make a day
_DAYS = 3
_CLEAR = 0.4  # steps off a whole number of them, from which a difference says nothing
_UNCLEAR = 0.05  # share of such differences that makes an index have no step


def find(index: pl.Series, offsets: Rows, strict: bool = True) -> Step:
    """The step that most rows of every series keep; `strict`: refuse an index without one.

    Raises:
        InputError: no series has two rows, or the rows are too uneven.
    """
    differences = np.diff(physical(index[: _SAMPLE + 1]))
    inside = _inside(index, offsets)
    steps = differences[inside[: len(differences)] & (differences > 0)]
    if not len(steps):
        if strict and index.dtype.is_temporal() and len(index):
            raise InputError(f"column {index.name!r} has one row a series, so that a step is not known; name it: freq=")
        return Step(1.0)
    size, exact = _length(steps)
    size = size if exact else _of_one(size, np.where(inside[: len(differences)], differences, 0), offsets)
    calendar = _of_calendar(index, offsets, inside, exact and (steps == size).all()) if _may(index, size) else None
    if calendar is not None:
        return Step.of(calendar, index)
    if strict and day_of(index) and not index.null_count():
        _look_for_closed_days(index, inside, size, exact)
    local = zone_of(index) is not None and _is_local(index, inside, size, exact)
    if local:
        sampled, day = index[: _SAMPLE + 1], day_of(index)
        shown = on_clock(sampled) if size % day else days_of(sampled) * day  # where no midnight is, a day starts late
        steps = np.diff(shown)[inside[: len(differences)] & (differences > 0)]
        size, exact = _length(steps[steps > 0])
    if not exact:
        _say(index, steps, size, strict)
    return Step(size, local=local, word=_word(index, size, local))


def _inside(index: pl.Series, offsets: Rows) -> Ends:
    inside = np.ones(max(0, len(index) - 1), bool)
    inside[offsets[1:-1] - 1] = False
    if index.null_count():
        known = index.is_not_null().to_numpy()
        inside &= known[1:] & known[:-1]
    return inside


def _length(differences: np.ndarray) -> tuple[float, bool]:
    """The most common difference where most are equal or all are multiples of it, else the median; and which it is."""
    unit = 1e-6 * float(np.median(differences)) if differences.dtype.kind == "f" else 1
    values, counts = np.unique(np.rint(differences / unit) if unit != 1 else differences, return_counts=True)
    mode = values[counts.argmax()]
    parts = values / mode
    exact = bool((np.abs(parts - np.rint(parts)) < 1e-3).all() and parts.min() > 0.5)
    if not exact and 2 * counts.max() <= counts.sum():
        middle = float(np.median(differences))
        return (middle if unit != 1 else float(round(middle))), False
    if unit == 1:
        return float(mode), exact
    return float(np.median(differences[np.rint(differences / unit) == mode])), exact


def _of_one(size: float, differences: np.ndarray, offsets: Rows) -> float:
    """A length that some series keeps: the middle one of theirs, where the median lies between two of them."""
    parts = [part[part > 0] for part in np.split(differences, offsets[1:-1]) if (part > 0).any()]
    if len(parts) < 2:
        return size
    own = np.sort([np.median(part) for part in parts])
    near = (np.abs(own / size - 1) <= _EVEN["f"]).any()
    return size if near else float(own[(len(own) - 1) // 2])


def _may(index: pl.Series, size: float) -> bool:
    """Whether a length may be a calendar's."""
    return day_of(index) > 0 and size > 0.9 * day_of(index) and not index.null_count()


def _of_calendar(index: pl.Series, offsets: Rows, inside: Ends, equal: bool) -> Months | Weekdays | None:
    """The calendar step that fits every row better than a length does; `equal`: all differences are the same."""
    days = days_of(index)
    jumps = np.diff(month_of(days))[inside]
    count = int(np.gcd.reduce(jumps))
    if jumps.min() > 0:
        single = almanac.single(days)
        if single or almanac.kept_days(days, offsets).all():
            return Months(count, single)
    if equal:
        return None
    named = almanac.other(days) if jumps.min() > 0 else None
    readings: list[Months | Weekdays] = [Months(count, named)] if named else []
    readings += [reading for reading in (almanac.dated(days), *almanac.weekly(days)) if reading is not None]
    gaps = [_gaps(reading.numbers(days), inside) for reading in readings]
    lengths = np.diff(days)[inside]
    size, exact = _length(lengths[lengths > 0])
    fewest = min(gaps, default=len(jumps))
    if 2 * fewest < len(jumps) and fewest < (np.count_nonzero(lengths != size) if exact else len(jumps)):
        return _said(readings[gaps.index(fewest)], index, days, inside)
    if not exact and jumps.min() == jumps.max() and jumps.min() > 0 and lengths.min() > 24 * count:
        notice(
            f"column {index.name!r} has a row every {'month' if count == 1 else f'{count} months'}, on changing days: "
            "months are counted, and forecasts stand on the last row's day; pass freq= for another step"
        )
        return Months(count)
    return None


def _gaps(numbers: Rows, inside: Ends) -> int:
    jumps = np.diff(numbers)[inside]
    return len(jumps) if (jumps < 1).any() else int((jumps > 1).sum())


def _said(reading: Months | Weekdays, index: pl.Series, days: Rows, inside: Ends) -> Months | Weekdays:
    """A word on holidays, over which windows reach."""
    if isinstance(reading, Weekdays):
        numbers = reading.numbers(days)
        jumps = np.diff(numbers) * inside
        holidays = np.flatnonzero((jumps > 1) & (jumps <= len(reading.kept) + 1))
        if len(holidays):
            day = reading.after(days[holidays[:1]], 1)[0, 0].astype("datetime64[D]")
            notice(
                f"column {index.name!r} has no row on {(jumps[holidays] - 1).sum()} days of its step {reading.word!r}, "
                f"such as {day}: they are taken for holidays, and windows reach over them; pass "
                f"freq={reading.word + '-gaps'!r} to have gaps there, freq={reading.word!r} to hear no more of it"
            )
    return reading


def _is_local(index: pl.Series, inside: Ends, size: float, exact: bool) -> bool:
    """Whether steps are even by the clock of the zone, not by the sun's; days are where its hour comes back."""
    index, day = index[: _SAMPLE + 1], day_of(index)
    clock = on_clock(index)
    differences = np.diff(clock)[inside[: len(index) - 1]]
    shown, even = _length(differences[differences > 0])
    if shown % day or size % day:
        return even and not exact
    (there, most), (here, often) = (_usual(values % day) for values in (physical(index), clock))
    return bool(here == 0 or (there != 0 and often >= most))


def _usual(hours: Rows) -> tuple[int, int]:
    """The most common time of day, and how common it is."""
    values, counts = np.unique(hours, return_counts=True)
    return int(values[counts.argmax()]), int(counts.max())


def _say(index: pl.Series, differences: np.ndarray, size: float, strict: bool) -> None:
    """A word on an uneven step, or its refusal."""
    parts = differences / size
    off = np.abs(parts - np.maximum(1, np.rint(parts)))
    single = (parts > 0.5) & (parts < 1.5)
    uneven = single & (off > _EVEN[differences.dtype.kind])
    middle, low, high = (_shown(index, part) for part in (size, differences.min(), differences.max()))
    common = 2 * np.count_nonzero(off == 0) > len(off)
    if strict and day_of(index) and not common and np.mean(off > _CLEAR) > _UNCLEAR:
        raise InputError(
            f"column {index.name!r} has no even step: its rows are {low} to {high} apart, {middle} in the middle; "
            "bring them to an even grid, name the step with freq=, or take rows by number: rows_as_they_stand=True"
        )
    if strict and uneven.any():
        least, most = (_shown(index, part) for part in (differences[single].min(), differences[single].max()))
        notice(
            f"column {index.name!r} is uneven: rows are {least} to {most} apart where a step is {middle}, the "
            f"{'most common' if common else 'median'} difference; what is off by less than half a step counts as one; "
            "pass freq= for another step"
        )


def _look_for_closed_days(index: pl.Series, inside: Ends, size: float, exact: bool) -> None:
    """Refuse every second working day, which a length would miss; a word on nights that have no rows, day after day."""
    day = day_of(index)
    if size > day:
        dates = days_of(index)
        lengths, count = np.diff(dates)[inside], almanac.every(dates, inside)
        if count and lengths.min() != lengths.max():
            raise InputError(
                f"column {index.name!r} has a row every {count} working days, which is no step here; {frequency.ROWS}"
            )
        return
    days, clock = np.divmod(on_clock(index[:_SAMPLE]), day)
    total, hours = round(day / size), len(np.unique(clock // int(size))) if exact and size <= _HOURS * day else 0
    stretches = 1 + np.count_nonzero(np.diff(days))
    if 1 < hours <= _OPEN * total and stretches > _DAYS and len(days) >= _OPEN * hours * stretches:
        notice(
            f"column {index.name!r} has rows at {hours} of the {total} steps of a day ({_shown(index, size)} each) and "
            "never at the others: what is closed is a gap, and forecasts go on into it; where open hours alone "
            f"are steps, {frequency.ROWS}"
        )


def _shown(index: pl.Series, size: float) -> str:
    """A length in words."""
    if not index.dtype.is_temporal():
        return f"{size:g}"
    seconds = size * unit_of(index) / 1e9
    units = ((86_400, "days"), (3600, "hours"), (60, "minutes"), (0, "seconds"))
    least, name = next(unit for unit in units if seconds >= unit[0])
    return f"{seconds / (least or 1):.4g} {name}"


def _word(index: pl.Series, size: float, local: bool) -> str | float:
    """The `freq` that names a length."""
    if not index.dtype.is_temporal():
        return int(size) if index.dtype.is_integer() else size
    word = frequency.length(int(size) * unit_of(index))
    if local:
        return word if word.endswith("d") else f"{word}-local"
    days = word.endswith("d") and zone_of(index) is not None  # a word of days would mean the local clock's
    return f"{24 * int(word[:-1])}h" if days else word
