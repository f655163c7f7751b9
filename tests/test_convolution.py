"""The short causal convolution against torch's own."""

import pytest
import torch
from torch import Tensor, nn

from tsrnn.layers.convolution import ShortConvolution


def pair(channels: int, steps: int) -> tuple[ShortConvolution, nn.Conv1d]:
    """Ours and torch's, each drawn after the same seed."""
    built: list[nn.Module] = []
    for make in (
        lambda: ShortConvolution(channels, steps),
        lambda: nn.Conv1d(channels, channels, steps, groups=channels),
    ):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            built.append(make())
    ours, theirs = built
    assert isinstance(ours, ShortConvolution)
    assert isinstance(theirs, nn.Conv1d)
    return ours, theirs


def draw(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_weights_are_named_and_drawn_as_torchs_own(steps: int) -> None:
    ours, theirs = (each.state_dict() for each in pair(6, steps))
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("steps", [1, 2, 4])
@pytest.mark.parametrize("time", [1, 3, 9])
def test_it_is_torchs_convolution_of_a_padded_past(steps: int, time: int) -> None:
    ours, theirs = (each.double() for each in pair(6, steps))
    x = draw(2, time, 6).double()
    wanted = theirs(nn.functional.pad(x.transpose(1, 2), (steps - 1, 0))).transpose(1, 2)
    torch.testing.assert_close(ours(x), wanted)


def test_a_step_sees_itself_and_the_few_before_it() -> None:
    ours, _ = pair(3, 4)
    x = draw(2, 12, 3).requires_grad_()
    (slope,) = torch.autograd.grad(ours(x)[:, 7].sum(), x)
    assert slope[:, 4:8].all()
    assert not slope[:, :4].any()
    assert not slope[:, 8:].any()
