"""Conformal calibration: how far the ends of an interval must be moved so that it holds what it says it holds.

A score says how far a truth lay beyond an end: [origin side horizon target], side 0 below the lower end and 1 above the
upper one, in scaled units; NaN where nothing was measured. `split` moves each end by a constant, the conformal quantile
of its scores (Vovk et al. 2005; around a model's own quantiles Romano et al. 2019, "Conformalized quantile
regression"). `track` moves it after each truth by a bounded step, outward where the issued interval failed and inward
where it held, so that its share of failures is right in the long run whatever drifts (Gibbs & Candès 2021; quantile
tracking of Angelopoulos et al. 2023, "Conformal PID control", eq. 4). A truth counts from the origin on at which it was
known, as many steps later as the lead is long; steps are the shorter the longer the lead, or ends would overshoot.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsrnn.arrays import Floats
from tsrnn.errors import InputError

RATE = 1.25  # of the scores' spread that an end moves by while one forecast of its lead comes true, at most
LARGEST = 0.25  # of that spread that it moves by for one truth
_DIGITS = 10  # of a level: 0.1 and not 0.09999999999999998


@dataclass(frozen=True)
class Calibration:
    """Offsets of the ends of intervals.

    coverages   shares of truths that the intervals are to hold, rising
    offsets     [coverage side horizon target] how far an end is moved outward, in scaled units
    spread      [horizon target] distance between the scores' outer deciles: what a step of `track` is measured by
    residuals   how many scores there were of each step and target, at least
    memory      origins that an adaptive forecast goes back to, at most; 0: the offsets are constant
    """

    coverages: tuple[float, ...]
    offsets: Floats
    spread: Floats
    residuals: int
    memory: int = 0

    @property
    def levels(self) -> list[float]:
        """Of the quantiles that are the intervals' ends, rising."""
        return sorted(end for coverage in self.coverages for end in ends(coverage))

    def shift(self, levels: Sequence[float], offsets: Floats | None = None) -> Floats:
        """What is added to quantiles of these levels: [... horizon target level], 0 where none is an end.

        Args:
            levels: any, in any order.
            offsets: [... coverage side horizon target]; None: the constant ones.
        """
        moved = self.offsets if offsets is None else offsets
        columns = [np.zeros_like(moved[..., 0, 0, :, :])] * len(levels)
        for place, level in enumerate(levels):
            for k, coverage in enumerate(self.coverages):
                low, high = ends(coverage)
                if level in (low, high):
                    side = int(level == high)
                    columns[place] = moved[..., k, side, :, :] * (2 * side - 1)
        return np.stack(columns, -1)

    def table(self) -> dict[str, Any]:
        """What a saved model's configuration says of it."""
        return {"coverages": list(self.coverages), "residuals": self.residuals, "memory": self.memory}

    def tensors(self) -> dict[str, Floats]:
        """Its numbers by name, for a saved model."""
        return {"conformal.offsets": self.offsets, "conformal.spread": self.spread}


def shapes(table: Any, horizon: int, targets: int) -> dict[str, tuple[int, ...]]:
    """The shapes of `Calibration.tensors` by a saved configuration; none where there is no table.

    Raises:
        InputError: it is no such table.
    """
    if table is None:
        return {}
    whole = isinstance(table, Mapping) and all(type(table.get(name)) is int for name in ("residuals", "memory"))
    if not whole or set(table) != {"coverages", "residuals", "memory"} or min(table["residuals"], table["memory"]) < 0:
        raise InputError("calibration must say coverages, residuals and memory")
    step = (horizon, targets)
    return {"conformal.offsets": (len(checked(table["coverages"])), 2, *step), "conformal.spread": step}


def restored(table: Any, tensors: Mapping[str, Floats]) -> Calibration | None:
    """A calibration from what was saved of it."""
    if table is None:
        return None
    offsets, spread = (tensors[f"conformal.{name}"] for name in ("offsets", "spread"))
    return Calibration(checked(table["coverages"]), offsets, spread, table["residuals"], table["memory"])


def checked(coverages: Any) -> tuple[float, ...]:
    """Shares that intervals are to hold, rising.

    Raises:
        InputError: one is not between 0 and 1, or is given twice, or there is none.
    """
    if isinstance(coverages, Iterable):
        given = [float(str(each)) if isinstance(each, float | np.floating) else 0.0 for each in coverages]
        if given and all(0 < each < 1 for each in given) and len({*given}) == len(given):
            return tuple(sorted(given))
    raise InputError(f"levels to calibrate must be different numbers between 0 and 1, such as [0.8], not {coverages!r}")


def ends(coverage: float) -> tuple[float, float]:
    """The levels of the quantiles between which so much lies."""
    return round((1 - coverage) / 2, _DIGITS), round((1 + coverage) / 2, _DIGITS)


def split(scores: Floats, coverage: float) -> Floats:
    """The constant offsets of both ends: scores [origin side horizon target] -> [side horizon target].

    Each end is left to fail half as often as the interval may; where there are too few scores for that, both take one
    offset.

    Raises:
        InputError: there are fewer scores than 1 / (1 - coverage).
    """
    counts = (~np.isnan(scores[:, 0])).sum(0)  # [horizon target]
    fewest, need = int(counts.min()), math.ceil((1 - 1e-9) / (1 - coverage))
    if fewest < need:
        step, target = np.unravel_index(counts.argmin(), counts.shape)
        raise InputError(
            f"an interval of {coverage:g} needs at least {need} residuals, and step {step + 1} of target {target + 1} "
            f"has {fewest}; calibrate on more rows, or ask for a lower level"
        )
    if fewest + 1 >= 2 * (1 - 1e-9) / (1 - coverage):
        return _quantile(scores, (1 + coverage) / 2)
    both = np.fmax(scores[:, :1], scores[:, 1:])
    return np.repeat(_quantile(both, coverage), 2, 0)


def spread(scores: Floats) -> Floats:
    """Between the outer deciles of scores, the wider side's: [origin side horizon target] -> [horizon target]."""
    low, high = np.nanquantile(scores, [0.1, 0.9], axis=0)
    widest: Floats = (high - low).max(0)
    return widest


def track(scores: Floats, start: Floats, step: Floats, coverage: float, rate: float = RATE) -> Floats:
    """The offsets with which each origin's forecast is issued: [origin+1 side horizon target], the last yet to be.

    Args:
        scores: [origin side horizon target] of origins one step apart, oldest first.
        start: [side horizon target] offsets before anything was seen.
        step: [horizon target] what a move is measured by.
        coverage: share that the interval is to hold.
        rate: largest move within a lead, in `step`.
    """
    miss, horizon = (1 - coverage) / 2, scores.shape[2]
    move = step * np.minimum(LARGEST, rate / np.arange(1, horizon + 1))[:, None]  # [horizon target]
    moved = np.empty((len(scores) + 1, *scores.shape[1:]), np.float32)
    moved[0] = start
    for origin in range(1, len(scores) + 1):
        lead = np.arange(min(horizon, origin))
        known = scores[origin - 1 - lead, :, lead]  # [lead side target] truths of the newest row
        failed = (known > moved[origin - 1 - lead, :, lead]) - miss
        now = moved[origin - 1].copy()
        now[:, lead] += np.where(np.isnan(known), 0.0, failed * move[lead, None]).swapaxes(0, 1)
        moved[origin] = now
    return moved


def _quantile(scores: Floats, level: float) -> Floats:
    """The k-th of n scores in rising order, k = ceil((n + 1) level): [origin ...] -> [...]."""
    rising = np.sort(scores, 0)  # NaN stands last
    count = (~np.isnan(scores)).sum(0)
    place = np.minimum(np.ceil((count + 1) * level - 1e-9).astype(np.int64), count) - 1
    quantile: Floats = np.take_along_axis(rising, place[None], 0)[0].astype(np.float64)
    return quantile
