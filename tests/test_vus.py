"""VUS-PR: equal to a slow twin, and to aeon's where that is installed."""

import numpy as np
import pytest

from tsrnn.errors import InputError
from tsrnn.vus import stretches, vus_pr, widened


def world(rows, anomalies, seed, rounded=False):
    """Labels, of which some stand at the ends, and scores that see them somewhat."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(rows, bool)
    for _ in range(anomalies):
        first = rng.integers(0, rows)
        labels[first : first + rng.integers(1, 12)] = True
    labels[[0, -1]] = seed % 2
    labels[rows // 2] = True
    scores = rng.standard_normal(rows) + labels
    return labels, scores.round(1) if rounded else scores


def slow_volume(labels, scores, longest):
    """The definition, threshold by threshold and row by row."""
    areas = []
    for width in range(longest + 1):
        soft = labels.astype(float)
        for first, last in zip(*stretches(labels), strict=True):
            for away in range(1, width // 2 + 1 if width > 1 else 1):
                height = np.sqrt(1 - away / width)
                if first - away >= 0:
                    soft[first - away] += height
                if away < width // 2 and last + away < len(soft):
                    soft[last + away] += height
        soft = np.minimum(soft, 1)
        thresholds = np.sort(scores)[::-1][np.linspace(0, len(scores) - 1, 250).astype(int)]
        positives = (labels.sum() + soft.sum()) / 2
        area, recall, precision = 0.0, 0.0, 1.0
        for threshold in thresholds:
            told = scores >= threshold
            hit = soft[told].sum()
            exist = np.mean([told[a : b + 1].any() for a, b in zip(*stretches(soft > 0), strict=True)])
            here = min(hit / positives, 1) * exist, hit / told.sum()
            area += (here[0] - recall) * (here[1] + precision) / 2
            recall, precision = here
        areas.append(area)
    return np.mean(areas)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("longest", [0, 1, 2, 9])
def test_the_volume_is_that_of_its_definition(seed, longest):
    labels, scores = world(70, 3, seed, rounded=seed > 1)
    assert vus_pr(labels, scores, longest) == pytest.approx(slow_volume(labels, scores, longest), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_aeon_s(seed):
    theirs = pytest.importorskip("aeon.benchmarking.metrics.anomaly_detection")
    labels, scores = world(400, 4, seed, rounded=seed == 2)
    for longest in (0, 1, 20):
        other = theirs.range_pr_vus_score(labels.astype(int), scores, longest)
        assert vus_pr(labels, scores, longest) == pytest.approx(other, abs=1e-12)


def test_a_score_that_is_the_label_is_best_and_its_opposite_worst():
    labels = world(300, 3, 0)[0]
    soft = widened(labels, 20)
    assert vus_pr(labels, soft, 20) > 0.9
    assert vus_pr(labels, -soft, 20) < 0.1


def test_a_random_score_is_worth_little_without_adjustment():
    labels = np.zeros(1000, bool)
    labels[400:500] = True
    scores = np.random.default_rng(0).random(1000)
    assert vus_pr(labels, scores, 20) < 0.2


def test_rows_that_were_not_judged_count_as_least_suspicious():
    labels, scores = world(100, 2, 0)
    empty = np.where(np.arange(100) < 10, np.nan, scores)
    least = np.where(np.arange(100) < 10, np.nanmin(empty), scores)
    assert vus_pr(labels, empty, 10) == vus_pr(labels, least, 10)


def test_one_score_for_all_says_nothing():
    labels = world(100, 2, 0)[0]
    assert vus_pr(labels, np.zeros(100)) == 0
    assert vus_pr(labels, np.full(100, np.nan)) == 0


@pytest.mark.parametrize(
    ("labels", "scores", "longest", "said"),
    [
        ([0, 0, 0], [1.0, 2.0, 3.0], 5, "needs a labelled anomaly, and no row is labelled"),
        ([0, 1], [1.0, 2.0, 3.0], 5, r"a label and a score for each row, not \(2,\) and \(3,\)"),
        ([0, 1, 0], [1.0, 2.0, 3.0], -1, "longest must be at least 0 rows, not -1"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(labels, scores, longest, said):
    with pytest.raises(InputError, match=said):
        vus_pr(labels, scores, longest)
