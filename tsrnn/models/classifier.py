"""Recurrent layers and convolutions read a whole sequence; views of it, pooled over its own steps, tell its label.

Karim et al. (2018), IEEE Access 6, "LSTM fully convolutional networks for time series classification": three
convolutions with batch normalisation (Wang et al. 2017, arXiv 1611.06455), averaged over time, beside an LSTM. Theirs
reads a univariate sequence as one step of many channels; here the recurrence reads its steps. Attention as in Yang et
al. (2016), NAACL. A sequence's padding enters no convolution, no normalisation and no pooling.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from tsrnn.heads import Head
from tsrnn.layers.full_convolution import FullConvolution
from tsrnn.layers.pooling import Attention, largest, mean, thinned
from tsrnn.layers.sequence import whole
from tsrnn.models._base import COVARIATES, Model
from tsrnn.options import choice, span
from tsrnn.recurrence import Recurrent
from tsrnn.shapes import Batch, Spec

Pooled = Literal["last", "mean", "max", "attention"]


@dataclass(frozen=True)
class Config:
    cell: str | type = "gru"
    hidden_size: int = choice(32, 16, 32, 64)
    num_layers: int = span(1, 1, 3)
    bidirectional: bool = True
    pooling: Pooled = "mean"  # of the recurrent layers' outputs
    filters: int = choice(0, 0, 32, 64, 128)  # of the three convolutions; 0: there are none
    stack: Literal["beside", "front"] = "beside"  # convolutions beside the recurrence, or read by it
    longest: int = choice(512, 256, 512, 1024)  # steps that are read: a longer sequence is averaged to so many
    most_steps: int = choice(128, 64, 128, 256)  # of the recurrence, likewise
    dropout: float = span(0.2, 0.0, 0.8)
    mixing: float = 0.0  # spread of the shares by which views of two sequences are mixed in training; 0: none
    members: int = 1  # networks with starts of their own, whose answers are averaged
    cell_options: dict[str, Any] = field(default_factory=dict)  # the cell's own, such as {"forget_bias": 2.0}


TASKS = ("whole",)
VARIANTS = {
    "gru_classifier": {"cell": "gru", "num_layers": 2},
    "lstm_fcn": {"cell": "lstm", "filters": 64, "bidirectional": False, "pooling": "last"},
}
ABOUT = {
    "gru_classifier": "GRUs from both ends of a sequence, whose outputs are averaged and mapped to its label or value",
    "lstm_fcn": "An LSTM and three convolutions side by side, both pooled and mapped to the sequence's label or value",
}
PAPER = {
    "gru_classifier": "Cho et al. 2014, arXiv 1406.1078; Graves & Schmidhuber 2005",
    "lstm_fcn": "Karim et al. 2018, IEEE Access 6",
}


class Network(nn.Module):
    """One member: [batch time width] and each row's own steps -> its views, side by side [batch view]."""

    def __init__(self, config: Config, width: int, stride: int) -> None:
        super().__init__()
        self.stride, self.front = stride, config.stack == "front"
        self.convolved = FullConvolution(width, config.filters) if config.filters else None
        self.recurrent = Recurrent(
            config.cell,
            config.filters if config.filters and self.front else width,
            config.hidden_size,
            num_layers=config.num_layers,
            bidirectional=config.bidirectional,
            dropout=config.dropout,
            **config.cell_options,
        )
        size = self.recurrent.output_size
        self.attention = Attention(size) if config.pooling == "attention" else None
        self.pooling = config.pooling
        self.width = size + config.filters

    def forward(self, sequence: Tensor, steps: Tensor | None) -> Tensor:
        views = []
        if self.convolved is not None:
            convolved = self.convolved(sequence, steps)
            views.append(mean(convolved, steps))
            sequence = convolved if self.front else sequence
        sequence, steps = thinned(sequence, steps, self.stride)
        output, final = self.recurrent(sequence, None, lengths=steps)
        return torch.cat([*views, self._pooled(output, final, steps)], -1)

    def _pooled(self, output: Tensor, final: Any, steps: Tensor | None) -> Tensor:
        if self.attention is not None:
            return torch.as_tensor(self.attention(output, steps))
        if self.pooling == "last":  # of each direction its own
            return torch.cat([state[0] for state in final[-self.recurrent.directions :]], -1)
        return mean(output, steps) if self.pooling == "mean" else largest(output, steps)


class Classifier(Model):
    tasks = frozenset(TASKS)
    reads = COVARIATES
    reads_lengths = True

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        width = spec.channels + spec.known + spec.static
        self.every = math.ceil(spec.input_size / config.longest)
        stride = math.ceil(math.ceil(spec.input_size / self.every) / config.most_steps)
        networks = [Network(config, width, stride) for _ in range(config.members)]
        self.networks = nn.ModuleList(networks)
        self.dropout = nn.Dropout(config.dropout)
        self.heads = nn.ModuleList(nn.Linear(each.width, spec.targets * spec.params) for each in networks)

    def forward(self, batch: Batch) -> Tensor:
        """[batch 1 target params], of the whole past."""
        return torch.stack(self._answers(self._views(batch))).mean(0)

    def loss(self, batch: Batch, head: Head) -> Tensor:
        """The members' own losses, averaged: none leans on another. In training of mixed views, if asked."""
        assert batch.target is not None
        if not self.training:
            return super().loss(batch, head)
        target, seen, views = batch.target, batch.target_observed, self._views(batch)
        if not self.config.mixing or len(target) < 2:
            return torch.stack([head.loss(each, target, seen) for each in self._answers(views)]).mean()
        other = torch.randperm(len(target), device=target.device)
        share = torch.distributions.Beta(self.config.mixing, self.config.mixing).sample().to(target)
        answers = self._answers([torch.lerp(each[other], each, share) for each in views])
        there = None if seen is None else seen[other]
        losses = [
            torch.lerp(head.loss(each, target[other], there), head.loss(each, target, seen), share) for each in answers
        ]
        return torch.stack(losses).mean()

    def _views(self, batch: Batch) -> list[Tensor]:
        """What each member makes of every sequence: [batch view]."""
        sequence, steps = thinned(*whole(batch, self.spec), self.every)
        return [network(sequence, steps) for network in self.networks]

    def _answers(self, views: list[Tensor]) -> list[Tensor]:
        """Each member's: [batch 1 target params]."""
        shape = (len(views[0]), 1, self.spec.targets, self.spec.params)
        return [head(self.dropout(each)).view(shape) for head, each in zip(self.heads, views, strict=True)]


FAMILY = "recurrent"
MODEL = Classifier
