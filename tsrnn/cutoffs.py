"""Rolling origins: the moments that a backtest forecasts from, and which rows of each series lie around them.

Where the index is a date, a time or a count, a moment is one for all series, so that a model trained on all of them has
seen no row of any after it. Depths of one well say nothing of another's: there, and where rows are only numbered, rows
are counted from each series' end, which is its last measured target.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsrnn import index as indexing
from tsrnn.arrays import Arrays, Rows
from tsrnn.errors import InputError, listed, notice
from tsrnn.options import check_types
from tsrnn.panel import Panel

Flags = np.ndarray  # [series] bool


@dataclass(frozen=True)
class Reach:
    """What a forecaster asks of the rows around a cutoff."""

    horizon: int
    behind: int  # rows without a gap before the cutoff, from which it can forecast
    input_size: int  # of them, one must hold a measured target


@dataclass(frozen=True)
class Cutoff:
    """Rows of each series around one moment, as rows of the panel: [series] each."""

    begin: Rows  # the first row after it
    end: Rows  # where the rows that a forecast can be held against end: a horizon on, or at a gap or the series' end
    asked: Flags  # there is enough behind it, and something after it


def plan(panel: Panel, arrays: Arrays, reach: Reach, windows: int, step: int | None = None) -> list[Cutoff]:
    """`windows` cutoffs, oldest first; the last one leaves a horizon of steps before the panel's last measured target.

    Args:
        panel: what is forecast.
        arrays: its numbers.
        reach: what is asked of the rows around a cutoff.
        windows: how many cutoffs.
        step: steps between two of them; None: one horizon.

    Raises:
        InputError: `windows` or `step` below 1, or the panel is too short for the first cutoff.
    """
    check_types({"windows": windows, "step": step}, {"windows": int, "step": int | None})
    horizon, step = reach.horizon, reach.horizon if step is None else step
    for name, value in (("windows", windows), ("step", step)):
        if value < 1:
            raise InputError(f"{name} must be at least 1, not {value}")
    if not (seen := arrays.measured()).any():
        raise InputError(
            f"{panel.source}: no row holds a value of {listed(panel.roles.targets)}, which forecasts could be held "
            "against; give rows that do"
        )
    numbers = _numbers(panel, arrays)
    moments = np.unique(numbers[numbers <= numbers[seen].max()])
    if len(moments) < (need := horizon + (windows - 1) * step + 1):
        raise InputError(
            f"{panel.source} has {len(moments)} steps; {windows} backtest windows of horizon {horizon} at step {step} "
            f"need at least {need}"
        )
    places = len(moments) - horizon - step * np.arange(windows)[::-1]
    return [_around(arrays, numbers, int(moments[place - 1]), reach, bool(panel.roles.future)) for place in places]


def say_what_is_left_out(panel: Panel, cutoffs: Sequence[Cutoff], reach: Reach) -> None:
    """A word on series that are not forecast at each cutoff.

    Raises:
        InputError: none is, at any cutoff.
    """
    asked = np.stack([each.asked for each in cutoffs])  # [cutoff series]
    always = [bool(each.all()) for each in asked.T]
    lack = f"{reach.behind} row{'s' * (reach.behind > 1)} without a gap before it, or of rows after it"
    if not asked.any():
        raise InputError(
            f"{panel.source}: no series can be forecast from any cutoff, for lack of {lack}; lower windows"
        )
    fewer = [name for name, every in zip(panel.ids, always, strict=True) if not every]
    if fewer:
        notice(f"series {listed(fewer)}: not forecast from each of the {len(cutoffs)} cutoffs, for lack of {lack}")


def _numbers(panel: Panel, arrays: Arrays) -> Rows:
    """A number of each row, rising in each series, by which series are compared: [row]."""
    index = panel.frame[panel.roles.index]
    if len(arrays.ids) == 1 or panel.numbered or panel.rows_as_they_stand or index.dtype.is_float():
        if len(arrays.ids) > 1:
            what = "a depth" if index.dtype.is_float() else "the number of a row"
            notice(
                f"{panel.source}: index {index.name!r} is {what} and says nothing of what other series knew then; "
                "cutoffs are rows counted from the end of each series"
            )
        return np.arange(arrays.rows) - np.repeat(arrays.stops(), arrays.lengths)
    return indexing.numbers(index, np.arange(arrays.rows), panel.step)


def _around(arrays: Arrays, numbers: Rows, moment: int, reach: Reach, whole: bool) -> Cutoff:
    """Rows around a moment; `whole`: covariates known ahead are needed for the whole horizon."""
    pairs = list(zip(arrays.offsets, arrays.offsets[1:], strict=False))
    begin = np.array([a + np.searchsorted(numbers[a:b], moment, side="right") for a, b in pairs], np.int64)
    edges, ends = arrays.segments()
    last = np.maximum(begin - 1, arrays.offsets[:-1])  # the cutoff's row
    stretch = np.searchsorted(edges, last, side="right") - 1
    first, stop = edges[stretch], ends[stretch]
    end = np.maximum(begin, np.minimum(begin + reach.horizon, stop))
    seen = np.concatenate([[0], np.cumsum(arrays.measured())])
    seen = seen[begin] - seen[np.maximum(first, begin - reach.input_size)]
    asked = (begin - first >= reach.behind) & (seen > 0) & (end - begin >= (reach.horizon if whole else 1))
    return Cutoff(begin, end, asked)
