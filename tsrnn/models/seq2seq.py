"""Encoder and decoder: one recurrence reads the past, another writes the future and reads back what it wrote.

Sutskever et al. 2014. Attention: dot products with the encoder's outputs, mixed into each output (Luong et al. 2015,
eq. 5-8). Scheduled sampling: in training a step is fed the truth with a probability that falls to zero (Bengio et al.
2015, sec. 2.4), so that the decoder learns to live on its own outputs; 1 throughout is teacher forcing.
Departs from them in that `segment` steps are read and written at a time.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from tsrnn.layers.ahead import Ahead
from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.covariates import folded, inputs, width
from tsrnn.layers.lengths import settled, to_front
from tsrnn.models._base import COVARIATES, Model, forecasts_of, restore, segments
from tsrnn.options import Settled, choice, left_open, span
from tsrnn.recurrence import Recurrent
from tsrnn.scale import Affine
from tsrnn.shapes import Batch, Spec, State

_STEEPNESS = 10.0  # of the inverse-sigmoid schedule over the whole training


@dataclass(frozen=True)
class Config:
    cell: str | type = choice("gru", "gru", "lstm")
    hidden_size: int = choice(64, 32, 64, 128)
    num_layers: int = span(1, 1, 2)
    dropout: float = span(0.1, 0.0, 0.5)
    segment: Settled = left_open()  # steps read or written in one recurrent step; None: the usual (tsrnn.usual)
    attention: bool = False
    shared: bool = True
    centring: Centring = choice("season", "last", "season", "revin")
    schedule: Literal["linear", "inverse_sigmoid", "always", "never"] = "linear"  # how often training is fed the truth
    cell_options: dict[str, Any] = field(default_factory=dict)  # the cell's own, such as {"forget_bias": 2.0}


class Seq2Seq(Model):
    reads = COVARIATES
    reads_lengths = True

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        channels = 1 if config.shared else spec.targets
        segments(spec.input_size, config.segment, "input_size")
        self.steps = math.ceil(spec.horizon / config.segment)
        self.written = config.segment * channels  # values per decoder step
        read, size, options = config.segment * width(spec, config.shared), config.hidden_size, config.cell_options
        self.encoder, self.decoder = (
            Recurrent(config.cell, each, size, config.num_layers, dropout=config.dropout, **options)
            for each in (read, self.written)
        )
        self.mix = nn.Linear(2 * config.hidden_size, config.hidden_size) if config.attention else None
        self.readout = nn.Linear(config.hidden_size, self.written * spec.params)
        self.ahead = Ahead(spec, config.hidden_size, pointwise=self.carries)
        self.truth = 0.0 if config.schedule == "never" else 1.0  # probability of being fed the truth in training

    def epoch_starts(self, progress: float) -> None:
        if self.config.schedule == "linear":
            self.truth = 1.0 - progress
        elif self.config.schedule == "inverse_sigmoid":
            self.truth = 1.0 / (1.0 + math.exp(_STEEPNESS * (progress - 0.5)))

    @property
    def carries(self) -> bool:
        return self.config.segment == 1 and self.config.centring == "none" and not self.config.attention

    def forward(self, batch: Batch) -> Tensor:
        return self.read_on(batch, None)[0]

    def read_on(self, batch: Batch, state: tuple[State, ...] | None) -> tuple[Tensor, tuple[State, ...]]:
        batch, response = self.ahead.without(settled(batch))
        undo = centre(batch.past, self.config.centring, self.spec.seasonality, batch.lengths)
        sequence = folded(inputs(batch, undo, self.spec, self.config.shared), self.config.segment)
        sequence, steps = to_front(sequence, batch.lengths, self.config.segment)
        memory, final = self.encoder(sequence, state, lengths=steps)  # memory [row time hidden]
        past = folded(self._series(undo.apply(batch.past)), self.config.segment)  # [row time written]
        fed, truth, state = past[:, -1], self._truth(batch, undo, response), final
        written = []
        for step in range(self.steps):
            output, state = self.decoder.step(fed, state)  # output [row hidden]
            if self.mix is not None:
                output = torch.tanh(self.mix(torch.cat([_attended(memory, output, steps), output], -1)))
            params = self.readout(output).view(-1, self.written, self.spec.params)
            written.append(params)
            fed = params[..., self.spec.params // 2]  # a point, or the middle quantile
            if truth is not None:
                forced = torch.rand(len(fed), 1, device=fed.device) < self.truth
                fed = torch.where(forced, truth[:, step], fed)
        params = self.ahead(self._unfolded(torch.stack(written, 1)), batch, final[-1][0])
        return self.ahead.back(restore(undo, params), response), final

    def _series(self, values: Tensor) -> Tensor:
        """Target channels as the decoder reads them: [batch time channel] -> [row time channels]."""
        values = values[..., : self.spec.targets]
        return values.transpose(1, 2).reshape(-1, values.shape[1], 1) if self.config.shared else values

    def _truth(self, batch: Batch, undo: Affine, response: Tensor | None) -> Tensor | None:
        """What the decoder should have written: [row step written], in training only."""
        if not self.training or batch.target is None or self.truth == 0:
            return None
        target = batch.target if response is None else batch.target - response
        scaled = self._series((target - undo.loc[..., : self.spec.targets]) / undo.scale[..., : self.spec.targets])
        missing = self.steps * self.config.segment - self.spec.horizon
        scaled = torch.cat([scaled, scaled[:, -1:].expand(-1, missing, -1)], 1) if missing else scaled
        return scaled.reshape(len(scaled), self.steps, self.written)

    def _unfolded(self, params: Tensor) -> Tensor:
        """[row step written params] -> [batch horizon target params]."""
        channels = self.written // self.config.segment
        rows = params.reshape(len(params), -1, channels, self.spec.params)[:, : self.spec.horizon]
        if not self.config.shared:
            return rows
        return forecasts_of(rows.reshape(len(rows), -1), self.spec)


def _attended(memory: Tensor, output: Tensor, steps: Tensor | None) -> Tensor:
    """What the decoder looks back at: memory [row time hidden], of which `steps` [row] are real -> [row hidden]."""
    scores = (memory @ output.unsqueeze(-1)).squeeze(-1)  # [row time]
    if steps is not None:
        padding = torch.arange(memory.shape[1], device=memory.device) >= steps[:, None]  # [row time]
        scores = scores.masked_fill(padding, -torch.inf)
    return (torch.softmax(scores, -1).unsqueeze(1) @ memory).squeeze(1)


PAPER = "Sutskever et al. 2014, arXiv 1409.3215"
FAMILY = "recurrent"
MODEL = Seq2Seq
