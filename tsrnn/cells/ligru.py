"""The light gated recurrent unit: Ravanelli, Brakel, Omologo & Bengio (2018), "Light Gated Recurrent Units for Speech
Recognition", IEEE Transactions on Emerging Topics in Computational Intelligence 2(2), arXiv 1803.10225.

One gate, and a rectified candidate. The article normalises the input's part over the batch, which bounds the state;
here nothing does but the weights.
"""

import torch
from torch import Tensor

from tsrnn.cells._base import Cell, Gates
from tsrnn.shapes import State


class LiGRU(Cell):
    """Update gate and candidate. The state is the output."""

    gates = ("z", "n")
    states = ("h",)

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        (h,) = state
        z = torch.sigmoid(x[0] + r[0])  # [batch hidden] (update gate)
        n = torch.relu(x[1] + r[1])  # [batch hidden] (candidate)
        h = n + z * (h - n)  # [batch hidden] (new state)
        return (h,), h


CELL = LiGRU
