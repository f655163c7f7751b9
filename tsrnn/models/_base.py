"""The contract of a model, and the reshapes that models share."""

from abc import abstractmethod
from typing import Any, ClassVar

import numpy.typing as npt
import torch
from torch import Tensor, nn

from tsrnn.errors import InputError
from tsrnn.scale import Affine
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows


class Model(nn.Module):
    """`Model(config, spec)`, then `forward(batch) -> [batch horizon target params]`, in scaled units.

    Every forecast step must depend on the newest observation (a test over all models holds them to it), except where
    the method itself forbids it and the class says so.
    """

    sees_newest: ClassVar[bool] = True  # False only where the method forecasts from an older step on purpose
    reads_lengths: ClassVar[bool] = (
        False  # a short row's padding is left unread (`Batch.lengths`, tsrnn.layers.lengths)
    )
    channels_shared: ClassVar[bool] = True  # one set of weights for every channel: a channel's forecast is its own

    def __init__(self, config: Any, spec: Spec) -> None:
        super().__init__()
        self.config = config
        self.spec = spec

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor: ...

    def solve(self, train: Windows, val: Windows | None) -> bool:
        """Fit in closed form where the method has one; True when done, and no gradient step follows."""
        return not any(weight.requires_grad for weight in self.parameters())

    def weights(self) -> dict[str, npt.NDArray[Any]]:
        """Every weight and buffer that was learnt, by name."""
        return {name: each.detach().cpu().numpy() for name, each in self.state_dict().items()}

    def set_weights(self, weights: dict[str, npt.NDArray[Any]]) -> None:
        """Take over what `weights` gave; a missing, extra or misshapen one raises RuntimeError."""
        self.load_state_dict({name: torch.from_numpy(each) for name, each in weights.items()})

    def epoch_starts(self, progress: float) -> None:
        """Called before each epoch with the share of the training done, 0 to 1: for schedules inside a model."""


def series_of(past: Tensor, targets: int) -> Tensor:
    """Each target channel as a series of its own: [batch time channel] -> [batch*target time]."""
    return past[..., :targets].transpose(1, 2).reshape(-1, past.shape[1])


def forecasts_of(rows: Tensor, spec: Spec) -> Tensor:
    """Back again: [batch*target horizon*params] -> [batch horizon target params]."""
    return rows.view(-1, spec.targets, spec.horizon, spec.params).transpose(1, 2)


def restore(undo: Affine, params: Tensor) -> Tensor:
    """Undo instance centring (loc, scale [batch 1 channel]) on every number: [batch horizon target params]."""
    targets = params.shape[2]
    loc, scale = undo.loc[..., :targets, None], undo.scale[..., :targets, None]  # [batch 1 target 1]
    return torch.addcmul(loc, params, scale)


def segments(size: int, segment: int, what: str) -> int:
    """How many whole segments fit into `size` steps, at least one.

    Raises:
        InputError: the segment is longer than `size`.
    """
    if segment > size:
        raise InputError(f"segment={segment} is longer than {what}={size}; take a shorter segment")
    return size // segment


@torch.no_grad()
def uniform_weights(layer: nn.Linear) -> nn.Linear:
    """Start as a plain mean of the inputs, as the linear baselines do."""
    layer.weight.fill_(1.0 / layer.in_features)
    return layer
