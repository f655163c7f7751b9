"""Which calendar steps the days of an index could keep: [row] days since 1970 -> months on a day, days of the week."""

import numpy as np

from tsrnn.arrays import Rows
from tsrnn.steps import WEEKDAYS, Months, Rule, Weekdays, month_days, month_of

_MOST = 6  # steps in a month that are told from days
_WEEKS = 3  # weeks in which a weekday must never occur to be none of the step's


def kept_days(days: Rows, offsets: Rows) -> Rows:
    """The day of the month that each series keeps to (31: its last), 0 where there is none: [series]."""
    months = month_of(days)
    day, last = (
        (days - month_days(months, (1,))[:, 0] + 1),
        (month_days(months, (31,)) - month_days(months, (1,)))[:, 0] + 1,
    )
    begin = offsets[:-1]
    kept = np.where(np.logical_and.reduceat(day == last, begin), 31, np.maximum.reduceat(day, begin))
    stands = day == np.minimum(np.repeat(kept, np.diff(offsets)), last)
    return np.where(np.logical_and.reduceat(stands, begin), kept, 0)


def single(days: Rows) -> tuple[int] | None:
    kept = int(kept_days(days, np.array([0, len(days)]))[0]) if len(days) else 0
    return (kept,) if kept else None


def other(days: Rows) -> str | None:
    """The one weekday of the month, or the working day at its start or end, that every row stands on."""
    day = WEEKDAYS[(days[0] + 3) % 7]
    rules = ("BS", "BE", *(f"{week}{day}" for week in "1234L"))
    return next((rule for rule in rules if stands(days, rule).all()), None)


def stands(days: Rows, rule: Rule) -> np.ndarray:
    on: np.ndarray = (month_days(month_of(days), rule) == days[:, None]).any(1)
    return on


def dated(days: Rows) -> Months | None:
    """Days of the month that come back, month by month: dekads, halves of a month."""
    months = month_of(days)
    if months.max() - months.min() < 2:
        return None
    first, last = month_days(months, (1, 31)).T
    ends, day = days == last, days - first + 1
    kept = set(np.unique(day[~ends]).tolist())
    if not kept or len(kept) > _MOST:
        return None
    if not stands(days[ends], tuple(sorted(kept))).all() if ends.any() else False:
        kept.add(31)
    rule = tuple(sorted(kept))
    fits = 2 <= len(rule) <= _MOST and rule[-2] < 28 and len(days) >= 3 * len(rule) and stands(days, rule).all()
    return Months(1, rule) if fits else None


def weekly(days: Rows) -> list[Weekdays]:
    """The weekdays that occur, where the others never do."""
    kept = tuple(np.unique((days + 3) % 7).tolist())
    weeks = (days.max() - days.min() + 1) / 7
    work = [Weekdays()] if set(kept) <= {0, 1, 2, 3, 4} else []
    return work + ([Weekdays(kept)] if 1 < len(kept) < 7 and weeks >= _WEEKS and kept != (0, 1, 2, 3, 4) else [])


def every(days: Rows, inside: np.ndarray) -> int:
    """2 or more, where all rows stand on working days, so many from one to the next in their series; else 0.

    Args:
        inside: whether a row has one before it in its series, without the first: [row - 1].
    """
    if (_weekday(days) > 4).any():
        return 0
    jumps = np.diff(Weekdays().numbers(days))[inside]
    return int(jumps[0]) if len(jumps) > 2 and jumps.min() == jumps.max() > 1 else 0


def _weekday(days: Rows) -> Rows:
    return (days + 3) % 7
