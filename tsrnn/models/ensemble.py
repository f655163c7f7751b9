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
from torch import Tensor

from tsrnn import heads, models
from tsrnn.errors import InputError
from tsrnn.models._base import Lineup, Member, Model, configured
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

_MOST, _DEEPEST = 100, 3  # members, those of ensembles among them counted; ensembles in one another


@dataclass(frozen=True)
class Config:
    members: tuple[Member, ...] = (  # each may have a shorter input_size
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
            models.check_task(each["model"], "ahead")
            configured(each)


class Ensemble(Lineup):
    def member(self, given: Member, spec: Spec) -> Model:
        model, config = configured(given)
        size = given.get("input_size", spec.input_size)
        if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= spec.input_size:
            name, most = models.find(model).name, spec.input_size
            raise InputError(f"member {name!r} has input_size={size!r}; it must be 1..{most}, the ensemble's own")
        return models.build(model, config, replace(spec, input_size=size, segment=None))

    def forward(self, batch: Batch) -> Tensor:
        return torch.stack([member(batch.newest(member.spec.input_size)) for member in self.each]).mean(0)

    def loss(self, batch: Batch, head: heads.Head) -> Tensor:
        """In training the mean of the members' own losses; when evaluated, the loss of their mean."""
        if not self.training:
            return super().loss(batch, head)
        losses = [member.loss(batch.newest(member.spec.input_size), head) for member in self.each]
        return torch.stack(losses).mean()

    def solve(self, train: Windows, val: Windows | None) -> bool:
        solved = True
        for member in self.each:
            size = member.spec.input_size
            solved &= member.solve(train.newest(size), None if val is None else val.newest(size))
        return solved


def _count(members: Any, depth: int = 1) -> float:
    """How many models there are, down to those of the innermost ensembles; endless where they are too deep."""
    if depth > _DEEPEST:
        return math.inf
    inner = [each["members"] for each in members if isinstance(each, Mapping) and "members" in each]
    return len(members) + sum(_count(each, depth + 1) for each in inner if isinstance(each, list | tuple))


PAPER = "Bates & Granger 1969"
FAMILY = "mixed"
MODEL = Ensemble
