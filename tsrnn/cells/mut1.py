"""The first of three gated units found by mutation: Jozefowicz, Zaremba & Sutskever (2015), "An Empirical Exploration
of Recurrent Network Architectures", ICML, "MUT1".

The update gate does not look at the state. The paper adds tanh(x) itself to the candidate, which asks for an input as
wide as the state; here a linear map comes before it.
"""

import torch
from torch import Tensor

from tsrnn.cells._base import Cell, Gates
from tsrnn.shapes import State


class MUT1(Cell):
    """Reset, update and candidate. The state is the output."""

    gates = ("r", "z", "n")
    states = ("h",)
    recurrent = ("r", "n")
    second = 1

    def gated(self, x: Gates, r: Gates, state: State) -> Tensor:
        reset = torch.sigmoid(x[0] + r[0])  # [batch hidden] (MUT1, r)
        return reset * state[0]  # [batch hidden]

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        (h,) = state
        z = torch.sigmoid(x[1])  # [batch hidden] (MUT1, z)
        n = torch.tanh(torch.tanh(x[2]) + r[2])  # [batch hidden] (MUT1, h, its candidate)
        h = h + z * (n - h)  # [batch hidden] (MUT1, h)
        return (h,), h


CELL = MUT1
