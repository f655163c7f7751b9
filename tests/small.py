"""Tiny worlds that several tests share."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from tsrnn import buffer, scale, windows
from tsrnn.arrays import Arrays
from tsrnn.split import whole


def arrays_of(*series, targets=None, breaks=(), known=None, static=None, first=None):
    """Arrays of series given as [row channel], laid end to end."""
    values = np.concatenate(series)
    offsets = np.cumsum([0, *(len(each) for each in series)])
    names = tuple(f"c{k}" for k in range(values.shape[1]))
    return Arrays(
        columns=tuple(np.ascontiguousarray(column) for column in values.T),
        names=names,
        targets=targets or len(names),
        ids=tuple(f"s{k}" for k in range(len(series))),
        offsets=offsets,
        breaks=np.array(breaks, dtype=np.int64),
        known=known,
        static=static,
        first=first,
    )


def cut_of(arrays, input_size, horizon, part=None, padding=0, scaler="none"):
    part = part or whole(arrays)
    laid = buffer.lay(arrays, scale.fit(scaler, arrays, part), padding)
    return windows.cut(laid, part, input_size, horizon)


def waves(rows, channels=1, period=8, noise=0.0, seed=0):
    """[row channel] sines of one period, each with its own phase and height."""
    rng = np.random.default_rng(seed)
    phase, height = rng.uniform(0, 2 * np.pi, channels), rng.uniform(1, 3, channels)
    clean = height * np.sin(2 * np.pi * np.arange(rows)[:, None] / period + phase)
    return clean + noise * rng.standard_normal((rows, channels))


def hours(rows):
    start = datetime(2020, 1, 1)
    return pl.datetime_range(start, start + timedelta(hours=rows - 1), "1h", eager=True)


def long_frame(lengths=(150, 130, 140)):
    """Hourly series `a`, `b`, `c`... of 24-hour waves, as unique_id, ds, y."""
    parts = [
        pl.DataFrame({"ds": hours(rows), "y": waves(rows, period=24, noise=0.1, seed=k)[:, 0] + 10 * k})
        for k, rows in enumerate(lengths)
    ]
    named = [part.select(pl.lit(chr(97 + k)).alias("unique_id"), "ds", "y") for k, part in enumerate(parts)]
    return pl.concat(named)


def wide_frame(rows=200, channels=2):
    """Hourly `date` beside channels `c0`, `c1`... of 24-hour waves."""
    values = waves(rows, channels, period=24, noise=0.1)
    return pl.DataFrame({"date": hours(rows), **{f"c{k}": values[:, k] for k in range(channels)}})
