"""The second of three gated units found by mutation: Jozefowicz, Zaremba & Sutskever (2015), "An Empirical Exploration
of Recurrent Network Architectures", ICML, "MUT2".

The paper adds x itself to the reset gate, which asks for an input as wide as the state; here a linear map stands there,
which leaves the equations of `gru_before` with the update gate turned round.
"""

import torch
from torch import Tensor

from tsrnn.cells._base import Cell, Gates
from tsrnn.shapes import State


class MUT2(Cell):
    """Reset, update and candidate. The state is the output."""

    gates = ("r", "z", "n")
    states = ("h",)
    second = 1

    def gated(self, x: Gates, r: Gates, state: State) -> Tensor:
        reset = torch.sigmoid(x[0] + r[0])  # [batch hidden] (MUT2, r)
        return reset * state[0]  # [batch hidden]

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        (h,) = state
        z = torch.sigmoid(x[1] + r[1])  # [batch hidden] (MUT2, z)
        n = torch.tanh(x[2] + r[2])  # [batch hidden] (MUT2, h, its candidate)
        h = h + z * (n - h)  # [batch hidden] (MUT2, h)
        return (h,), h


CELL = MUT2
