"""`Recurrent`: any cell as a layer, with depth, direction, lengths, dropout between layers and a choice of backend."""

from numbers import Integral
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tsrnn.cells import Cell, get
from tsrnn.errors import InputError, unknown
from tsrnn.recurrence import generated, reference, scanned, stock
from tsrnn.recurrence.resets import stretches
from tsrnn.shapes import State

_MANY = 256  # rows from which on a single step is worth a kernel's call


class Backend(Protocol):
    def supports(self, cell: Cell, x: Tensor, lengths: Tensor | None) -> tuple[bool, str]: ...

    def run(self, cell: Cell, x: Tensor, state: State, lengths: Tensor | None) -> tuple[Tensor, State]: ...


BACKENDS: dict[str, Backend] = {
    "generated": generated,
    "stock": stock,
    "reference": reference,
}  # "auto" takes the first that can run
_IN_GRAPHS: dict[str, Backend] = {"scanned": scanned}  # set by who makes a graph; without gradients


class Recurrent(nn.Module):
    """Layers of one cell over time.

    Args:
        cell: a name (a file in `tsrnn/cells`) or a class derived from `Cell`.
        input_size: channels of the input.
        hidden_size: width of each direction's state.
        num_layers: layers, each fed by the outputs of the one before.
        bidirectional: run a second cell per layer from each row's last step back to its first.
        dropout: share of the outputs dropped between layers while training; nothing with one layer.
        learn_initial: learn the state before the first step, one per layer and direction.
        backend: "auto" (the first that can run), "generated", "stock" or "reference".
        cell_options: settings of the cell.

    Raises:
        InputError: an unknown name, or a size or share out of its range.
    """

    def __init__(
        self,
        cell: str | type,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        learn_initial: bool = False,
        backend: str = "auto",
        **cell_options: Any,
    ) -> None:
        super().__init__()
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size), ("num_layers", num_layers)):
            if not isinstance(size, Integral) or size < 1:
                raise InputError(f"{name} must be a whole number of at least 1, not {size!r}")
        if not 0 <= dropout < 1:
            raise InputError(f"dropout must be at least 0 and below 1, not {dropout}")
        if backend != "auto" and backend not in BACKENDS:
            raise unknown("backend", backend, ["auto", *BACKENDS])
        kind = get(cell)
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bidirectional, self.dropout, self.backend = bidirectional, dropout, backend
        self.directions = 2 if bidirectional else 1
        widths = [input_size] + [self.output_size] * (num_layers - 1)
        self.cells = nn.ModuleList(
            kind(width, hidden_size, **cell_options) for width in widths for _ in range(self.directions)
        )
        learned = [first[0] for each in self._cells() for first in each.initial(1)] if learn_initial else []
        self.first = nn.ParameterList(nn.Parameter(each.clone()) for each in learned)  # each [hidden]

    @property
    def output_size(self) -> int:
        """Channels of the output: hidden_size times the directions."""
        return self.hidden_size * self.directions

    def forward(
        self,
        x: Tensor,
        state: tuple[State, ...] | None = None,
        lengths: Tensor | None = None,
        resets: Tensor | None = None,
    ) -> tuple[Tensor, tuple[State, ...]]:
        """Run over time.

        Args:
            x: [batch time channel].
            state: where to start from, in the form in which `final` comes out; detached, it carries truncated
                back-propagation from one stretch to the next. None: the cells' own first state, or the learned one.
            lengths: [batch] steps of each row, oldest first, the rest being padding. None: all of them.
            resets: [batch time] bool: forget the state before this step and go on from the first one, as if another
                sequence began; a backward direction does not read past it either. None: nowhere.

        Returns:
            output [batch time output_size], zero in the padding, and final: one State per layer and direction in
            torch's order (layer 0 forward, layer 0 backward, layer 1 forward...), each [batch hidden].

        Raises:
            InputError: a shape that does not fit, a length out of range, a backend that cannot run this.
        """
        self._check(x, lengths)
        states = self._states(x.shape[0], state)
        if resets is not None:
            return self._anew(x, states, lengths, resets)
        if lengths is not None:
            lengths = lengths.to(x.device)
            padding = torch.arange(x.shape[1], device=x.device) >= lengths[:, None]  # [batch time]
            x = x.masked_fill(padding[..., None], 0.0)  # NaN in the padding must not reach a gradient
        cells = self._cells()
        final: list[State] = []
        for layer in range(self.num_layers):
            if layer:
                x = F.dropout(x, self.dropout, self.training)
            outputs = []
            for backward in range(self.directions):
                index = layer * self.directions + backward
                output, last = self._run(cells[index], x, states[index], lengths, backward=bool(backward))
                outputs.append(output)
                final.append(last)
            x = torch.cat(outputs, -1) if self.bidirectional else outputs[0]  # [batch time output_size]
        return x, tuple(final)

    def step(self, x: Tensor, state: tuple[State, ...] | None = None) -> tuple[Tensor, tuple[State, ...]]:
        """One step, for generation: x [batch channel] -> output [batch hidden], state in the form of `forward`.

        Many rows take the backend that `forward` takes; for few, calling it costs more than it saves.

        Raises:
            InputError: the layer is bidirectional, or a shape does not fit.
        """
        if self.bidirectional:
            raise InputError("a bidirectional layer cannot go step by step: build it with bidirectional=False")
        if not torch.compiler.is_exporting() and len(x) >= _MANY:
            output, state = self(x[:, None], state)
            return output[:, 0], state
        self._check(x[:, None], None)
        final = []
        for layer, (cell, each) in enumerate(zip(self._cells(), self._states(x.shape[0], state), strict=True)):
            if layer:
                x = F.dropout(x, self.dropout, self.training)
            following, x = cell(x, each)
            final.append(following)
        return x, tuple(final)

    def explain(self, x: Tensor, lengths: Tensor | None = None) -> str:
        """Which backend runs on this input, and why."""
        cell = self._cells()[0]
        chosen, reason = self._choose(cell, x, lengths)
        passed = []
        for name, backend in BACKENDS.items():
            if self.backend != "auto" or name == chosen:
                break
            passed.append(f"; not {name}: {backend.supports(cell, x, lengths)[1]}")
        asked = "" if self.backend == "auto" else ", as asked"
        return f"{chosen}{asked}: {reason}{''.join(passed)}"

    def extra_repr(self) -> str:
        return f"num_layers={self.num_layers}, bidirectional={self.bidirectional}, backend={self.backend!r}"

    def _run(self, cell: Cell, x: Tensor, state: State, lengths: Tensor | None, backward: bool) -> tuple[Tensor, State]:
        backend = (BACKENDS | _IN_GRAPHS)[self._choose(cell, x, lengths)[0]]
        if not backward:
            return backend.run(cell, x, state, lengths)
        output, final = backend.run(cell, _reverse(x, lengths), state, lengths)
        return _reverse(output, lengths), final

    def _anew(
        self, x: Tensor, states: tuple[State, ...], lengths: Tensor | None, resets: Tensor
    ) -> tuple[Tensor, tuple[State, ...]]:
        """`forward` where rows begin anew at resets: their stretches are rows."""
        if resets.shape != x.shape[:2] or resets.dtype != torch.bool:
            raise InputError(
                f"resets must be booleans [batch time] = {list(x.shape[:2])}, not {resets.dtype} {list(resets.shape)}"
            )
        lengths = None if lengths is None else lengths.to(x.device)
        cut = stretches(resets.to(x.device), lengths)
        output = x.new_zeros(*x.shape[:2], self.output_size)
        final = [list(each) for each in self._states(len(cut.row), None)]
        for index, given in enumerate(states):  # a backward direction begins at the row's end
            rows = (
                cut.carried.nonzero()[:, 0] if index % self.directions == 0 else torch.arange(len(x), device=x.device)
            )
            at = cut.ends[index % self.directions][rows]
            final[index] = [fresh.index_put((at,), part[rows]) for fresh, part in zip(final[index], given, strict=True)]
        for group in cut.groups():
            gathered, (inside, *places) = cut.gather(x, group)
            found, last = self(
                gathered, tuple(tuple(part[group] for part in each) for each in final), cut.lengths[group]
            )
            output = output.index_put(inside.nonzero(as_tuple=True), found[tuple(places)])
            final = [
                [part.index_put((group,), end) for part, end in zip(*each, strict=True)]
                for each in zip(final, last, strict=True)
            ]
        ends = [cut.ends[1 - index % self.directions] for index in range(len(states))]
        return output, tuple(tuple(part[end] for part in each) for each, end in zip(final, ends, strict=True))

    def _choose(self, cell: Cell, x: Tensor, lengths: Tensor | None) -> tuple[str, str]:
        """The backend's name, and why it can run."""
        names = list(BACKENDS) if self.backend == "auto" else [self.backend]
        if self.backend == "auto" and stock.supports(cell, x, lengths)[0] and stock.faster(cell, x, lengths):
            names = ["stock"]
        for name in names:
            able, reason = (BACKENDS | _IN_GRAPHS)[name].supports(cell, x, lengths)
            if able:
                return name, reason
        raise InputError(f"backend {self.backend!r} cannot run this: {reason}; choose backend='auto'")

    def _cells(self) -> list[Cell]:
        return cast(list[Cell], list(self.cells))

    def _states(self, batch: int, given: tuple[State, ...] | None) -> tuple[State, ...]:
        """One State per layer and direction: the given ones, the learned ones or the cells' own."""
        cells = self._cells()
        if given is not None:
            shapes = [[tuple(part.shape) for part in each] for each in given]
            wanted = [[(batch, self.hidden_size)] * len(cell.states) for cell in cells]
            if shapes != wanted:
                raise InputError(f"the state given has shapes {shapes}; this layer and batch need {wanted}")
            return given
        if not len(self.first):
            return tuple(cell.initial(batch) for cell in cells)
        parts = iter(self.first)
        return tuple(tuple(next(parts).expand(batch, -1) for _ in cell.states) for cell in cells)

    def _check(self, x: Tensor, lengths: Tensor | None) -> None:
        if x.ndim != 3 or x.shape[2] != self.input_size or not x.shape[1]:
            raise InputError(
                f"the input must be [batch time {self.input_size}] with at least one step, not {list(x.shape)}"
            )
        weights = next(self.parameters(), x).dtype
        if x.dtype != weights and not torch.is_autocast_enabled(x.device.type):
            raise InputError(f"the input is {x.dtype} and the weights are {weights}; convert it with x.to({weights})")
        if lengths is None:
            return
        if lengths.shape != x.shape[:1]:
            raise InputError(f"lengths must hold one number per row ({x.shape[0]}), not {list(lengths.shape)}")
        if torch.compiler.is_compiling():
            return  # a graph does not look at values
        if lengths.numel() and not 0 <= int(lengths.min()) <= int(lengths.max()) <= x.shape[1]:
            raise InputError(
                f"lengths must lie between 0 and the input's {x.shape[1]} steps, not "
                f"{int(lengths.min())} to {int(lengths.max())}"
            )


def _reverse(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Each row's steps from its own last to its first; padding stays where it is: [batch time channel]."""
    if lengths is None:
        return x.flip(1)
    time = torch.arange(x.shape[1], device=x.device)
    source = torch.where(time < lengths[:, None], lengths[:, None] - 1 - time, time)  # [batch time]
    return x.gather(1, source[..., None].expand_as(x))
