"""Covariates that the index alone gives: the calendar of dates, the position along a depth or a count.

Known for every row and for every step to come, so a model may look at them ahead of time.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from tsrnn.panel import Panel
from tsrnn.steps import Step, day_of, physical, zone_of

Features = npt.NDArray[np.float32]

_DAY = 86_400.0  # seconds
_YEAR = 365 * _DAY
_REACH = 10_000.0  # steps of a depth or a count that make one unit of position
_NEAR = 0.99  # of a cycle, from which a step is as long as it: jittered days are days


def calendar(panel: Panel, horizon: int) -> tuple[Features, Features]:
    """Features of every row and of the `horizon` steps after the end of each series.

    Dates give the sine and cosine of their place in the day (steps shorter than a day), the week (steps shorter than
    a week) and the year (steps shorter than a year); each angle runs on through midnight and New Year. Zoned times
    are taken by the clock of the zone that the panel names, or of their own. A depth gives its distance from the top of
    its series and itself, a count its distance from the first, in tens of thousands of steps; nothing is scaled by what
    comes later.

    Returns:
        ([row feature], [series*horizon feature]), float32.
    """
    name = panel.roles.index
    index, ahead = panel.frame[name], panel.future(horizon)[name]
    starts = physical(index)[panel.offsets[:-1]]
    rows = at(by_clock(index, panel.zone), panel.step, np.repeat(starts, np.diff(panel.offsets)))
    return rows, at(by_clock(ahead, panel.zone), panel.step, np.repeat(starts, horizon))


def by_clock(index: pl.Series, zone: str | None) -> pl.Series:
    """The same moments by the clock of a zone; None: as they are."""
    return index if zone is None or zone_of(index) in (None, zone) else index.dt.convert_time_zone(zone)


def placing(panel: Panel) -> tuple[int, int]:
    """How many features a panel has, and how many of them, the last ones, tell where a row lies on the index.

    The day and the week come again and again; the year, in data of a few, and a depth or a count hardly do.
    """
    index = panel.frame[panel.roles.index].head(1)
    count = at(index, panel.step, physical(index)).shape[1]
    if not day_of(index):
        return count, count
    return count, 2 if _seconds(panel.step, index) < _NEAR * _YEAR else 0


def at(index: pl.Series, step: Step, starts: npt.NDArray[np.generic]) -> Features:
    """Features of index values [row] whose series start at `starts` [row], as numbers of the index: [row feature]."""
    return _circles(index, _seconds(step, index)) if day_of(index) else _position(index, starts, step)


def _circles(index: pl.Series, seconds: float) -> Features:
    """Sine and cosine pairs of the fitting cycles: [row feature]."""
    frame = index.alias("t").to_frame()
    clock = pl.lit(0.0)
    if index.dtype != pl.Date:
        time = pl.col("t").dt
        clock = time.hour() / 24 + time.minute().cast(pl.Float64) / 1440 + time.second() / _DAY
    date = pl.col("t").dt
    year = 365 + date.is_leap_year().cast(pl.Float64)
    cycles = {
        "day": (_DAY, clock),
        "week": (7 * _DAY, (date.weekday() - 1 + clock) / 7),
        "year": (_YEAR, (date.ordinal_day() - 1 + clock) / year),
    }
    kept = [phase.cast(pl.Float64).alias(name) for name, (length, phase) in cycles.items() if seconds < _NEAR * length]
    angles = 2 * np.pi * frame.select(kept).to_numpy().reshape(index.len(), len(kept))
    pairs = np.stack([np.sin(angles), np.cos(angles)], axis=-1)  # [row cycle 2]
    return pairs.reshape(index.len(), 2 * len(kept)).astype(np.float32)


def _position(index: pl.Series, starts: npt.NDArray[np.generic], step: Step) -> Features:
    """Distance from the start of the series, and for depths the depth itself: [row feature]."""
    values = physical(index).astype(np.float64)
    columns = [values - starts.astype(np.float64)]
    if index.dtype.is_float():
        columns.append(values)
    return (np.stack(columns, axis=1) / (_REACH * step.size)).astype(np.float32)


def _seconds(step: Step, index: pl.Series) -> float:
    return step.size / day_of(index) * _DAY
