"""The gated recurrent unit as first published, with the reset gate before the recurrent product: Cho et al. (2014),
arXiv 1406.1078, section 2.3.

The cell `gru` resets after the product, as torch and cuDNN do.
"""

import torch
from torch import Tensor

from tsrnn.cells._base import Cell, Gates
from tsrnn.shapes import State


class GRUBefore(Cell):
    """Reset, update and candidate. The state is the output."""

    gates = ("r", "z", "n")
    states = ("h",)
    second = 1

    def gated(self, x: Gates, r: Gates, state: State) -> Tensor:
        reset = torch.sigmoid(x[0] + r[0])  # [batch hidden] (Cho et al. 2014, eq. 5)
        return reset * state[0]  # [batch hidden] (eq. 8, inside the product)

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        (h,) = state
        z = torch.sigmoid(x[1] + r[1])  # [batch hidden] (eq. 6)
        n = torch.tanh(x[2] + r[2])  # [batch hidden] (eq. 8)
        h = n + z * (h - n)  # [batch hidden] (eq. 7)
        return (h,), h


CELL = GRUBefore
