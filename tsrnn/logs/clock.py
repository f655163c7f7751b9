"""An index of times of day: with a DATE curve dates and times, without one the time that has gone by."""

import re
from itertools import pairwise

import polars as pl

from tsrnn import written

_TIME = re.compile(r"\s*(\d{1,2}):?(\d{2})(?::?(\d{2}(?:\.\d*)?))?\s*")
_DAY = 86_400.0

OVER = "midnights that the clock of the index passes, counted on"


def seconds(cells: list[str], unit: str) -> list[float] | None:
    """Seconds since midnight of clocks such as 23:59:59, or 235959 in HHMMSS; None: they are none: [row] -> [row]."""
    digits = unit.strip().upper() == "HHMMSS"
    times = []
    for cell in cells:
        text = cell.strip()
        text = text.split(".")[0].zfill(6) if digits and ":" not in text else text
        time = _TIME.fullmatch(text) if digits or ":" in text else None
        if time is None:
            return None
        times.append(3600.0 * int(time[1]) + 60.0 * int(time[2]) + float(time[3] or 0))
    return times


def index(times: list[float], days: pl.Series | None) -> tuple[pl.Series, int]:
    """Dates and times where a curve holds the days, else durations, and how many midnights they were carried over.

    Args:
        times: seconds since midnight: [row].
        days: the cells of a DATE curve: [row]; None: there is none.
    """
    dates = None if days is None or days.dtype != pl.String else written.parse(days)
    if dates and len(dates) == 1:
        day = next(iter(dates.values())).cast(pl.Datetime("us"))
        since = pl.Series((1e6 * pl.Series(times)).round().cast(pl.Int64)).cast(pl.Duration("us"))
        return (day + since).alias("time"), 0
    passed = [0.0]
    for before, after in pairwise(times):
        passed.append(passed[-1] + (_DAY if after < before - _DAY / 2 else 0.0))
    whole = pl.Series("time", [time + day for time, day in zip(times, passed, strict=True)])
    return (1e6 * whole).round().cast(pl.Int64).cast(pl.Duration("us")), round(passed[-1] / _DAY)
