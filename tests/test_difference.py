"""Tests of difference: their size on equal models, their power on unequal ones, and values worked out by hand."""

import numpy as np
import pytest
from reference.cosine import statistic
from scipy import stats

from tsrnn.board import difference
from tsrnn.board.difference import Numbers
from tsrnn.errors import InputError

WORLDS = 400
HORIZON = 24


def world(rng: np.random.Generator, windows: int, gap: float = 0.0, horizon: int = HORIZON) -> tuple[Numbers, Numbers]:
    """Losses [window] of two models on windows one step apart: means over the horizon of squared errors, which share
    the world's noise; the second model's own errors are larger by `gap`."""
    shared = rng.standard_normal(windows + horizon - 1)
    own = 0.7 * rng.standard_normal((2, windows + horizon - 1)) * np.array([[1.0], [1.0 + gap]])
    sums = np.cumsum(np.pad((shared + own) ** 2, ((0, 0), (1, 0))), 1)
    first, second = (sums[:, horizon:] - sums[:, :-horizon]) / horizon
    return first, second


def rejections(windows: int, gap: float) -> float:
    rng = np.random.default_rng(7)
    p = [difference.cosine(*world(rng, windows, gap), HORIZON).p for _ in range(WORLDS)]
    return float(np.mean(np.array(p) < 0.05))


@pytest.mark.parametrize("horizons", [8, 30])
def test_equal_models_are_called_different_in_one_world_of_twenty_or_little_more(horizons: int) -> None:
    assert 0.03 <= rejections(horizons * HORIZON, 0.0) <= 0.09


def test_a_plain_t_test_on_overlapping_windows_is_not_honest() -> None:
    rng = np.random.default_rng(7)
    p = [stats.ttest_rel(*world(rng, 40 * HORIZON)).pvalue for _ in range(100)]
    assert np.mean(np.array(p) < 0.05) > 0.5


def test_unequal_models_are_found() -> None:
    assert rejections(40 * HORIZON, 0.3) > 0.9


@pytest.mark.parametrize(("windows", "horizon"), [(60, 1), (100, 3), (480, 24), (130, 24)])
def test_the_cosine_test_is_its_slow_twin(windows: int, horizon: int) -> None:
    first, second = world(np.random.default_rng(3), windows, 0.2, horizon)
    test = difference.cosine(first, second, horizon)
    freedom = max(4, windows // (2 * horizon))
    expected = statistic((first - second).tolist(), freedom)
    assert (test.freedom, test.count) == (freedom, windows)
    assert test.mean / test.error == pytest.approx(expected, rel=1e-9)
    assert test.p == pytest.approx(2 * stats.t.sf(abs(expected), freedom), rel=1e-9)
    assert test.mean == pytest.approx((first - second).mean())


def test_the_cosine_test_worked_by_hand() -> None:
    """Five windows and all four cosines there are: squares of projections sum up to the squares about the mean.

    d = 1, 2, 3, 4, 10: mean 4, squares 9 + 4 + 1 + 0 + 36 = 50, over 4 cosines and 5 windows: 2.5.
    """
    test = difference.cosine(np.array([1.0, 2.0, 3.0, 4.0, 10.0]), np.zeros(5), 1)
    assert (test.mean, test.freedom, test.count) == (4.0, 4, 5)
    assert test.error == pytest.approx(2.5**0.5)
    assert test.interval() == pytest.approx((4 - 2.776445 * 2.5**0.5, 4 + 2.776445 * 2.5**0.5))


def test_a_slow_wave_makes_the_mean_unsure_and_a_fast_one_does_not() -> None:
    """400 windows of 8 steps: 25 cosines. The second has a projection of sqrt(400 / 2), the hundredth is none."""
    place = np.arange(400) + 0.5
    slow, fast = (np.cos(np.pi * place * turns / 400) for turns in (2, 100))
    assert difference.cosine(slow, np.zeros(400), 8).error == pytest.approx((400 / 2 / 25 / 400) ** 0.5)
    assert difference.cosine(fast, np.zeros(400), 8).error < 1e-12


def test_windows_that_begin_within_one_horizon_overlap() -> None:
    assert difference.overlapping(np.arange(100), 24) == 24
    assert difference.overlapping(np.arange(0, 100, 5), 24) == 5
    assert difference.overlapping(np.arange(0, 100, 24), 24) == 1
    assert difference.overlapping(np.array([0, 1, 2, 50, 51, 200]), 3) == 3
    assert difference.overlapping(np.array([], np.int64), 3) == 0


def test_windows_without_a_loss_are_left_out_and_gaps_are_closed() -> None:
    rng = np.random.default_rng(2)
    losses, steps = rng.standard_normal(60), np.r_[:30, 100:130]
    whole = difference.cosine(losses, np.zeros(60), 4, steps)
    assert whole == difference.cosine(losses, np.zeros(60), 4)
    assert whole.freedom == 60 // 8
    lost = np.where(np.arange(60) % 2 == 1, np.nan, losses)
    half = difference.cosine(lost, np.zeros(60), 4, steps)
    assert half == difference.cosine(losses[::2], np.zeros(30), 4, steps[::2])
    assert (half.count, half.freedom) == (30, 30 // (2 * 2)), "two of the windows left begin within four steps"


def test_folds_are_compared_by_a_paired_t_test() -> None:
    first, second = np.random.default_rng(1).normal([[0.5], [0.0]], 1, (2, 12))
    first[3] = np.nan
    test, kept = difference.paired(first, second), np.arange(12) != 3
    expected = stats.ttest_rel(first[kept], second[kept])
    assert (test.count, test.freedom) == (11, 10)
    assert test.p == pytest.approx(expected.pvalue)
    assert test.interval() == pytest.approx(tuple(expected.confidence_interval(0.95)))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: difference.cosine(np.ones(39), np.ones(39), 8), "39 windows, of which 8 overlap at horizon 8"),
        (lambda: difference.cosine(np.ones(0), np.ones(0), 8), "0 windows"),
        (lambda: difference.paired(np.ones(7), np.ones(7)), "a test on 7 folds says nothing; it needs 8"),
        (lambda: difference.wilcoxon(np.ones(7), np.ones(7)), "a test over 7 data sets says nothing; it needs 8"),
        (lambda: difference.mean_ranks(np.ones((3, 1))), "need at least two"),
        (lambda: difference.cosine(np.ones(50), np.ones(49), 1), "50 and of 49 windows cannot be paired"),
    ],
)
def test_too_little_is_refused_in_one_sentence(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_equal_losses_do_not_differ_and_lost_ones_say_nothing() -> None:
    same = difference.cosine(np.ones(20), np.ones(20), 2)
    assert (same.mean, same.p) == (0.0, 1.0)
    assert difference.cosine(np.ones(20), np.zeros(20), 2).p == 0.0
    assert difference.Difference(float("nan"), 1.0, 3, 4).p == 1.0


def test_the_mean_of_differences_is_as_sure_as_if_they_said_the_same() -> None:
    part = difference.Difference(-0.4, 0.1, 9, 10)
    twice = difference.averaged([part, part])
    assert (twice.mean, twice.error, twice.freedom, twice.count) == pytest.approx((-0.4, 0.1, 9, 20))
    both = difference.averaged([part, difference.Difference(-0.2, 0.3, 4, 5)])
    assert (both.mean, both.error, both.count) == pytest.approx((-0.3, 0.2, 15))
    assert both.freedom == pytest.approx(0.4**2 / (0.1 / 3 + 0.3 / 2) ** 2)
    assert difference.averaged([difference.Difference(0.5, 0.0, 4, 5)] * 2).p == 0.0


def test_independent_errors_add_up_as_welch_has_it() -> None:
    first, second = np.array([0.40, 0.43, 0.41]), np.array([0.45, 0.52, 0.47, 0.46])
    means = [
        difference.Difference(x.mean(), x.std(ddof=1) / len(x) ** 0.5, len(x) - 1, len(x)) for x in (first, second)
    ]
    test = difference.welch(*means, mean=first.mean() - second.mean())
    expected = stats.ttest_ind(first, second, equal_var=False)
    assert test.p == pytest.approx(expected.pvalue)
    assert test.interval() == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert test.count == 7


def test_a_mean_over_horizons_is_of_honest_size() -> None:
    """Horizons of 24 and 80 on the same 700 steps share their errors."""
    rng, p = np.random.default_rng(5), []
    for _ in range(WORLDS):
        shared, own = rng.standard_normal(723), 0.7 * rng.standard_normal((2, 723))
        sums = np.cumsum(np.pad((shared + own) ** 2, ((0, 0), (1, 0))), 1)
        parts = []
        for horizon in (24, 80):
            first, second = (sums[:, horizon:] - sums[:, :-horizon]) / horizon
            parts.append(difference.cosine(first, second, horizon))
        p.append(difference.averaged(parts).p)
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.08


def test_holm_worked_by_hand() -> None:
    p = np.array([0.01, 0.04, 0.03, 0.005])  # sorted: 0.005 * 4, 0.01 * 3, 0.03 * 2, then 0.04 * 1 held up to 0.06
    assert difference.holm(p).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert difference.holm(np.array([0.6, 0.7])).tolist() == [1.0, 1.0]
    assert difference.holm(np.array([])).tolist() == []


def test_signed_ranks_worked_by_hand() -> None:
    """Eight tasks, all better: 2 / 2**8. One of rank 1 worse: 4 / 2**8."""
    gains = np.arange(1.0, 9.0)
    assert difference.wilcoxon(gains, np.zeros(8)) == pytest.approx(2 / 256)
    assert difference.wilcoxon(np.where(gains == 1, -1, gains), np.zeros(8)) == pytest.approx(4 / 256)
    assert difference.wilcoxon(gains, gains) == 1.0


def test_mean_ranks_have_intervals_that_shrink_with_tasks() -> None:
    rng = np.random.default_rng(0)
    few, many = (rng.standard_normal((4, tasks)).argsort(0).argsort(0) + 1.0 for tasks in (10, 160))
    means, ends = difference.mean_ranks(few)
    assert means.tolist() == few.mean(1).tolist()
    assert np.all((ends[:, 0] <= means) & (means <= ends[:, 1]))
    width = [np.diff(difference.mean_ranks(ranks)[1]).mean() for ranks in (few, many)]
    assert width[1] == pytest.approx(width[0] / 4, rel=0.3)
    error = many.std(1) / 160**0.5
    assert np.diff(difference.mean_ranks(many)[1])[:, 0] == pytest.approx(2 * 1.96 * error, rel=0.1)
    always = np.tile([[1.0], [2.0]], (1, 8))
    assert difference.mean_ranks(always)[1].tolist() == [[1, 1], [2, 2]]


def rank_splits(better: float, tasks: int, lines: int = 6, worlds: int = 200) -> tuple[float, float]:
    """Shares of worlds in which equal lines are split, and in which the first, better one stands alone."""
    rng, split, alone = np.random.default_rng(2), 0, 0
    for _ in range(worlds):
        scores = rng.standard_normal((lines, tasks))
        scores[0] -= better
        means, ends = difference.mean_ranks(scores.argsort(0).argsort(0) + 1.0, draws=500)
        order = np.argsort(means)
        found = difference.groups(difference.ranked_apart(means[order], ends[order], tasks))
        split += max(found) > 1
        alone += found.count(1) == 1 and order[0] == 0
    return split / worlds, alone / worlds


@pytest.mark.parametrize("tasks", [8, 20])
def test_ranks_of_equal_lines_are_rarely_split(tasks: int) -> None:
    assert rank_splits(0.0, tasks)[0] <= 0.08


def test_a_line_that_is_better_on_many_tasks_stands_alone() -> None:
    assert rank_splits(3.0, 30)[1] > 0.9


def test_nemenyis_critical_difference() -> None:
    """Demšar (2006), section 3.2.2: five lines on 30 tasks, q = 2.728, so 2.728 * sqrt(5 * 6 / (6 * 30)) = 1.1137."""
    points = np.array([1.0, 1.0 + 1.113, 1.0 + 1.115, 4.0, 5.0])
    found = difference.ranked_apart(points, np.stack([points, points], 1), 30)
    assert found[0].tolist() == [False, False, True, True, True]
    wide = np.stack([points - 2, points + 2], 1)
    assert found.sum() > difference.ranked_apart(points, wide, 30).sum() == 0


def told(lines: int, *pairs: tuple[int, int]) -> np.ndarray:
    found = np.zeros((lines, lines), bool)
    for i, j in pairs:
        found[i, j] = found[j, i] = True
    return found


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], [1, 1, 1, 1]),
        ([(0, 1), (0, 2), (0, 3)], [1, 2, 2, 2]),
        ([(0, 2), (0, 3)], [1, 1, 2, 2]),
        ([(0, 1), (0, 3), (1, 3)], [1, 2, 1, 3]),  # a noisy third line: nobody knows it from the first
        ([(1, 2), (1, 3), (2, 3)], [1, 1, 1, 1]),
        ([(i, j) for i in range(4) for j in range(i)], [1, 2, 3, 4]),
    ],
)
def test_groups_on_hand_made_tables(pairs: list[tuple[int, int]], expected: list[int]) -> None:
    assert difference.groups(told(4, *pairs)) == expected


def test_no_lines_have_no_groups() -> None:
    assert difference.groups(told(0)) == []
    assert difference.groups(told(1)) == [1]
