"""DeepAR: a recurrence that writes the distribution of the next value, and forecasts by drawing paths from itself.

Salinas, Flunkert, Gasthaus 2017, "DeepAR: Probabilistic Forecasting with Autoregressive Recurrent Networks", arXiv
1704.04110. A step reads the value before it, what is known of the step and which channel it is, and its state gives
the likelihood of its value: h(t) = f(h(t-1), z(t-1), x(t)), p(z(t) | h(t)) (eq. 1). Training lessens the negative
log-likelihood with the truth fed back, over the past and the horizon alike (eq. 2); validation looks at the horizon.
A forecast draws `paths` paths, each fed its own values, and says what they show in the head's terms: their mean,
their quantiles, the distribution that fits them; the head's own loss plays no part in training.

Departs from it: the targets' windows are centred instead of divided by their mean (values may have any sign), and drawn
evenly instead of by scale; a step may also read the value one season before it; covariates known up to now only stay at
their newest value ahead; the noise of a forecast's paths is stratified, and the same for every window, so that a
forecast is repeatable and does not depend on its company (`paths` draws anew).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from tsrnn import heads
from tsrnn.errors import InputError
from tsrnn.heads._base import mean
from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.lengths import settled, to_front
from tsrnn.models._base import COVARIATES, Model, forecasts_of, series_of
from tsrnn.options import choice, span
from tsrnn.recurrence import Recurrent
from tsrnn.scale import Affine
from tsrnn.shapes import Batch, Spec, State
from tsrnn.windows import Windows

_ROWS = 4_096  # paths drawn together
_DRAWN = 2_000_000  # numbers of noise: steps of all paths


@dataclass(frozen=True)
class Config:
    cell: str | type = choice("lstm", "lstm", "gru")
    hidden_size: int = choice(40, 20, 40, 80)
    num_layers: int = span(2, 1, 3)
    dropout: float = span(0.1, 0.0, 0.5)
    likelihood: str = choice("gaussian", "gaussian", "student_t")  # any distribution of tsrnn/heads
    paths: int = 100
    embedding_size: int = 8  # of a channel, where there are several
    season_lag: bool = choice(True, True, False)  # read the value one season before, too
    centring: Centring = choice("season", "last", "season", "revin")
    cell_options: dict[str, Any] = field(default_factory=dict)  # the cell's own, such as {"forget_bias": 2.0}


class DeepAR(Model):
    reads = COVARIATES
    reads_lengths = True
    one_graph = False
    noise: Tensor  # [2 path horizon]

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if config.paths < 2:
            raise InputError(f"paths must be at least 2, not {config.paths}")
        if config.paths * spec.horizon > _DRAWN:
            raise InputError(f"paths={config.paths} must be at most {_DRAWN // spec.horizon} for that horizon")
        self.head = heads.of(spec)
        self.likelihood = heads.likelihood(config.likelihood)
        self.lag = spec.seasonality if config.season_lag and spec.seasonality > 1 else 0
        self.embedding = nn.Embedding(spec.targets, config.embedding_size) if spec.targets > 1 else None
        beside = spec.channels - spec.targets + spec.known + spec.static
        read = 1 + bool(self.lag) + beside + (config.embedding_size if spec.targets > 1 else 0)
        self.recurrent = Recurrent(
            config.cell, read, config.hidden_size, config.num_layers, dropout=config.dropout, **config.cell_options
        )
        self.dropout = nn.Dropout(config.dropout)
        self.readout = nn.Linear(config.hidden_size, self.likelihood.params)
        self.register_buffer("noise", _stratified(config.paths, spec.horizon), persistent=False)

    def forward(self, batch: Batch) -> Tensor:
        params = [head.of_samples(paths) for paths, head in self._drawn(batch, lambda rows: self.noise[:, None])]
        return forecasts_of(torch.cat(params).flatten(1), self.spec)

    def paths(self, batch: Batch, count: int, generator: torch.Generator) -> Tensor:
        def fresh(rows: int) -> Tensor:
            drawn = torch.rand(2, rows, count, self.spec.horizon, generator=generator, dtype=torch.float64)
            return drawn.clamp(1e-9, 1 - 1e-9).to(batch.past)

        paths = torch.cat([paths for paths, _ in self._drawn(batch, fresh)])  # [batch*target horizon path]
        return paths.view(-1, self.spec.targets, self.spec.horizon, count).transpose(1, 2)

    def solve(self, train: Windows, val: Windows | None) -> bool:
        """Never solved: a likelihood may refuse what it is to learn from."""
        self.likelihood.check(train.buffer.arrays)
        return False

    def loss(self, batch: Batch, head: heads.Head) -> Tensor:
        """The negative log-likelihood per value with the truth fed back, in scaled units, whatever the head."""
        batch = settled(batch)
        assert batch.target is not None
        undo = centre(batch.past, self.config.centring, self.spec.seasonality, batch.lengths)
        own = Affine(undo.loc[..., : self.spec.targets], undo.scale[..., : self.spec.targets])
        series = torch.cat([undo.apply(batch.past)[..., : self.spec.targets], own.apply(batch.target)], 1)
        series = series_of(series, self.spec.targets)  # [row time+horizon]
        seen, newest = self._seen(batch), batch.past.shape[1] - 1
        x = self._inputs(series[:, :-1], self._beside(batch))  # [row time+horizon-1 read]
        remembered, state = self._remember(x[:, :newest], batch.lengths)
        output, _ = self.recurrent(x[:, newest:], state)
        values, weights = series[:, newest + 1 :], seen[:, newest + 1 :]
        if self.training and remembered is not None:
            pairs = torch.stack([series, seen], -1)[:, 1 : newest + 1]  # [row time-1 2]
            pairs, steps = to_front(pairs, _fewer(batch.lengths))
            if steps is not None:
                pairs = pairs * (torch.arange(newest, device=pairs.device) < steps[:, None])[..., None]
            output = torch.cat([remembered, output], 1)
            values, weights = torch.cat([pairs[..., 0], values], 1), torch.cat([pairs[..., 1], weights], 1)
        params = self.readout(self.dropout(output))  # [row step params]
        likelihood = self.likelihood.at(_within(self._rows(undo), self._units(batch)))
        likely = likelihood.loss(params, values, weights)
        if likelihood.counts:
            return likely
        widening = own.scale.log().expand_as(batch.target[:, :1]).reshape(-1, 1).expand_as(values)
        return likely + mean(widening, weights)

    def _inputs(self, series: Tensor, beside: Tensor) -> Tensor:
        """What steps 1, 2... read: series [row step] from step 0, beside [row step width] from step 1."""
        parts = [series.unsqueeze(-1)]
        if self.lag:
            before = torch.arange(1, series.shape[1] + 1, device=series.device) - self.lag
            parts.append(series[:, before.clamp(min=0), None])
        return torch.cat([*parts, beside[:, : series.shape[1]]], -1)

    def _beside(self, batch: Batch) -> Tensor:
        """What steps 1, 2... are told besides the series: [batch*target time+horizon-1 width]."""
        steps = batch.past.shape[1] + self.spec.horizon - 1
        held = batch.past[..., self.spec.targets :]  # their level is read, too
        parts = [torch.cat([held, held[:, -1:].expand(-1, self.spec.horizon - 1, -1)], 1)]
        if self.spec.known and batch.known is not None:
            parts.append(batch.known[:, 1:])
        if self.spec.static and batch.static is not None:
            parts.append(batch.static.unsqueeze(1).expand(-1, steps, -1))
        told = torch.cat(parts, -1).repeat_interleave(self.spec.targets, 0)
        if self.embedding is None:
            return told
        channel = self.embedding.weight.repeat(len(batch.past), 1).unsqueeze(1)  # [batch*target 1 width]
        return torch.cat([told, channel.expand(-1, steps, -1)], -1)

    def _remember(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor | None, tuple[State, ...] | None]:
        """Read the past but for its newest value: outputs [row time-1 hidden] in front, and the state they end in."""
        if not x.shape[1]:
            return None, None
        x, steps = to_front(x, _fewer(lengths))
        output, state = self.recurrent(x, lengths=steps)
        return output, state

    def _seen(self, batch: Batch) -> Tensor:
        """The weight of each value in the loss, 0 where none was measured: [row time+horizon]."""
        assert batch.target is not None
        parts = ((batch.observed, batch.past[..., : self.spec.targets]), (batch.target_observed, batch.target))
        seen = [
            torch.ones_like(values) if given is None else given[..., : self.spec.targets].to(values.dtype)
            for given, values in parts
        ]
        return series_of(torch.cat(seen, 1), self.spec.targets)

    def _drawn(self, batch: Batch, noise: Callable[[int], Tensor]) -> Iterator[tuple[Tensor, heads.Head]]:
        """Paths of some rows at a time, in scaled units [row horizon path], and the head in those rows' units.

        `noise` of so many rows is [2 row-or-1 path horizon].
        """
        batch = settled(batch)
        undo = centre(batch.past, self.config.centring, self.spec.seasonality, batch.lengths)
        past, beside = series_of(undo.apply(batch.past), self.spec.targets), self._beside(batch)
        newest = past.shape[1] - 1
        _, state = self._remember(self._inputs(past, beside)[:, :newest], batch.lengths)
        centred, units = self._rows(undo), self._units(batch)
        chunk = max(1, _ROWS // noise(1).shape[2])
        for first in range(0, len(past), chunk):
            rows = slice(first, min(first + chunk, len(past)))
            began = None if state is None else tuple(tuple(part[rows] for part in each) for each in state)
            own = Affine(centred.loc[rows], centred.scale[rows])  # [row 1]
            here = None if units is None else Affine(units.loc[rows], units.scale[rows])
            likelihood = self.likelihood.at(_within(own, here))
            paths = self._paths(past[rows], beside[rows, newest:], began, noise(rows.stop - first), likelihood)
            yield torch.addcmul(own.loc[..., None], paths, own.scale[..., None]), self.head.at(here)

    def _paths(
        self,
        past: Tensor,
        beside: Tensor,
        state: tuple[State, ...] | None,
        noise: Tensor,
        likelihood: heads.Distribution,
    ) -> Tensor:
        """Ancestral sampling: past [row time], beside [row horizon width], state after all but the newest value.

        Returns:
            [row horizon path], centred as the past is.
        """
        rows, paths = len(past), noise.shape[2]
        if state is not None:
            state = tuple(tuple(part.repeat_interleave(paths, 0) for part in each) for each in state)
        series = [value.unsqueeze(1).expand(-1, paths) for value in past[:, -max(1, self.lag) :].unbind(1)]
        known = len(series)
        for step in range(self.spec.horizon):
            read = [series[-1], series[max(0, known + step - self.lag)]] if self.lag else [series[-1]]
            told = beside[:, step : step + 1].expand(-1, paths, -1)
            x = torch.cat([torch.stack(read, -1), told], -1)  # [row path read]
            output, state = self.recurrent.step(x.flatten(0, 1), state)
            params = self.readout(self.dropout(output)).view(rows, paths, -1)
            series.append(likelihood.draw(params, noise[..., step]))
        return torch.stack(series[known:], 1)

    def _rows(self, affine: Affine) -> Affine:
        """Of each target channel as a row of its own: [batch 1 channel] -> [batch*target 1]."""
        loc, scale = (each[..., : self.spec.targets].reshape(-1, 1) for each in (affine.loc, affine.scale))
        return Affine(loc, scale)

    def _units(self, batch: Batch) -> Affine | None:
        """From scaled units to the panel's, [batch*target 1]."""
        if batch.undo is None:
            return None
        shape = (len(batch.past), 1, self.spec.targets)
        return self._rows(Affine(batch.undo.loc.expand(shape), batch.undo.scale.expand(shape)))


def _within(inner: Affine, outer: Affine | None) -> Affine:
    """One undo for two, the inner one first."""
    return inner if outer is None else Affine(outer.invert(inner.loc), outer.scale * inner.scale)


def _fewer(lengths: Tensor | None) -> Tensor | None:
    """Steps of the past that are read before the newest value."""
    return None if lengths is None else (lengths - 1).clamp(min=0)


def _stratified(paths: int, horizon: int) -> Tensor:
    """Numbers between 0 and 1, at each step one from each of `paths` equal parts, in random order: [2 path horizon]."""
    generator = torch.Generator().manual_seed(0)
    place = torch.rand(2, paths, horizon, generator=generator, dtype=torch.float64, device="cpu")
    order = torch.rand(2, paths, horizon, generator=generator, device="cpu").argsort(1)
    return ((order + place) / paths).clamp(1e-6, 1 - 1e-6).float()


PAPER = "Salinas et al. 2017, arXiv 1704.04110"
FAMILY = "recurrent"
MODEL = DeepAR
