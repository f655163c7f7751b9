"""A stack of recurrent layers reads the window; its last state is mapped to the whole horizon at once.

The head reads the *last* state (of both directions where there are two), so every forecast step depends on the newest
observation: reading the outputs at the last `horizon` positions instead, as some libraries do, hides it from all steps
but one.

The cells are those of Elman (1990), Hochreiter & Schmidhuber (1997) and Cho et al. (2014, arXiv 1406.1078), or any of
tsrnn/cells; LSTMs in both directions are as in Graves & Schmidhuber (2005), Neural Networks 18.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from tsrnn.layers.ahead import Ahead
from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.covariates import folded, inputs, width
from tsrnn.layers.lengths import settled, to_front
from tsrnn.models._base import COVARIATES, Model, forecasts_of, restore, segments
from tsrnn.options import Settled, choice, left_open, span
from tsrnn.recurrence import Recurrent
from tsrnn.shapes import Batch, Spec, State


@dataclass(frozen=True)
class Config:
    cell: str | type = "lstm"
    hidden_size: int = choice(64, 16, 32, 64, 128)
    num_layers: int = span(1, 1, 3)
    bidirectional: bool = False
    dropout: float = span(0.1, 0.0, 0.5)  # between layers and before the head
    segment: Settled = left_open()  # steps of the series read in one recurrent step; None: the usual (tsrnn.usual)
    shared: bool = True  # one sequence per channel with shared weights, or all channels in one
    centring: Centring = choice("season", "last", "season", "revin")
    learn_initial: bool = False
    cell_options: dict[str, Any] = field(default_factory=dict)  # the cell's own, such as {"forget_bias": 2.0}


VARIANTS = {
    "rnn": {"cell": "elman"},
    "lstm": {"cell": "lstm"},
    "gru": {"cell": "gru"},
    "bilstm": {"cell": "lstm", "bidirectional": True},
}
ABOUT = {
    "rnn": "Elman's simple recurrent network: its last state is mapped to the whole horizon at once",
    "lstm": "Long short-term memory: its last state is mapped to the whole horizon at once",
    "gru": "Gated recurrent unit, an LSTM with fewer gates: its last state is mapped to the whole horizon at once",
    "bilstm": "Two LSTMs, one from each end of the window: their last states are mapped to the whole horizon at once",
}
PAPER = {
    "rnn": "Elman 1990",
    "lstm": "Hochreiter & Schmidhuber 1997",
    "gru": "Cho et al. 2014, arXiv 1406.1078",
    "bilstm": "Graves & Schmidhuber 2005",
}


class RecurrentForecaster(Model):
    reads = COVARIATES
    reads_lengths = True

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.channels_joined = 1 if config.shared else spec.targets
        segments(spec.input_size, config.segment, "input_size")
        self.recurrent = Recurrent(
            config.cell,
            config.segment * width(spec, config.shared),
            config.hidden_size,
            num_layers=config.num_layers,
            bidirectional=config.bidirectional,
            dropout=config.dropout,
            learn_initial=config.learn_initial,
            **config.cell_options,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(self.recurrent.output_size, self.channels_joined * spec.horizon * spec.params)
        self.ahead = Ahead(spec, self.recurrent.output_size, pointwise=self.carries)

    @property
    def carries(self) -> bool:
        plain = self.config.segment == 1 and self.config.centring == "none"
        return plain and not self.config.bidirectional

    def forward(self, batch: Batch) -> Tensor:
        return self.read_on(batch, None)[0]

    def read_on(self, batch: Batch, state: tuple[State, ...] | None) -> tuple[Tensor, tuple[State, ...]]:
        batch, response = self.ahead.without(settled(batch))
        undo = centre(batch.past, self.config.centring, self.spec.seasonality, batch.lengths)
        sequence = folded(inputs(batch, undo, self.spec, self.config.shared), self.config.segment)
        sequence, steps = to_front(sequence, batch.lengths, self.config.segment)
        _, final = self.recurrent(sequence, state, lengths=steps)
        directions = 2 if self.config.bidirectional else 1
        last = torch.cat([state[0] for state in final[-directions:]], -1)  # [batch(*target) hidden*directions]
        params = forecasts_of(self.head(self.dropout(last)), self.spec)  # [batch horizon target params]
        return self.ahead.back(restore(undo, self.ahead(params, batch, last)), response), final


FAMILY = "recurrent"
MODEL = RecurrentForecaster
