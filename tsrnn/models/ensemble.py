"""Several models side by side; the forecast is their mean.

Members learn apart, each from its own error, and are stopped together, where the mean forecasts the validation part
best; they share the rate and, in clipping, the length of the gradient. Averaging takes off what members get wrong in
different ways, so unlike ones help each other most (Bates & Granger 1969, "The Combination of Forecasts", Operational
Research Quarterly 20). Weights are equal: estimated ones seldom do better (Stock & Watson 2004, "Combination forecasts
of output growth in a seven-country data set", J. Forecasting 23).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from tsrnn import heads, models
from tsrnn.errors import InputError
from tsrnn.models._base import Model
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

_MOST, _DEEPEST = 100, 3  # members, those of ensembles among them counted; ensembles in one another
Member = Mapping[str, Any]  # {"model": a name, "input_size": a shorter look-back, and options of that model}


@dataclass(frozen=True)
class Config:
    members: tuple[Member, ...] = (
        {"model": "nlinear"},
        {"model": "gru"},
        {"model": "segrnn"},
    )

    def __post_init__(self) -> None:
        whole = isinstance(self.members, list | tuple) and all(
            isinstance(each, Mapping) and "model" in each for each in self.members
        )
        if not whole or not self.members:
            example = '[{"model": "gru", "hidden_size": 32}]'
            raise InputError(f"members takes a list such as {example}, not {self.members!r}")
        if _count(self.members) > _MOST:
            raise InputError(f"members are {_MOST} at most, and ensembles {_DEEPEST} deep at most; leave some out")
        for each in self.members:
            _configured(each)


class Ensemble(Model):
    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.members = nn.ModuleList(_member(each, spec) for each in config.members)
        self.reads = self.reads_with(config)
        self.reads_lengths = all(member.reads_lengths for member in self._models)
        self.one_graph = all(member.one_graph for member in self._models)
        self.sees_newest = any(member.sees_newest for member in self._models)
        self.channels_shared = all(member.channels_shared for member in self._models)

    @classmethod
    def reads_with(cls, config: Config) -> frozenset[str]:
        """What any of its members reads."""
        members = map(_configured, config.members)
        return frozenset().union(*(models.find(model).kind.reads_with(options) for model, options in members))

    @property
    def _models(self) -> list[Model]:
        return [member for member in self.members if isinstance(member, Model)]

    def forward(self, batch: Batch) -> Tensor:
        return torch.stack([member(batch.newest(member.spec.input_size)) for member in self._models]).mean(0)

    def loss(self, batch: Batch, head: heads.Head) -> Tensor:
        """In training the mean of the members' own losses; when evaluated, the loss of their mean."""
        if not self.training:
            return super().loss(batch, head)
        losses = [member.loss(batch.newest(member.spec.input_size), head) for member in self._models]
        return torch.stack(losses).mean()

    def solve(self, train: Windows, val: Windows | None) -> bool:
        solved = True
        for member in self._models:
            size = member.spec.input_size
            solved &= member.solve(train.newest(size), None if val is None else val.newest(size))
        return solved

    def settle(self, val: Windows, head: heads.Head) -> None:
        for member in self._models:
            member.settle(val.newest(member.spec.input_size), head)

    def epoch_starts(self, progress: float) -> None:
        for member in self._models:
            member.epoch_starts(progress)


def _count(members: Any, depth: int = 1) -> float:
    """How many models there are, down to those of the innermost ensembles; endless where they are too deep."""
    if depth > _DEEPEST:
        return math.inf
    inner = [each["members"] for each in members if isinstance(each, Mapping) and "members" in each]
    return len(members) + sum(_count(each, depth + 1) for each in inner if isinstance(each, list | tuple))


def _configured(given: Member) -> tuple[str | type, Any]:
    """A member's model and its Config."""
    options = {name: value for name, value in given.items() if name not in ("model", "input_size")}
    return given["model"], models.configure(given["model"], options)


def _member(given: Member, spec: Spec) -> Model:
    model, config = _configured(given)
    size = given.get("input_size", spec.input_size)
    if not isinstance(size, int) or not 1 <= size <= spec.input_size:
        name = models.find(model).name
        raise InputError(f"member {name!r} has input_size={size}; it must be 1..{spec.input_size}, the ensemble's own")
    return models.build(model, config, replace(spec, input_size=size, segment=None))


PAPER = "Bates & Granger 1969"
FAMILY = "mixed"
MODEL = Ensemble
