"""Offsets of intervals against slow twins, and what is true of them: coverage, drift, bounded steps, no early truth."""

import numpy as np
import pytest

from tsrnn import conformal
from tsrnn.errors import InputError

RNG = np.random.default_rng(0)


def both(errors):
    """Scores of intervals of no width around a point: [origin horizon target] -> [origin side horizon target]."""
    return np.stack([-errors, errors], 1)


def slow_offset(scores, level):
    """The k-th smallest of n scores, k = ceil((n + 1) level)."""
    rising = sorted(score for score in scores if not np.isnan(score))
    return rising[int(np.ceil((len(rising) + 1) * level - 1e-9)) - 1]


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])
def test_each_end_is_moved_by_the_conformal_quantile_of_its_scores(coverage):
    errors = RNG.exponential(1, (60, 3, 2)) - 0.5
    errors[5:9, 1, 0] = np.nan
    offsets = conformal.split(both(errors), coverage)
    for step, target in np.ndindex(3, 2):
        for side, sign in ((0, -1), (1, 1)):
            assert offsets[side, step, target] == slow_offset(sign * errors[:, step, target], (1 + coverage) / 2)


def test_few_scores_give_both_ends_one_offset():
    errors = np.array([3.0, -1, 2, -5, 4])[:, None, None]
    assert conformal.split(both(errors), 0.8).ravel().tolist() == [5, 5]
    with pytest.raises(InputError, match=r"interval of 0.8 needs at least 5 residuals, and step 1 of target 1 has 4"):
        conformal.split(both(errors[:4]), 0.8)
    with pytest.raises(InputError, match="needs at least 20 residuals"):
        conformal.split(both(errors), 0.95)


@pytest.mark.parametrize("count", [5, 9, 40])
def test_a_further_error_is_inside_as_often_as_was_said(count):
    errors = RNG.standard_normal((count + 1, 4000, 1))  # a step for each draw
    low, high = conformal.split(both(errors[:-1]), 0.8)
    share = ((-low <= errors[-1]) & (errors[-1] <= high)).mean()
    assert 0.78 <= share <= 0.8 + 1.1 / (count + 1) + 0.03


def test_a_level_in_single_precision_is_the_number_that_was_meant():
    assert conformal.checked(np.array([0.9, 0.8], np.float32)) == (0.8, 0.9)


@pytest.mark.parametrize("bad", [0.8, [], [0.0], [1.0], [1.5], [0.8, 0.8], ["a"], None, [float("nan")]])
def test_levels_that_are_none_are_refused(bad):
    with pytest.raises(InputError, match="levels to calibrate must be different numbers between 0 and 1"):
        conformal.checked(bad)


def slow_track(scores, start, step, coverage, rate):
    """One origin, side, step and target after the other."""
    origins, _, horizon, targets = scores.shape
    moved = np.empty((origins + 1, 2, horizon, targets))
    for side, lead, target in np.ndindex(2, horizon, targets):
        offset = start[side, lead, target]
        for now in range(origins + 1):
            then = now - 1 - lead  # the origin whose forecast of this lead came true with the newest row
            if then >= 0 and not np.isnan(scores[then, side, lead, target]):
                failed = scores[then, side, lead, target] > moved[then, side, lead, target]
                largest = min(0.25, rate / (lead + 1)) * step[lead, target]
                offset += largest * (failed - (1 - coverage) / 2)
            moved[now, side, lead, target] = offset
    return moved


def test_tracked_offsets_are_the_slow_ones():
    scores, start = both(RNG.standard_normal((30, 5, 2))), RNG.uniform(1, 2, (2, 5, 2))
    scores[7:12, :, 2, 1] = np.nan
    step = RNG.uniform(1, 2, (5, 2))
    for rate in (1.0, 0.3):
        fast = conformal.track(scores, start, step, 0.8, rate)
        np.testing.assert_allclose(fast, slow_track(scores, start, step, 0.8, rate), rtol=1e-5)


def test_no_truth_counts_before_it_is_known():
    scores = both(RNG.standard_normal((40, 6, 1)))
    start, step = np.ones((2, 6, 1)), np.ones((6, 1))
    before = conformal.track(scores, start, step, 0.8)
    scores[20] += 100.0  # the forecast of origin 20, whose k-th step is known at origin 21 + k
    after = conformal.track(scores, start, step, 0.8)
    for lead in range(6):
        differs = np.flatnonzero((before[:, :, lead] != after[:, :, lead]).any((1, 2)))
        assert len(differs) == 0 or differs[0] >= 21 + lead


def test_steps_are_bounded():
    scores = both(1e9 * RNG.standard_normal((100, 6, 1)))
    moved = conformal.track(scores, np.ones((2, 6, 1)), np.full((6, 1), 3.0), 0.8)
    largest = 3.0 * np.minimum(0.25, 1.25 / np.arange(1, 7))[:, None]
    assert (np.abs(np.diff(moved, axis=0)) <= largest + 1e-5).all()


def test_a_drift_is_followed():
    """The errors grow by four fifths for a week of hours: constant offsets fail, tracked ones hold."""
    horizon, calm = 12, RNG.standard_normal((1000, 12, 1))
    week = 1.8 * RNG.standard_normal((168, horizon, 1))
    offsets, step = conformal.split(both(calm), 0.8), conformal.spread(both(calm))
    scores = both(week)
    constant = (scores <= offsets).all(1).mean()
    tracked = (scores <= conformal.track(scores, offsets, step, 0.8)[:-1]).all(1).mean()
    assert constant < 0.6
    assert tracked > 0.75
    calm_again = both(RNG.standard_normal((1000, horizon, 1)))
    still = (calm_again <= conformal.track(calm_again, offsets, step, 0.8)[:-1]).all(1).mean()
    assert still == pytest.approx(0.8, abs=0.01)


def test_shifts_move_ends_outward_and_nothing_else():
    offsets = np.arange(8.0).reshape(2, 2, 2, 1)  # [coverage side horizon target]
    made = conformal.Calibration((0.5, 0.8), offsets, np.ones((2, 1)), 100)
    assert made.levels == [0.1, 0.25, 0.75, 0.9]
    shift = made.shift([0.9, 0.5, 0.1, 0.25])
    assert shift.shape == (2, 1, 4)
    np.testing.assert_array_equal(shift[:, 0], [[6, 0, -4, 0], [7, 0, -5, -1]])
