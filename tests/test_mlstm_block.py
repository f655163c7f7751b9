"""xLSTM's block around a memory of matrices, and its step-by-step twin."""

from typing import Any

import pytest
import torch
from reference import matrices as twin
from torch import Tensor

from tsrnn.errors import InputError
from tsrnn.layers import mlstm as room
from tsrnn.layers.mlstm import BlockDiagonal, MatrixBlock
from tsrnn.recurrence import build
from tsrnn.recurrence.mlstm import explain_mlstm

COMPILER, _ = build.available()


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def unsettled(block: MatrixBlock) -> MatrixBlock:
    """In float64, with weights of which none is zero or one."""
    with torch.no_grad():
        for weight in block.double().parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return block


@pytest.mark.parametrize("time", [1, 3, 20, 40])
@pytest.mark.parametrize(("heads", "conv"), [(1, 4), (2, 4), (4, 1)])
def test_the_block_answers_to_the_twin(time: int, heads: int, conv: int) -> None:
    block = unsettled(MatrixBlock(6, heads, conv))
    x = torch.randn(2, time, 6, dtype=torch.float64, requires_grad=True)
    weights: dict[str, Tensor] = dict(block.named_parameters())
    expected = torch.stack([twin.mlstm_block(row, weights, heads) for row in x])
    output = block(x)
    torch.testing.assert_close(output, expected, rtol=1e-9, atol=1e-9)
    given = [x, *weights.values()]
    ours = torch.autograd.grad(output.sin().sum(), given)
    torch.testing.assert_close(ours, torch.autograd.grad(expected.sin().sum(), given), rtol=1e-7, atol=1e-8)


def test_the_block_is_causal_and_sees_every_step_before() -> None:
    block = MatrixBlock(4, 2)
    x = torch.randn(2, 12, 4, requires_grad=True)
    (slope,) = torch.autograd.grad(block(x)[:, 6].sum(), x)
    assert slope[:, :7].abs().sum(-1).gt(0).all()
    assert not slope[:, 7:].any()


def test_blocks_rows_do_not_know_of_each_other() -> None:
    block = MatrixBlock(4, 2).double()
    x = torch.randn(5, 9, 4, dtype=torch.float64)
    torch.testing.assert_close(block(x)[2:3], block(x[2:3]))


def test_forget_gates_start_open_and_more_so_from_head_to_head() -> None:
    block = MatrixBlock(8, 4)
    assert block.gates.bias.tolist() == [0, 0, 0, 0, 3, 4, 5, 6]


def test_a_block_diagonal_map_is_a_matrix_of_zeros_outside() -> None:
    layer, x = BlockDiagonal(8, 4), torch.randn(3, 5, 8)
    torch.testing.assert_close(layer(x), x @ torch.block_diag(*layer.weight))


@pytest.mark.parametrize(("width", "heads", "size"), [(16, 4, 4), (6, 2, 2), (5, 2, 1), (3, 1, 2)])
def test_blocks_stay_inside_their_head(width: int, heads: int, size: int) -> None:
    assert MatrixBlock(width, heads).key.weight.shape == (2 * width // size, size, size)


def test_a_size_that_is_none_gets_one_sentence() -> None:
    with pytest.raises(InputError, match="conv of an mLSTM block must be at least 1, not 0"):
        MatrixBlock(4, conv=0)
    with pytest.raises(InputError, match=r"heads=3 must divide 2 \* hidden_size=8"):
        MatrixBlock(4, heads=3)


def test_the_block_takes_the_compiled_kernel_and_learns_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, bool]] = []
    real = room.mlstm

    def spied(*given: Any) -> Any:
        output = real(*given)
        said.append((explain_mlstm(*given), output[0].requires_grad))
        return output

    monkeypatch.setattr(room, "mlstm", spied)
    MatrixBlock(16)(torch.randn(3, 30, 16))
    assert len(said) == 1
    assert said[0][0].startswith("fused: " if COMPILER else "chunked: not fused: ")
    assert said[0][1]
