"""The third of three gated units found by mutation: Jozefowicz, Zaremba & Sutskever (2015), "An Empirical Exploration
of Recurrent Network Architectures", ICML, "MUT3".

The update gate looks at tanh(h), the reset gate at h and the candidate at the reset h: three recurrent products of
three things, which this file computes by itself.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from tsrnn.cells._base import Cell, Gates
from tsrnn.shapes import State


class MUT3(Cell):
    """Reset, update and candidate. The state is the output."""

    gates = ("r", "z", "n")
    states = ("h",)

    def products(self, x: Gates, state: State) -> Gates:
        (h,) = state
        (weight_r, weight_z, weight_n), (bias_r, bias_z, bias_n) = self.weight_hh.chunk(3), self.bias_hh.chunk(3)
        r = F.linear(h, weight_r, bias_r)  # [batch hidden]
        z = F.linear(torch.tanh(h), weight_z, bias_z)  # [batch hidden] (MUT3, z)
        reset = torch.sigmoid(x[0] + r)  # [batch hidden] (MUT3, r)
        return r, z, F.linear(reset * h, weight_n, bias_n)

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        (h,) = state
        z = torch.sigmoid(x[1] + r[1])  # [batch hidden] (MUT3, z)
        n = torch.tanh(x[2] + r[2])  # [batch hidden] (MUT3, h, its candidate)
        h = h + z * (n - h)  # [batch hidden] (MUT3, h)
        return (h,), h


CELL = MUT3
