"""Long short-term memory whose gates see the cell state: Gers & Schmidhuber (2000), "Recurrent Nets that Time and
Count", IJCNN.

The numbers are those of Graves (2013), arXiv 1308.0850, where the peephole weights are diagonal, so that each unit's
gates see its own cell state alone. `peephole_only` has no other recurrence: its gates do not see the output. For
peephole matrices in place of the output's, see `peephole_full`; both at once are not offered, as the recurrent products
would need two states.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor

from tsrnn.cells._base import Cell, Gates
from tsrnn.shapes import State


class Peephole(Cell):
    """Option `forget_bias`: what the forget gates' biases start from together; None leaves them random."""

    gates = ("i", "f", "g", "o")
    states = ("h", "c")
    options: ClassVar[dict[str, Any]] = {"forget_bias": 1.0}
    forget_bias: float | None

    def __init__(self, input_size: int, hidden_size: int, **options: Any) -> None:
        super().__init__(input_size, hidden_size, **options)
        self.peephole_i, self.peephole_f, self.peephole_o = self.vector(), self.vector(), self.vector()

    def reset_parameters(self) -> None:
        super().reset_parameters()
        self.start("f", self.forget_bias)

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        _, c = state
        i = torch.sigmoid(x[0] + r[0] + self.peephole_i * c)  # [batch hidden] (Graves 2013, eq. 7)
        f = torch.sigmoid(x[1] + r[1] + self.peephole_f * c)  # [batch hidden] (eq. 8)
        g = torch.tanh(x[2] + r[2])  # [batch hidden] (eq. 9, its second factor)
        c = f * c + i * g  # [batch hidden] (eq. 9)
        o = torch.sigmoid(x[3] + r[3] + self.peephole_o * c)  # [batch hidden] (eq. 10)
        h = o * torch.tanh(c)  # [batch hidden] (eq. 11)
        return (h, c), h


CELL = Peephole
VARIANTS: dict[str, dict[str, Any]] = {"peephole": {}, "peephole_only": {"recurrent": ()}}
ABOUT = {
    "peephole": "LSTM whose gates see the cell state: Gers & Schmidhuber, Learning Precise Timing with LSTM",
    "peephole_only": "LSTM whose gates see the cell state alone, without recurrent products",
}
