"""Residuals of each step from the mean of the newest ones: a level that moved.

With e the residual of each step h and target, in scaled units, and f the mean residual over the newest season that has
come true of one forecast,

    c_h = a_h + b_h f

a_h and b_h are a ridge regression of e_h on f over all origins whose step h has come true, older ones forgotten at a
half-life. The ridge counts as so many unbroken forecasts of that length, since residuals of neighbours overlap.
"""

from functools import partial

import numpy as np

from tsrnn.arrays import Floats, Mask
from tsrnn.online.guard import PRIOR, delayed, forgetting


def proposed(residual: Floats, half_life: float, season: int) -> tuple[Floats, Mask]:
    """Corrections [origin horizon target] of origins one step apart, and where there are any [origin target].

    Args:
        residual: [origin horizon target], NaN where nothing was measured.
        half_life: in origins.
        season: steps of the newest errors that are averaged, at most a horizon.
    """
    horizon = residual.shape[1]
    newest = _newest(residual, min(season, horizon))  # [origin target]
    known, level = np.isfinite(newest), np.nan_to_num(newest)
    moved = np.zeros_like(residual)
    summed = partial(forgetting, 0.5 ** (1 / half_life))
    for h in range(horizon):
        error = np.nan_to_num(residual[:, h].astype(np.float64))
        pair = np.isfinite(residual[:, h]) & known
        matured = partial(delayed, summed, h + 1)
        n, x, xx = matured(pair), matured(pair * level), matured(pair * level**2)
        y, xy = matured(pair * error), matured(pair * level * error)
        prior = PRIOR * (h + 1)
        left, below = n + prior, xx * (1 + prior / np.maximum(n, 1)) + 1e-9
        determinant = left * below - x**2
        a, b = (below * y - x * xy) / determinant, (left * xy - x * y) / determinant
        moved[:, h] = np.where(known, a + b * level, 0.0)
    return moved, known


def _newest(residual: Floats, steps: int) -> Floats:
    """The mean residual over so many steps of the forecast that they have just become true of: [origin target]."""
    newest = np.full((len(residual), residual.shape[2]), np.nan)
    whole = residual[: max(0, len(residual) - steps), :steps]
    seen = np.isfinite(whole).sum(1)
    sums = np.nan_to_num(whole).astype(np.float64).sum(1)
    newest[steps:] = np.where(seen > 0, sums / np.maximum(seen, 1), np.nan)
    return newest
