"""Tiny worlds that several tests share."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from tsrnn import buffer, scale, windows
from tsrnn.arrays import Arrays
from tsrnn.panel import Panel
from tsrnn.split import whole

TASK = {"input_size": 24, "horizon": 6}
QUICK = {**TASK, "hidden_size": 8, "max_epochs": 2, "batch_size": 64}
LEVELS = [0.1, 0.5, 0.9]
ROLES = {
    "target": "y",
    "past_covariates": ["wind"],
    "future_covariates": ["plan"],
    "static_covariates": ["height"],
}


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


def covaried(rows=160, names=("a", "b")):
    """Series with a past covariate, one known ahead and one of the series."""
    parts = []
    for k, name in enumerate(names):
        values = waves(rows, 3, period=24, noise=0.1, seed=k)
        columns = {"y": values[:, 0], "wind": values[:, 1], "plan": values[:, 2], "height": [100.0 * k] * rows}
        parts.append(pl.DataFrame({"unique_id": [name] * rows, "ds": hours(rows), **columns}))
    return pl.concat(parts)


def plans(frame, horizon=6):
    """The future rows that a model with `plan` known ahead asks for."""
    ahead = Panel.of(frame, **ROLES).future(horizon)
    return ahead.with_columns(pl.Series("plan", np.linspace(-1, 1, len(ahead))))
