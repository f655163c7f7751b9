"""Faults put into sound series on purpose, their rows labelled: to try detectors on, and to choose by.

Four kinds, as instruments and machines have them:

    shift      the level jumps by some standard deviations, and comes back
    flatline   the reading sticks at its last value
    spike      a few rows far off, one after another
    season     what should come now came half a season ago: the clock, or the pattern, has slipped

A fault is as long and as large as a seed says; channels other than the one that is hit know nothing of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from tsrnn import simulate
from tsrnn.arrays import Rows
from tsrnn.errors import InputError, unknown
from tsrnn.panel import Panel

LABEL = "is_anomaly"

Floats = npt.NDArray[np.float64]


def shift(values: Floats, begin: int, end: int, season: int, rng: np.random.Generator) -> Floats:
    """The level of rows [begin, end) moved by 1.5 to 3 standard deviations, either way."""
    return np.asarray(values[begin:end] + rng.choice([-1, 1]) * rng.uniform(1.5, 3) * np.nanstd(values[:begin]))


def flatline(values: Floats, begin: int, end: int, season: int, rng: np.random.Generator) -> Floats:
    """The value before them, in every row."""
    return np.full(end - begin, values[begin - 1])


def spike(values: Floats, begin: int, end: int, season: int, rng: np.random.Generator) -> Floats:
    """The first three rows at most off by 3 to 6 standard deviations."""
    moved = values[begin:end].copy()
    moved[:3] += rng.choice([-1, 1]) * rng.uniform(3, 6) * np.nanstd(values[:begin])
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
ROOM = 3  # seasons that each fault has to lie in
_SHORTEST, _MOST = 4, 8  # rows of a fault; faults of a series


def put(
    values: Mapping[str, Floats],
    season: int,
    rows: tuple[int, int],
    *,
    kinds: Sequence[str] = tuple(KINDS),
    count: int = 8,
    seed: int = 0,
) -> npt.NDArray[np.int8]:
    """Put `count` faults into rows [begin, end) of one series, in place: [row] 1 where one is, else 0.

    Args:
        values: [row] of each channel that may be hit; each fault hits one.
        season: rows of the shortest season; a fault lasts a quarter of it to the whole, a spike three rows.
        rows: begin and end.
        kinds: of `KINDS`, in turn.
        seed: one seed is one world.

    Raises:
        InputError: no such kind, or too few rows for so many faults.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise unknown("kind of fault", kind, KINDS)
    begin, end = rows
    room = (end - begin) // max(count, 1)  # rows that each fault has to lie in
    if season < 1 or begin < season or room < ROOM * season:
        raise InputError(
            f"{count} faults need {season} rows before the first of them and {ROOM * season} rows each; there are "
            f"{begin} and {room}"
        )
    rng = np.random.default_rng(seed)
    names = list(values)
    label = np.zeros(len(values[names[0]]), np.int8)
    for number in range(count):
        kind, hit = kinds[number % len(kinds)], values[names[int(rng.integers(len(names)))]]
        lasts = _SPIKE if kind == "spike" else int(rng.integers(max(1, season // 4), season + 1))
        first = begin + number * room + int(rng.integers(season, max(season, room - lasts - season // 2) + 1))
        hit[first : first + lasts] = KINDS[kind](hit, first, first + lasts, season, rng)
        label[first : first + lasts] = 1
    return label


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
    """`put` on a frame of one series, from row `begin` on, and its labels as a column `is_anomaly`.

    Raises:
        InputError: no such column, or what `put` refuses.
    """
    for column in columns:
        if column not in frame.columns:
            raise unknown("column of frame", column, frame.columns)
    values = {name: frame[name].cast(pl.Float64).to_numpy().copy() for name in columns}
    label = put(values, season, (begin, frame.height), kinds=kinds, count=count, seed=seed)
    return frame.with_columns(*(pl.Series(name, each) for name, each in values.items()), pl.Series(LABEL, label))


def into(panel: Panel, begin: Rows, end: Rows, season: int, seed: int) -> tuple[Panel, npt.NDArray[np.int8]]:
    """A panel with faults in the targets of its rows [begin, end) [series], and where they are: [row].

    As many as there is room for, eight in a series at most, of all kinds; of the season, or of a shorter time where
    there is no room for one of it.
    """
    targets = panel.roles.targets
    values = {name: panel.frame[name].cast(pl.Float64).to_numpy().copy() for name in targets}
    labels = np.zeros(panel.frame.height, np.int8)
    for number, (first, last, a, b) in enumerate(
        zip(panel.offsets, panel.offsets[1:], begin - panel.offsets[:-1], end - panel.offsets[:-1], strict=False)
    ):
        lasts = min(season, (b - a) // (ROOM + 1))
        if lasts < _SHORTEST:
            continue
        a = max(a, lasts)
        here = {name: each[first:last] for name, each in values.items()}
        count = min(_MOST, (b - a) // (ROOM * lasts))
        turn = [*KINDS][seed % len(KINDS) :] + [*KINDS][: seed % len(KINDS)]
        labels[first:last] = put(here, int(lasts), (int(a), int(b)), kinds=turn, count=int(count), seed=seed + number)
    frame = panel.frame.with_columns(pl.Series(name, each) for name, each in values.items())
    return replace(panel, frame=frame), labels


def transformer_faults() -> pl.DataFrame:
    """`tsrnn.simulate.transformer`, two years by the hour, with 40 faults in the second."""
    frame = simulate.transformer(rows=2 * _YEAR)
    return inject(frame, frame.columns[1:], 24, _YEAR, count=40)


def station_faults() -> pl.DataFrame:
    """`tsrnn.simulate.station`, two years by the hour, with 40 faults in the second."""
    frame = simulate.station(rows=12 * _YEAR)[::6].select("date", *_SENSORS)
    return inject(frame, _SENSORS, 24, _YEAR, count=40)
