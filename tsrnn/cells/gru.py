"""The gated recurrent unit: Cho et al. (2014), arXiv 1406.1078, section 2.3.

As in torch and cuDNN the reset gate acts after the recurrent product, on U h + b, where the paper's eq. 8 has it act
on h before the product.
"""

import torch
from torch import Tensor

from tsrnn.cells._base import Cell, Gates
from tsrnn.shapes import State


class GRU(Cell):
    """Reset, update and candidate, in torch's order. The state is the output."""

    gates = ("r", "z", "n")
    states = ("h",)

    @property
    def stock(self) -> str:
        return "gru"

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        (h,) = state
        reset = torch.sigmoid(x[0] + r[0])  # [batch hidden] (Cho et al. 2014, eq. 5)
        z = torch.sigmoid(x[1] + r[1])  # [batch hidden] (eq. 6)
        n = torch.tanh(x[2] + reset * r[2])  # [batch hidden] (eq. 8, reset after the product)
        h = n + z * (h - n)  # [batch hidden] (eq. 7)
        return (h,), h


CELL = GRU
