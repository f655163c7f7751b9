"""The columns of a panel, series by series, as sequences that may be watched."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from tsrnn.arrays import Arrays
from tsrnn.panel import Panel

Floats = npt.NDArray[np.float64]
Key = tuple[str, str, str]  # series, column, "input" or "error"


@dataclass(frozen=True)
class Sequence:
    """Values of one column of one series; where a gap in the index lies, missing ones as many as a lag may reach."""

    values: Floats  # [step]
    numbers: npt.NDArray[np.int64]  # [step] absolute step numbers
    rows: npt.NDArray[np.int64]  # [step] of the panel; -1 in a gap


def columns(panel: Panel, arrays: Arrays) -> dict[str, Floats]:
    """Every column of numbers that a model reads and that changes in time, by name: [row]."""
    named = {name: np.asarray(each, np.float64) for name, each in zip(arrays.names, arrays.columns, strict=True)}
    for name in panel.roles.future:
        if name not in panel.levels:
            features = panel.features(panel.frame, (name,))
            assert features is not None
            named[name] = features[:, 0].astype(np.float64)
    return named


def steps(arrays: Arrays) -> npt.NDArray[np.int64]:
    """The absolute step number of each row; rows counted where the index has none."""
    if arrays.first is None:
        return np.arange(arrays.rows) - np.repeat(arrays.offsets[:-1], arrays.lengths)
    begin = arrays.runs()
    return np.arange(arrays.rows) + np.repeat(arrays.first - begin, np.diff([*begin, arrays.rows]))


def of_series(arrays: Arrays, numbers: npt.NDArray[np.int64], reach: int) -> Iterator[tuple[int, Sequence]]:
    """Each series' number and its places, without values yet: `Sequence.rows` of the panel, -1 in gaps."""
    runs = arrays.runs()
    for series, (first, last) in enumerate(zip(arrays.offsets[:-1], arrays.offsets[1:], strict=True)):
        inside = runs[(runs > first) & (runs < last)]
        rows = np.insert(np.arange(first, last), np.repeat(inside - first, reach), -1)
        yield series, Sequence(np.zeros(0), np.where(rows < 0, 0, numbers[rows]), rows)


def filled(places: Sequence, column: Floats) -> Sequence:
    """The sequence that a column [row] has at these places."""
    return replace(places, values=np.where(places.rows < 0, np.nan, column[places.rows]))


def extended(panel: Panel, horizon: int) -> Panel:
    """A panel with one horizon more of rows without a value: windows that end with the newest rows find their place."""
    series = np.repeat(np.arange(len(panel.ids)), np.diff(panel.offsets))
    ahead = np.repeat(np.arange(len(panel.ids)), horizon)
    name = "".join(panel.frame.columns) + "_"  # a name that no column has
    now = panel.frame.with_columns(pl.Series(name, series))
    later = panel.future(horizon).with_columns(pl.Series(name, ahead))
    frame = pl.concat([now, later.cast({key: now.schema[key] for key in later.columns})], how="diagonal")
    return replace(panel, frame=frame.sort(name, maintain_order=True).drop(name), freq=panel.step.word, order=None)
