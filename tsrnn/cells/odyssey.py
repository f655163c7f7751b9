"""What each part of long short-term memory is worth: Greff, Srivastava, Koutník, Steunebrink & Schmidhuber (2015),
"LSTM: A Search Space Odyssey", arXiv 1503.04069.

Its eight variants each differ in one thing from its vanilla LSTM (here `peephole`). Seven are here, under the
article's initials; the eighth, full gate recurrence, is `lstm_fgr`.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor

from tsrnn.cells._base import Cell, Gates
from tsrnn.shapes import State


class Odyssey(Cell):
    """Option `forget_bias`: what the forget gates' biases start from together; None leaves them random."""

    gates = ("i", "f", "g", "o")
    states = ("h", "c")
    options: ClassVar[dict[str, Any]] = {"forget_bias": 1.0}
    forget_bias: float | None
    peepholes: ClassVar[bool] = True
    coupled: ClassVar[bool] = False
    squashed_input: ClassVar[bool] = True
    squashed_output: ClassVar[bool] = True

    def __init__(self, input_size: int, hidden_size: int, **options: Any) -> None:
        super().__init__(input_size, hidden_size, **options)
        for gate in self.gates:
            if self.peepholes and gate != "g":
                self.register_parameter(f"peephole_{gate}", self.vector())

    def reset_parameters(self) -> None:
        super().reset_parameters()
        if "f" in self.gates:
            self.start("f", self.forget_bias)
        elif self.coupled and self.forget_bias is not None:
            self.start("i", -self.forget_bias)

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        _, c = state
        sums = {gate: each + other for gate, each, other in zip(self.gates, x, r, strict=True)}
        g = torch.tanh(sums["g"]) if self.squashed_input else sums["g"]  # [batch hidden] (block input)
        i = self._gate("i", sums, c)  # [batch hidden] (input gate)
        f = 1 - i if self.coupled else self._gate("f", sums, c)  # [batch hidden] (forget gate)
        c = f * c + i * g  # [batch hidden] (cell)
        o = self._gate("o", sums, c)  # [batch hidden] (output gate)
        h = o * (torch.tanh(c) if self.squashed_output else c)  # [batch hidden] (block output)
        return (h, c), h

    def _gate(self, gate: str, sums: dict[str, Tensor], c: Tensor) -> Tensor | float:
        if gate not in sums:
            return 1.0
        return torch.sigmoid(sums[gate] + getattr(self, f"peephole_{gate}") * c if self.peepholes else sums[gate])


CELL = Odyssey
VARIANTS: dict[str, dict[str, Any]] = {
    "lstm_nig": {"gates": ("f", "g", "o")},  # no input gate
    "lstm_nfg": {"gates": ("i", "g", "o")},  # no forget gate
    "lstm_nog": {"gates": ("i", "f", "g")},  # no output gate
    "lstm_niaf": {"squashed_input": False},  # no input activation function
    "lstm_noaf": {"squashed_output": False},  # no output activation function
    "lstm_cifg": {"gates": ("i", "g", "o"), "coupled": True},  # coupled input and forget gate
    "lstm_np": {"peepholes": False},  # no peepholes
}
ABOUT = {
    "lstm_nig": "Peephole LSTM without its input gate",
    "lstm_nfg": "Peephole LSTM without its forget gate",
    "lstm_nog": "Peephole LSTM without its output gate",
    "lstm_niaf": "Peephole LSTM whose input is not squashed",
    "lstm_noaf": "Peephole LSTM whose output is not squashed",
    "lstm_cifg": "Peephole LSTM with one gate for input and forgetting",
    "lstm_np": "LSTM without peepholes, as the article has it",
}
