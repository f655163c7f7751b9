"""Segment recurrences trained otherwise: on windows turned over, towards flat places, between orthogonal maps."""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

from tsrnn import heads
from tsrnn.layers.centring import centre
from tsrnn.layers.skip import RidgeSkip, skip_of
from tsrnn.models._base import Skipping, forecasts_of, restore, series_of, zeros
from tsrnn.models.segrnn import Config, SegRNN
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

_SEEN, _CHUNK = 8192, 512  # windows whose covariance is taken


class Turned(SegRNN):
    """Half of a batch's windows, drawn anew in each step, are turned over: x -> -x, y -> -y."""

    Config = Config

    def loss(self, batch: Batch, head: heads.Head) -> Tensor:
        if self.training and batch.target is not None:
            sign = 1.0 - 2.0 * torch.randint(2, (len(batch.past), 1, 1))
            batch = replace(batch, past=sign * batch.past, target=sign * batch.target)
        return super().loss(batch, head)


@dataclass(frozen=True)
class SharpConfig(Config):
    rho: float = 0.05  # length of the step uphill


class Sharp(SegRNN):
    """Sharpness-aware minimisation: the gradient is that of the weights after one step of length rho uphill.

    Foret et al. 2021, "Sharpness-Aware Minimization for Efficiently Improving Generalization", ICLR, equations 2 and 3.
    Both gradients see the same dropout.
    """

    Config = SharpConfig

    def loss(self, batch: Batch, head: heads.Head) -> Tensor:
        if not self.training or batch.target is None:
            return super().loss(batch, head)
        state = torch.get_rng_state()
        weights = {name: weight for name, weight in self.named_parameters() if weight.requires_grad}
        gradients = torch.autograd.grad(super().loss(batch, head), [*weights.values()])
        length = torch.stack([each.norm() for each in gradients]).norm() + 1e-12
        uphill = zip(weights.items(), gradients, strict=True)
        moved = {name: weight + self.config.rho * each / length for (name, weight), each in uphill}
        torch.set_rng_state(state)
        params = functional_call(self, moved, (batch,))
        return head.at(batch.undo).loss(params, batch.target, batch.target_observed)


@dataclass(frozen=True)
class MappedConfig(Config):
    front: bool = True  # the centred window is told by its coefficients
    behind: bool = True  # coefficients of the horizon are written


class Mapped(Skipping):
    """A segment recurrence between two fixed orthogonal maps, as of OLinear (Yue et al. 2025, NeurIPS).

    The maps are the eigenvectors of the training part's covariance: of centred windows, and of the horizon centred
    likewise. Coefficients are read in segments, those of the largest variance last. A ridge skip reads the window as it
    is.
    """

    Config: ClassVar[type] = MappedConfig
    front: Tensor  # [time coefficient]
    behind: Tensor  # [horizon coefficient]

    def __init__(self, config: MappedConfig, spec: Spec) -> None:
        super().__init__(config, spec)
        own = {name: value for name, value in vars(config).items() if name not in ("front", "behind")}
        self.inner = SegRNN(Config(**{**own, "skip": "none", "centring": "none"}), spec)
        self.skip: nn.Module | None = skip_of(config.skip, config.skip_weights, config.centring, spec)
        if isinstance(self.skip, RidgeSkip):
            zeros(self.inner.readout[1])
        self.register_buffer("front", torch.eye(spec.input_size))
        self.register_buffer("behind", torch.eye(spec.horizon))

    def forward(self, batch: Batch) -> Tensor:
        undo = centre(batch.past, self.config.centring, self.spec.seasonality)
        window = undo.apply(batch.past)  # [batch time channel]
        written = self.inner(replace(batch, past=(window.transpose(1, 2) @ self.front).transpose(1, 2)))
        params = torch.einsum("hk,bkcp->bhcp", self.behind, written)  # [batch horizon target params]
        if self.skip is not None:
            params = params + forecasts_of(self.skip(series_of(window, self.spec.targets)), self.spec)
        return restore(undo, params)

    def beside_skip(self) -> list[Tensor]:
        return [*self.inner.readout[1].parameters()]

    @torch.no_grad()
    def solve(self, train: Windows, val: Windows | None) -> bool:
        front, behind = eigenvectors(train, self.config.centring, self.spec.seasonality)
        if self.config.front:
            self.front.copy_(front)
        if self.config.behind:
            self.behind.copy_(behind)
        return super().solve(train, val)


def eigenvectors(train: Windows, centring: str, season: int) -> tuple[Tensor, Tensor]:
    """Of the covariance of centred windows [time coefficient] and horizons [horizon coefficient], variances rising.

    All channels' windows together, evenly spread ones where there are many; float64.
    """
    sizes = (train.input_size, train.horizon)
    sums = [(torch.zeros(size).double(), torch.zeros(size, size).double()) for size in sizes]
    count = 0
    for batch in train.thinned(_SEEN).batches(_CHUNK):
        undo = centre(batch.past, centring, season)
        for (first, second), each in zip(sums, (batch.past, batch.target), strict=True):
            rows = undo.apply(each).transpose(1, 2).flatten(0, 1).double()  # [batch*channel step]
            first += rows.sum(0)
            second += rows.T @ rows
        count += len(rows)
    front, behind = (
        torch.linalg.eigh(second / count - torch.outer(first, first) / count**2).eigenvectors for first, second in sums
    )
    return front, behind
