"""What a cell is: weights in torch's layout, and one step of the recurrence written gate by gate.

The input's pre-activations `x` do not depend on the state, so they are computed for all steps at once; the recurrent
ones `r` follow step by step. A cell knows nothing of time, lengths, direction, layers or dropout: those belong to
`tsrnn.recurrence.Recurrent`.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, final

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
        states     names of the state's parts; the first one feeds the recurrent products, and is what models read
        options    name -> default of the settings a user may give; each becomes an attribute
        recurrent  the gates that have a recurrent product, in the order of `gates`; None: all of them. For the others
                   `step` is given r of zeros
        second     how many of the last gates have recurrent products that wait for the first ones: they act on
                   `gated(x, r, state)` in place of the first state

    Weights: weight_ih [gates*hidden input], bias_ih [gates*hidden], and for the gates that `recurrent` names, stacked
    without holes, weight_hh [recurrent*hidden hidden], bias_hh [recurrent*hidden]. Where it names none, these two are
    empty and are no parameters.

    Raises:
        InputError: a size below one, or an option that the cell does not have.
    """

    gates: ClassVar[tuple[str, ...]]
    states: ClassVar[tuple[str, ...]]
    options: ClassVar[dict[str, Any]] = {}
    recurrent: ClassVar[tuple[str, ...] | None] = None
    second: ClassVar[int] = 0
    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor
    bias_hh: Tensor

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
        rows, recurrent = len(self.gates) * hidden_size, len(self._fed(self.gates)) * hidden_size
        self._weight("weight_ih", rows, input_size)
        self._weight("weight_hh", recurrent, hidden_size)
        self._weight("bias_ih", rows)
        self._weight("bias_hh", recurrent)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Uniform within 1/sqrt(hidden), as torch's layers start."""
        bound = self.hidden_size**-0.5
        for weight in (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh):
            nn.init.uniform_(weight, -bound, bound)

    def vector(self) -> nn.Parameter:
        """A parameter [hidden] for `step`, uniform within 1/sqrt(hidden)."""
        bound = self.hidden_size**-0.5
        return nn.Parameter(torch.empty(self.hidden_size).uniform_(-bound, bound))

    def start(self, gate: str, value: float | None) -> None:
        """Let a gate's biases start from `value` together; None leaves them as they are."""
        if value is None:
            return
        size = self.hidden_size
        with torch.no_grad():
            self.bias_ih[self.gates.index(gate) * size :][:size] = value
            fed = self._fed(self.gates)
            if gate in fed:
                self.bias_hh[fed.index(gate) * size :][:size] = 0.0

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

    def products(self, x: Gates, state: State) -> Gates:
        """Recurrent pre-activations by gate, each [batch hidden], from the input's and the state.

        A cell whose products fit neither `recurrent` nor `second` may write its own; see `regular`.
        """
        if not self.second:
            return self._multiply(state[0], self.gates, self.weight_hh, self.bias_hh)
        first, last = self.gates[: -self.second], self.gates[-self.second :]
        rows = len(self._fed(first)) * self.hidden_size
        r = self._multiply(state[0], first, self.weight_hh[:rows], self.bias_hh[:rows])
        return r + self._multiply(self.gated(x, r, state), last, self.weight_hh[rows:], self.bias_hh[rows:])

    def gated(self, x: Gates, r: Gates, state: State) -> Tensor:
        """What the recurrent products of the last `second` gates act on: [batch hidden], element-wise like `step`.

        Args:
            x: input pre-activations of all gates, each [batch hidden].
            r: recurrent pre-activations of the gates before the last `second` ones, each [batch hidden].
            state: as `states` names them, each [batch hidden].
        """
        raise NotImplementedError(f"{type(self).__name__} has second = {self.second}, but no `gated`")

    @property
    def regular(self) -> bool:
        """Whether a backend may compute the products by itself, from `recurrent`, `second`, `gated` and the weights."""
        return all(getattr(type(self), name) is getattr(Cell, name) for name in ("project", "products", "advance"))

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
        x = projected.chunk(len(self.gates), -1)
        return self.step(x, self.products(x, state), state)

    def forward(self, x: Tensor, state: State) -> tuple[State, Tensor]:
        """One step from the input itself: [batch input] -> next state, output [batch hidden]."""
        return self.advance(self.project(x), state)

    def extra_repr(self) -> str:
        settings = "".join(f", {name}={getattr(self, name)!r}" for name in self.options)
        return f"{self.input_size}, {self.hidden_size}{settings}"

    def _weight(self, name: str, *shape: int) -> None:
        if shape[0]:
            self.register_parameter(name, nn.Parameter(torch.empty(shape)))
        else:
            self.register_buffer(name, torch.empty(shape), persistent=False)

    def _fed(self, gates: tuple[str, ...]) -> tuple[str, ...]:
        """Those among the gates that have a recurrent product."""
        return gates if self.recurrent is None else tuple(gate for gate in gates if gate in self.recurrent)

    def _multiply(self, h: Tensor, gates: tuple[str, ...], weight: Tensor, bias: Tensor) -> Gates:
        """Recurrent pre-activations of some gates, zeros where one has no product; each [batch hidden]."""
        fed = self._fed(gates)
        found = F.linear(h, weight, bias).chunk(len(fed), -1) if fed else ()
        if len(fed) == len(gates):
            return tuple(found)
        zero = torch.zeros_like(h)
        return tuple(found[fed.index(gate)] if gate in fed else zero for gate in gates)


class LinearCell(Cell):
    """A cell that is linear in its state, unit by unit: h_t = a_t h_{t-1} + b_t.

    Its file gives `terms`, and `emit` where the output is not the state; the step follows from them, and so may a scan
    over all steps at once (`tsrnn.recurrence.scan.linear_scan`). Gates depend on the input alone.
    """

    states = ("h",)
    recurrent = ()

    @abstractmethod
    def terms(self, x: Gates) -> tuple[Tensor, Tensor]:
        """a and b from the input's pre-activations, each [... hidden]; element-wise like `step`."""

    def emit(self, h: Tensor, x: Gates) -> Tensor:
        """The output of a state, each [... hidden]; element-wise like `step`."""
        return h

    @final
    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        a, b = self.terms(x)
        h = a * state[0] + b  # [batch hidden]
        return (h,), self.emit(h, x)
