"""Where each series ends: what a forecast starts from where frames are ragged, gappy at the end, or too short.

measured    up to the last measured target; the rows after it tell covariates known ahead, if anything
bridged     a gap near the end becomes rows in which nothing was measured, so that what lies before it is read
wanting     series from which nothing can be forecast, and why
without_values    series that lack a column
strides     series whose rows are no step apart, but several, or a part of one
without     the panel that is left
"""

from collections.abc import Collection
from dataclasses import replace
from functools import reduce

import numpy as np
import polars as pl

from tsrnn import index as indexing
from tsrnn.arrays import Rows
from tsrnn.errors import InputError, quoted
from tsrnn.panel import Panel
from tsrnn.steps import physical

_ROWS, _FEWEST = 1_000_000, 64  # rows whose steps are looked at, of all series and of each
_OFF = 0.05  # share of a step by which rows may be off in the mean
_FINER = 0.25  # share of rows beside another one of the same step, from which they keep a finer one


def measured(panel: Panel) -> tuple[Panel, pl.DataFrame | None]:
    """The panel up to each series' last measured target, and the rows after it; None where there are none.

    A series of which nothing was ever measured stays as it is.
    """
    if _seen(panel, panel.offsets[1:] - 1).all():
        return panel, None
    seen = _seen(panel)
    last = np.maximum.reduceat(np.where(seen, np.arange(len(seen)), -1), panel.offsets[:-1])
    stop = np.where(last < 0, panel.offsets[1:], last + 1)
    if (stop == panel.offsets[1:]).all():
        return panel, None
    return _of_rows(panel, panel.between(panel.offsets[:-1], stop)), panel.between(stop, panel.offsets[1:])


def bridged(panel: Panel, input_size: int, padding: int) -> Panel:
    """The panel with a row for every step that is missing among the newest `input_size` steps of a series.

    Nothing is measured in these rows. A gap behind which the look-back would hold no row stays one, and so do all of a
    series that would be too short with them filled.
    """
    if panel.rows_as_they_stand:
        return panel
    index, offsets = panel.frame[panel.roles.index], panel.offsets
    breaks = indexing.breaks(index, offsets, panel.step)
    ends = offsets[1:]
    newest = np.concatenate([[-1], breaks])[np.searchsorted(breaks, ends)]  # the last break before each end
    short = (newest > offsets[:-1]) & (ends - newest < input_size)
    tables, done = [], 0
    for series in np.flatnonzero(short):
        for row, missing in reversed(_bridges(panel, breaks, int(series), input_size, padding)):
            tables += [panel.frame[done:row], _steps_before(panel, row, missing)]
            done = row
    if not tables:
        return panel
    return _of_rows(panel, pl.concat([*tables, panel.frame[done:]], how="diagonal"))


def wanting(panel: Panel, input_size: int, padding: int) -> dict[str, str]:
    """Series that end with too few rows, or without a measured target, and why: name -> reason."""
    offsets, ends, seen = panel.offsets, panel.offsets[1:], _seen(panel)
    begin = offsets[:-1]
    if not panel.rows_as_they_stand:
        edges = np.union1d(begin, indexing.breaks(panel.frame[panel.roles.index], offsets, panel.step))
        begin = edges[np.searchsorted(edges, ends) - 1]
    total = np.concatenate([[0], np.cumsum(seen)])
    heard = total[ends] - total[np.maximum(begin, ends - input_size)]
    need, reasons = input_size - padding, {}
    for name, rows, cells in zip(panel.ids, ends - begin, heard, strict=True):
        if rows < need:
            reasons[name] = f"ends with {rows} rows without a gap; {need} are needed"
        elif not cells:
            reasons[name] = f"no target was measured in its newest {min(rows, input_size)} rows"
    return reasons


def without(panel: Panel, names: Collection[str]) -> Panel:
    """The panel without some of its series."""
    kept = np.array([name not in names for name in panel.ids])
    return _of_rows(panel, panel.between(panel.offsets[:-1][kept], panel.offsets[1:][kept]))


def strides(panel: Panel, freq: str | float | None) -> dict[str, float]:
    """How many steps called `freq` the rows of a series lie apart, where it is another number than one: name -> steps.

    Of very many rows the first of each series are looked at.
    """
    most, lengths = max(_FEWEST, _ROWS // len(panel.ids)), np.diff(panel.offsets)
    begin, counts = panel.offsets[:-1], np.minimum(lengths, most)
    rows = np.arange(counts.sum()) + np.repeat(begin - np.cumsum(counts) + counts, counts)
    index = panel.frame[panel.roles.index]
    index = index if len(rows) == len(index) else index.gather(rows)
    step = indexing.step_of(index, np.concatenate([[0], np.cumsum(counts)]), freq)
    jumps = np.diff(indexing.numbers(index, np.arange(len(index)), step))
    ratios = np.diff(physical(index)) / step.size if step.calendar is None and not step.local else np.ones(len(jumps))
    strange, ends = {}, np.cumsum(counts)
    for name, first, last in zip(panel.ids, ends - counts, ends - 1, strict=True):
        if last - first >= 3 and (apart := _apart(jumps[first:last], ratios[first:last])) is not None:
            strange[name] = apart
    return strange


def refuse_empty(panel: Panel) -> None:
    """Every target and past covariate was measured somewhere: nulls alone are nothing to learn from.

    Raises:
        InputError: names a column that was not.
    """
    for kind, names in (("targets", panel.roles.targets), ("covariates", panel.roles.past)):
        for name in names:
            if panel.frame[name].null_count() == panel.frame.height:
                raise InputError(
                    f"{panel.source}: column {quoted(name)} is empty; drop it or leave it out of the {kind}"
                )


def without_values(panel: Panel, names: Collection[str], alone: bool = False) -> dict[str, list[str]]:
    """Series that hold no value in some columns: name -> the columns; `alone`: also where no other series does."""
    lacking: dict[str, list[str]] = {}
    for name in names:
        seen = np.add.reduceat(panel.frame[name].is_not_null().to_numpy().astype(np.int64), panel.offsets[:-1])
        for series in np.flatnonzero((seen == 0) & (alone or seen.any())):
            lacking.setdefault(panel.ids[series], []).append(name)
    return lacking


def refuse_strides(panel: Panel) -> None:
    """One step for all series of several; where none keeps it, there are no windows, which is refused elsewhere.

    Raises:
        InputError: names a series that keeps another one.
    """
    if panel.rows_as_they_stand or len(panel.ids) == 1:
        return
    strange = strides(panel, panel.freq if panel.freq is not None else panel.step.word)
    if 0 < len(strange) < len(panel.ids):
        name, apart = next(iter(strange.items()))
        step = panel.step.word if isinstance(panel.step.word, str) else f"{panel.step.size:g}"
        raise InputError(
            f"{panel.source}: rows of series {quoted(name)} are {apart:.3g} steps apart, where a step is {step} in the "
            "others, and no window could be cut from them; load all with resample= a step as coarse as the coarsest, "
            "or read them apart"
        )


def _apart(jumps: Rows, ratios: np.ndarray) -> float | None:
    """Steps from row to row of one series, where these are not one."""
    within = float(np.mean(jumps == 0))  # rows that stand in the same step as the one before
    if within > _FINER:
        return 1 - within
    if not within and jumps.min() > 1:
        return float(np.gcd.reduce(jumps)) if np.gcd.reduce(jumps) > 1 else float(np.median(ratios))
    single = ratios[(ratios > 0.5) & (ratios < 1.5)]
    mean = float(single.mean()) if len(single) else 1.0
    return mean if abs(mean - 1) > _OFF else None


def _bridges(panel: Panel, breaks: Rows, series: int, input_size: int, padding: int) -> list[tuple[int, int]]:
    """Gaps to fill at the end of a series, the newest first: the row after each, and the steps missing before it."""
    index, begin, end = panel.frame[panel.roles.index], panel.offsets[series], int(panel.offsets[series + 1])
    bridges, rows, after = [], 0, end
    for row in [*breaks[(breaks > begin) & (breaks < end)][::-1].tolist(), int(begin)]:
        rows += after - row
        if row == begin:
            break
        older, newer = indexing.numbers(index, np.array([row - 1, row]), panel.step)
        missing = int(newer - older) - 1
        if missing < 1 or rows + missing >= input_size:
            break
        bridges.append((row, missing))
        rows, after = rows + missing, row
    return bridges if rows >= input_size - padding else []


def _steps_before(panel: Panel, row: int, missing: int) -> pl.DataFrame:
    """Id and index of the steps missing before a row."""
    name, id = panel.roles.index, panel.roles.id
    index = indexing.following(panel.frame[name], np.array([row - 1]), panel.step, missing)
    ids = [] if id is None else [panel.frame[id].gather([row] * missing)]
    return pl.DataFrame([*ids, index.cast(panel.frame.schema[name])])


def _of_rows(panel: Panel, frame: pl.DataFrame) -> Panel:
    """The panel with other rows, and the step of those it had."""
    step, made = panel.step, replace(panel, frame=frame, order=None)
    vars(made)["step"] = step  # a cached property would look for it in the rows
    return made


def _seen(panel: Panel, rows: Rows | None = None) -> np.ndarray:
    """Whether a target was measured, in some rows or in all: [row] bool."""
    columns = [panel.frame[name] for name in panel.roles.targets]
    if not all(column.null_count() for column in columns):
        return np.ones(panel.frame.height if rows is None else len(rows), bool)
    looked = (column if rows is None else column.gather(rows) for column in columns)
    seen: np.ndarray = reduce(np.logical_or, (column.is_not_null().to_numpy() for column in looked))
    return seen
