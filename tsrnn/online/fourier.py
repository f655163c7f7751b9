"""Residuals of all steps from the slow waves of the look-back: a shape that moved.

The ridge regression of ELF (Lee et al. 2025, arXiv 2502.12920), which forecasts a channel from the low frequencies of
its window and is fitted again as truths come in. Here it tells what the model leaves, so that a strong ridge means the
model and no forecast of its own:

    c = W [Re z; Im z],    z = the lowest frequencies of rfft(x - mean x) / sqrt(L)

W is shared by the targets and learns from origins all of whose steps have come true. The ridge counts as so many
unbroken forecasts. Nothing is forgotten; the guard (`tsrnn.online.guard`) is what lets go.
"""

import numpy as np

from tsrnn.arrays import Floats, Mask

WAVES = 2  # a season, of the shortest wave that is read
_EVERY = 24  # origins from one fit to the next
_MOST = 64  # waves


def slow(past: Floats, season: int) -> Floats:
    """[window time target] -> [window 2*waves target]: cosines and sines of the slow waves."""
    length = past.shape[1]
    kept = min(length // 2, _MOST, max(WAVES * length // max(season, 1), 1))
    waves = np.fft.rfft(past - past.mean(1, keepdims=True), axis=1)[:, 1 : kept + 1] / np.sqrt(length)
    return np.concatenate([waves.real, waves.imag], 1).astype(np.float32)


def proposed(residual: Floats, waves: Floats, ridge: float) -> tuple[Floats, Mask]:
    """Corrections [origin horizon target] of origins one step apart, and where there are any [origin target].

    Args:
        residual: [origin horizon target], NaN where nothing was measured; such a row teaches nothing.
        waves: [origin feature target], as `slow` has them.
        ridge: forecasts that it counts as.
    """
    (count, horizon, targets), width = residual.shape, waves.shape[1]
    products, sums = np.zeros((width, width)), np.zeros((width, horizon))
    moved, known = np.zeros_like(residual), np.zeros((count, targets), bool)
    learnt = rows = 0
    for begin in range(0, count, _EVERY):
        here, whole = slice(begin, begin + _EVERY), max(0, begin - horizon + 1)  # origins, and how many came true
        x = waves[learnt:whole].swapaxes(1, 2).reshape(-1, width).astype(np.float64)
        y = residual[learnt:whole].swapaxes(1, 2).reshape(-1, horizon).astype(np.float64)
        seen = np.isfinite(y).all(1)
        products += x[seen].T @ x[seen]
        sums += x[seen].T @ y[seen]
        learnt, rows = whole, rows + int(seen.sum())
        size = products.trace() / width
        if not rows or size <= 0:
            continue
        prior = ridge * horizon * targets * size / rows
        weights = np.linalg.solve(products + prior * np.eye(width), sums)
        moved[here] = np.einsum("nkt,kh->nht", waves[here], weights)
        known[here] = True
    return moved, known
