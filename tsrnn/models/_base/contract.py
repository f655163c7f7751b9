"""The contract of a model."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy.typing as npt
import torch
from torch import Tensor, nn

from tsrnn import heads, models
from tsrnn.layers.younger import Younger
from tsrnn.phases import Lesson, Phase
from tsrnn.shapes import Batch, Spec, State
from tsrnn.windows import Windows

READABLE = ("past", "known", "static", "mask")  # what a forecast may depend on besides the targets' past
COVARIATES = frozenset(READABLE) - {"mask"}


@dataclass(frozen=True)
class NoOptions:
    """The Config of a model that has none."""


class Model(nn.Module):
    """`Model(config, spec)`, then `forward(batch) -> [batch horizon target params]`, in scaled units.

    Every forecast step must depend on the newest observation (a test over all models holds them to it), except where
    the method itself forbids it and the class says so. `reads` names what else of a batch may move a forecast: "past"
    (covariates known up to now), "known" (those known ahead), "static" (features of a series) and "mask" (which cells
    were measured); a test over all models holds them to this, too.
    """

    Config: ClassVar[type] = NoOptions  # of a class that stands in no model file: its frozen dataclass of options
    tasks: frozenset[str] = frozenset({"ahead"})  # what it can do (tsrnn.tasks)
    sees_newest: bool = True  # False only where the method forecasts from an older step on purpose
    reads_lengths: bool = False  # a short row's padding is left unread (`Batch.lengths`, tsrnn.layers.lengths)
    reads: frozenset[str] = frozenset()  # of READABLE; what is not named moves no forecast
    one_graph: bool = True  # `torch.export` keeps one graph of any number of windows; False: how many steers the code
    by_steps: bool = True  # False: solved, or without weights, so that no option of a training by steps matters
    by_chance: bool = True  # False: no random number is drawn, so that a fit by another seed is the same fit
    channels_shared: bool = True  # one set of weights for every channel: a channel's forecast is its own

    def __init__(self, config: Any, spec: Spec) -> None:
        super().__init__()
        self.config = config
        self.spec = spec

    @classmethod
    def reads_with(cls, config: Any) -> frozenset[str]:
        """What a model of this Config reads."""
        return cls.reads

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor: ...

    @classmethod
    def unfiled(cls, config: Any) -> str | None:
        """Why a model of this Config can lie in no file, such as "model 'trees' is a yardstick"; None: it can."""
        return None

    @property
    def carries(self) -> bool:
        """Whether `read_on` goes on from a state as if it had read all that went before: tsrnn.streaming."""
        return False

    @property
    def remembers_covariates(self) -> bool:
        """Whether covariates of earlier steps act beside the state: lags of known ones, levels of past ones."""
        return bool(self.spec.known) or self.spec.channels > self.spec.targets

    def read_on(self, batch: Batch, state: tuple[State, ...] | None) -> tuple[Tensor, tuple[State, ...]]:
        """`forward` of the steps in `batch` alone, from the state after those before them, and the state after them."""
        raise NotImplementedError(f"{type(self).__name__} carries no state")

    def loss(self, batch: Batch, head: heads.Head) -> Tensor:
        """What training lessens and validation compares, a mean over cells: the head's loss of the forecast."""
        assert batch.target is not None
        return head.at(batch.undo).loss(self(batch), batch.target, batch.target_observed)

    def solve(self, train: Windows, val: Windows | None) -> bool:
        """Fit in closed form where the method has one; True when done, and no gradient step follows."""
        return not any(weight.requires_grad for weight in self.parameters())

    @classmethod
    def stands_with(cls, config: Any) -> bool:
        """Whether what `solve` leaves, under this Config, stays where no epoch does better on validation."""
        return False

    def settle(self, val: Windows, head: heads.Head) -> None:
        """Called when the training by steps has ended, with the windows that were validated on."""

    def phases(self, lesson: Lesson, rate: float) -> list[Phase]:
        """A training that is not one loss lessened, at that learning rate: its phases; none: `loss` is lessened."""
        return []

    def paths(self, batch: Batch, count: int, generator: torch.Generator) -> Tensor | None:
        """Futures that the model draws itself: [batch horizon target path], scaled; None where it cannot."""
        return None

    def weights(self) -> dict[str, npt.NDArray[Any]]:
        """Every weight and buffer that was learnt, by name.

        Raises:
            InputError: a model of this Config can lie in no file (`unfiled`).
        """
        models.check_filed(type(self), self.config)
        return {name: each.detach().cpu().numpy() for name, each in self.state_dict().items()}

    def younger(self) -> list[set[str]]:
        """Weights that models saved before there were such lack, one set and another: they stand at nothing then."""
        return [part.names(path) for path, part in self.named_modules() if isinstance(part, Younger)]

    def set_weights(self, weights: dict[str, npt.NDArray[Any]]) -> None:
        """Take over what `weights` gave; a missing, extra or misshapen one raises RuntimeError."""
        self.load_state_dict({name: torch.from_numpy(each) for name, each in weights.items()})

    def epoch_starts(self, progress: float) -> None:
        """Called before each epoch with the share of the training done, 0 to 1: for schedules inside a model."""
