"""Resets inside a sequence: every stretch is what it would be as a sequence of its own."""

import pytest
import torch
from torch import Tensor

from tsrnn.errors import InputError
from tsrnn.recurrence import Recurrent

LENGTHS = torch.tensor([13, 9, 0, 13, 1, 6])


def world(**options: object) -> tuple[Recurrent, Tensor, Tensor]:
    torch.manual_seed(0)
    layer = Recurrent("gru", 3, 5, **options)
    resets = torch.rand(6, 13) < 0.25
    resets[0] = False
    resets[1, 0] = True
    return layer.double(), torch.randn(6, 13, 3, dtype=torch.float64), resets


def one_by_one(layer: Recurrent, x: Tensor, resets: Tensor, lengths: Tensor, state: object) -> tuple[Tensor, list]:
    """Each stretch through the layer by itself, forward only."""
    output, finals = torch.zeros(*x.shape[:2], layer.output_size, dtype=x.dtype), []
    for row, length in enumerate(lengths.tolist()):
        carried = tuple(tuple(part[row : row + 1] for part in each) for each in state)
        cuts = [t for t in range(1, length) if resets[row, t]]
        if length and resets[row, 0]:
            carried = layer._states(1, None)
        for begin, end in zip([0, *cuts], [*cuts, length], strict=True):
            if begin:
                carried = layer._states(1, None)
            if end > begin:
                output[row, begin:end], carried = (
                    each[0] if k == 0 else each for k, each in enumerate(layer(x[row : row + 1, begin:end], carried))
                )
        finals.append(carried)
    return output, finals


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"learn_initial": True}], ids=str)
def test_stretches_are_sequences_of_their_own(options: dict, ragged: bool) -> None:
    layer, x, resets = world(**options)
    state = tuple((torch.randn(6, 5, dtype=torch.float64),) for _ in range(layer.num_layers))
    lengths = LENGTHS if ragged else torch.full((6,), 13)
    output, final = layer(x, state, LENGTHS if ragged else None, resets)
    wanted, ends = one_by_one(layer, x, resets, lengths, state)
    torch.testing.assert_close(output, wanted)
    for level, (part,) in enumerate(final):
        torch.testing.assert_close(part, torch.cat([end[level][0] for end in ends]))
    slopes = [torch.autograd.grad(each.square().sum(), list(layer.parameters())) for each in (output, wanted)]
    for one, other in zip(*slopes, strict=True):
        torch.testing.assert_close(one, other)


def test_a_backward_direction_stops_at_a_reset_too() -> None:
    layer, x, resets = world(bidirectional=True)
    state = layer._states(6, None)
    output, _ = layer(x, state, LENGTHS, resets)
    turned = Recurrent("gru", 3, 5).double()
    turned.cells[0].load_state_dict(layer.cells[1].state_dict())
    for row, length in enumerate(LENGTHS.tolist()):
        cuts = [t for t in range(1, length) if resets[row, t]]
        for begin, end in zip([0, *cuts], [*cuts, length], strict=True):
            if end > begin:
                found, _ = turned(x[row : row + 1, begin:end].flip(1))
                torch.testing.assert_close(output[row, begin:end, 5:], found[0].flip(0))


def test_no_resets_change_nothing() -> None:
    layer, x, resets = world(bidirectional=True, num_layers=2)
    state = tuple((torch.randn(6, 5, dtype=torch.float64),) for _ in range(4))
    plain, with_none = layer(x, state, LENGTHS), layer(x, state, LENGTHS, torch.zeros_like(resets))
    torch.testing.assert_close(with_none, plain)


def test_resets_of_the_wrong_shape_or_kind_are_named() -> None:
    layer, x, resets = world()
    with pytest.raises(InputError, match=r"resets must be booleans \[batch time\] = \[6, 13\]"):
        layer(x, resets=resets[:, 1:])
    with pytest.raises(InputError, match="resets must be booleans"):
        layer(x, resets=resets.long())
