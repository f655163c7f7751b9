"""Losses against torch's own, masks, and quantiles that rise."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
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
@pytest.mark.parametrize("loss", POINT)
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


@pytest.mark.parametrize("levels", [None, LEVELS])
def test_nothing_observed_is_no_loss_and_no_gradient(levels):
    head = heads.build(levels, "mse")
    params = numbers(2, 3, 1, head.params).requires_grad_()
    loss = head.loss(params, numbers(2, 3, 1, seed=1), torch.zeros(2, 3, 1, dtype=torch.bool))
    loss.backward()
    assert loss == 0
    assert not params.grad.any()


def test_the_pinball_loss_cell_by_cell():
    params, target = numbers(2, 3, 2, 3), numbers(2, 3, 2, seed=1)
    total = 0.0
    for cell in np.ndindex(2, 3, 2):
        for level, quantile in zip(LEVELS, params[cell].tolist(), strict=True):
            error = float(target[cell]) - quantile
            total += 2 * (level * error if error > 0 else (level - 1) * error)
    loss = heads.build(LEVELS, "mse").loss(params, target, None)
    assert float(loss) == pytest.approx(total / (2 * 3 * 2 * 3), rel=1e-5)


def test_the_median_alone_is_the_absolute_error():
    params, target = numbers(2, 3, 2, 1), numbers(2, 3, 2, seed=1)
    torch.testing.assert_close(heads.build([0.5], "mse").loss(params, target, None), F.l1_loss(params[..., 0], target))


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_the_loss_is_least_at_the_samples_quantile(level):
    sample = numbers(1001, 1, 1)
    grid = torch.linspace(-3, 3, 601)
    head = heads.build([level], "mse")
    losses = [float(head.loss(q.expand(1001, 1, 1, 1), sample, None)) for q in grid]
    assert float(grid[int(np.argmin(losses))]) == pytest.approx(float(sample.quantile(level)), abs=0.011)


@given(
    st.lists(st.floats(0.01, 0.99), min_size=1, max_size=5, unique=True),
    st.lists(st.floats(0.01, 0.99), min_size=1, max_size=6),
    st.integers(0, 1000),
)
def test_quantiles_never_cross(levels, asked, seed):
    head = heads.build(levels, "mse")
    found = head.quantiles(numbers(2, 3, 1, len(levels), seed=seed), sorted(asked))
    assert found.shape == (2, 3, 1, len(asked))
    assert (found.diff(dim=-1) >= -1e-5).all()


def test_learnt_levels_come_back_and_others_lie_between():
    head = heads.build(LEVELS, "mse")
    params = torch.tensor([3.0, 1.0, 2.0]).view(1, 1, 1, 3)  # crossed: they are sorted
    asked = [0.1, 0.5, 0.9, 0.3, 0.6, 0.01, 0.99]
    found = head.quantiles(params, asked).flatten().tolist()
    assert found == pytest.approx([1, 2, 3, 1.5, 2.25, 1, 3])
    assert head.point(params).item() == 2
    assert head.quantiles(params, [0.9, 0.1]).flatten().tolist() == pytest.approx([3, 1])


def test_levels_may_come_in_any_order():
    params, target = numbers(2, 3, 2, 3), numbers(2, 3, 2, seed=1)
    one, other = heads.build([0.9, 0.1, 0.5], "mse"), heads.build(LEVELS, "mse")
    assert torch.equal(one.loss(params, target, None), other.loss(params, target, None))


@pytest.mark.parametrize("levels", [[0.0, 0.5], [0.5, 1.0], [0.5, 0.5], [-1]])
def test_impossible_levels_are_refused(levels):
    with pytest.raises(InputError, match="quantiles must be different numbers between 0 and 1"):
        heads.build(levels, "mse")


def test_an_unknown_loss_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'huber'"):
        heads.build(None, "hubert")


def test_points_have_no_quantiles():
    with pytest.raises(InputError, match="fit one with quantiles="):
        heads.build(None, "mse").quantiles(numbers(1, 1, 1, 1), [0.5])


def test_heads_are_found_by_their_files():
    assert list(names("heads")) == ["point", "quantile"]
