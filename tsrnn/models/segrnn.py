"""Segment RNN: a short recurrence reads segments of the window, and writes the future segment by segment.

Lin et al. (2023), "SegRNN: Segment Recurrent Neural Network for Long-Term Time Series Forecasting", arXiv 2308.11200.
Two ways to write, both from the encoder's final state:

    parallel    every future segment takes that state through one step of the decoder cell, fed with an embedding of its
                position and channel (the paper's parallel multi-step forecasting, PMF)
    recurrent   the state is read out as the first segment, which is embedded as the past was and moves the state to the
                second, and so on (recurrent multi-step forecasting, RMF, with which the paper compares)

Departs from the paper in the choice of cell, in layers (the decoder goes on from the last), in a decoder cell of its
own unless `tied`, in `centring`, which may use the mean of the last season instead of the last value, and in `skip`, a
linear map of the window that is added (`tsrnn.layers.skip`). `ridge_segrnn` begins as the ridge regression that
validation likes, of each channel or of all, which stays as it is while the recurrence learns what it leaves.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from tsrnn import cells
from tsrnn.layers.ahead import Ahead
from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.chosen_ridge import Pooling
from tsrnn.layers.covariates import Beside, folded
from tsrnn.layers.lengths import settled, to_front
from tsrnn.layers.multistep import Places, multistep
from tsrnn.layers.skip import Kind, RidgeSkip, skip_of
from tsrnn.models._base import COVARIATES, Skipping, forecasts_of, restore, segments, series_of, zeros
from tsrnn.options import Settled, choice, span
from tsrnn.recurrence import Recurrent
from tsrnn.shapes import Batch, Spec, State


@dataclass(frozen=True)
class Config:
    cell: str | type = choice("gru", "gru", "lstm")  # any of tsrnn/cells
    hidden_size: int = choice(64, 32, 64, 128, 256)
    num_layers: int = 1
    segment: Settled = choice(None, 12, 24, 48, first=24)  # None: the usual (tsrnn.usual)
    dropout: float = span(0.5, 0.0, 0.7)
    decoding: Literal["parallel", "recurrent"] = "parallel"
    tied: bool = False  # the decoder steps with the encoder's weights, as in the paper
    channel_embedding: bool = True  # in parallel decoding, which alone has embeddings
    centring: Centring = choice("season", "last", "season", "revin")
    skip: Kind = "none"
    skip_weights: Pooling = "auto"  # what validation likes better where skip="ridge", else shared
    cell_options: dict[str, Any] = field(default_factory=dict)  # the cell's own, such as {"forget_bias": 2.0}


class SegRNN(Skipping):
    reads = COVARIATES
    reads_lengths = True

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        width, options = config.hidden_size, config.cell_options
        segments(spec.input_size, config.segment, "input_size")
        self.steps = math.ceil(spec.horizon / config.segment)
        parallel = config.decoding == "parallel"
        self.embed = nn.Sequential(nn.Linear(config.segment, width), nn.ReLU())
        self.encoder = Recurrent(config.cell, width, width, config.num_layers, dropout=config.dropout, **options)
        stepping = parallel or self.steps > 1
        self.decoder = cells.get(config.cell)(width, width, **options) if stepping and not config.tied else None
        embedded = spec.targets if config.channel_embedding else 0
        self.places = Places(width, self.steps, embedded) if parallel else None
        last = nn.Linear(width, config.segment * spec.params)
        self.readout = nn.Sequential(nn.Dropout(config.dropout), last)
        self.skip = skip_of(config.skip, config.skip_weights, config.centring, spec)
        if isinstance(self.skip, RidgeSkip):
            zeros(last)
        self.ahead = Ahead(spec, width)
        self.beside = Beside(spec, config.segment, width)

    def forward(self, batch: Batch) -> Tensor:
        batch, response = self.ahead.without(settled(batch))
        undo = centre(batch.past, self.config.centring, self.spec.seasonality, batch.lengths)
        series = series_of(undo.apply(batch.past), self.spec.targets)  # [batch*target time]
        read, steps = to_front(folded(series.unsqueeze(-1), self.config.segment), batch.lengths, self.config.segment)
        linear, active = self.embed
        _, final = self.encoder(active(self.beside(linear(read), batch, undo)), lengths=steps)
        cell = self.decoder or cast(cells.Cell, self.encoder.cells[-1])
        if self.places is None:
            values = self._recurrent(cell, final[-1])
        else:
            values = self.readout(multistep(cell, self.places(self.spec.targets), final[-1]))
        values = values.reshape(len(series), -1, self.spec.params)  # [batch*target horizon+ params]
        rows = values[:, : self.spec.horizon].reshape(len(series), -1)
        params = forecasts_of(rows if self.skip is None else rows + self.skip(series), self.spec)
        return self.ahead.back(restore(undo, self.ahead(params, batch, final[-1][0])), response)

    def beside_skip(self) -> list[Tensor]:
        return [*self.readout[1].parameters()]

    def _recurrent(self, cell: cells.Cell, state: State) -> Tensor:
        """One future segment after the other: each of `state` [batch*target hidden] -> [batch*target step written]."""
        written: list[Tensor] = [self.readout(state[0])]  # each [batch*target segment*params]
        for _ in range(1, self.steps):
            point = written[-1].view(len(state[0]), -1, self.spec.params)[..., self.spec.params // 2]  # see heads._base
            state, _ = cell(self.embed(point), state)
            written.append(self.readout(state[0]))
        return torch.stack(written, 1)


PAPER = {"segrnn": "Lin et al. 2023, arXiv 2308.11200", "ridge_segrnn": "Lin et al. 2023, arXiv 2308.11200"}
VARIANTS: dict[str, dict[str, Any]] = {"segrnn": {}, "ridge_segrnn": {"skip": "ridge"}}
ABOUT = {
    "segrnn": "Segment RNN: a short recurrence reads segments of the window, and writes the future segment by segment",
    "ridge_segrnn": "A segment RNN for what a ridge regression leaves, which is solved first, on each channel or all",
}
FAMILY = {"segrnn": "recurrent", "ridge_segrnn": "mixed"}
MODEL = SegRNN
