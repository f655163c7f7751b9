"""Mamba-2's block and its step-by-step twin."""

from typing import Any

import pytest
import torch
from reference import matrices as twin
from torch import Tensor

from tsrnn.errors import InputError
from tsrnn.layers import ssd as room
from tsrnn.layers.ssd import HeadsBlock
from tsrnn.recurrence import build
from tsrnn.recurrence.ssd import explain_ssd

COMPILER, _ = build.available()


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("time", [1, 3, 20, 40])
@pytest.mark.parametrize(("head_size", "conv"), [(8, 4), (4, 4), (2, 1)])
def test_the_block_answers_to_the_twin(time: int, head_size: int, conv: int) -> None:
    block = HeadsBlock(4, state_size=3, head_size=head_size, conv=conv).double()
    with torch.no_grad():
        for weight in block.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    x = torch.randn(2, time, 4, dtype=torch.float64, requires_grad=True)
    weights: dict[str, Tensor] = dict(block.named_parameters())
    expected = torch.stack([twin.ssd_block(row, weights, 8 // head_size, 3) for row in x])
    output = block(x)
    torch.testing.assert_close(output, expected, rtol=1e-9, atol=1e-9)
    given = [x, *weights.values()]
    ours = torch.autograd.grad(output.sin().sum(), given)
    torch.testing.assert_close(ours, torch.autograd.grad(expected.sin().sum(), given), rtol=1e-7, atol=1e-8)


def test_the_block_starts_as_the_authors_say() -> None:
    block = HeadsBlock(64, state_size=5, head_size=2)
    sizes = torch.nn.functional.softplus(block.delta.detach())
    assert 0.999e-3 <= float(sizes.min()) < 5e-3
    assert 2e-2 < float(sizes.max()) <= 1.001e-1
    rates = torch.exp(block.log_rate.detach())
    assert 1 <= float(rates.min()) < 3
    assert 14 < float(rates.max()) <= 16.001
    assert (block.skip == 1).all()


def test_the_block_is_causal_and_sees_every_step_before() -> None:
    block = HeadsBlock(4, head_size=4)
    x = torch.randn(2, 12, 4, requires_grad=True)
    (slope,) = torch.autograd.grad(block(x)[:, 6].sum(), x)
    assert slope[:, :7].abs().sum(-1).gt(0).all()
    assert not slope[:, 7:].any()


def test_blocks_rows_do_not_know_of_each_other() -> None:
    block = HeadsBlock(4, head_size=4).double()
    x = torch.randn(5, 9, 4, dtype=torch.float64)
    torch.testing.assert_close(block(x)[2:3], block(x[2:3]))


def test_a_size_that_is_none_gets_one_sentence() -> None:
    with pytest.raises(InputError, match="state_size of an SSD block must be at least 1, not 0"):
        HeadsBlock(4, state_size=0)
    with pytest.raises(InputError, match=r"head_size=3 must divide 2 \* hidden_size=8"):
        HeadsBlock(4, head_size=3)


def test_the_block_takes_the_compiled_kernel_and_learns_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, bool]] = []
    real = room.ssd

    def spied(*given: Any) -> Any:
        output = real(*given)
        said.append((explain_ssd(*given), output[0].requires_grad))
        return output

    monkeypatch.setattr(room, "ssd", spied)
    HeadsBlock(16)(torch.randn(3, 30, 16))
    assert len(said) == 1
    assert said[0][0].startswith("fused: " if COMPILER else "chunked: not fused: ")
    assert said[0][1]
