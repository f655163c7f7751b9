"""The head of a point and quantiles: as its slow twin, never crossing, its point its own; and that of older folders."""

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats
from torch.nn import functional as F

from tsrnn import heads
from tsrnn.forecaster import Forecaster

LEVELS = (0.1, 0.5, 0.9)
UNEVEN = (0.7, 0.9, 0.95, 0.99)


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2


def slow_quantiles(levels, row, loss):
    """One cell's quantiles at the levels, step by step from the median, or from the one nearest to it."""
    middle = len(row) // 2
    own = [*row[:middle], *row[middle + 1 :]]
    ladder = list(levels)
    if loss == "mae" and 0.5 not in levels:
        ladder = sorted([*levels, 0.5])
        own.insert(ladder.index(0.5), row[middle])
    anchor = int(np.argmin(np.abs(np.array(ladder) - 0.5)))
    start = 0.5 * np.diff(stats.norm.ppf(ladder))  # steps of a normal distribution of deviation 0.5
    made = {anchor: row[middle] if loss == "mae" else own[anchor]}
    for k in range(anchor + 1, len(ladder)):
        made[k] = made[k - 1] + np.logaddexp(0, own[k] - own[k - 1] + np.log(np.expm1(start[k - 1])))
    for k in range(anchor - 1, -1, -1):
        made[k] = made[k + 1] - np.logaddexp(0, own[k + 1] - own[k] + np.log(np.expm1(start[k])))
    return [made[ladder.index(level)] for level in levels]


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
@pytest.mark.parametrize("levels", [LEVELS, UNEVEN, (0.9,), (0.02, 0.2)])
def test_quantiles_and_loss_are_the_slow_ones(levels, loss):
    head = heads.build(levels, loss)
    params, target = numbers(2, 3, 2, head.params), numbers(2, 3, 2, seed=1)
    point = params[..., head.params // 2]
    total = 0.0
    for cell in np.ndindex(2, 3, 2):
        slow = slow_quantiles(levels, params[cell].tolist(), loss)
        np.testing.assert_allclose(head.quantiles(params, levels)[cell], slow, rtol=1e-10)
        errors = [float(target[cell]) - quantile for quantile in slow]
        total += np.mean(
            [2 * max(level * error, (level - 1) * error) for level, error in zip(levels, errors, strict=True)]
        )
    of_point = {"mse": F.mse_loss, "mae": F.l1_loss, "huber": F.huber_loss}[loss](point, target)
    assert float(head.loss(params, target, None)) == pytest.approx((total / 12 + float(of_point)) / 2, rel=1e-10)
    torch.testing.assert_close(head.point(params), point)
    if loss == "mae":
        torch.testing.assert_close(head.quantiles(params, [0.5])[..., 0], point)


@pytest.mark.parametrize("loss", ["mse", "mae"])
def test_gradients_reach_every_number(loss):
    head = heads.build(UNEVEN, loss)
    params = numbers(3, 2, 1, head.params).requires_grad_()
    target = numbers(3, 2, 1, seed=1)
    assert torch.autograd.gradcheck(lambda each: head.loss(each, target, None), params)
    alike = torch.zeros(3, 2, 1, head.params, dtype=torch.float64, requires_grad=True)  # as linear models begin
    head.loss(alike, target, None).backward()
    assert (alike.grad != 0).all()


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_the_pinball_part_is_least_at_the_samples_quantile(level):
    sample, head = numbers(1001, 1, 1), heads.build([level], "mse")
    grid = torch.linspace(-3, 3, 601, dtype=torch.float64)
    at = [torch.stack([q, torch.zeros(())]) for q in grid]  # the quantile, the point
    losses = [float(head.loss(each.expand(1001, 1, 1, 2), sample, None)) for each in at]
    assert float(grid[int(np.argmin(losses))]) == pytest.approx(float(sample.quantile(level)), abs=0.011)


@given(
    st.lists(st.floats(0.01, 0.99), min_size=1, max_size=5, unique=True),
    st.lists(st.floats(0.01, 0.99), min_size=1, max_size=6),
    st.integers(0, 1000),
)
@example([0.010000000000000002, 0.01], [0.5], 0)
def test_quantiles_never_cross(levels, asked, seed):
    head = heads.build(levels, "mse")
    quantiles = head.quantiles(50 * numbers(2, 3, 1, head.params, seed=seed), sorted(asked))
    assert quantiles.shape == (2, 3, 1, len(asked))
    assert (quantiles.diff(dim=-1) >= 0).all()


def test_levels_between_learnt_ones_lie_between_them():
    head = heads.build(LEVELS, "mse")
    params = numbers(1, 1, 1, 4)
    low, middle, high = head.quantiles(params, LEVELS).flatten().tolist()
    asked = [0.3, 0.6, 0.01, 0.99]
    wanted = [(low + middle) / 2, middle + (high - middle) / 4, low, high]
    assert head.quantiles(params, asked).flatten().tolist() == pytest.approx(wanted)


def test_levels_may_come_in_any_order():
    one, other = heads.build([0.9, 0.1, 0.5], "mse"), heads.build(LEVELS, "mse")
    params, target = numbers(2, 3, 2, 4), numbers(2, 3, 2, seed=1)
    assert torch.equal(one.loss(params, target, None), other.loss(params, target, None))


def test_moving_all_numbers_alike_moves_quantiles_and_point():
    head, params = heads.build(UNEVEN, "mse"), numbers(2, 3, 1, 5)
    torch.testing.assert_close(head.quantiles(params + 7, UNEVEN), head.quantiles(params, UNEVEN) + 7)
    torch.testing.assert_close(head.point(params + 7), head.point(params) + 7)


@pytest.mark.parametrize("loss", ["mse", "mae"])
@pytest.mark.parametrize("levels", [(0.1, 0.5, 0.995), UNEVEN, (0.02, 0.2)])
def test_samples_are_shown_as_their_quantiles_and_their_point(levels, loss):
    sample = numbers(2, 3, 99, seed=4)
    head = heads.build(levels, loss)
    shown = head.of_samples(sample)
    quantiles = np.quantile(sample.numpy(), levels, axis=-1, method="weibull")
    np.testing.assert_allclose(head.quantiles(shown, levels), np.moveaxis(quantiles, 0, -1), rtol=1e-6, atol=1e-6)
    middle = sample.mean(-1) if loss == "mse" else sample.median(-1).values
    torch.testing.assert_close(head.point(shown), middle)


@pytest.mark.parametrize("count", [9, 30])
def test_quantiles_of_few_samples_hold_their_share_of_further_draws(count):
    drawn, head = numbers(20_000, count + 1, seed=5), heads.build(LEVELS, "mse")
    shown = head.quantiles(head.of_samples(drawn[:, :-1]), LEVELS)
    torch.testing.assert_close(
        (drawn[:, -1:] <= shown).double().mean(0), torch.tensor(LEVELS).double(), atol=0.01, rtol=0
    )


def test_a_model_saved_with_as_many_numbers_as_levels_is_read_as_then():
    head = heads.build(LEVELS, "mse", params=3)
    params = torch.tensor([3.0, 1.0, 2.0], dtype=torch.float64).view(1, 1, 1, 3)
    assert head.params == 3
    assert head.quantiles(params, [0.1, 0.5, 0.9, 0.3]).flatten().tolist() == pytest.approx([1, 2, 3, 1.5])
    assert head.point(params).item() == 2
    target = torch.tensor([0.0]).double().view(1, 1, 1)
    slow = 2 * np.mean([0.9 * 3, 0.5 * 1, 0.1 * 2])
    assert float(head.loss(params, target, None)) == pytest.approx(slow)
    assert torch.equal(head.of_samples(numbers(2, 50)), heads.build(LEVELS, "mse", 3).of_samples(numbers(2, 50)))


def skewed(series=40, rows=100):
    """Noise of mean 1, median 0.69 and 90 % quantile 2.3, and nothing to foresee."""
    ids = np.repeat(np.arange(series), rows)
    values = np.random.default_rng(0).exponential(1, series * rows)
    return pl.DataFrame({"unique_id": ids, "ds": np.tile(np.arange(rows), series), "y": values})


@pytest.mark.parametrize(("loss", "wanted"), [("mse", 1.0), ("mae", np.log(2))])
def test_the_point_is_the_mean_or_the_median_whatever_levels_are_asked(loss, wanted):
    options = {"input_size": 8, "horizon": 2, "loss": loss, "centring": "none", "learning_rate": 0.01}
    options |= {"max_epochs": 10, "batch_size": 64, "averaging": 0.0, "patience": 10}
    for levels in ([0.9], [0.05, 0.1], LEVELS):
        forecast = Forecaster("nlinear", quantiles=levels, **options).fit(skewed()).predict()
        assert forecast["y"].mean() == pytest.approx(wanted, abs=0.1)
        assert forecast[f"y_q{levels[-1]:g}"].mean() == pytest.approx(-np.log(1 - levels[-1]), abs=0.3)


def test_quantiles_beside_it_do_not_move_a_naive_forecast():
    frame = skewed(2)
    plain = Forecaster("repeat_last", input_size=8, horizon=3).fit(frame).predict()
    beside = Forecaster("repeat_last", input_size=8, horizon=3, quantiles=[0.9]).fit(frame).predict()
    assert beside["y"].to_list() == plain["y"].to_list()


@pytest.mark.parametrize("levels", [LEVELS, UNEVEN, (0.1, 0.9)])
@pytest.mark.parametrize("loss", ["mse", "mae"])
def test_rising_quantiles_and_a_point_are_said_as_they_were_given(levels, loss):
    head = heads.build(levels, loss)
    rising = numbers(5, 3, len(head.ladder)).sort(-1).values
    point = rising[..., list(head.ladder).index(0.5)] if loss == "mae" else numbers(5, 3, seed=1)
    params = head.of_rising(rising, point)
    torch.testing.assert_close(head.quantiles(params, head.ladder), rising, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(head.point(params), point)
