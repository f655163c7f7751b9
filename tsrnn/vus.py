"""How well scores tell anomalies that last: the volume under the precision-recall surface, VUS-PR.

A row's label is widened by a slope on both sides of its anomaly, so that a score which comes a little early or late is
worth something; the area under the curve of precision and recall is averaged over all widths of the slope. No score is
moved to another row: there is no point adjustment, after which a random score does as well as any (Kim et al. 2022).

Paparrizos, Boniol, Palpanas, Tsay, Elmore & Franklin 2022, "Volume Under the Surface", PVLDB 15(11), 2774-2787; with
their 250 thresholds, and numbers equal to those of aeon's `range_pr_vus_score`.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tsrnn.errors import InputError

BEST: Mapping[str, float | None] = {"missed": None, "vus_pr": 1.0}  # word -> the value that is best; None: the lowest
LONGEST = 100  # rows of the widest slope and its mirror, as TSB-AD has it (Liu & Paparrizos 2024)
_THRESHOLDS = 250

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


def vus_pr(labels: npt.ArrayLike, scores: npt.ArrayLike, longest: int = LONGEST) -> float:
    """The volume under the surface, between 0 and 1, where 1 is best; 0 where every score is the same.

    Args:
        labels: [row] of one series: 0 or False where all is well.
        scores: [row] the higher, the less is well; NaN counts as the lowest.
        longest: rows of the widest slopes, both sides together; every width from 0 on counts alike.

    Raises:
        InputError: labels and scores are not of one length, or no row is labelled.
    """
    wrong, height = np.asarray(labels).astype(bool), np.asarray(scores, np.float64)
    if wrong.ndim != 1 or wrong.shape != height.shape:
        raise InputError(f"vus_pr takes a label and a score for each row, not {wrong.shape} and {height.shape}")
    if not wrong.any():
        raise InputError("vus_pr needs a labelled anomaly, and no row is labelled; without one there is none to find")
    if longest < 0:
        raise InputError(f"longest must be at least 0 rows, not {longest}")
    finite = np.isfinite(height)
    height = np.where(finite, height, height[finite].min() if finite.any() else 0.0)
    if height.min() == height.max():
        return 0.0
    order = np.argsort(-height, kind="stable")
    falling = height[order]
    thresholds = falling[np.linspace(0, len(falling) - 1, _THRESHOLDS).astype(np.int64)]
    counts = np.searchsorted(-falling, -thresholds, side="right")  # [threshold] rows told of
    areas = [_area(wrong, widened(wrong, width), height, order, thresholds, counts) for width in range(longest + 1)]
    return float(np.mean(areas))


def measures(value: float) -> dict[str, float]:
    """`BEST`'s words for a VUS-PR: itself, and what it lacks of 1, of which less is better."""
    return {"missed": 1 - value, "vus_pr": value}


def widened(labels: npt.NDArray[np.bool_], width: int) -> Floats:
    """Labels as numbers between 0 and 1, with slopes of `width // 2` rows on both sides of each anomaly: [row]."""
    soft = labels.astype(np.float64)
    if width <= 1:
        return soft
    away = np.arange(1, width // 2 + 1)
    first, last = stretches(labels)
    for ends, direction, reach in ((first, -1, away), (last, 1, away[:-1])):
        rows, height = ends[:, None] + direction * reach, np.sqrt(1 - reach / width)
        inside = (rows >= 0) & (rows < len(soft))
        np.add.at(soft, rows[inside], np.broadcast_to(height, rows.shape)[inside])
    return soft.clip(0, 1)


def stretches(labels: npt.NDArray[np.bool_]) -> tuple[Rows, Rows]:
    """The first and the last row of each anomaly: [anomaly] each."""
    edges = np.diff(np.concatenate([[0], labels.astype(np.int8), [0]]))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1


def _area(
    labels: npt.NDArray[np.bool_], soft: Floats, height: Floats, order: Rows, thresholds: Floats, counts: Rows
) -> float:
    """Under the curve of precision and recall for labels with slopes (eq. 5-8 of the paper)."""
    hit = np.cumsum(soft[order])[counts - 1]  # [threshold]
    first, last = stretches(soft > 0)
    bounds = np.stack([first, last + 1], 1).ravel()
    peaks = np.maximum.reduceat(np.append(height, -np.inf), bounds)[::2]  # [anomaly]
    exist = (peaks[None] >= thresholds[:, None]).mean(1)
    positives = (labels.sum() + soft.sum()) / 2
    recall = np.concatenate([[0.0], np.minimum(hit / positives, 1) * exist])
    precision = np.concatenate([[1.0], hit / counts])
    return float(np.sum(np.diff(recall) * (precision[1:] + precision[:-1]) / 2))
