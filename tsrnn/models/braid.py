"""Our own: three strands from the window to the forecast, woven into one sum.

A learnt cycle carries what every week or day repeats (Lin et al. 2024, CycleNet); a linear skip carries what follows
from the newest values (Zeng et al. 2023, NLinear; Lin et al. 2024, SparseTSF); a segment recurrence reads the rest and
writes all future segments at once (Lin et al. 2023, SegRNN). Cycle and skip start at nothing, so that training begins
with the recurrence alone; a skip solved by ridge regression stays as it is, and the recurrence starts at nothing.
Channels share all weights but the cycle's, their embedding, and those of an individual skip.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from tsrnn import cells
from tsrnn.layers.ahead import Ahead
from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.chosen_ridge import Pooling
from tsrnn.layers.covariates import Beside, folded
from tsrnn.layers.cycle import Cycle
from tsrnn.layers.lengths import settled, to_front
from tsrnn.layers.multistep import Places, multistep
from tsrnn.layers.skip import Kind, RidgeSkip, skip_of
from tsrnn.models._base import COVARIATES, Skipping, forecasts_of, restore, segments, series_of, zeros
from tsrnn.options import Settled, choice, span
from tsrnn.recurrence import Recurrent
from tsrnn.shapes import Batch, Spec


@dataclass(frozen=True)
class Config:
    cell: str | type = choice("gru", "gru", "lstm")  # any of tsrnn/cells
    hidden_size: int = choice(64, 32, 64, 128)
    num_layers: int = 1
    segment: Settled = choice(None, 12, 24, 48, first=24)  # None: the usual (tsrnn.usual)
    dropout: float = span(0.3, 0.0, 0.7)
    cycle: int | None = None  # steps of the learnt cycle; None: the data's own shortest season; 0: none
    skip: Kind = choice("plain", "none", "plain", "sparse")
    skip_weights: Pooling = "auto"  # what validation likes better where skip="ridge", else shared
    channel_embedding: bool = choice(True, True, False)
    centring: Centring = choice("last", "last", "season", "revin")
    cell_options: dict[str, Any] = field(default_factory=dict)  # the cell's own, such as {"forget_bias": 2.0}


class Braid(Skipping):
    reads = COVARIATES
    reads_lengths = True

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        width, options = config.hidden_size, config.cell_options
        segments(spec.input_size, config.segment, "input_size")
        steps = math.ceil(spec.horizon / config.segment)
        cycle = spec.seasonality if config.cycle is None else config.cycle
        self.cycle = Cycle(cycle, spec.targets) if cycle else None
        self.embed = nn.Sequential(nn.Linear(config.segment, width), nn.ReLU())
        self.encoder = Recurrent(config.cell, width, width, config.num_layers, dropout=config.dropout, **options)
        self.decoder = cells.get(config.cell)(width, width, **options)
        self.places = Places(width, steps, spec.targets if config.channel_embedding else 0)
        last = nn.Linear(width, config.segment * spec.params)
        self.readout = nn.Sequential(nn.Dropout(config.dropout), last)
        self.skip = skip_of(config.skip, config.skip_weights, config.centring, spec)
        if isinstance(self.skip, RidgeSkip):
            zeros(last)
        self.ahead = Ahead(spec, width)
        self.beside = Beside(spec, config.segment, width)

    def forward(self, batch: Batch) -> Tensor:
        batch, response = self.ahead.without(settled(batch))
        targets, horizon, params = self.spec.targets, self.spec.horizon, self.spec.params
        if self.cycle is not None:
            past = self.cycle.subtract(batch.past[..., :targets], batch.phase)
            batch = replace(batch, past=torch.cat([past, batch.past[..., targets:]], -1))
        undo = centre(batch.past, self.config.centring, self.spec.seasonality, batch.lengths)
        series = series_of(undo.apply(batch.past), targets)  # [batch*target time]
        read, steps = to_front(folded(series.unsqueeze(-1), self.config.segment), batch.lengths, self.config.segment)
        linear, active = self.embed
        _, final = self.encoder(active(self.beside(linear(read), batch, undo)), lengths=steps)
        written = self.readout(multistep(self.decoder, self.places(targets), final[-1]))  # [batch target step ...]
        rows = written.reshape(len(series), -1, params)[:, :horizon].reshape(len(series), -1)
        if self.skip is not None:
            rows = rows + self.skip(series)  # [batch*target horizon*params]
        params = self.ahead(forecasts_of(rows, self.spec), batch, final[-1][0])
        forecast = self.ahead.back(restore(undo, params), response)
        return forecast if self.cycle is None else self.cycle.add(forecast, batch.phase)

    def beside_skip(self) -> list[Tensor]:
        cycle = [] if self.cycle is None else [self.cycle.pattern]
        return [*self.readout[1].parameters(), *cycle]


FAMILY = "mixed"
MODEL = Braid
