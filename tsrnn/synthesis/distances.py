"""Distances between two sets of sequences that nothing is trained for."""

import numpy as np

from tsrnn.arrays import Floats

_ROWS = 512  # sequences whose distances are looked at together


def correlational(real: Floats, made: Floats) -> float:
    """How far the correlations between channels lie apart: a tenth of the sum over all pairs.

    Args:
        real, made: [sequence time channel].

    Source: Diffusion-TS (Yuan & Qiao 2024, arXiv 2403.01742), appendix; after Liao et al. 2020.
    """
    one, other = (np.nan_to_num(np.corrcoef(each.reshape(-1, each.shape[2]).T)) for each in (real, made))
    return float(np.abs(np.tril(one - other, -1)).sum() / 10) if real.shape[2] > 1 else 0.0


def nearest(sequences: Floats, among: Floats) -> Floats:
    """The distance of each sequence to the nearest one of others, root mean squared over cells: [sequence].

    Args:
        sequences: [sequence time channel]; among: likewise.
    """
    rows, others = (each.reshape(len(each), -1).astype(np.float32) for each in (sequences, among))
    size = (others**2).sum(1)
    found = [others[(size - 2 * part @ others.T).argmin(1)] for part in np.split(rows, range(_ROWS, len(rows), _ROWS))]
    apart: Floats = np.sqrt(((rows - np.concatenate(found)) ** 2).mean(1)).astype(np.float64)
    return apart
