"""Ridge regression of each step's value on what stands there and on means about it, in closed form.

The straight line that a network has to beat where a curve is told from others: Hoerl & Kennard 1970.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tsrnn.errors import InputError
from tsrnn.layers.apart import apart
from tsrnn.layers.scales import features
from tsrnn.models._base import COVARIATES, Model
from tsrnn.options import choice
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

_CHUNK = 256

TASKS = ("along",)
TELLS = "values"


@dataclass(frozen=True)
class Config:
    ridge: float = choice(1e-3, 1e-4, 1e-3, 1e-2)  # a share of the mean eigenvalue
    widths: tuple[int, ...] = (11, 41)  # steps of the means about each step


class Ridge(Model):
    tasks = frozenset(TASKS)
    by_steps = False
    by_chance = False
    reads = COVARIATES
    reads_lengths = True

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if spec.params != 1:
            raise InputError("model 'ridge_along' tells values, not labels; take loss='mse', or another model")
        width = spec.channels * (1 + len(config.widths)) + spec.known + spec.static
        self.linear = nn.Linear(width, spec.targets)
        self.requires_grad_(False)

    def forward(self, batch: Batch) -> Tensor:
        """[batch time target 1]."""
        values: Tensor = self.linear(features(batch, self.spec, self.config.widths))
        return values.unsqueeze(-1)

    def solve(self, train: Windows, val: Windows | None) -> bool:
        """Normal equations in float64 over rows whose target was measured, each once."""
        size = self.linear.in_features + 1
        gram, cross = torch.zeros(size, size).double(), torch.zeros(size, self.spec.targets).double()
        for which in apart(train).split(_CHUNK):  # type: ignore[no-untyped-call]
            batch = train.gather(which)
            assert batch.target is not None
            rows = features(batch, self.spec, self.config.widths).double().flatten(0, 1)
            x = torch.cat([rows, rows.new_ones(len(rows), 1)], -1)
            seen = batch.target_observed
            weight = x.new_ones(len(x)) if seen is None else seen.double().flatten(0, 1).mean(-1)
            gram += x.T @ (x * weight[:, None])
            cross += x.T @ (batch.target.double().flatten(0, 1) * weight[:, None])
        least = torch.finfo(gram.dtype).eps  # of inputs that are all constant the mean is 0
        penalty = self.config.ridge * gram.diagonal()[:-1].mean().clamp(min=least) * torch.eye(size).double()
        penalty[-1, -1] = 0.0
        solution = torch.linalg.solve(gram + penalty, cross)
        self.linear.weight.copy_(solution[:-1].T)
        self.linear.bias.copy_(solution[-1])
        return True


FAMILY = "linear"
MODEL = Ridge
