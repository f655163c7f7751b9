"""What stands before a correction: how much of it errors that came true would have allowed.

A correction is issued in a share between 0 and 1: nothing until forecasts that came true say that more than half of it
would have been right, all of it where they say that it would have been too small.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from tsrnn.arrays import Floats, Mask

PRIOR = 4.0  # forecasts that a ridge counts as


def guarded(proposed: Floats, residual: Floats, known: Mask, half_life: float, gain: float) -> Floats:
    """The shares of proposed corrections that are issued: [origin horizon target], of origins one step apart.

    Args:
        proposed: [origin horizon target], each from rows before its origin.
        residual: [origin horizon target], NaN where nothing was measured.
        known: [origin target] whether there is a proposal.
        half_life: in origins, of what came true.
        gain: share of the squared errors that came true which the proposals must have taken off.
    """
    count, horizon, targets = residual.shape
    right, size, missed, pairs = (np.zeros((count, targets)) for _ in range(4))
    summed = partial(forgetting, 0.5 ** (1 / half_life))
    for h in range(horizon):
        error = np.nan_to_num(residual[:, h].astype(np.float64))
        pair = np.isfinite(residual[:, h]) & known
        matured = partial(delayed, summed, h + 1)
        right += matured(pair * error * proposed[:, h])
        size += matured(pair * proposed[:, h].astype(np.float64) ** 2)
        missed += matured(pair * error**2)
        pairs += matured(pair)
    share = np.clip(2 * right / np.maximum(size, 1e-12) - 1, 0, 1)
    early = 1 + PRIOR * horizon**2 / np.maximum(pairs, 1)  # little has come true yet: more is asked for
    share[2 * right - size < gain * missed * early] = 0
    return proposed * share[:, None].astype(proposed.dtype)


def forgetting(factor: float, values: npt.NDArray[Any]) -> Floats:
    """Running sums over origins, the older the less: [origin target]."""
    from scipy.signal import lfilter  # scipy is slow to import

    summed: Floats = lfilter([1.0], [1.0, -factor], values.astype(np.float64), axis=0)
    return summed


def delayed(summed: Callable[[Floats], Floats], steps: int, values: npt.NDArray[Any]) -> Floats:
    """Running sums of what was known so many origins ago, nothing before that."""
    late = np.zeros(values.shape)
    late[steps:] = summed(values)[: max(0, len(values) - steps)]
    return late
