"""Measures of labels, held against plain loops and scikit-learn's definitions written out."""

import numpy as np
import pytest

from tsrnn.agreement import NONE, agreement, boundaries, measures
from tsrnn.errors import InputError

WORDS = ("error", "accuracy", "macro_f1", "penalty", "boundary_f1")
COSTS = np.array([[0.0, 2.0, 4.0], [2.0, 0.0, 1.0], [4.0, 1.0, 0.0]])


def drawn(rows=400, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    truth = np.repeat(rng.integers(0, classes, rows // 8), 8)
    truth[rng.random(rows) < 0.1] = NONE
    decided = np.where(rng.random(rows) < 0.3, rng.integers(0, classes, rows), np.maximum(truth, 0))
    return truth, decided


def test_each_measure_is_what_a_loop_over_rows_says():
    truth, decided = drawn()
    told = measures(WORDS, agreement(truth, decided, 3), COSTS)
    pairs = [(y, f) for y, f in zip(truth, decided, strict=True) if y != NONE]
    right = sum(y == f for y, f in pairs) / len(pairs)
    scores = []
    for kind in range(3):
        hits = sum(y == f == kind for y, f in pairs)
        scores.append(2 * hits / (sum(y == kind for y, _ in pairs) + sum(f == kind for _, f in pairs)))
    assert told["accuracy"] == pytest.approx(right)
    assert told["error"] == pytest.approx(1 - right)
    assert told["macro_f1"] == pytest.approx(np.mean(scores))
    assert told["penalty"] == pytest.approx(np.mean([COSTS[y, f] for y, f in pairs]))


def test_a_class_that_is_nowhere_true_counts_in_no_macro_f1():
    truth, decided = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])
    assert measures(["macro_f1"], agreement(truth, decided, 3))["macro_f1"] == pytest.approx((1 + 2 / 3) / 2)


def test_a_boundary_may_be_off_by_the_reach_and_is_matched_once():
    truth = np.repeat([0, 1, 0], 20)
    near = np.concatenate([np.zeros(23, int), np.ones(17, int), np.zeros(20, int)])
    far = np.concatenate([np.zeros(29, int), np.ones(11, int), np.zeros(20, int)])
    flickering = near.copy()
    flickering[21] = 1
    scores = [measures(["boundary_f1"], agreement(truth, each, 2))["boundary_f1"] for each in (near, far, flickering)]
    assert scores == pytest.approx([1.0, 0.5, 2 * 2 / (2 + 4)])


def test_no_boundary_stands_beside_a_row_without_a_label():
    assert boundaries(np.array([0, 0, NONE, 1, 1, 0])).tolist() == [5]


def test_series_add_up_and_nothing_is_measured_of_none():
    truth, decided = drawn()
    halves = agreement(truth[:200], decided[:200], 3) + agreement(truth[200:], decided[200:], 3)
    assert (halves.counts == agreement(truth, decided, 3).counts).all()
    empty = agreement(np.full(4, NONE), np.zeros(4, int), 3)
    assert np.isnan(list(measures(WORDS, empty, COSTS).values())).all()
    with pytest.raises(InputError, match="penalty takes a matrix"):
        measures(["penalty"], halves)
