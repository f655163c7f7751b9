"""Recurrent layers read a sequence in both directions, and each step's output is mapped to its label or value.

Graves & Schmidhuber (2005), Neural Networks 18, "Framewise phoneme classification with bidirectional LSTM"; a
convolution in front, centred on each step, sees the steps around it at once (Chiu & Nichols 2016, arXiv 1511.08308).
"""

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
    cell: str | type = "gru"
    hidden_size: int = choice(64, 32, 64, 128)
    num_layers: int = span(2, 1, 3)
    bidirectional: bool = True
    kernel: int = choice(9, 1, 5, 9, 17)  # steps that the convolution in front sees, an odd number; 1: none
    dropout: float = span(0.2, 0.0, 0.5)
    cell_options: dict[str, Any] = field(default_factory=dict)  # the cell's own, such as {"forget_bias": 2.0}


TASKS = ("along",)
VARIANTS = {"bigru": {"cell": "gru"}, "bilstm_tagger": {"cell": "lstm"}}
ABOUT = {
    "bigru": "GRUs from both ends of a sequence, whose outputs at each step are mapped to its label or value",
    "bilstm_tagger": "LSTMs from both ends of a sequence, whose outputs at each step are mapped to its label or value",
}
PAPER = {
    "bigru": "Cho et al. 2014, arXiv 1406.1078; Graves & Schmidhuber 2005",
    "bilstm_tagger": "Graves & Schmidhuber 2005",
}


class Tagger(Model):
    tasks = frozenset(TASKS)
    reads = COVARIATES
    reads_lengths = True

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        width = spec.channels + spec.known + spec.static
        kernel = config.kernel + 1 - config.kernel % 2
        self.around = nn.Conv1d(width, config.hidden_size, kernel, padding=kernel // 2) if kernel > 1 else None
        self.recurrent = Recurrent(
            config.cell,
            config.hidden_size + width if self.around else width,
            config.hidden_size,
            num_layers=config.num_layers,
            bidirectional=config.bidirectional,
            dropout=config.dropout,
            **config.cell_options,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(self.recurrent.output_size, spec.targets * spec.params)

    def forward(self, batch: Batch) -> Tensor:
        """[batch time target params], of every step of the past."""
        batch = settled(batch)
        parts, time = [batch.past], batch.past.shape[1]
        if batch.known is not None and self.spec.known:
            parts.append(batch.known[:, :time])
        if batch.static is not None and self.spec.static:
            parts.append(batch.static.unsqueeze(1).expand(-1, time, -1))
        sequence, steps = to_front(torch.cat(parts, -1), batch.lengths)  # [batch time width]
        if self.around is not None:
            sequence = torch.cat([sequence, self.around(_blank(sequence, steps).mT).mT.relu()], -1)
        output, _ = self.recurrent(self.dropout(sequence), None, lengths=steps)
        params = self.head(self.dropout(output)).view(len(output), time, self.spec.targets, self.spec.params)
        return params if steps is None else _to_back(params, steps)


def _blank(sequence: Tensor, steps: Tensor | None) -> Tensor:
    """Rows with nothing in their padding, which stands behind: [batch time width]."""
    if steps is None:
        return sequence
    padding = torch.arange(sequence.shape[1], device=sequence.device) >= steps[:, None]
    return sequence.masked_fill(padding[..., None], 0.0)


def _to_back(rows: Tensor, steps: Tensor) -> Tensor:
    """Rows padded behind -> rows padded in front: [batch time target params]."""
    time = rows.shape[1]
    source = (torch.arange(time, device=rows.device) - (time - steps)[:, None]).clamp(min=0)  # [batch time]
    return rows.gather(1, source[..., None, None].expand_as(rows))


FAMILY = "recurrent"
MODEL = Tagger
