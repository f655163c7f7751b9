"""What a training leaves: what it did, and weights that follow those it moves."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from tsrnn.models._base import Model

Weights = tuple[Tensor, ...] | list[Tensor]


@dataclass(frozen=True)
class Report:
    """What a training did."""

    epochs: int
    best_epoch: int
    val_loss: float
    seconds: float
    device: str = "cpu"  # the kind that it ran on; the model comes back to the CPU


def averaged(model: Model, decay: float) -> AveragedModel | None:
    """The model whose weights are a moving average of `model`'s; None where nothing decays.

    It is quick at first, so that the random start is soon forgotten.
    """
    return AveragedModel(model, multi_avg_fn=_follow(decay)) if decay else None


def _follow(decay: float) -> Callable[[Weights, Weights, Tensor | int], None]:
    def update(averaged: Weights, current: Weights, count: Tensor | int) -> None:
        torch._foreach_lerp_(averaged, current, 1 - min(decay, (1 + int(count)) / (10 + int(count))))

    return update
