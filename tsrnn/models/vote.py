"""Several models side by side along a sequence; what is told of a step is the mean of what they say.

Of labels that is the geometric mean of the members' probabilities (a logarithmic opinion pool: Genest & Zidek 1986,
"Combining Probability Distributions", Statistical Science 1). Unlike members help each other most: boosted trees, which
see each step by itself, and a recurrent network, which sees them in order.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from tsrnn import heads, models
from tsrnn.errors import InputError
from tsrnn.models._base import Lineup, Member, Model, configured
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

TASKS = ("along",)
_MOST = 100  # members


@dataclass(frozen=True)
class Config:
    members: tuple[Member, ...] = ({"model": "bigru"}, {"model": "bilstm_tagger"})

    def __post_init__(self) -> None:
        whole = isinstance(self.members, list | tuple) and 0 < len(self.members) <= _MOST
        if not whole or not all(isinstance(each, Mapping) and "model" in each for each in self.members):
            example = '[{"model": "trees"}, {"model": "bigru"}]'
            raise InputError(f"members takes a list of 1 to {_MOST} such as {example}, not {str(self.members)[:99]}")
        for each in self.members:
            models.check_task(each["model"], "along")
            if issubclass(models.find(each["model"]).kind, Vote):
                raise InputError("a vote is no member of a vote; name its members instead")
            if "input_size" in each:
                raise InputError("members of 'vote' read what it reads; give input_size to 'vote' itself")
            configured(each)


class Vote(Lineup):
    """The mean of its members, each of which learns as if it were alone; solved ones are left as they are."""

    tasks = frozenset(TASKS)

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.learning = self.each

    def member(self, given: Member, spec: Spec) -> Model:
        return models.build(*configured(given), spec)

    def forward(self, batch: Batch) -> Tensor:
        """[batch time target params]: the mean of logarithms of probabilities, or of values."""
        said = [member(batch) for member in self.each]
        return torch.stack(said if self.spec.params == 1 else [each.log_softmax(-1) for each in said]).mean(0)

    def loss(self, batch: Batch, head: heads.Head) -> Tensor:
        """In training the mean of the losses of those that learn; when evaluated, the loss of the mean."""
        if not self.training:
            return super().loss(batch, head)
        return torch.stack([member.loss(batch, head) for member in self.learning]).mean()

    def solve(self, train: Windows, val: Windows | None) -> bool:
        solved = [member.solve(train, val) for member in self.each]
        self.learning = [member for member, done in zip(self.each, solved, strict=True) if not done]
        return not self.learning


ABOUT = {"vote": "several models along a sequence, whose mean is told: trees beside a recurrent network, for one"}
PAPER = "Genest & Zidek 1986"
FAMILY = "mixed"
MODEL = Vote
