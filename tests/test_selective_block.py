"""Mamba's block and its number-by-number twin."""

import math

import pytest
import torch
from reference import selective as twin
from torch import Tensor

from tsrnn.errors import InputError
from tsrnn.layers.selective import SelectiveBlock


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("time", [1, 3, 20])
@pytest.mark.parametrize("conv", [1, 4])
def test_the_block_answers_to_the_twin(time: int, conv: int) -> None:
    block = SelectiveBlock(4, state_size=3, expand=2, conv=conv, dt_rank=2).double()
    x = torch.randn(2, time, 4, dtype=torch.float64, requires_grad=True)
    weights: dict[str, Tensor] = dict(block.named_parameters())
    expected = torch.stack([twin.block(row, weights, rank=2, states=3) for row in x])
    output = block(x)
    torch.testing.assert_close(output, expected, rtol=1e-10, atol=1e-10)
    given = [x, *weights.values()]
    ours = torch.autograd.grad(output.sin().sum(), given)
    torch.testing.assert_close(ours, torch.autograd.grad(expected.sin().sum(), given), rtol=1e-8, atol=1e-10)


def test_the_block_starts_as_the_paper_says() -> None:
    block = SelectiveBlock(32, state_size=5)
    sizes = torch.nn.functional.softplus(block.delta.bias.detach())
    assert 0.999e-3 <= float(sizes.min()) < 5e-3
    assert 2e-2 < float(sizes.max()) <= 1.001e-1
    torch.testing.assert_close(torch.exp(block.log_rate), torch.arange(1.0, 6.0).expand(64, 5))
    assert (block.skip == 1).all()
    assert block.delta.in_features == math.ceil(32 / 16)


def test_the_block_is_causal_and_sees_the_newest_step() -> None:
    block = SelectiveBlock(4)
    x = torch.randn(2, 12, 4, requires_grad=True)
    block(x)[:, 6].sum().backward()
    assert x.grad is not None
    assert x.grad[:, :7].abs().sum(-1).gt(0).all()
    assert not x.grad[:, 7:].any()


def test_blocks_rows_do_not_know_of_each_other() -> None:
    block = SelectiveBlock(4).double()
    x = torch.randn(5, 9, 4, dtype=torch.float64)
    torch.testing.assert_close(block(x)[2:3], block(x[2:3]))


def test_a_block_of_no_width_gets_one_sentence() -> None:
    with pytest.raises(InputError, match="state_size of a selective block must be at least 1, not 0"):
        SelectiveBlock(4, state_size=0)


def test_weights_keep_the_names_under_which_models_were_saved() -> None:
    shapes = {name: tuple(weight.shape) for name, weight in SelectiveBlock(4, state_size=3).state_dict().items()}
    assert shapes == {
        "log_rate": (8, 3),
        "skip": (8,),
        "norm.weight": (4,),
        "inward.weight": (16, 4),
        "conv.weight": (8, 1, 4),
        "conv.bias": (8,),
        "select.weight": (7, 8),
        "delta.weight": (8, 1),
        "delta.bias": (8,),
        "outward.weight": (4, 8),
    }
