"""The label of a row some way back: what a person knows who drills on, and sees cuttings from 15 m above the bit.

A reference for boards that no model is ranked with: it reads the labels of the very series that it is asked about. A
row with no label so far back has the newest one before that, and where there is none the training's shares.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tsrnn.arrays import Floats, Rows
from tsrnn.errors import InputError
from tsrnn.layers.apart import told
from tsrnn.models._base import Recalling
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

TASKS = ("along",)


@dataclass(frozen=True)
class Config:
    steps: int = 98  # rows back: 15 m of 0.152 m


class Lagged(Recalling):
    by_steps = False
    by_chance = False

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if spec.params == 1:
            raise InputError("model 'lagged' recalls labels, not values; take loss='cross_entropy', or another model")
        self.said = nn.Parameter(torch.zeros(spec.params), requires_grad=False)

    def forward(self, batch: Batch) -> Tensor:
        """[batch time target params]: the training's shares, all that it knows of rows alone."""
        return self.said.expand(len(batch.past), batch.past.shape[1], self.spec.targets, -1)

    def solve(self, train: Windows, val: Windows | None) -> bool:
        counts = torch.bincount(told(train).long(), minlength=self.spec.params)
        self.said.copy_(counts.clamp(min=1).log())
        return True

    @classmethod
    def unfiled(cls, config: Any) -> str | None:
        return "model 'lagged' is a reference"

    def recalled(self, truth: Floats, offsets: Rows) -> Floats:
        shares = np.tile(self.said.softmax(-1).double().numpy(), (len(truth), 1))
        for first, last in pairwise(offsets.tolist()):
            rows = np.arange(first, last)
            newest = np.maximum.accumulate(np.where(np.isfinite(truth[rows]), rows, -1))  # labelled row, up to each
            back = newest[: max(0, last - first - self.config.steps)]
            known = np.flatnonzero(back >= 0)
            at = first + self.config.steps + known
            shares[at] = np.eye(self.spec.params)[truth[back[known]].astype(np.int64)]
        return shares


FAMILY = "reference"
ABOUT = {"lagged": "The label 15 m above: reads labels, and is measured beside models, not among them"}
MODEL = Lagged
