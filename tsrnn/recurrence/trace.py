"""A cell's equations, read off as a graph: `step` and its vector-Jacobian product, traced once and printed as C++.

Each gate's pre-activations lie in one slot, or in two: where the equations only ever use the sum of the input's and the
recurrent product, one slot holds the sum, and both products are added up in the same registers.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.func import functional_call, vjp

from tsrnn import seeding
from tsrnn.cells import Cell
from tsrnn.errors import InputError
from tsrnn.files import replaced
from tsrnn.recurrence.emit import Program, Untraceable, operation
from tsrnn.recurrence.fingerprint import fingerprint

_WIDTH = 4  # of the tensors traced with; any number does
_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


@dataclass(frozen=True)
class Slot:
    """One [hidden] stretch of pre-activations: which gate's, and which products are in it.

    `row` is the gate's place among those that have a recurrent product, as their weights are stacked.
    """

    gate: int
    row: int
    input: bool
    recurrent: bool
    second: bool = False  # its recurrent product acts on what `gated` makes, not on the first state


@dataclass(frozen=True)
class Traced:
    """What a kernel needs to know of a cell.

    `forward` and `backward` are statements over vectors. Forward reads `i<slot>`, `s<state>`, `p<parameter>` and writes
    `n<state>`, `y` and the `tape`: what the way back needs and would cost an exponential to compute again. Backward
    reads `s`, `p`, the tape and `g<state>` (the last one is the output's), and writes `d<slot>`, `e<state>`,
    `q<parameter>`. `gated` makes `g` from what forward reads; `gated_back` reads its cotangent `gg` too, and what it
    writes (`gated_adds`) is added to what backward wrote.
    """

    slots: tuple[Slot, ...]
    states: int
    parameters: tuple[str, ...]
    tape: tuple[str, ...]
    forward: str
    backward: str
    gated: str = ""
    gated_back: str = ""
    gated_adds: tuple[str, ...] = ()


class _Gated(nn.Module):
    def __init__(self, cell: Cell) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Sequence[Tensor], r: Sequence[Tensor], state: Sequence[Tensor]) -> Tensor:
        return self.cell.gated(tuple(x), tuple(r), tuple(state))


class _Step(nn.Module):
    def __init__(self, cell: Cell) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Sequence[Tensor], r: Sequence[Tensor], state: Sequence[Tensor]) -> tuple[Tensor, ...]:
        following, output = self.cell.step(tuple(x), tuple(r), tuple(state))
        return (*following, output)


def remembered(cell: Cell, folder: Path) -> Traced:
    """As `trace`, from a note that an earlier process left in `folder`, where the cell is the same.

    Raises:
        Untraceable: as `trace`.
    """
    mark = fingerprint(cell)
    note = folder / f"{mark}.json"
    if mark is not None and (found := _noted(note)) is not None:
        return found
    traced = trace(cell)
    if mark is not None:
        text = json.dumps(asdict(traced))
        content = json.dumps([hashlib.sha256(text.encode()).hexdigest(), text]).encode()
        with suppress(InputError):  # a full disk costs the next process a second, not this one its layer
            replaced(note, lambda file: file.write(content))
    return traced


def _noted(note: Path) -> Traced | None:
    """A note's content; None where it is missing or damaged."""
    try:
        digest, text = json.loads(note.read_text(encoding="utf-8"))
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            return None
        kept = json.loads(text)
        slots = tuple(Slot(**slot) for slot in kept.pop("slots"))
        lists = {name: tuple(value) for name, value in kept.items() if isinstance(value, list)}
        return Traced(slots, **{**kept, **lists})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def trace(cell: Cell) -> Traced:
    """Trace a cell, drawing nothing from the generators of others.

    Raises:
        Untraceable: the step is not element-wise, or uses an operation that has no C++ here.
    """
    if not cell.regular:
        raise Untraceable(f"{type(cell).__name__} has products of its own")
    gates, states = len(cell.gates), len(cell.states)
    fed = [gate for gate in range(gates) if cell.recurrent is None or cell.gates[gate] in cell.recurrent]
    named = {name: each for name, each in cell.named_parameters() if name not in _WEIGHTS}
    for name, each in named.items():
        if each.shape != (cell.hidden_size,):
            raise Untraceable(f"parameter {name} has shape {list(each.shape)}, not [hidden]")
    names, step = tuple(named), _Step(cell)
    counts = (gates, gates, states, len(names))

    def run(*flat: Tensor) -> tuple[Tensor, ...]:
        x, r, s, p = _parted(flat, counts)
        swapped = {f"cell.{name}": each for name, each in zip(names, p, strict=True)}
        outputs: tuple[Tensor, ...] = functional_call(step, swapped, (x, r, s))
        return outputs

    def gated(*flat: Tensor) -> tuple[Tensor]:
        x, r, s, p = _parted(flat, counts)
        swapped = {f"cell.{name}": each for name, each in zip(names, p, strict=True)}
        return (functional_call(_Gated(cell), swapped, (x, r[: gates - cell.second], s)),)

    drawn = torch.rand(sum(counts) + states + 1, _WIDTH, generator=torch.Generator().manual_seed(0), device="cpu")
    inputs, cotangents = [row.clone() for row in drawn[: sum(counts)]], drawn[sum(counts) :].unbind(0)
    graphs = [_graph(run, inputs), _graph(_back(run, len(inputs)), [*inputs, *cotangents])]
    if cell.second:
        graphs += [_graph(gated, inputs), _graph(_back(gated, len(inputs)), [*inputs, cotangents[0]])]
    slots, aliases = _slots(graphs, gates, fed, gates - cell.second)
    rest = [f"s{k}" for k in range(states)] + [f"p{k}" for k in range(len(names))]
    program = Program()
    ahead = program.read(graphs[0], [*aliases, *rest], [*(f"n{k}" for k in range(states)), "y"])
    gate = program.read(graphs[2], [*aliases, *rest], ["g"]) if cell.second else {}
    wanted = [_written(slots, gate, kind) for kind in ("x", "r") for gate in range(gates)]
    wanted += [f"e{k}" for k in range(states)] + [f"q{k}" for k in range(len(names))]
    taped = set(program.costly)
    behind = program.read(graphs[1], [*aliases, *rest, *(f"g{k}" for k in range(states + 1))], wanted)
    again = program.read(graphs[3], [*aliases, *rest, "gg"], wanted) if cell.second else {}
    again = {name: value for name, value in again.items() if not program.is_zero(value)}
    backward, tape = program.text(behind, taped)
    gated_back, more = program.text(again, taped)
    tape = tuple(dict.fromkeys([*tape, *more]))
    forward = program.text(ahead, None, tape)[0]
    return Traced(slots, states, names, tape, forward, backward, program.text(gate, None)[0], gated_back, tuple(again))


def _back(function: Callable[..., tuple[Tensor, ...]], inputs: int) -> Callable[..., tuple[Tensor, ...]]:
    """The vector-Jacobian product: the inputs, then a cotangent per output -> a cotangent per input."""
    return lambda *flat: tuple(vjp(function, *flat[:inputs])[1](tuple(flat[inputs:])))


def _parted(flat: Sequence[Tensor], counts: Sequence[int]) -> list[Sequence[Tensor]]:
    parts, at = [], 0
    for count in counts:
        parts.append(flat[at : at + count])
        at += count
    return parts


def _graph(function: Callable[..., Any], inputs: list[Tensor]) -> fx.Graph:
    from torch._decomp import core_aten_decompositions  # a second to import, and seldom needed
    from torch.fx.experimental.proxy_tensor import make_fx

    try:
        with seeding.untouched():  # a step that draws is refused only after it has drawn
            traced = make_fx(function, decomposition_table=dict(core_aten_decompositions()))(*inputs)
    except Exception as error:
        raise Untraceable(f"the step cannot be traced: {str(error).splitlines()[0]}") from None
    graph: fx.Graph = traced.graph
    graph.eliminate_dead_code()
    for node in graph.nodes:
        shape = getattr(node.meta.get("val"), "shape", ())
        if node.op == "call_function" and tuple(shape) not in ((), (_WIDTH,)):
            raise Untraceable(f"{operation(node)} makes a tensor of shape {list(shape)}: the step is not element-wise")
    return graph


def _slots(graphs: Sequence[fx.Graph], gates: int, fed: list[int], first: int) -> tuple[tuple[Slot, ...], list[str]]:
    """The slots (sums, recurrent products, input products; then sums and recurrent products of the gates from `first`
    on), and the name under which each input is read."""
    kinds = []
    for gate in range(gates):
        pairs = [_placeholders(graph)[gate::gates][:2] for graph in graphs]
        used = [any(len(pair[side].users) for pair in pairs) for side in (0, 1)]
        used[1] = used[1] and gate in fed
        together = all(used) and all(_only_added(pair) for pair in pairs)
        kinds.append("sum" if together else used)
    rows = {gate: row for row, gate in enumerate(fed)}
    sums = [Slot(gate, rows[gate], True, True, gate >= first) for gate in range(gates) if kinds[gate] == "sum"]
    apart = [gate for gate in range(gates) if kinds[gate] != "sum"]
    products = [Slot(gate, rows[gate], False, True, gate >= first) for gate in apart if kinds[gate][1]]
    inputs = [Slot(gate, 0, True, False) for gate in apart if kinds[gate][0]]
    slots = [slot for slot in (*sums, *products) if not slot.second] + inputs
    slots += [slot for slot in (*sums, *products) if slot.second]
    aliases = [_read(slots, gate, kind) for kind in ("x", "r") for gate in range(gates)]
    return tuple(slots), aliases


def _placeholders(graph: fx.Graph) -> list[fx.Node]:
    return [node for node in graph.nodes if node.op == "placeholder"]


def _only_added(pair: Sequence[fx.Node]) -> bool:
    """Whether two inputs are used in nothing but their sum."""
    x, r = pair
    sums = all(operation(user) == "add" and set(user.args) == {x, r} for user in (*x.users, *r.users))
    return sums and not any(user.kwargs for user in x.users)


def _read(slots: Sequence[Slot], gate: int, kind: str) -> str:
    """What stands for an input in the printed code; a sum's two parts are told apart by a mark that is taken off."""
    for index, slot in enumerate(slots):
        if slot.gate == gate and slot.input and slot.recurrent:
            return f"i{index}" if kind == "x" else f"+i{index}"
        if slot.gate == gate and (slot.input if kind == "x" else slot.recurrent):
            return f"i{index}"
    return "v{}"


def _written(slots: Sequence[Slot], gate: int, kind: str) -> str | None:
    """Where an input's cotangent goes; a sum's is written once."""
    for index, slot in enumerate(slots):
        if slot.gate == gate and slot.input and slot.recurrent:
            return f"d{index}" if kind == "x" else None
        if slot.gate == gate and (slot.input if kind == "x" else slot.recurrent):
            return f"d{index}"
    return None
