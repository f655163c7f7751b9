"""Segment RNN with parallel multi-step forecasting (Lin et al. 2023, "SegRNN").

The window is cut into segments; a short recurrence reads their embeddings (paper, eq. 1-2). Every future segment takes
the final state through one step of a decoder cell, fed with an embedding of its position and channel (sec. 3.3), and a
linear map turns it into the segment's values.

The decoder's recurrent product depends on the state alone and its input product on position and channel alone, so each
is computed once and they meet element by element: the same numbers as stepping the repeated state through the cell,
for (horizon/segment) times fewer products. Departs from the paper in a decoder cell of its own, in the choice of cell,
and in `centring`, which may use the mean of the last season instead of the last value.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tsrnn import cells
from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.covariates import Ahead, folded
from tsrnn.layers.lengths import settled, to_front
from tsrnn.models._base import Model, forecasts_of, restore, segments, series_of
from tsrnn.ranges import choice, span
from tsrnn.recurrence import Recurrent
from tsrnn.shapes import Batch, Spec


@dataclass(frozen=True)
class Config:
    cell: str = choice("gru", "gru", "lstm")
    hidden_size: int = choice(64, 32, 64, 128, 256)
    num_layers: int = 1
    segment: int = choice(24, 12, 24, 48)
    dropout: float = span(0.5, 0.0, 0.7)
    channel_embedding: bool = True
    centring: Centring = choice("season", "last", "season", "revin")


class SegRNN(Model):
    reads_lengths = True

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        width = config.hidden_size
        segments(spec.input_size, config.segment, "input_size")
        self.steps = math.ceil(spec.horizon / config.segment)
        self.embed = nn.Sequential(nn.Linear(config.segment, width), nn.ReLU())
        self.encoder = Recurrent(config.cell, width, width, num_layers=config.num_layers, dropout=config.dropout)
        self.decoder = cells.get(config.cell)(width, width)
        half = width // 2 if config.channel_embedding else 0
        self.position = nn.Parameter(torch.randn(self.steps, width - half))
        self.channel = nn.Parameter(torch.randn(spec.targets, half)) if half else None
        self.readout = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(width, config.segment * spec.params))
        self.ahead = Ahead(spec)

    def forward(self, batch: Batch) -> Tensor:
        batch = settled(batch)
        past = batch.past[..., : self.spec.targets]
        undo = centre(past, self.config.centring, self.spec.seasonality, batch.lengths)
        series = series_of(undo.apply(past), self.spec.targets)  # [batch*target time]
        read, steps = to_front(folded(series.unsqueeze(-1), self.config.segment), batch.lengths, self.config.segment)
        _, final = self.encoder(self.embed(read), lengths=steps)
        output = self._decode(final[-1])  # [batch target step hidden]
        values = self.readout(output).reshape(len(series), -1, self.spec.params)  # [batch*target horizon+ params]
        params = forecasts_of(values[:, : self.spec.horizon].reshape(len(series), -1), self.spec)
        return restore(undo, self.ahead(params, batch))

    def _decode(self, final: tuple[Tensor, ...]) -> Tensor:
        """One decoder step for all future segments from the encoder's last state, each [batch*target hidden]."""
        targets, gates = self.spec.targets, len(self.decoder.gates)
        where = self.position.expand(targets, -1, -1)  # [target step hidden-half]
        if self.channel is not None:
            where = torch.cat([where, self.channel.unsqueeze(1).expand(-1, self.steps, -1)], -1)
        x = self.decoder.project(where).unsqueeze(0).chunk(gates, -1)  # each [1 target step hidden]
        state = tuple(each.view(-1, targets, 1, each.shape[-1]) for each in final)  # each [batch target 1 hidden]
        r = self.decoder.products(x, state)
        _, output = self.decoder.step(x, r, state)
        return output


MODEL = SegRNN
