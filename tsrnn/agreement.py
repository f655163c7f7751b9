"""Measures of labels: the true classes' numbers and the decided ones in, a number out; rows without a label are none.

The same rules as `tsrnn.metrics`: what orders a board is lowest where it is best. Sources: macro F1 over the classes
that are there, Opitz & Burst 2019, arXiv 1911.03347, eq. 2; the penalty, a mean cost by a matrix
[true class, decided class], is minus the score of the FORCE 2020 contest (Bormann et al. 2020); boundaries are matched
one to one within a tolerance, as in segmentation (Martin et al. 2004, "Learning to detect natural image boundaries").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tsrnn.errors import InputError

Codes = npt.NDArray[np.int64]  # -1: no label
NONE = -1
BEST: Mapping[str, float | None] = {  # word -> the value that is best; None: the lowest
    "error": None,
    "accuracy": 1.0,
    "macro_f1": 1.0,
    "penalty": None,
    "boundary_f1": 1.0,
}


@dataclass(frozen=True)
class Agreement:
    """What is counted of one series, or of several together (`sum`).

    `counts` [true class, decided class]; `contacts` are boundaries that are matched, true ones and decided ones.
    """

    counts: npt.NDArray[np.int64]
    contacts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(3, np.int64))

    def __add__(self, other: "Agreement") -> "Agreement":
        return Agreement(self.counts + other.counts, self.contacts + other.contacts)

    @property
    def rows(self) -> int:
        """Rows that have a label."""
        return int(self.counts.sum())


def agreement(truth: Codes, decided: Codes, classes: int, reach: int = 5) -> Agreement:
    """Count one series: codes [row], -1 where there is no label.

    Args:
        classes: how many there are.
        reach: rows by which a boundary may be off and still be found.
    """
    seen = truth != NONE
    counts = np.bincount(truth[seen] * classes + decided[seen], minlength=classes * classes)
    true = boundaries(truth)
    told = boundaries(np.where(seen, decided, NONE))
    matched = _matched(true, told, reach)
    return Agreement(counts.reshape(classes, classes), np.array([matched, len(true), len(told)], np.int64))


def boundaries(codes: Codes) -> npt.NDArray[np.int64]:
    """Rows whose label is another than the one right before them; none beside a row without a label."""
    changed = (codes[1:] != codes[:-1]) & (codes[1:] != NONE) & (codes[:-1] != NONE)
    return np.flatnonzero(changed) + 1


def measures(words: Sequence[str], told: Agreement, penalty: npt.NDArray[np.float64] | None = None) -> dict[str, float]:
    """Each measure by its word; NaN where there is nothing to measure.

    Raises:
        InputError: a penalty is asked for and there is no matrix.
    """
    counts, rows = told.counts, told.rows
    right = np.diag(counts)
    values: dict[str, float] = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for word in words:
            if word == "penalty":
                if penalty is None:
                    raise InputError("penalty takes a matrix [true class, decided class]; give penalty=")
                values[word] = float((counts * penalty).sum() / np.float64(rows))
            elif word == "macro_f1":
                values[word] = _macro_f1(counts)
            elif word == "boundary_f1":
                matched, true, decided = told.contacts
                values[word] = float(np.float64(2 * matched) / (true + decided))
            else:
                accuracy = float(right.sum() / np.float64(rows))
                values[word] = accuracy if word == "accuracy" else 1 - accuracy
    return values


def _macro_f1(counts: npt.NDArray[np.int64]) -> float:
    """The mean over classes that have a true row."""
    true, decided = counts.sum(1), counts.sum(0)
    there = true > 0
    if not there.any():
        return float("nan")
    return float((2 * np.diag(counts)[there] / (true + decided)[there]).mean())


def _matched(true: npt.NDArray[np.int64], told: npt.NDArray[np.int64], reach: int) -> int:
    """How many true boundaries have a decided one of their own within `reach` rows: most that can be, both rising."""
    matched = place = 0
    for row in true.tolist():
        while place < len(told) and told[place] < row - reach:
            place += 1
        if place < len(told) and told[place] <= row + reach:
            matched, place = matched + 1, place + 1
    return matched
