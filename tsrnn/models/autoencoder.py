"""One recurrence reads a window into a short code, another writes the window from the code, newest step first.

Srivastava, Mansimov & Salakhutdinov 2015 (arXiv 1502.04681, sec. 2.1): the decoder writes in reverse order, and is not
fed what it wrote (their unconditioned decoder), so that all it knows is the code. Malhotra et al. 2016 (arXiv
1607.00148): what such a pair, trained on sound rows alone, cannot write again is an anomaly.
Departs from them in that the code is a linear map of the last states, narrower than they are; that the decoder reads it
at every step, beside a learnt vector of the step's place; and that `segment` steps are read and written at a time.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from tsrnn.layers.lengths import settled, to_front
from tsrnn.models._base import COVARIATES, Model
from tsrnn.options import choice, span
from tsrnn.recurrence import Recurrent
from tsrnn.shapes import Batch, Spec


@dataclass(frozen=True)
class Config:
    cell: str | type = "lstm"
    hidden_size: int = choice(64, 32, 64, 128)
    num_layers: int = span(1, 1, 2)
    code_size: int = choice(16, 4, 8, 16, 32)  # numbers that a window is told in
    segment: int = choice(4, 1, 2, 4, 8)  # steps read, or written, in one recurrent step
    bidirectional: bool = True  # of the encoder
    dropout: float = span(0.1, 0.0, 0.5)
    noise: float = span(0.1, 0.0, 0.5)  # standard deviation of what is added to the inputs in training, in scaled units
    cell_options: dict[str, Any] = field(default_factory=dict)  # the cell's own, such as {"forget_bias": 2.0}


TASKS = ("reconstruct",)
VARIANTS = {
    "rnn_autoencoder": {"cell": "elman"},
    "lstm_autoencoder": {"cell": "lstm"},
    "gru_autoencoder": {"cell": "gru"},
}
ABOUT = {
    "rnn_autoencoder": "Elman networks read a window into a short code and write it again from that",
    "lstm_autoencoder": "LSTMs read a window into a short code and write it again from that",
    "gru_autoencoder": "Gated recurrent units read a window into a short code and write it again from that",
}
PAPER = "Srivastava et al. 2015, arXiv 1502.04681; Malhotra et al. 2016, arXiv 1607.00148"


class Autoencoder(Model):
    """`encode(batch) -> [batch code]`, `decode(code, time) -> [batch time target params]`; `forward` is both."""

    tasks = frozenset(TASKS)
    reads = COVARIATES
    reads_lengths = True
    channels_shared = False

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.segment = min(config.segment, spec.input_size)
        read = self.segment * (spec.channels + spec.known + spec.static)
        shared: dict[str, Any] = {"num_layers": config.num_layers, "dropout": config.dropout, **config.cell_options}
        self.encoder = Recurrent(config.cell, read, config.hidden_size, bidirectional=config.bidirectional, **shared)
        self.narrow = nn.Linear(self.encoder.output_size, config.code_size)
        self.widen = nn.Linear(config.code_size, config.hidden_size)
        self.places = nn.Parameter(0.1 * torch.randn(math.ceil(spec.input_size / self.segment), config.hidden_size))
        self.decoder = Recurrent(config.cell, config.hidden_size, config.hidden_size, **shared)
        self.dropout = nn.Dropout(config.dropout)
        self.readout = nn.Linear(config.hidden_size, self.segment * spec.targets * spec.params)

    def forward(self, batch: Batch) -> Tensor:
        """[batch time target params], of every step of the past."""
        return self.decode(self.encode(batch), batch.past.shape[1])

    def encode(self, batch: Batch) -> Tensor:
        """The code of each window: [batch code]."""
        batch = settled(batch)
        parts, time = [batch.past], batch.past.shape[1]
        if batch.known is not None and self.spec.known:
            parts.append(batch.known[:, :time])
        if batch.static is not None and self.spec.static:
            parts.append(batch.static.unsqueeze(1).expand(-1, time, -1))
        sequence = torch.cat(parts, -1)  # [batch time width]
        if self.training and self.config.noise:
            sequence = sequence + self.config.noise * torch.randn_like(sequence)
        sequence, steps = to_front(self._folded(sequence), batch.lengths, self.segment)  # [batch step segment*width]
        _, final = self.encoder(sequence, None, lengths=steps)
        last = torch.cat([state[0] for state in final[-self.encoder.directions :]], -1)  # [batch hidden*directions]
        code: Tensor = self.narrow(self.dropout(last))
        return code

    def decode(self, code: Tensor, time: int) -> Tensor:
        """A window of `time` steps from each code [batch code]: [batch time target params]."""
        steps = math.ceil(time / self.segment)
        output, _ = self.decoder(self.widen(code)[:, None] + self.places[:steps])  # newest first
        params: Tensor = self.readout(self.dropout(output)).flip(1)  # [batch step segment*target*params]
        return params.reshape(len(code), steps * self.segment, self.spec.targets, self.spec.params)[:, -time:]

    def _folded(self, sequence: Tensor) -> Tensor:
        """Segments, the oldest filled up with its first row: [batch time width] -> [batch step segment*width]."""
        lacking = -sequence.shape[1] % self.segment
        if lacking:
            sequence = torch.cat([sequence[:, :1].expand(-1, lacking, -1), sequence], 1)
        return sequence.reshape(len(sequence), -1, self.segment * sequence.shape[2])


FAMILY = "recurrent"
MODEL = Autoencoder
