"""The contract of a model, and the reshapes that models share."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy.typing as npt
import torch
from torch import Tensor, nn

from tsrnn import heads
from tsrnn.arrays import Floats, Rows
from tsrnn.errors import InputError
from tsrnn.layers.ahead import Ahead
from tsrnn.layers.centring import centre
from tsrnn.layers.covariates import inputs, width
from tsrnn.layers.individual import Individual
from tsrnn.layers.lengths import settled
from tsrnn.layers.patches import Patches, flat_head
from tsrnn.layers.younger import Younger
from tsrnn.phases import Lesson, Phase
from tsrnn.scale import Affine
from tsrnn.shapes import Batch, Spec, State
from tsrnn.windows import Windows

READABLE = ("past", "known", "static", "mask")  # what a forecast may depend on besides the targets' past
COVARIATES = frozenset(READABLE) - {"mask"}
Layer = TypeVar("Layer", nn.Linear, Individual, "nn.Linear | Individual")
_CHUNK = 512  # windows whose errors are looked at together
_ERRORS, _FEWEST_ERRORS = 8_000_000, 256  # errors held of all steps and targets; at least so many windows


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

    @property
    def stands(self) -> bool:
        """Whether what `solve` left forecasts well enough to stay, should no epoch do better on validation."""
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
        """Every weight and buffer that was learnt, by name."""
        return {name: each.detach().cpu().numpy() for name, each in self.state_dict().items()}

    def younger(self) -> list[set[str]]:
        """Weights that models saved before there were such lack, one set and another: they stand at nothing then."""
        return [part.names(path) for path, part in self.named_modules() if isinstance(part, Younger)]

    def set_weights(self, weights: dict[str, npt.NDArray[Any]]) -> None:
        """Take over what `weights` gave; a missing, extra or misshapen one raises RuntimeError."""
        self.load_state_dict({name: torch.from_numpy(each) for name, each in weights.items()})

    def epoch_starts(self, progress: float) -> None:
        """Called before each epoch with the share of the training done, 0 to 1: for schedules inside a model."""


class Patched(Model):
    """Patches of each channel through blocks of some kind, and one linear map of all their outputs.

    Its Config has hidden_size, segment, overlap, dropout and centring.
    """

    reads = COVARIATES
    reads_lengths = True

    def __init__(self, config: Any, spec: Spec) -> None:
        super().__init__(config, spec)
        segments(spec.input_size, config.segment, "input_size")
        self.patches = Patches(spec.input_size, config.segment, config.overlap, width(spec, True), config.hidden_size)
        self.blocks = self.blocks_of(config)
        self.head = flat_head(self.patches, config.hidden_size, spec.horizon * spec.params, config.dropout)
        self.ahead = Ahead(spec)

    @abstractmethod
    def blocks_of(self, config: Any) -> nn.Module:
        """What reads the patches in their order: [row step hidden] -> [row step hidden]."""

    def forward(self, batch: Batch) -> Tensor:
        batch, response = self.ahead.without(settled(batch))
        undo = centre(batch.past, self.config.centring, self.spec.seasonality, batch.lengths)
        steps = self.patches(inputs(batch, undo, self.spec, True))  # [batch*target step hidden]
        params = forecasts_of(self.head(self.blocks(steps)), self.spec)  # [batch horizon target params]
        return self.ahead.back(restore(undo, self.ahead(params, batch)), response)


class Naive(Model):
    """A forecast without weights, which its own errors make honest.

    Asked for more than a point, it adds to each step's forecast what its errors at that step, over the training
    windows, show: their quantiles, or the distribution that fits them. The training has nothing else to learn, so that
    these are errors out of sample. A point stays the plain forecast.
    """

    by_steps = False
    offsets: Tensor  # [horizon target params]
    needs: int = 1  # steps that a forecast is made of: a shorter window's error says nothing of it

    def __init__(self, config: Any, spec: Spec) -> None:
        super().__init__(config, spec)
        self.plain = not spec.levels and spec.params == 1
        if heads.of(spec).counts:
            raise InputError(f"the errors of a naive forecast are no counts; take another loss than {spec.loss!r}")
        offsets = torch.zeros(spec.horizon, spec.targets, spec.params)
        self.register_buffer("offsets", offsets, persistent=not self.plain)

    @abstractmethod
    def repeated(self, batch: Batch) -> Tensor:
        """The forecast: [batch horizon target]."""

    def forward(self, batch: Batch) -> Tensor:
        return self.repeated(batch).unsqueeze(-1) + self.offsets

    def solve(self, train: Windows, val: Windows | None) -> bool:
        if not self.plain:
            self.offsets.copy_(heads.of(self.spec).of_samples(self._errors(train)))
            if self.spec.params > len(self.spec.levels) > 0:
                self.offsets[..., self.spec.params // 2] = 0.0  # quantiles beside it move no point
        return True

    def _errors(self, windows: Windows) -> Tensor:
        """Target minus forecast, NaN where not measured: [horizon target window], of some where there are many."""
        most = max(_FEWEST_ERRORS, _ERRORS // (self.spec.horizon * self.spec.targets))
        errors = []
        for batch in windows.batches(_CHUNK, torch.Generator().manual_seed(0), most):
            assert batch.target is not None
            error = batch.target - self.repeated(batch)
            if batch.target_observed is not None:
                error = error.masked_fill(~batch.target_observed, torch.nan)
            if batch.lengths is not None:
                error = error.masked_fill((batch.lengths < self.needs)[:, None, None], torch.nan)
            errors.append(error)
        return torch.cat(errors).permute(1, 2, 0)


class Recalling(Model):
    """A reference that is told the labels of other rows of the series that it is asked about, and is not ranked.

    It can be measured where the truth is known, and tells nothing of rows whose labels nobody has.
    """

    tasks = frozenset({"along"})

    @abstractmethod
    def recalled(self, truth: Floats, offsets: Rows) -> Floats:
        """The classes' shares of each row [row class]: truth [row], classes' numbers, NaN without a label.

        Args:
            offsets: [series+1] where each series begins.
        """


class Generative(Model):
    """A model that makes sequences like those it has seen; its `forward` tells again the ones it is shown."""

    tasks = frozenset({"generate"})

    @abstractmethod
    def sequences(self, count: int, generator: torch.Generator) -> Tensor:
        """New ones: [count time target], in scaled units."""


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
def zeros(layer: Layer) -> Layer:
    """Start as a map that gives zeros, so that what stands beside it is all there is at first."""
    for weight in layer.parameters():
        weight.fill_(0.0)
    return layer


@torch.no_grad()
def uniform_weights(layer: Layer) -> Layer:
    """Start as a plain mean of the inputs, as the linear baselines do."""
    layer.weight.fill_(1.0 / layer.in_features)
    return layer


def device_of(model: nn.Module) -> torch.device:
    """Where a model's weights live; the CPU for a model that has none."""
    weight = next(iter(model.parameters()), None)
    return torch.device("cpu") if weight is None else weight.device
