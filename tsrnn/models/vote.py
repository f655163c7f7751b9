"""Several models side by side along a sequence; what is told of a step is the mean of what they say.

Of labels that is the geometric mean of the members' probabilities (a logarithmic opinion pool: Genest & Zidek 1986,
"Combining Probability Distributions", Statistical Science 1). Unlike members help each other most: boosted trees, which
see each step by itself, and a recurrent network, which sees them in order.
"""

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from tsrnn import heads, models
from tsrnn.errors import InputError
from tsrnn.models.ensemble import Config as Members
from tsrnn.models.ensemble import Ensemble, Member
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

TASKS = ("along",)


@dataclass(frozen=True)
class Config(Members):
    members: tuple[Member, ...] = ({"model": "bigru"}, {"model": "bilstm_tagger"})

    def __post_init__(self) -> None:
        super().__post_init__()
        for each in self.members:
            models.check_task(each["model"], "along")
            if "input_size" in each:
                raise InputError("members of 'vote' read what it reads; give input_size to 'vote' itself")


class Vote(Ensemble):
    """The mean of its members, each of which learns as if it were alone; solved ones are left as they are."""

    tasks = frozenset(TASKS)

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.learning = list(self._models)

    def forward(self, batch: Batch) -> Tensor:
        """[batch time target params]: the mean of logarithms of probabilities, or of values."""
        said = [member(batch) for member in self._models]
        return torch.stack(said if self.spec.params == 1 else [each.log_softmax(-1) for each in said]).mean(0)

    def loss(self, batch: Batch, head: heads.Head) -> Tensor:
        """In training the mean of the losses of those that learn; when evaluated, the loss of the mean."""
        if not self.training:
            return super().loss(batch, head)
        return torch.stack([member.loss(batch, head) for member in self.learning]).mean()

    def solve(self, train: Windows, val: Windows | None) -> bool:
        solved = [member.solve(train, val) for member in self._models]
        self.learning = [member for member, done in zip(self._models, solved, strict=True) if not done]
        return not self.learning

    def weights(self) -> dict[str, npt.NDArray[Any]]:
        """Those of all members.

        Raises:
            InputError: one of them is no tensors, such as trees.
        """
        for member in self._models:
            member.weights()
        return super().weights()


ABOUT = {"vote": "several models along a sequence, whose mean is told: trees beside a recurrent network, for one"}
PAPER = "Genest & Zidek 1986"
FAMILY = "mixed"
MODEL = Vote
