"""Long short-term memory with full gate recurrence, each gate also fed with all gates of the step before: the variant
FGR of Greff et al. (2015), "LSTM: A Search Space Odyssey", arXiv 1503.04069.

Apart from that it is the article's vanilla LSTM, peepholes included (here `peephole`).
"""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tsrnn.cells._base import Cell, Gates
from tsrnn.shapes import State


class FullGateRecurrence(Cell):
    """Option `forget_bias`: what the forget gates' biases start from together; None leaves them random.

    `weight_gates` [3*hidden 3*hidden] leads from the gates i, f, o of one step to those of the next.
    """

    gates = ("i", "f", "g", "o")
    states = ("h", "c", "i", "f", "o")
    options: ClassVar[dict[str, Any]] = {"forget_bias": 1.0}
    forget_bias: float | None

    def __init__(self, input_size: int, hidden_size: int, **options: Any) -> None:
        super().__init__(input_size, hidden_size, **options)
        self.peephole_i, self.peephole_f, self.peephole_o = self.vector(), self.vector(), self.vector()
        bound = hidden_size**-0.5
        self.weight_gates = nn.Parameter(torch.empty(3 * hidden_size, 3 * hidden_size).uniform_(-bound, bound))

    def reset_parameters(self) -> None:
        super().reset_parameters()
        self.start("f", self.forget_bias)

    def products(self, x: Gates, state: State) -> Gates:
        i, f, g, o = super().products(x, state)
        from_i, from_f, from_o = F.linear(torch.cat(state[2:], -1), self.weight_gates).chunk(3, -1)
        return i + from_i, f + from_f, g, o + from_o  # each [batch hidden] (FGR)

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        c = state[1]
        g = torch.tanh(x[2] + r[2])  # [batch hidden] (block input)
        i = torch.sigmoid(x[0] + r[0] + self.peephole_i * c)  # [batch hidden] (input gate)
        f = torch.sigmoid(x[1] + r[1] + self.peephole_f * c)  # [batch hidden] (forget gate)
        c = f * c + i * g  # [batch hidden] (cell)
        o = torch.sigmoid(x[3] + r[3] + self.peephole_o * c)  # [batch hidden] (output gate)
        h = o * torch.tanh(c)  # [batch hidden] (block output)
        return (h, c, i, f, o), h


CELL = FullGateRecurrence
