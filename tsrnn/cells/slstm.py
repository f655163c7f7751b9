"""sLSTM, long short-term memory with exponential gates and a normaliser: Beck et al. (2024), "xLSTM: Extended Long
Short-Term Memory", arXiv 2405.04517, section 2.2.

c and n are kept divided by exp(m), where m follows the largest exponent (eq. 15 to 17), so that nothing overflows; the
output does not depend on it. Without heads: the recurrent matrices are full.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from tsrnn.cells._base import Cell, Gates
from tsrnn.errors import unknown
from tsrnn.shapes import State

_FORGET = ("sigmoid", "exponential")


class SLSTM(Cell):
    """Input gate, forget gate, cell input and output gate.

    The first m is minus infinity: nothing has been seen, whatever c and n hold. A state of one's own needs n above 0.

    Options: `forget`, "sigmoid" or "exponential" (eq. 13); `forget_bias`, what the forget gate's two biases start from
    together, None leaving them random.
    """

    gates = ("i", "f", "z", "o")
    states = ("h", "c", "n", "m")
    options: ClassVar[dict[str, Any]] = {"forget": "sigmoid", "forget_bias": 1.0}
    forget: str
    forget_bias: float | None

    def __init__(self, input_size: int, hidden_size: int, **options: Any) -> None:
        super().__init__(input_size, hidden_size, **options)
        if self.forget not in _FORGET:
            raise unknown("forget gate of an SLSTM cell", self.forget, _FORGET)

    def reset_parameters(self) -> None:
        super().reset_parameters()
        self.start("f", self.forget_bias)

    def initial(self, batch: int) -> State:
        h, c, n, m = super().initial(batch)
        return h, c, n, torch.full_like(m, -torch.inf)

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        _, c, n, m = state
        log_i = x[0] + r[0]  # [batch hidden] (Beck et al. 2024, eq. 12)
        log_f = x[1] + r[1]  # [batch hidden] (eq. 13)
        if self.forget == "sigmoid":
            log_f = F.logsigmoid(log_f)
        z = torch.tanh(x[2] + r[2])  # [batch hidden] (eq. 11)
        o = torch.sigmoid(x[3] + r[3])  # [batch hidden] (eq. 14)
        largest = torch.maximum(log_f + m, log_i)  # [batch hidden] (eq. 15)
        i = torch.exp(log_i - largest)  # [batch hidden] (eq. 16)
        f = torch.exp(log_f + m - largest)  # [batch hidden] (eq. 17)
        c = f * c + i * z  # [batch hidden] (eq. 8)
        n = f * n + i  # [batch hidden] (eq. 9)
        h = o * c / n  # [batch hidden] (eq. 10)
        return (h, c, n, largest), h


CELL = SLSTM
