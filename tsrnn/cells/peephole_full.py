"""Long short-term memory whose gates see every unit's cell state, and no output: Gers & Schmidhuber (2000), "Recurrent
Nets that Time and Count", IJCNN, with matrices where they have diagonals.

Equations 7 to 11 of Graves (2013), arXiv 1308.0850, with full W_ci, W_cf, W_co, without W_hi, W_hf, W_hc, W_ho, and
with the output gate looking at the cell state before the step, as the other two do.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor

from tsrnn.cells._base import Cell, Gates
from tsrnn.shapes import State


class PeepholeFull(Cell):
    """Option `forget_bias`: what the forget gates' biases start from together; None leaves them random."""

    gates = ("g", "i", "f", "o")
    states = ("h", "c")
    options: ClassVar[dict[str, Any]] = {"forget_bias": 1.0}
    recurrent = ("i", "f", "o")
    second = 3
    forget_bias: float | None

    def reset_parameters(self) -> None:
        super().reset_parameters()
        self.start("f", self.forget_bias)

    def gated(self, x: Gates, r: Gates, state: State) -> Tensor:
        return state[1]

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        _, c = state
        g = torch.tanh(x[0])  # [batch hidden] (Graves 2013, eq. 9, its second factor)
        i = torch.sigmoid(x[1] + r[1])  # [batch hidden] (eq. 7)
        f = torch.sigmoid(x[2] + r[2])  # [batch hidden] (eq. 8)
        o = torch.sigmoid(x[3] + r[3])  # [batch hidden] (eq. 10)
        c = f * c + i * g  # [batch hidden] (eq. 9)
        h = o * torch.tanh(c)  # [batch hidden] (eq. 11)
        return (h, c), h


CELL = PeepholeFull
