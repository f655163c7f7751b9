"""What a cell is: weights in torch's layout, and one step of the recurrence written gate by gate.

The input's pre-activations `x` do not depend on the state, so they are computed for all steps at once; the recurrent
ones `r` follow step by step. A cell knows nothing of time, lengths, direction, layers or dropout: those belong to
`tsrnn.recurrence.Recurrent`.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tsrnn.errors import InputError, unknown
from tsrnn.shapes import State

Gates = tuple[Tensor, ...]  # pre-activations by gate, each [batch hidden]


class Cell(nn.Module, ABC):
    """One recurrence. To add one, write `tsrnn/cells/<name>.py`, about thirty lines, and nothing else:

        class Leaky(Cell):
            gates = ("a", "u")
            states = ("h",)
            options: ClassVar = {"floor": 0.0}
            floor: float

            def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
                (h,) = state
                a = self.floor + (1 - self.floor) * torch.sigmoid(x[0] + r[0])  # [batch hidden] (eq. 1)
                h = h + a * (torch.tanh(x[1] + r[1]) - h)  # [batch hidden] (eq. 2)
                return (h,), h

        CELL = Leaky

    The contract tests find the file by themselves. `step` is pure and element-wise: hidden unit k of its results
    depends on unit k of its arguments alone, by arithmetic that a backend may trace and print in another language.
    It may use the cell's own options, and parameters of shape [hidden] made in `__init__` after `super().__init__`.

    gates      names, in the order in which their weights are stacked (torch's order, where torch has the cell)
    states     names of the state's parts; the first one feeds the recurrent product
    options    name -> default of the settings a user may give; each becomes an attribute

    Weights: weight_ih [gates*hidden input], weight_hh [gates*hidden hidden], bias_ih and bias_hh [gates*hidden].

    Raises:
        InputError: a size below one, or an option that the cell does not have.
    """

    gates: ClassVar[tuple[str, ...]]
    states: ClassVar[tuple[str, ...]]
    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, input_size: int, hidden_size: int, **options: Any) -> None:
        super().__init__()
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
            if size < 1:
                raise InputError(f"{name} of a {type(self).__name__} cell must be at least 1, not {size}")
        for name in options:
            if name not in self.options:
                raise unknown(f"option of the {type(self).__name__} cell", name, self.options)
        for name, value in (self.options | options).items():
            setattr(self, name, value)
        self.input_size, self.hidden_size = input_size, hidden_size
        rows = len(self.gates) * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(rows, input_size))
        self.weight_hh = nn.Parameter(torch.empty(rows, hidden_size))
        self.bias_ih = nn.Parameter(torch.empty(rows))
        self.bias_hh = nn.Parameter(torch.empty(rows))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Uniform within 1/sqrt(hidden), as torch's layers start."""
        bound = self.hidden_size**-0.5
        for weight in (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh):
            nn.init.uniform_(weight, -bound, bound)

    @property
    def stock(self) -> str | None:
        """The kernel in torch that computes the same equations from the same weights: "lstm", "gru", "rnn_tanh"...

        It holds for the class that declares it, not for those derived from it.
        """
        return None

    def initial(self, batch: int) -> State:
        """The state before the first step: zeros, each [batch hidden], where the weights are."""
        return tuple(self.weight_hh.new_zeros(batch, self.hidden_size) for _ in self.states)

    def project(self, x: Tensor) -> Tensor:
        """Pre-activations of any number of inputs: [... input] -> [... gates*hidden]."""
        return F.linear(x, self.weight_ih, self.bias_ih)

    def recur(self, h: Tensor) -> Tensor:
        """Recurrent pre-activations of the first state: [batch hidden] -> [batch gates*hidden]."""
        return F.linear(h, self.weight_hh, self.bias_hh)

    @abstractmethod
    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        """One step.

        Args:
            x: input pre-activations by gate, each [batch hidden].
            r: recurrent pre-activations by gate, each [batch hidden].
            state: as `states` names them, each [batch hidden].

        Returns:
            The next state and the output [batch hidden].
        """

    def advance(self, projected: Tensor, state: State) -> tuple[State, Tensor]:
        """One step from pre-activations not yet split: [batch gates*hidden] -> next state, output [batch hidden]."""
        gates = len(self.gates)
        return self.step(projected.chunk(gates, -1), self.recur(state[0]).chunk(gates, -1), state)

    def forward(self, x: Tensor, state: State) -> tuple[State, Tensor]:
        """One step from the input itself: [batch input] -> next state, output [batch hidden]."""
        return self.advance(self.project(x), state)

    def extra_repr(self) -> str:
        settings = "".join(f", {name}={getattr(self, name)!r}" for name in self.options)
        return f"{self.input_size}, {self.hidden_size}{settings}"
