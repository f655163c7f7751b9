"""Faults put into sound series on purpose, with the rows that hold them labelled: to try detectors on, and to choose by.

Four kinds, as instruments and machines have them:

    shift      the level jumps by some standard deviations, and comes back
    flatline   the reading sticks at its last value
    spike      a few rows far off, one after another
    season     what should come now came half a season ago: the clock, or the pattern, has slipped

A fault is as long and as large as a seed says; channels other than the one that is hit know nothing of it.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from tsrnn import simulate
from tsrnn.errors import InputError, unknown

LABEL = "is_anomaly"

Floats = npt.NDArray[np.float64]


def shift(values: Floats, begin: int, end: int, season: int, rng: np.random.Generator) -> Floats:
    """The level of rows [begin, end) moved by 1.5 to 3 standard deviations, either way."""
    return values[begin:end] + rng.choice([-1, 1]) * rng.uniform(1.5, 3) * values.std()


def flatline(values: Floats, begin: int, end: int, season: int, rng: np.random.Generator) -> Floats:
    """The value before them, in every row."""
    return np.full(end - begin, values[begin - 1])


def spike(values: Floats, begin: int, end: int, season: int, rng: np.random.Generator) -> Floats:
    """The first three rows at most off by 3 to 6 standard deviations."""
    moved = values[begin:end].copy()
    moved[:3] += rng.choice([-1, 1]) * rng.uniform(3, 6) * values.std()
    return moved


def slipped(values: Floats, begin: int, end: int, season: int, rng: np.random.Generator) -> Floats:
    """What came half a season before."""
    return values[begin - season // 2 : end - season // 2]


KINDS: dict[str, Callable[[Floats, int, int, int, np.random.Generator], Floats]] = {
    "shift": shift,
    "flatline": flatline,
    "spike": spike,
    "season": slipped,
}
_SPIKE = 3  # rows of a spike
_YEAR = 8760  # hours
_SENSORS = ("pressure", "temperature", "dew_point", "relative_humidity", "wind_speed", "radiation")
_ROOM = 3  # seasons that each fault has to lie in


def inject(
    frame: pl.DataFrame,
    columns: Sequence[str],
    season: int,
    begin: int,
    *,
    kinds: Sequence[str] = tuple(KINDS),
    count: int = 8,
    seed: int = 0,
) -> pl.DataFrame:
    """A frame with `count` faults in its rows from `begin` on, and a column `is_anomaly`, 1 where one is, else 0.

    Args:
        frame: one series, without gaps.
        columns: that may be hit; each fault hits one.
        season: rows of the shortest season; a fault lasts a quarter of it to the whole, a spike three rows.
        kinds: of `KINDS`, in turn.
        seed: one seed is one world.

    Raises:
        InputError: no such kind or column, or too few rows for so many faults.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise unknown("kind of fault", kind, KINDS)
    for column in columns:
        if column not in frame.columns:
            raise unknown("column of frame", column, frame.columns)
    room = (frame.height - begin) // max(count, 1)  # rows that each fault has to lie in
    if begin < season or room < _ROOM * season:
        raise InputError(
            f"{count} faults need {season} rows before the first of them and {_ROOM * season} rows each; the frame has "
            f"{begin} and {room}"
        )
    rng = np.random.default_rng(seed)
    values = {name: frame[name].to_numpy().astype(np.float64) for name in columns}
    label = np.zeros(frame.height, np.int8)
    for number in range(count):
        kind, name = kinds[number % len(kinds)], columns[int(rng.integers(len(columns)))]
        rows = _SPIKE if kind == "spike" else int(rng.integers(max(1, season // 4), season + 1))
        first = begin + number * room + int(rng.integers(season, room - rows - season // 2))
        values[name][first : first + rows] = KINDS[kind](values[name], first, first + rows, season, rng)
        label[first : first + rows] = 1
    hit = [pl.Series(name, each) for name, each in values.items()]
    return frame.with_columns(*hit, pl.Series(LABEL, label))


def transformer_faults() -> pl.DataFrame:
    """`tsrnn.simulate.transformer`, two years by the hour, with 40 faults in the second."""
    frame = simulate.transformer(rows=2 * _YEAR)
    return inject(frame, frame.columns[1:], 24, _YEAR, count=40)


def station_faults() -> pl.DataFrame:
    """`tsrnn.simulate.station`, two years by the hour, with 40 faults in the second."""
    frame = simulate.station(rows=12 * _YEAR)[::6].select("date", *_SENSORS)
    return inject(frame, _SENSORS, 24, _YEAR, count=40)
