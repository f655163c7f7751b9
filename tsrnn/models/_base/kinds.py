"""Kinds of models: what several have in common beyond the contract."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from tsrnn import heads
from tsrnn.arrays import Floats, Rows
from tsrnn.errors import InputError
from tsrnn.layers.ahead import Ahead
from tsrnn.layers.centring import centre
from tsrnn.layers.covariates import inputs, width
from tsrnn.layers.lengths import settled
from tsrnn.layers.patches import Patches, flat_head
from tsrnn.layers.shrinking import shrink
from tsrnn.layers.skip import RidgeSkip
from tsrnn.models._base.contract import COVARIATES, Model
from tsrnn.models._base.reshapes import forecasts_of, restore, segments
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

_CHUNK = 512  # windows whose errors are looked at together
_ERRORS, _FEWEST_ERRORS = 8_000_000, 256  # errors held of all steps and targets; at least so many windows


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
    by_chance = False
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


class Skipping(Model):
    """A model with a skip beside what it learns; where the skip is solved, that begins at nothing and is shrunk."""

    skip: nn.Module | None

    @abstractmethod
    def beside_skip(self) -> Sequence[Tensor]:
        """Weights that are all nothing where the skip forecasts alone."""

    def solve(self, train: Windows, val: Windows | None) -> bool:
        """A skip that has a closed form; the rest is trained."""
        if isinstance(self.skip, RidgeSkip):
            self.skip.solve(train, val)
        return False

    @classmethod
    def stands_with(cls, config: Any) -> bool:
        return bool(config.skip == "ridge")

    def settle(self, val: Windows, head: heads.Head) -> None:
        """What was learnt beside a solved skip, in the share that does best."""
        if isinstance(self.skip, RidgeSkip):
            shrink(self.beside_skip(), partial(self.loss, head=head), val)
