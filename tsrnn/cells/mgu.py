"""The minimal gated unit, with one gate for both resetting and updating: Zhou, Wu, Zhang & Zhou (2016), "Minimal Gated
Unit for Recurrent Neural Networks", International Journal of Automation and Computing 13(3), arXiv 1603.09420.
"""

import torch
from torch import Tensor

from tsrnn.cells._base import Cell, Gates
from tsrnn.shapes import State


class MGU(Cell):
    """Forget gate and candidate. The state is the output."""

    gates = ("f", "n")
    states = ("h",)
    second = 1

    def gated(self, x: Gates, r: Gates, state: State) -> Tensor:
        return torch.sigmoid(x[0] + r[0]) * state[0]  # [batch hidden] (inside the candidate)

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        (h,) = state
        f = torch.sigmoid(x[0] + r[0])  # [batch hidden] (forget gate)
        n = torch.tanh(x[1] + r[1])  # [batch hidden] (candidate)
        h = h + f * (n - h)  # [batch hidden] (new state)
        return (h,), h


CELL = MGU
