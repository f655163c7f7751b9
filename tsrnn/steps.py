"""What one step of an index is: a length of time, months on a day, days of the week.

Calendar steps number days (whole ones since the start of 1970, by the local clock): `numbers` says which step a day
is, `after` which days follow one. Weekdays count from 0, Monday.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from tsrnn.arrays import Rows

DAY = 86_400 * 10**9  # nanoseconds
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
Rule = tuple[int, ...] | str  # days of the month (31: its last); "3FRI", "LFRI" (last), "BS", "BE" (working days)


@dataclass(frozen=True)
class Months:
    """Every `count` months on the days that the rule names; several days in a month are as many steps."""

    count: int = 1
    rule: Rule | None = None  # None: each series keeps its own day
    anchor: int | None = None  # one of the months, where a name such as QS-FEB gives it

    @property
    def many(self) -> int:
        """Steps in a month that has any."""
        return len(self.rule) if isinstance(self.rule, tuple) else 1

    @property
    def word(self) -> str:
        named = "-".join(str(day) for day in self.rule) if isinstance(self.rule, tuple) else self.rule
        return f"{self.count}mo" + (f"-{named}" if named else "")

    @property
    def per_season(self) -> int:
        return max(1, round(12 * self.many / self.count))

    def numbers(self, days: Rows) -> Rows:
        months = month_of(days)
        if self.many == 1:
            whole: Rows = months // self.count
            return whole
        assert self.rule is not None
        within: Rows = (month_days(months, self.rule) <= days[:, None]).sum(1) - 1
        return months * self.many + within

    def after(self, days: Rows, horizon: int, kept: Rows | None = None) -> Rows:
        """[row horizon]; `kept`: the day of the month that each row keeps to, where the rule names none."""
        ahead = np.arange(1, horizon + 1)
        if self.many > 1:
            assert self.rule is not None
            months, place = np.divmod(self.numbers(days)[:, None] + ahead, self.many)
            places = month_days(months.reshape(-1), self.rule)  # [row*horizon step]
            return np.take_along_axis(places, place.reshape(-1, 1), 1).reshape(months.shape)
        months = month_of(days)[:, None] + self.count * ahead
        if self.rule is not None:
            return month_days(months.reshape(-1), self.rule).reshape(months.shape)
        day = days - first_day(month_of(days)) + 1 if kept is None else kept
        ends: Rows = np.minimum(first_day(months) + day[:, None], first_day(months + 1)) - 1
        return ends


@dataclass(frozen=True)
class Weekdays:
    """The named days of every week. Days that have no row are holidays, or gaps on request."""

    kept: tuple[int, ...] = (0, 1, 2, 3, 4)
    gaps: bool = False

    @property
    def word(self) -> str:
        named = "B" if self.kept == Weekdays().kept else "-".join(WEEKDAYS[day] for day in self.kept)
        return named + ("-gaps" if self.gaps else "")

    @property
    def per_season(self) -> int:
        return len(self.kept)

    def numbers(self, days: Rows) -> Rows:
        week, weekday = np.divmod(days + 3, 7)  # 1 January 1970 was a Thursday
        number: Rows = week * len(self.kept) + np.searchsorted(self.kept, weekday, side="right") - 1
        return number

    def after(self, days: Rows, horizon: int, kept: Rows | None = None) -> Rows:
        """[row horizon]"""
        week, place = np.divmod(self.numbers(days)[:, None] + np.arange(1, horizon + 1), len(self.kept))
        ahead: Rows = 7 * week + np.array(self.kept)[place] - 3
        return ahead


@dataclass(frozen=True)
class Step:
    """One step of the index.

    size      in the index's physical unit (microseconds, days, a count, metres); typical where the calendar rules
    calendar  the days that it stands on, where they are not equally far apart
    local     counted on the clock of the index's time zone: a day from midnight to midnight
    word      the `freq` that names it
    """

    size: float
    calendar: Months | Weekdays | None = None
    local: bool = False
    word: str | float | None = None

    @property
    def unit(self) -> str | float | None:
        """The `freq` of other rows of this kind, which may stand on another day of the month."""
        days = isinstance(self.calendar, Months) and isinstance(self.calendar.rule, tuple) and self.calendar.many == 1
        return str(self.word).split("-")[0] if days else self.word

    @classmethod
    def of(cls, calendar: Months | Weekdays, index: pl.Series) -> Self:
        """A calendar step of the index."""
        month, week = 365.25 / 12, 7 / calendar.per_season
        days = week if isinstance(calendar, Weekdays) else month * calendar.count / calendar.many
        return cls(days * day_of(index), calendar, word=calendar.word)


def month_of(days: Rows) -> Rows:
    """Months since January 1970."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def first_day(months: Rows) -> Rows:
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def month_days(months: Rows, rule: Rule) -> Rows:
    """The days that the rule names in each month: [month day]. A day that a month lacks is its last one."""
    first, last = first_day(months), first_day(months + 1) - 1
    named: Rows
    if isinstance(rule, tuple):
        named = np.minimum(first[:, None] + np.array(rule) - 1, last[:, None])
        return named
    if rule == "BS":
        named = first + np.where(_weekday(first) > 4, 7 - _weekday(first), 0)
    elif rule == "BE":
        named = last - np.maximum(_weekday(last) - 4, 0)
    elif rule[0] == "L":
        named = last - (_weekday(last) - WEEKDAYS.index(rule[1:])) % 7
    else:
        named = first + (WEEKDAYS.index(rule[1:]) - _weekday(first)) % 7 + 7 * (int(rule[0]) - 1)
    return named[:, None]


def _weekday(days: Rows) -> Rows:
    return (days + 3) % 7


def day_of(index: pl.Series) -> int:
    """A day in the index's physical unit; 0 for counts, depths and spans of time, which have no calendar."""
    return DAY // unit_of(index) if index.dtype == pl.Date or isinstance(index.dtype, pl.Datetime) else 0


def unit_of(index: pl.Series) -> int:
    """Nanoseconds in the physical unit of dates, times and spans of time."""
    return {"ms": 10**6, "us": 10**3}.get(getattr(index.dtype, "time_unit", ""), 1) if index.dtype != pl.Date else DAY


def zone_of(index: pl.Series) -> str | None:
    return index.dtype.time_zone if isinstance(index.dtype, pl.Datetime) else None


def is_zone(name: str) -> bool:
    """Whether there is a time zone of that name."""
    try:
        pl.Series([0], dtype=pl.Datetime("us", "UTC")).dt.convert_time_zone(name)
    except pl.exceptions.PolarsError:
        return False
    return True


def physical(index: pl.Series) -> np.ndarray:
    """Numbers in the index's unit; 0 where a cell is empty."""
    if index.null_count():
        index = index.to_physical().fill_null(0)
    values = index.to_numpy()
    if values.dtype.kind in "mM":
        return values.view(np.int64) if index.dtype != pl.Date else values.astype(np.int64)
    return values if values.dtype.kind == "f" else values.astype(np.int64, copy=False)


def on_clock(index: pl.Series) -> Rows:
    """What the clock of the time zone shows, in the index's unit."""
    values: Rows = physical(index if zone_of(index) is None else index.dt.replace_time_zone(None))
    return values


def days_of(index: pl.Series) -> Rows:
    """Whole days since the start of 1970 by the clock of the time zone."""
    days: Rows = on_clock(index) // day_of(index)
    return days


def from_clock(values: Rows, index: pl.Series) -> pl.Series:
    """What a clock shows as index values; an hour that summer time leaves out is the one after, the first of two."""
    zone = zone_of(index)
    if zone is None:
        return pl.Series(index.name, values).cast(index.dtype)
    shown = pl.Series(index.name, values).cast(pl.Datetime(index.dtype.time_unit))  # type: ignore[attr-defined]
    there = shown.dt.replace_time_zone(zone, non_existent="null", ambiguous="earliest")
    if not there.null_count():
        return there
    before = shown.dt.offset_by("-1d").dt.replace_time_zone(zone, non_existent="null", ambiguous="earliest")
    return there.zip_with(there.is_not_null(), before.dt.offset_by("24h"))
