"""What a training leaves: what it did, and weights that follow those it moves."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from tsrnn.errors import InputError
from tsrnn.models._base import Model
from tsrnn.options import check_types

Weights = tuple[Tensor, ...] | list[Tensor]


@dataclass(frozen=True)
class Report:
    """What a training did."""

    epochs: int
    best_epoch: int  # 0: what was solved before the training was the best
    val_loss: float  # the best; NaN where nothing was validated on
    seconds: float
    device: str = "cpu"  # the kind that it ran on; the model comes back to the CPU
    losses: tuple[tuple[float, float], ...] = ()  # of each epoch: training, as weighted, and validation

    def plain(self) -> dict[str, Any]:
        """As values of JSON, which has no NaN."""
        losses = [[_number(each) for each in pair] for pair in self.losses]
        return {**asdict(self), "val_loss": _number(self.val_loss), "losses": losses}

    @classmethod
    def restored(cls, plain: Any) -> "Report":
        """Of `plain`, from a saved model.

        Raises:
            InputError: it is none.
        """
        if not isinstance(plain, dict) or {*plain} != {each.name for each in fields(cls)}:
            raise InputError("report of a training must hold " + ", ".join(each.name for each in fields(cls)))
        kinds = {"epochs": int, "best_epoch": int, "val_loss": float | None, "seconds": float, "device": str}
        check_types(plain, kinds, "report")
        pairs = plain["losses"]
        if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
            raise InputError("losses of a report are pairs of a training and a validation loss")
        losses = tuple((_nan(first), _nan(second)) for first, second in pairs)
        return cls(**{**plain, "val_loss": _nan(plain["val_loss"]), "losses": losses})


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _nan(value: Any) -> float:
    return math.nan if value is None else float(value)


def averaged(model: Model, decay: float) -> AveragedModel | None:
    """The model whose weights are a moving average of `model`'s; None where nothing decays.

    It is quick at first, so that the random start is soon forgotten.
    """
    return AveragedModel(model, multi_avg_fn=_follow(decay)) if decay else None


def _follow(decay: float) -> Callable[[Weights, Weights, Tensor | int], None]:
    def update(averaged: Weights, current: Weights, count: Tensor | int) -> None:
        torch._foreach_lerp_(averaged, current, 1 - min(decay, (1 + int(count)) / (10 + int(count))))

    return update
