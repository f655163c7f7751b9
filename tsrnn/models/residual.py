"""Our own: least squares in closed form, and a recurrence for what the line leaves.

    y = line(past) + d * (s A(z) + Q (P x * G z)),    z = f(state, newest steps, levels, spreads)

The line is `ols`, solved before the training and never moved by it. d [horizon] are the deviations of its errors on
training windows, s is how far the window strays beside others, x the centred window. A(z) says what the state of the
recurrence expects by itself; the product lets the state choose among R linear maps of the window (gated low rank, a
bilinear layer: Tenenbaum & Freeman 2000, "Separating style and content with bilinear models", Neural Computation 12):
another tool, another rock or another weather answers to the same past by other weights. Both parts start at nothing, so
that training begins with least squares. Errors are weighed by 1 / d^2 where they are squared, else by 1 / d: the first
step counts as much as the last.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from tsrnn import heads, models
from tsrnn.layers.ahead import Ahead
from tsrnn.layers.covariates import folded, inputs, width
from tsrnn.models._base import COVARIATES, Model, forecasts_of, segments, series_of, zeros
from tsrnn.options import Settled, choice, span
from tsrnn.recurrence import Recurrent
from tsrnn.scale import Affine
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

_LEAST = 0.05  # of a window's deviation, in scaled units: a still one is not blown up
_RIDGES = (1e-6, 1e-5, 1e-4, 1e-3)  # larger ones cost the first steps what they give the last
_ERRORS, _CHUNK = 4096, 512  # windows by whose errors the line is judged


@dataclass(frozen=True)
class Config:
    cell: str | type = choice("gru", "gru", "lstm")  # any of tsrnn/cells
    hidden_size: int = choice(64, 32, 64, 128)
    num_layers: int = 1
    segment: Settled = choice(None, 6, 12, 24, first=12)  # None: the usual (tsrnn.usual)
    newest: int = choice(24, 12, 24, 48)  # steps that are also read one by one
    rank: int = choice(32, 0, 16, 32, 64)  # linear maps to choose among
    dropout: float = span(0.2, 0.0, 0.6)
    cell_options: dict[str, Any] = field(default_factory=dict)  # the cell's own, such as {"forget_bias": 2.0}


class Residual(Model):
    reads = COVARIATES
    deviation: Tensor  # [horizon] of the line's errors
    usual: Tensor  # [1] mean deviation of a window

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        segments(spec.input_size, config.segment, "input_size")
        hidden, numbers, outputs = config.hidden_size, width(spec, True), spec.horizon * spec.params
        others = spec.channels - spec.targets
        self.newest = min(config.newest, spec.input_size)
        self.line = models.build("ols", models.configure("ols", {"ridges": _RIDGES}), spec)
        self.register_buffer("deviation", torch.ones(spec.horizon))
        self.register_buffer("usual", torch.ones(1))
        self.embed = nn.Sequential(nn.Linear(config.segment * numbers, hidden), nn.GELU())
        self.recurrent = Recurrent(
            config.cell, hidden, hidden, config.num_layers, dropout=config.dropout, **config.cell_options
        )
        self.fine = nn.Sequential(nn.Linear(self.newest * numbers, hidden), nn.GELU())
        told = 2 * hidden + 2 * (1 + others) + 2 + spec.static
        self.mixed = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(told, 2 * hidden), nn.GELU(), nn.Dropout(config.dropout)
        )
        self.alone = zeros(nn.Linear(2 * hidden, outputs))
        self.gates = nn.Linear(2 * hidden, config.rank) if config.rank else None
        self.maps = nn.Linear(spec.input_size + others, config.rank) if config.rank else None
        self.chosen = zeros(nn.Linear(config.rank, outputs)) if config.rank else None
        self.ahead = Ahead(replace(spec, channels=spec.targets), 2 * hidden)  # z knows how past covariates stand

    @classmethod
    def stands_with(cls, config: Any) -> bool:
        return True

    def forward(self, batch: Batch) -> Tensor:
        targets = self.spec.targets
        line = self.line(batch)  # [batch horizon target params]
        batch, response = self.ahead.without(batch)
        last = batch.past[:, -1:]
        spread = batch.past.std(1, correction=0, keepdim=True) + _LEAST  # [batch 1 channel]
        sequence = inputs(batch, Affine(last, spread), self.spec, True)  # [batch*target time numbers]
        own = series_of(batch.past - last, targets)  # [batch*target time]
        levels = self._apiece(batch, last.squeeze(1))
        spreads = self._apiece(batch, spread.squeeze(1))
        z = self.mixed(torch.cat([self._state(sequence), self._told(batch, own, levels, spreads)], -1))
        rows = self.alone(z) * (spreads[:, :1] / self.usual)  # [batch*target horizon*params]
        if self.maps is not None and self.gates is not None and self.chosen is not None:
            window = torch.cat([own, levels[:, 1:]], 1)
            rows = rows + self.chosen(self.maps(window) * self.gates(z))
        rows = forecasts_of(rows, self.spec) * self.deviation[:, None, None]
        return self.ahead.back(self.ahead(line + rows, batch, z), response)

    def _state(self, sequence: Tensor) -> Tensor:
        """[batch*target time numbers] -> [batch*target 2*hidden]: the last state, and the newest steps as they are."""
        _, final = self.recurrent(self.embed(folded(sequence, self.config.segment)))
        return torch.cat([final[-1][0], self.fine(sequence[:, -self.newest :].flatten(1))], -1)

    def _told(self, batch: Batch, own: Tensor, levels: Tensor, spreads: Tensor) -> Tensor:
        """Levels and spreads, which centring hides, and features of the series: [batch*target numbers]."""
        mean = own.mean(1, keepdim=True) / spreads[:, :1]
        recent = (own[:, -self.newest :].std(1, correction=0, keepdim=True) + _LEAST).log()
        static = [] if batch.static is None else [batch.static.repeat_interleave(self.spec.targets, 0)]
        return torch.cat([levels, spreads.log(), mean, recent, *static], -1)

    def _apiece(self, batch: Batch, values: Tensor) -> Tensor:
        """Each target's own number and those of all past covariates: [batch channel] -> [batch*target 1+others]."""
        targets = self.spec.targets
        own = values[:, :targets].reshape(-1, 1)
        return torch.cat([own, values[:, targets:].repeat_interleave(targets, 0)], 1)

    def loss(self, batch: Batch, head: heads.Head) -> Tensor:
        """The head's, each step weighed by how well the line does there."""
        assert batch.target is not None
        weight = self.deviation ** (-2 if self.spec.loss == "mse" and not self.spec.levels else -1)
        share = (weight / weight.mean())[:, None].expand_as(batch.target)
        seen = share if batch.target_observed is None else share * batch.target_observed
        return super().loss(replace(batch, target_observed=seen), head)

    @torch.no_grad()
    def solve(self, train: Windows, val: Windows | None) -> bool:
        """The line, and how well it does at each step; the rest is trained."""
        self.line.solve(train, val)
        total, count, spreads = torch.zeros(self.spec.horizon), torch.zeros(self.spec.horizon), []
        point = heads.of(self.spec).point
        for batch in train.thinned(_ERRORS).batches(_CHUNK):
            assert batch.target is not None
            error = (batch.target - point(self.line(batch))).square()
            seen = torch.ones_like(error) if batch.target_observed is None else batch.target_observed.to(error.dtype)
            total += (error * seen).sum((0, 2))
            count += seen.sum((0, 2))
            spreads.append(batch.past[..., : self.spec.targets].std(1, correction=0).flatten() + _LEAST)
        self.deviation.copy_((total / count.clamp(min=1)).sqrt().clamp(min=1e-3))
        self.usual.copy_(torch.cat(spreads).mean())
        return False


FAMILY = "mixed"
MODEL = Residual
