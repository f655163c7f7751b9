"""The simple recurrent network of Elman (1990), "Finding Structure in Time", Cognitive Science 14.

The article draws it in figure 2. Its units lie between 0 and 1; the tanh here is torch's. With the rectifier: Le,
Jaitly & Hinton (2015), arXiv 1504.00941.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor

from tsrnn.cells._base import Cell, Gates
from tsrnn.errors import unknown
from tsrnn.shapes import State

_NONLINEARITIES = {"tanh": torch.tanh, "relu": torch.relu}


class Elman(Cell):
    """The state is the output. Option `nonlinearity`: "tanh" or "relu"."""

    gates = ("h",)
    states = ("h",)
    options: ClassVar[dict[str, Any]] = {"nonlinearity": "tanh"}
    nonlinearity: str

    def __init__(self, input_size: int, hidden_size: int, **options: Any) -> None:
        super().__init__(input_size, hidden_size, **options)
        if self.nonlinearity not in _NONLINEARITIES:
            raise unknown("nonlinearity", self.nonlinearity, _NONLINEARITIES)

    @property
    def stock(self) -> str:
        return f"rnn_{self.nonlinearity}"

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        h = _NONLINEARITIES[self.nonlinearity](x[0] + r[0])  # [batch hidden] (Elman 1990, figure 2)
        return (h,), h


CELL = Elman
