"""The index of a panel: datetime, date, integer or depth. Is it in order, where is a gap, what comes next?"""

import numpy as np
import polars as pl

from tsrnn import almanac, cadence, frequency
from tsrnn.arrays import Rows
from tsrnn.errors import DUPLICATES, InputError
from tsrnn.steps import (
    WEEKDAYS,
    Months,
    Step,
    Weekdays,
    day_of,
    days_of,
    first_day,
    from_clock,
    month_of,
    on_clock,
    physical,
    zone_of,
)

_HALF = 1 - 1e-6  # rounded up from here on: half steps that floating point misses by a hair must not fall both ways
_DIGITS = 10  # of a depth ahead, below those of its step
_BLOCK = 1 << 20  # rows looked at together
_NEAR = 0.99  # of a length, from which a step counts as that long: jittered days are days


def step_of(index: pl.Series, offsets: Rows, freq: str | float | None, strict: bool = True) -> Step:
    """The step a user named (`"1h"`, `"B"`, `0.1524`), else the one that the rows keep.

    Args:
        strict: refuse rows that the named step does not fit, or that keep none.
    """
    if freq is None:
        return cadence.find(index, offsets, strict)
    step = frequency.named(index, freq)
    return _settled(step, index, offsets) if strict else step


def check(
    index: pl.Series, ids: tuple[str, ...], offsets: Rows, source: str, order: Rows | None = None, again: bool = False
) -> None:
    """Refuse an index that is missing, repeated or falling somewhere; `order` says where each row stood at first.

    `again`: rows are read as a training's were, by words that whoever asks for it takes none of.

    Raises:
        InputError: names the source, the row (counted from 1, as in the file's body) and the mend.
    """
    if index.null_count():
        row = int(index.is_null().arg_max() or 0)
        at = row if order is None else int(order[row])
        raise InputError(f"{source}: column {index.name!r} is empty in row {at + 1}; fill it or drop the row")
    values = physical(index)
    falling = values[1:] <= values[:-1]
    falling[offsets[1:-1] - 1] = False
    if not falling.any():
        return
    row = int(falling.argmax()) + 1
    series = ids[int(np.searchsorted(offsets, row, side="right")) - 1]
    at = row if order is None else int(order[row])
    where = f"{source}: column {index.name!r}, row {at + 1}" + (f" of series {series!r}" if len(ids) > 1 else "")
    if index[row] == index[row - 1]:
        mend = "drop one" if again else f"drop one, or pass {DUPLICATES}"
        raise InputError(f"{where}: {index[row]} stands twice; {mend}")
    mend = "load them with sort=True" if again else "pass sort=True"
    raise InputError(f"{where}: {index[row]} comes after {index[row - 1]}; sort the rows, or {mend}")


def breaks(index: pl.Series, offsets: Rows, step: Step) -> Rows:
    """Rows after which something is missing: off by half a step or more, or by a step of the calendar.

    A length that is off counts as a step all the same where the rows lie next to one another on the grid that its
    series keeps: a late row, and an early one after it, are no gap.
    """
    odd = np.concatenate([np.zeros(0, bool), *(_odd(index[a : a + _BLOCK + 1], step) for a in _blocks(index))])
    if step.calendar is None and odd.any():
        values, rows = on_clock(index) if step.local else physical(index), np.flatnonzero(odd)
        before, after = np.split(_on_grid(values, offsets, step.size, np.concatenate([rows, rows + 1])), 2)
        odd[rows] = after - before != 1
    odd[offsets[1:-1] - 1] = False
    return np.flatnonzero(odd).astype(np.int64) + 1


def _blocks(index: pl.Series) -> range:
    return range(0, len(index) - 1, _BLOCK)


def _odd(index: pl.Series, step: Step) -> np.ndarray:
    """Whether each row but the first is not one step after the one before."""
    if step.calendar is not None:
        jumps = _jumps(index, step.calendar)
        most = len(step.calendar.kept) + 1 if isinstance(step.calendar, Weekdays) and not step.calendar.gaps else 1
        return np.asarray((jumps < 1) | (jumps > most))
    differences = np.diff(on_clock(index) if step.local else physical(index))
    return np.asarray((differences <= 0.5 * step.size) | (differences >= 1.5 * step.size))


def pauses(index: pl.Series, offsets: Rows, step: Step) -> Rows:
    """Rows after holidays: windows reach over them, but the numbers of steps do not go on by one."""
    if not isinstance(step.calendar, Weekdays):
        return np.zeros(0, np.int64)
    apart = _jumps(index, step.calendar) != 1
    apart[offsets[1:-1] - 1] = False
    return np.setdiff1d(np.flatnonzero(apart) + 1, breaks(index, offsets, step))


def following(index: pl.Series, last_rows: Rows, step: Step, horizon: int) -> pl.Series:
    """The next `horizon` index values after each series' last row, end to end, in the index's own type.

    Small whole numbers are widened where theirs cannot hold what comes.
    """
    lasts, ahead = index[last_rows], np.arange(1, horizon + 1)
    if step.calendar is not None or step.local:
        shown = _last_shown(index, last_rows, step)
        if step.calendar is None:
            return from_clock((shown[:, None] + ahead * int(step.size)).reshape(-1), index)
        days, clock = np.divmod(shown, day_of(index))
        days = step.calendar.after(days, horizon, _kept(index, last_rows, days, step.calendar))
        return from_clock((days * day_of(index) + clock[:, None]).reshape(-1), index)
    values = physical(lasts)
    values = (values[:, None] + ahead * values.dtype.type(step.size)).reshape(-1)
    if values.dtype.kind == "f" and step.size > 0:  # 1092.12 and not 1092.1200000000001
        values = np.round(values, _DIGITS - int(np.floor(np.log10(step.size))))
    series = pl.Series(index.name, values)
    if index.dtype.is_integer() and not series.cast(index.dtype, strict=False).is_not_null().all():
        return series
    return series.cast(index.dtype)


def numbers(index: pl.Series, rows: Rows, step: Step) -> Rows:
    """The absolute step number of each of the given rows: the same for the same index value, whatever stands around it.

    Dates and times count steps since the start of 1970 in UTC (days, weeks and months by the calendar, what a zone's
    clock counts by that clock); counts and depths are divided by the step; each is rounded. 0 where the index has no
    step to count by.
    """
    chosen = index[rows]
    if step.calendar is not None:
        return step.calendar.numbers(days_of(chosen))
    values = on_clock(chosen) if step.local else physical(chosen)
    if not step.size > 0:
        return np.zeros(len(rows), np.int64)
    exact = values.dtype.kind == "i" and float(step.size).is_integer()
    size = int(step.size) if exact else step.size
    below, rest = np.divmod(values, size)
    rounded: Rows = (below + (2 * rest >= _HALF * size)).astype(np.int64)
    return rounded


def season(index: pl.Series, step: Step) -> int:
    """Steps of the shortest season: of a day below a day, of a week for days, of a year above; 1 without a calendar."""
    day = day_of(index)
    if not day:
        return 1
    if step.calendar is not None:
        return step.calendar.per_season
    days = step.size / day
    if days < _NEAR:
        return max(1, round(1 / days))
    return 7 if days < 2 - _NEAR else max(1, round(365.25 / days))


def _settled(step: Step, index: pl.Series, offsets: Rows) -> Step:
    """A step that a word names, on the day that the rows keep where the word leaves it open.

    Raises:
        InputError: a row stands on another day than the word says.
    """
    days = days_of(index) if day_of(index) else None
    if days is None or index.null_count():
        return step
    calendar, day = step.calendar, frequency.weekday(step.word)
    if isinstance(calendar, Months) and calendar.rule is None:
        calendar = Months(calendar.count, almanac.single(days) or almanac.other(days), calendar.anchor)
        step = Step(step.size, calendar, word=calendar.word)
    if isinstance(calendar, Months):
        months = month_of(days)
        on = np.ones(len(days), bool) if calendar.rule is None else almanac.stands(days, calendar.rule)
        if calendar.anchor is not None:
            on &= (months % 12 + 1 - calendar.anchor) % min(12, calendar.count) == 0
    elif calendar is not None:
        on = np.isin((days + 3) % 7, calendar.kept)
    else:
        on = np.ones(len(days), bool) if day is None else (days + 3) % 7 == day
    inside = np.ones(max(0, len(days) - 1), bool)
    inside[offsets[1:-1] - 1] = False
    count = almanac.every(days, inside) if isinstance(calendar, Weekdays) and on.all() else 0
    if count:
        raise InputError(
            f"freq {step.word!r} does not fit index {index.name!r}: its rows stand {count} working days apart, which "
            f"is no step here; {frequency.ROWS}"
        )
    if not on.all():
        row = int(on.argmin())
        raise InputError(
            f"freq {step.word!r} does not fit index {index.name!r}: {index[row]}, a "
            f"{WEEKDAYS[(days[row] + 3) % 7].capitalize()}, is none of its days; name the step that rows "
            "keep, or leave freq out"
        )
    return step


def _jumps(index: pl.Series, calendar: Months | Weekdays) -> Rows:
    """Steps from each row to the next."""
    jumps: Rows = np.diff(calendar.numbers(days_of(index)))
    return jumps


def _on_grid(values: np.ndarray, offsets: Rows, size: float, rows: Rows) -> Rows:
    """The places of some rows on the grid of `size` that lies nearest to all of their series' rows: [rows]."""
    turns = np.zeros(len(offsets) - 1, np.complex128)
    for a in range(0, len(values), _BLOCK):
        b = min(a + _BLOCK, len(values))
        series = np.arange(np.searchsorted(offsets, a, side="right") - 1, np.searchsorted(offsets, b))
        first = np.maximum(offsets[series], a)
        lengths = np.minimum(offsets[series + 1], b) - first
        steps = (values[a:b] - np.repeat(values[offsets[series]], lengths)) / size
        turns[series] += np.add.reduceat(np.exp(2j * np.pi * steps), first - a)
    series = np.searchsorted(offsets, rows, side="right") - 1
    steps = (values[rows] - values[offsets[series]]) / size
    places: Rows = np.rint(steps - np.angle(turns[series]) / (2 * np.pi)).astype(np.int64)
    return places


def _kept(index: pl.Series, last_rows: Rows, days: Rows, calendar: Months | Weekdays) -> Rows | None:
    """The day of the month that each series keeps to, where the step leaves it to them; the last row's if none."""
    if not isinstance(calendar, Months) or calendar.rule is not None:
        return None
    kept = almanac.kept_days(days_of(index), np.concatenate([[0], last_rows + 1]))
    of_last: Rows = days - first_day(month_of(days)) + 1
    return np.where(kept, kept, of_last)


def _last_shown(index: pl.Series, last_rows: Rows, step: Step) -> Rows:
    """What the clock shows at the last rows, or would if summer time had not left that hour out."""
    shown, day = on_clock(index), day_of(index)
    lasts, before = shown[last_rows], shown[np.maximum(last_rows - 1, 0)]
    if zone_of(index) is None or (step.calendar is None and step.size % day):
        return lasts
    first = np.concatenate([[0], last_rows[:-1] + 1]) == last_rows
    late = lasts % day - before % day
    moved: Rows = np.where(~first & (late > 0) & (24 * late <= day), lasts - late, lasts)
    return moved
