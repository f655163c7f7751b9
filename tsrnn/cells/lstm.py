"""Long short-term memory: Hochreiter & Schmidhuber (1997), Neural Computation 9(8), with the forget gate of Gers,
Schmidhuber & Cummins (2000), Neural Computation 12(10).

The numbers are those of Graves (2013), "Generating Sequences With Recurrent Neural Networks", arXiv 1308.0850, whose
peephole terms are left out here, as in torch. A forget bias of one: Jozefowicz, Zaremba & Sutskever (2015), ICML.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor

from tsrnn.cells._base import Cell, Gates
from tsrnn.shapes import State


class LSTM(Cell):
    """Option `forget_bias`: what the forget gates' two biases start from together; None leaves them as torch does."""

    gates = ("i", "f", "g", "o")
    states = ("h", "c")
    options: ClassVar[dict[str, Any]] = {"forget_bias": 1.0}
    forget_bias: float | None

    @property
    def stock(self) -> str:
        return "lstm"

    def reset_parameters(self) -> None:
        super().reset_parameters()
        self.start("f", self.forget_bias)

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        _, c = state
        i = torch.sigmoid(x[0] + r[0])  # [batch hidden] (Graves 2013, eq. 7)
        f = torch.sigmoid(x[1] + r[1])  # [batch hidden] (eq. 8)
        g = torch.tanh(x[2] + r[2])  # [batch hidden] (eq. 9, its second factor)
        c = f * c + i * g  # [batch hidden] (eq. 9)
        o = torch.sigmoid(x[3] + r[3])  # [batch hidden] (eq. 10)
        h = o * torch.tanh(c)  # [batch hidden] (eq. 11)
        return (h, c), h


CELL = LSTM
