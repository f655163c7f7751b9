"""How like real sequences made ones are: measures that know the same from the other, and say so beside a floor."""

import numpy as np
import pytest
import torch

from tsrnn import synthesis, tasks
from tsrnn.errors import InputError
from tsrnn.synthesis import contexts, critics, distances


def noise(count=200, length=6, channels=2, seed=0, loc=0.5, scale=0.1):
    return np.random.default_rng(seed).normal(loc, scale, (count, length, channels))


def walks(count=200, seed=0, pull=0.9):
    """Sequences whose channels remember `pull` of themselves, between 0 and 1 or nearly."""
    rng = np.random.default_rng(seed)
    values = np.zeros((count, 10, 2))
    for step in range(10):
        before = values[:, step - 1] if step else rng.normal(size=(count, 2)) / np.sqrt(1 - pull**2)
        values[:, step] = pull * before + rng.normal(size=(count, 2))
    return 0.5 + 0.08 * values


class TestCritics:
    def test_one_tells_other_sequences_and_not_the_same(self):
        real = noise()
        assert critics.discriminative(real, noise(seed=1), 0, 60) < 0.2
        four = {"length": 3, "channels": 4}
        assert critics.discriminative(noise(**four), noise(seed=1, loc=0.9, **four), 0, 400) > 0.45

    def test_what_is_learnt_from_real_ones_forecasts_best(self):
        real = walks()
        floor = critics.predictive(real, walks(seed=1), 0, 300)
        shifted = critics.predictive(real, 1 - walks(seed=1) * 0.2, 0, 300)
        assert floor < 0.8 * shifted

    def test_a_seed_gives_the_same_score_and_no_global_generator_is_touched(self):
        torch.manual_seed(1)
        before = torch.get_rng_state()
        scores = [critics.discriminative(noise(), noise(seed=1), seed, 20) for seed in (0, 0, 1)]
        assert scores[0] == scores[1] != scores[2]
        assert torch.equal(torch.get_rng_state(), before)

    def test_one_channel_forecasts_itself(self):
        assert critics.predictive(walks()[..., :1], walks(seed=1)[..., :1], 0, 5) > 0


class TestContexts:
    def test_frechet_distance_of_known_normal_distributions(self):
        rng = np.random.default_rng(0)
        spread = np.array([[2.0, 0.6], [0.6, 1.0]])
        one = rng.multivariate_normal([0, 0], spread, 200_000)
        assert contexts.frechet(one, one) == pytest.approx(0, abs=1e-8)
        assert contexts.frechet(one, one + np.array([3, 4])) == pytest.approx(25, rel=1e-6)
        assert contexts.frechet(one, 2 * one) == pytest.approx(np.trace(spread), rel=0.02)  # tr (1 + 4 - 2 * 2) S

    def test_two_views_of_the_same_steps_are_told_from_others(self):
        view = torch.nn.functional.one_hot(torch.arange(12)).float().view(3, 4, 12) * 10
        assert float(contexts.contrast(view, view)) < 0.1
        assert float(contexts.contrast(view, view.flip(0))) > 1

    def test_every_step_of_a_sequence_moves_what_represents_it(self):
        real = walks(40)
        encoder = contexts.learn(real, 0, 3)
        base = contexts.represent(encoder, real[:1])
        assert base.shape == (1, 320)
        for step in range(10):
            moved = real[:1].copy()
            moved[:, step] += 2.0
            assert np.abs(contexts.represent(encoder, moved) - base).max() > 1e-3

    def test_crops_overlap_inside_the_sequence(self):
        torch.manual_seed(0)
        for length in (2, 3, 24):
            for _ in range(200):
                begin, first, last, end = contexts._crops(length)
                assert 0 <= begin <= first < last <= end <= length


class TestDistances:
    def test_correlations_between_channels(self):
        one = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], (2000, 5))
        other = np.random.default_rng(1).multivariate_normal([0, 0], [[1, -0.2], [-0.2, 1]], (2000, 5))
        assert distances.correlational(one, other) == pytest.approx(0.1, abs=0.01)
        assert distances.correlational(one[..., :1], other[..., :1]) == 0.0

    def test_the_nearest_of_others_by_hand(self):
        among = np.array([[[0.0], [0.0]], [[3.0], [5.0]]])
        sequences = np.array([[[3.0], [4.0]], [[1.0], [1.0]], [[3.0], [5.0]]])
        np.testing.assert_allclose(distances.nearest(sequences, among), [np.sqrt(0.5), 1.0, 0.0])

    def test_copies_lie_nearer_than_what_is_held_out(self):
        real, held = noise(300), noise(100, seed=1)
        assert synthesis.nearness(real, held, real[:50]) == pytest.approx(0, abs=1e-3)
        assert synthesis.nearness(real, held, noise(100, seed=2)) == pytest.approx(1, abs=0.1)


class TestJudging:
    def test_a_floor_stands_beside_every_score(self):
        real, shifted = noise(400), noise(200, seed=1)
        shifted[..., 1] = shifted[..., 0]
        verdict = synthesis.judge(real, shifted, ["correlational"], number=3)["correlational"]
        assert verdict.value > 5 * verdict.floor > 0
        assert verdict.spread > 0

    def test_units_do_not_matter(self, monkeypatch):
        monkeypatch.setitem(
            synthesis.JUDGES, "mean", lambda one, sets, seed, most: [abs(one.mean() - each.mean()) for each in sets]
        )
        real, made = noise(100), noise(100, seed=1, loc=0.6)
        one, other = (
            synthesis.judge(scale * real - 5, scale * made - 5, ["mean"], number=1)["mean"] for scale in (1.0, 1000.0)
        )
        assert one.value == pytest.approx(other.value)
        assert one.value == pytest.approx(0.1 / np.ptp(real), rel=0.2)

    def test_steps_of_critics_are_bounded_and_never_more_than_their_measures_have(self, monkeypatch):
        taken, step = [], critics._step
        monkeypatch.setattr(critics, "_step", lambda *those: taken.append(step(*those)))
        monkeypatch.setattr(critics, "_STEPS", {"discriminative": 4, "predictive": 6})
        for most, steps in ((3, 3 + 3), (5, 4 + 5), (None, 4 + 6)):
            taken.clear()
            synthesis.judge(noise(40), noise(20, seed=1), ["discriminative", "predictive"], 1, most=most)
            assert len(taken) == 2 * steps  # of what was made, and of real ones

    def test_the_task_knows_every_measure(self):
        assert {*tasks.find("generate").told} == {*synthesis.JUDGES, synthesis.NEAREST}

    def test_what_cannot_be_judged_is_refused(self):
        with pytest.raises(InputError, match="unknown measure 'fid'"):
            synthesis.judge(noise(), noise(), ["fid"])
        with pytest.raises(
            InputError, match="12 real and 200 made sequences are too few to judge by; give at least 20"
        ):
            synthesis.judge(noise(12), noise(), ["correlational"])


def test_sequences_that_cannot_be_compared_are_refused():
    real, broken = noise(), noise()
    broken[3, 0, 0] = np.nan
    for made, said in (
        (real[0], "made has 2 axes"),
        (real[:, :4], "made have 4 steps of 2 channels and those of real 6 of 2"),
        (broken, "made: sequence 3 holds a cell that is missing"),
    ):
        with pytest.raises(InputError, match=said):
            synthesis.judge(real, made, ["correlational"])
        with pytest.raises(InputError, match=said):
            synthesis.nearness(real, real, made)
