"""The index of a panel: datetime, date, integer or depth. What is one step, where is a gap, what comes next."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from tsrnn.arrays import Rows
from tsrnn.errors import InputError

_DAYS = {"1mo": (28, 31), "3mo": (89, 92), "1y": (365, 366)}  # calendar steps, whose length in days varies
_SAMPLE = 100_000  # differences looked at to find the step
_HALF = 1 - 1e-6  # rounded up from here on: half steps that floating point misses by a hair must not fall both ways


@dataclass(frozen=True)
class Step:
    """One step of the index, in its physical unit (microseconds, days, a count, metres)."""

    size: float
    calendar: str | None = None  # a polars duration such as "1mo", where the size only says how long it is typically


def step_of(index: pl.Series, offsets: Rows, freq: str | float | None) -> Step:
    """The step a user named (`"1h"`, `"1mo"`, `0.1524`), else the most common difference inside a series."""
    if freq is not None:
        return _named(index, freq)
    physical = _physical(index)
    differences = np.diff(physical[: _SAMPLE + 1])
    inside = offsets[1:-1][offsets[1:-1] <= len(differences)] - 1
    differences = np.delete(differences, inside)
    if not len(differences):
        return Step(1.0)
    if physical.dtype.kind == "f":
        return Step(float(np.median(differences)))
    values, counts = np.unique(differences, return_counts=True)
    day = _day(index)
    for name, (low, high) in _DAYS.items() if day else ():
        alike = (values >= low * day) & (values <= high * day)
        if alike.sum() > 1 and 2 * counts[alike].sum() > counts.sum():
            return Step(float(np.median(differences)), name)
    size = float(values[counts.argmax()])
    zoned = isinstance(index.dtype, pl.Datetime) and index.dtype.time_zone is not None
    if day and zoned and size % day == 0:  # a day may have 23 or 25 hours there
        return Step(size, f"{int(size // day)}d")
    return Step(size)


def check(index: pl.Series, ids: tuple[str, ...], offsets: Rows, source: str, order: Rows | None = None) -> None:
    """Refuse an index that is missing, repeated or falling somewhere; `order` says where each row stood at first.

    Raises:
        InputError: names the source, the row (counted from 1, as in the file's body) and the mend.
    """
    if index.null_count():
        row = int(index.is_null().arg_max() or 0)
        at = row if order is None else int(order[row])
        raise InputError(f"{source}: column {index.name!r} is empty in row {at + 1}; fill it or drop the row")
    physical = _physical(index)
    falling = physical[1:] <= physical[:-1]
    falling[offsets[1:-1] - 1] = False
    if not falling.any():
        return
    row = int(falling.argmax()) + 1
    series = ids[int(np.searchsorted(offsets, row, side="right")) - 1]
    at = row if order is None else int(order[row])
    where = f"{source}: column {index.name!r}, row {at + 1}" + (f" of series {series!r}" if len(ids) > 1 else "")
    if index[row] == index[row - 1]:
        raise InputError(f"{where}: {index[row]} stands twice; drop one, or pass duplicates='first' or 'last'")
    raise InputError(f"{where}: {index[row]} comes after {index[row - 1]}; sort the rows, or pass sort=True")


def breaks(index: pl.Series, offsets: Rows, step: Step) -> Rows:
    """Rows after which something is missing: where the difference to the row before is off by half a step or more."""
    differences = np.diff(_physical(index))
    odd = (differences <= 0.5 * step.size) | (differences >= 1.5 * step.size)
    odd[offsets[1:-1] - 1] = False
    return np.flatnonzero(odd).astype(np.int64) + 1


def following(index: pl.Series, last_rows: Rows, step: Step, horizon: int) -> pl.Series:
    """The next `horizon` index values after each of the given rows, end to end, in the index's own type."""
    lasts = index.gather(last_rows)
    if step.calendar:
        count, unit = _count_and_unit(step.calendar)
        by = pl.Series("by", [f"{count * k}{unit}" for k in range(1, horizon + 1)] * len(lasts))
        stamps = pl.DataFrame([lasts.gather(np.repeat(np.arange(len(lasts)), horizon)), by])
        ahead = stamps.select(pl.col(index.name).dt.offset_by(pl.col("by")))[index.name]
        return ahead if unit == "d" else _on_day(ahead, index)
    physical = _physical(lasts)
    steps = np.arange(1, horizon + 1) * physical.dtype.type(step.size)
    values = (physical[:, None] + steps).reshape(-1)
    return pl.Series(index.name, values).cast(index.dtype)


def _on_day(ahead: pl.Series, index: pl.Series) -> pl.Series:
    """Months on the day of the month that `index` keeps to; a month too short for it, on its last day."""
    days, ends = index.dt.day(), index.dt.month_end().dt.day()
    kept = 31 if (days == ends).all() else int(days.to_numpy().max())
    if not (days == ends.clip(upper_bound=kept)).all():
        return ahead
    short = ahead.dt.month_end().dt.day().clip(upper_bound=kept) - ahead.dt.day()
    return ahead.to_frame().select(pl.col(ahead.name).dt.offset_by(pl.format("{}d", short)))[ahead.name]


def numbers(index: pl.Series, rows: Rows, step: Step) -> Rows:
    """The absolute step number of each of the given rows: the same for the same index value, whatever stands around it.

    Dates and times count steps since the start of 1970 in UTC (months by the calendar, days of zoned times by the
    local one); counts and depths are divided by the step; each is rounded. 0 where the index has no step to count by.
    """
    chosen = index.gather(rows)
    if step.calendar:
        count, unit = _count_and_unit(step.calendar)
        days = chosen.dt.date().to_physical() if unit == "d" else None
        months = 12 * (chosen.dt.year().cast(pl.Int64) - 1970) + chosen.dt.month() - 1
        whole = (months // ({"mo": 1, "q": 3, "y": 12}[unit] * count)) if days is None else days // count
        return whole.fill_null(0).to_numpy().astype(np.int64)
    physical = _physical(chosen.to_physical().fill_null(0))
    if not step.size > 0:
        return np.zeros(len(rows), np.int64)
    exact = physical.dtype.kind == "i" and float(step.size).is_integer()
    size = int(step.size) if exact else step.size
    below, rest = np.divmod(physical, size)
    rounded: Rows = (below + (2 * rest >= _HALF * size)).astype(np.int64)
    return rounded


def season(index: pl.Series, step: Step) -> int:
    """Steps of the shortest season: of a day below a day, of a week for days, of a year above; 1 without a calendar."""
    day = _day(index)
    if not day:
        return 1
    days = step.size / day
    if days < 1:
        return max(1, round(1 / days))
    return 7 if days == 1 else max(1, round(365.25 / days))


def _named(index: pl.Series, freq: str | float) -> Step:
    if isinstance(freq, int | float) and not index.dtype.is_temporal():
        if not freq > 0:
            raise InputError(f"freq must be positive, not {freq}")
        return Step(float(freq))
    start = pl.Series("t", ["2001-01-01"]).str.to_datetime()
    try:
        end = start.dt.offset_by(str(freq)) if index.dtype.is_temporal() else start
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        end = start
    if not (end > start).all():
        raise InputError(
            f"freq {freq!r} does not fit index {index.name!r} of type {index.dtype}: write '10m', '1h', '1d' or '1mo' "
            "for dates and times, a number for counts and depths"
        )
    microseconds = float((end - start).dt.total_microseconds()[0])
    size = microseconds * (_day(index) or 1) / 86_400_000_000
    return Step(size, str(freq) if str(freq).endswith(("mo", "y", "q")) else None)


def _count_and_unit(calendar: str) -> tuple[int, str]:
    """("1mo") -> 1, "mo"."""
    return int(calendar.rstrip("adhimnoqswy")), calendar.lstrip("0123456789")


def _physical(index: pl.Series) -> np.ndarray:
    values = index.to_physical().to_numpy()
    return values if values.dtype.kind == "f" else values.astype(np.int64, copy=False)


def _day(index: pl.Series) -> int:
    """A day in the index's physical unit; 0 for counts and depths."""
    if index.dtype == pl.Date:
        return 1
    if isinstance(index.dtype, pl.Datetime):
        return 86_400 * {"ms": 10**3, "us": 10**6, "ns": 10**9}[index.dtype.time_unit]
    return 0
