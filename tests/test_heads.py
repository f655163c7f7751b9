"""Losses against torch's own, masks, quantiles that rise, and what samples show."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch.distributions import Laplace, Normal, StudentT
from torch.nn import functional as F

from tsrnn import heads
from tsrnn.errors import InputError
from tsrnn.registry import names

LEVELS = (0.1, 0.5, 0.9)
POINT = {"mse": F.mse_loss, "mae": F.l1_loss, "huber": F.huber_loss}


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 2


@pytest.mark.parametrize("loss", POINT)
def test_point_losses_are_torchs(loss):
    params, target = numbers(4, 6, 3, 1), numbers(4, 6, 3, seed=1)
    head = heads.build(None, loss)
    torch.testing.assert_close(head.loss(params, target, None), POINT[loss](params[..., 0], target))
    torch.testing.assert_close(head.point(params), params[..., 0])
    assert head.params == 1


@pytest.mark.parametrize("levels", [None, LEVELS])
@pytest.mark.parametrize("loss", [*POINT, "gaussian", "laplace", "student_t", "mixture"])
def test_a_missing_cell_has_no_part_in_the_loss(loss, levels):
    head = heads.build(levels, loss)
    params, target = numbers(4, 6, 3, head.params).requires_grad_(), numbers(4, 6, 3, seed=1)
    observed = numbers(4, 6, 3, seed=2) > 0
    masked = head.loss(params, target, observed)
    moved = head.loss(params, torch.where(observed, target, torch.full_like(target, 1e3)), observed)
    assert torch.equal(masked, moved)
    kept = head.loss(params[observed].unsqueeze(0).unsqueeze(0), target[observed].unsqueeze(0).unsqueeze(0), None)
    torch.testing.assert_close(masked, kept)
    masked.backward()
    assert not params.grad[~observed].any()
    assert params.grad[observed].any(-1).all()


@pytest.mark.parametrize(("levels", "loss"), [(None, "mse"), (LEVELS, "mse"), (None, "gaussian"), (None, "student_t")])
def test_nothing_observed_is_no_loss_and_no_gradient(levels, loss):
    head = heads.build(levels, loss)
    params = numbers(2, 3, 1, head.params).requires_grad_()
    loss = head.loss(params, numbers(2, 3, 1, seed=1), torch.zeros(2, 3, 1, dtype=torch.bool))
    loss.backward()
    assert loss == 0
    assert not params.grad.any()


@pytest.mark.parametrize("levels", [[0.0, 0.5], [0.5, 1.0], [0.5, 0.5], [-1]])
def test_impossible_levels_are_refused(levels):
    for loss in ("mse", "gaussian"):
        with pytest.raises(InputError, match="quantiles must be different numbers between 0 and 1"):
            heads.build(levels, loss)
    with pytest.raises(InputError, match="quantiles must be different numbers between 0 and 1"):
        heads.build(None, "gaussian").quantiles(numbers(1, 1, 1, 2), levels)


def test_an_unknown_loss_is_refused_with_the_nearest():
    for levels in (None, LEVELS):
        with pytest.raises(InputError, match="did you mean 'huber'"):
            heads.build(levels, "hubert")
        with pytest.raises(InputError, match="did you mean 'gaussian'"):
            heads.build(levels, "gausian")


def test_points_have_no_quantiles():
    with pytest.raises(InputError, match="fit one with quantiles="):
        heads.build(None, "mse").quantiles(numbers(1, 1, 1, 1), [0.5])


def test_heads_are_found_by_their_files():
    assert {"point", "quantile"} < set(names("heads"))
    assert set(heads.distributions()) == set(names("heads")) - {"classes", "point", "quantile"}


# Distributions. The number in the middle is the mean; the others say widths by how far they stand from it.


def said(loss, params):
    """What the numbers mean, by the definition, in float64: torch's distribution."""
    scale = F.softplus(params[..., 0] - params[..., 1]) + 1e-3
    if loss in ("gaussian", "laplace"):
        return {"gaussian": Normal, "laplace": Laplace}[loss](params[..., 1], scale)
    return StudentT(2 + F.softplus(params[..., 2] - params[..., 1]) + 1e-3, params[..., 1], scale)


def frozen(loss, params):
    """The same as scipy's."""
    known = said(loss, params)
    if loss in ("gaussian", "laplace"):
        return {"gaussian": stats.norm, "laplace": stats.laplace}[loss](known.loc.numpy(), known.scale.numpy())
    return stats.t(known.df.numpy(), known.loc.numpy(), known.scale.numpy())


both = pytest.mark.parametrize("loss", ["gaussian", "laplace", "student_t"])


@both
def test_the_likelihood_is_torchs(loss):
    head = heads.build(None, loss)
    params = numbers(4, 6, 3, head.params).double().requires_grad_()
    target = numbers(4, 6, 3, seed=1).double()
    mine, theirs = head.loss(params, target, None), -said(loss, params).log_prob(target).mean()
    torch.testing.assert_close(mine, theirs)
    slopes = [torch.autograd.grad(each, params)[0] for each in (mine, theirs)]
    torch.testing.assert_close(*slopes)
    torch.testing.assert_close(head.point(params), said(loss, params).mean)


@both
def test_the_likelihood_of_a_cell_far_off_is_finite(loss):
    head = heads.build(None, loss)
    params = torch.tensor([[-1e4, 0.0, -1e4], [1e4, 0.0, 1e4], [0.0, 0.0, 0.0]])[:, : head.params].requires_grad_()
    value = head.loss(params, torch.tensor([50.0, 50.0, -1e4]), None)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(params.grad).all()


@both
def test_quantiles_are_scipys(loss):
    head = heads.build(LEVELS, loss)
    params, levels = numbers(5, 6, 3, head.params).double(), [0.001, 0.1, 0.5, 0.77, 0.99]
    wanted = np.stack([frozen(loss, params).ppf(level) for level in levels], -1)
    np.testing.assert_allclose(head.quantiles(params, levels), wanted, rtol=1e-4, atol=2e-5)
    heavy = params.clone()
    heavy[..., -1 if loss == "student_t" else 0] = -50.0  # two degrees of freedom, or no width
    wanted = np.stack([frozen(loss, heavy).ppf(level) for level in levels], -1)
    np.testing.assert_allclose(head.quantiles(heavy, levels), wanted, rtol=1e-4, atol=2e-5)


@both
def test_draws_come_from_the_distribution(loss):
    head = heads.build(None, loss)
    params = numbers(3, 1, head.params).double()
    noise = torch.rand(2, 3, 20_000, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    drawn = head.draw(params, noise)
    for row in range(3):
        known = frozen(loss, params[row, 0])
        assert stats.kstest(drawn[row], known.cdf).pvalue > 0.01


@both
def test_a_draw_moves_with_the_params(loss):
    head = heads.build(None, loss)
    params = numbers(4, head.params).double().requires_grad_()
    noise = torch.rand(2, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert torch.autograd.gradcheck(lambda each: head.draw(each, noise), params)


@both
def test_moving_all_numbers_alike_moves_the_distribution(loss):
    head, levels = heads.build(None, loss), [0.1, 0.5, 0.9]
    params = numbers(2, 3, 1, head.params).double()
    torch.testing.assert_close(head.quantiles(params + 7, levels), head.quantiles(params, levels) + 7)
    torch.testing.assert_close(head.point(params), params[..., head.params // 2])


# What samples show.


def test_a_sample_shows_its_mean_its_median_or_its_quantiles():
    sample = numbers(2, 3, 99, seed=4)
    rising = sample.sort(-1).values
    for loss in ("mse", "huber"):
        torch.testing.assert_close(heads.build(None, loss).of_samples(sample)[..., 0], sample.mean(-1))
    torch.testing.assert_close(heads.build(None, "mae").of_samples(sample)[..., 0], rising[..., 49])


@pytest.mark.parametrize(("levels", "loss"), [(None, "mse"), (None, "mae"), (LEVELS, "mse"), (None, "gaussian")])
def test_a_missing_sample_is_none(levels, loss):
    head = heads.build(levels, loss)
    sample = numbers(2, 40, seed=6)
    holes = torch.cat([sample, torch.full((2, 7), torch.nan)], -1)[:, torch.randperm(47)]
    torch.testing.assert_close(head.of_samples(holes), head.of_samples(sample))
    empty = head.of_samples(torch.full((2, 7), torch.nan))
    assert torch.isfinite(empty).all()
    assert not head.point(empty[:, None, None]).any()


def test_samples_of_a_distribution_show_it():
    drawn = stats.t(8, 3, 2).rvs(400_000, random_state=0)
    sample = torch.from_numpy(drawn)[None, None, None]
    normal, students = heads.build(None, "gaussian"), heads.build(None, "student_t")
    shown = said("gaussian", normal.of_samples(sample))
    np.testing.assert_allclose([shown.mean.item(), shown.stddev.item()], [drawn.mean(), drawn.std()], rtol=1e-4)
    heavy = said("student_t", students.of_samples(sample))
    assert heavy.mean.item() == pytest.approx(3, abs=0.02)
    assert heavy.df.item() == pytest.approx(8, rel=0.2)
    assert heavy.scale.item() == pytest.approx(2, rel=0.03)
    light = said("student_t", students.of_samples(numbers(1, 1, 1, 100_000)))
    assert light.df.item() > 30
    assert light.stddev.item() == pytest.approx(2, rel=0.01)
