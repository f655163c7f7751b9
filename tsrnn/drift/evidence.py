"""Evidence against "nothing has changed", row by row, that may be looked at as often as one likes.

innovations [row] --`places`--> u [row], uniform and independent where nothing has drifted --`grow`--> e-processes

A row's place among the reference and all rows before it is uniform, whatever the distribution, where rows are
exchangeable (Vovk, Gammerman & Shafer 2005, Algorithmic Learning in a Random World, chapter 7; ties and rows between
two kept order statistics are told apart by chance). A bet on it that pays 1 on average makes a gain of 20 improbable:
an e-process passes 1/alpha, ever, with a chance of alpha at most (Ville 1939; Ramdas et al. 2023, arXiv 2210.01948).
When a change comes is not known, so every row begins a bet of its own (Shiryaev's mixture over change points).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from tsrnn.drift.innovations import EDGES, ranks

Floats = npt.NDArray[np.float64]

_TILTS = np.array([0.1, 0.25, 0.5, 1.0, 2.0])  # in deviations of a score
_BINS, _PRIOR, _KEPT = 8, 4.0, 0.97  # of the histogram that is bet by; rows in each before the first; kept per row
_MOST = 1e12  # at which a gain stops growing
_SEED = 5  # of the chance that tells ties apart: the same rows have the same places, however often one looks


def places(new: Floats, edges: Floats, count: Floats) -> Floats:
    """Where each new innovation stands among the reference's and those before it, between 0 and 1.

    Args:
        new: [row stream]; NaN where there is none.
        edges: [stream EDGES] order statistics of the reference, those of `ranks`.
        count: [stream] innovations of the reference.
    """
    streams = np.arange(new.shape[1])
    last = count.astype(np.int64)
    gaps = np.stack([np.diff([0, *ranks(each), each + 1]) for each in last]).astype(np.float64)  # [stream EDGES+1]
    chance = np.random.default_rng(_SEED).random(new.shape)
    u = np.full(new.shape, np.nan)
    for row, values in enumerate(new):
        seen = np.isfinite(values)
        low = (edges < values[:, None]).sum(1)
        high = np.minimum((edges <= values[:, None]).sum(1), EDGES)
        below = np.concatenate([np.zeros((len(gaps), 1)), np.cumsum(gaps, 1)], 1)  # [stream EDGES+2]
        at = below[streams, low]
        at = at + chance[row] * (below[streams, high + 1] - at)
        u[row, seen] = (at / below[:, -1])[seen]
        inside = np.minimum((below[:, 1:] <= at[:, None]).sum(1), EDGES)
        gaps[streams[seen], inside[seen]] += 1
    return u


def mean(u: Floats, loose: Floats, upward: npt.NDArray[np.bool_]) -> Callable[[int], Floats]:
    """Bets on a shift: the normal score of each place, tilted either way, or upward alone; a row -> [stream bet]."""
    return _tilted(_normal(u) / loose, upward)


def variance(u: Floats, loose: Floats, upward: npt.NDArray[np.bool_]) -> Callable[[int], Floats]:
    """Bets on a changed spread, or on a wider one alone: the normal score of how far from the middle a place is."""
    return _tilted(_normal(np.clip(np.abs(2 * u - 1), 1e-12, 1 - 1e-12)) / loose, upward)


def shape(u: Floats, loose: Floats) -> Callable[[int], Floats]:
    """Bets by the histogram of the rows before, the newest counting most, on eight equal bins."""
    streams = np.arange(u.shape[1])
    held = np.full((u.shape[1], _BINS), _PRIOR)

    def bet(row: int) -> Floats:
        nonlocal held
        seen = np.isfinite(u[row])
        bins = np.minimum(np.where(seen, u[row], 0.0) * _BINS, _BINS - 1).astype(np.int64)
        gain = held[streams, bins] / held.sum(1) * _BINS
        held = np.where(seen[:, None], _PRIOR + (held - _PRIOR) * _KEPT, held)
        held[streams[seen], bins[seen]] += 1
        return np.where(seen, gain ** (1 / loose), 1.0)[:, None]

    return bet


def grow(bet: Callable[[int], Floats], rows: int, life: Floats) -> Floats:
    """The e-process of a bet: [row stream].

    Args:
        bet: a row's gains of each bet, 1 on average where nothing has drifted: [stream bet].
        rows: how many.
        life: [stream] rows after which half of the stake is laid; life / ((life+s-1) (life+s)) is laid on a change
            at row s = 1, 2...
    """
    evidence = np.empty((rows, len(life)))
    gains: Floats = np.zeros((len(life), 1))
    for row in range(rows):
        stake = life / ((life + row) * (life + row + 1))
        gains = np.minimum((gains + stake[:, None]) * bet(row), _MOST)
        evidence[row] = gains.mean(1) + life / (life + row + 1)
    return evidence


def _normal(u: Floats) -> Floats:
    """The standard normal number below which a share u lies."""
    score: Floats = torch.special.ndtri(torch.from_numpy(u)).numpy()
    return score


def _tilted(score: Floats, upward: npt.NDArray[np.bool_]) -> Callable[[int], Floats]:
    both = np.concatenate([_TILTS, -_TILTS])
    tilts = np.where(upward[:, None], np.abs(both), both)  # [stream bet]
    known = np.nan_to_num(score, nan=0.0)
    seen = np.isfinite(score)

    def bet(row: int) -> Floats:
        gains: Floats = np.exp(known[row][:, None] * tilts - tilts**2 / 2)
        return np.where(seen[row][:, None], gains, 1.0)

    return bet
