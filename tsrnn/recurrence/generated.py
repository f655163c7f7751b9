"""Compiled kernels made from a cell's own equations: traced (`trace`), printed, built once (`build`), run over time.

One call each way does the whole layer: input and recurrent products, the equations, and in the backward pass all weight
gradients, with the pre-activations of a step still in the cache. Rows of a batch are split among threads, which never
wait for each other; a ragged batch is sorted by length and costs the sum of its lengths.
"""

import ctypes
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from tsrnn.cells import Cell
from tsrnn.recurrence import build
from tsrnn.recurrence.emit import Untraceable
from tsrnn.recurrence.trace import Traced, remembered
from tsrnn.shapes import State

_HERE = Path(__file__).parent
_REALS = {torch.float32: "float", torch.float64: "double"}
_WORTH_A_THREAD = 2_000_000  # multiply-adds per thread and step of the whole call, below which one thread is faster


@dataclass(frozen=True)
class Kernel:
    """A built kernel and what it was built from."""

    traced: Traced
    forward: Any
    backward: Any
    lanes: int


_KERNELS: WeakKeyDictionary[Cell, dict[tuple[object, ...], Kernel | Exception]] = WeakKeyDictionary()


_PLACES = {"d": "delta + # * n.Hp", "e": "carried + # * plane", "q": "gp + # * n.Hp"}  # of what gated_back adds


class _Sizes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_long) for name in ("T", "B", "I", "H", "Hp", "Ip", "x_row", "x_step", "keep", "need_x")]


def supports(cell: Cell, x: Tensor, lengths: Tensor | None) -> tuple[bool, str]:
    """Whether a kernel can be had for this cell and input, and why."""
    if x.device.type != "cpu" or x.dtype not in _REALS or cell.weight_ih.dtype != x.dtype:
        return False, f"kernels run in float32 and float64 on the CPU, not {x.dtype} on {x.device.type}"
    if torch.is_autocast_enabled("cpu"):
        return False, "kernels do not run under autocast"
    if not x.numel():
        return False, "the batch is empty"
    try:
        kernel_of(cell, x.dtype)
    except (Untraceable, build.Unavailable) as reason:
        return False, str(reason)
    return True, f"the equations of {type(cell).__name__}, compiled"


def run(cell: Cell, x: Tensor, state: State, lengths: Tensor | None) -> tuple[Tensor, State]:
    """As `tsrnn.recurrence.reference.run`, for a cell that `supports` accepts."""
    kernel = kernel_of(cell, x.dtype)
    parameters = [dict(cell.named_parameters())[name] for name in kernel.traced.parameters]
    order = None
    if lengths is not None:
        lengths, order = lengths.sort(descending=True)
        x, state = x.index_select(0, order), tuple(each.index_select(0, order) for each in state)
    weights = (cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh)
    apply: Any = _Run.apply  # untyped in torch
    output, *final = apply(kernel, lengths, x, *weights, *parameters, *state)
    if order is None:
        return output, tuple(final)
    back = order.argsort()
    return output.index_select(0, back), tuple(each.index_select(0, back) for each in final)


def kernel_of(cell: Cell, dtype: torch.dtype) -> Kernel:
    """The kernel of a cell: what its class, options and parameters' names make it, not its weights or sizes.

    Raises:
        Untraceable: the step has no C++; Unavailable: nothing can be compiled here.
    """
    kept = _KERNELS.setdefault(cell, {})
    key = (dtype, cell.training, *(repr(getattr(cell, name)) for name in cell.options))
    found = kept.get(key)
    if found is None:
        try:
            found = _build(remembered(cell, build.folder_of_kernels()), dtype)
        except (Untraceable, build.Unavailable) as reason:
            found = reason
        kept[key] = found
    if isinstance(found, Exception):
        raise found
    return found


def _build(traced: Traced, dtype: torch.dtype) -> Kernel:
    loaded = build.library(source(traced, dtype))
    for function in (loaded.forward, loaded.backward):
        function.restype = ctypes.c_int
    return Kernel(traced, loaded.forward, loaded.backward, int(loaded.lanes()))


def source(traced: Traced, dtype: torch.dtype) -> str:
    """The C++ of a traced cell."""
    slots, states, count = traced.slots, range(traced.states), len(traced.parameters)
    inputs = [f"v i{k} = load(row + {k} * n.Hp + k);" for k in range(len(slots))]
    reads = [f"v s{k} = load(state + {k} * plane + k);" for k in states]
    reads += [f"v p{k} = load(parameters + {k} * n.Hp + k);" for k in range(count)]
    tape = [f"v {name} = load(tape + {k} * n.Hp + k);" for k, name in enumerate(traced.tape)]
    stores = [f"if (n.keep) store(tape + {k} * n.Hp + k, {name});" for k, name in enumerate(traced.tape)]
    stores += [f"store(following + {k} * plane + k, n{k});" for k in states]
    stores.append("store(output + k, y);")
    cotangents = [f"v g{k} = load(carried + {k} * plane + k);" for k in states]
    cotangents.append(f"v g{traced.states} = load(cotangent + k);")
    written = [f"store(delta + {k} * n.Hp + k, d{k});" for k in range(len(slots))]
    written += [f"store(carried + {k} * plane + k, e{k});" for k in states]
    written += [f"store(gp + {k} * n.Hp + k, load(gp + {k} * n.Hp + k) + q{k});" for k in range(count)]
    forward = " ".join([*inputs, *reads, traced.forward, *stores]).replace("\n", " ")
    backward = " ".join([*reads, *tape, *cotangents, traced.backward, *written]).replace("\n", " ")
    again = [f"store({_PLACES[name[0]]} + k, load({_PLACES[name[0]]} + k) + {name});" for name in traced.gated_adds]
    again = [text.replace("#", name[1:]) for text, name in zip(again, traced.gated_adds, strict=True)]
    gated = " ".join([*inputs, *reads, traced.gated, "store(made + k, g);"]).replace("\n", " ")
    gated_back = " ".join([*reads, *tape, "v gg = load(cotangent + k);", traced.gated_back, *again]).replace("\n", " ")
    kinds = [(slot.input, slot.recurrent, slot.second) for slot in slots]
    counts = {
        "SLOTS": len(slots),
        "SUMS": kinds.count((True, True, False)),
        "RECURRENT": kinds.count((False, True, False)),
        "INPUTS": kinds.count((True, False, False)),
        "SECOND_SUMS": kinds.count((True, True, True)),
        "SECOND_RECURRENT": kinds.count((False, True, True)),
        "STATES": len(states),
        "PARAMETERS": count,
        "TAPE": len(traced.tape),
    }
    return "\n".join(
        [
            f"#define REAL {_REALS[dtype]}",
            f"#define SINGLE {int(dtype == torch.float32)}",
            *(f"#define {name} {number}" for name, number in counts.items()),
            _text("kernel.hpp"),
            f"static const int SLOT_GATE[SLOTS] = {{{', '.join(str(slot.gate) for slot in slots)}}};",
            f"static const int SLOT_ROW[SLOTS] = {{{', '.join(str(slot.row) for slot in slots)}}};",
            f"#define FORWARD {forward}",
            f"#define BACKWARD {backward}",
            f"#define GATED {gated if traced.gated else ''}",
            f"#define GATED_BACK {gated_back if traced.gated else ''}",
            _text("layer.hpp"),
            'extern "C" int lanes() { return LANES; }\n',
        ]
    )


@cache
def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


class _Run(torch.autograd.Function):
    """One layer, one direction. Inputs after x: the four weights, the cell's own parameters, the first state."""

    @staticmethod
    def forward(ctx: Any, kernel: Kernel, lengths: Tensor | None, x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        states, count = kernel.traced.states, len(kernel.traced.parameters)
        x = x if x.stride(2) == 1 else x.contiguous()
        weights = [each.contiguous() for each in rest[:4]]
        first = rest[4 + count :]
        hidden = weights[1].shape[1]
        padded = -(-hidden // kernel.lanes) * kernel.lanes
        keep = any(ctx.needs_input_grad)
        steps = x.shape[1]
        parameters = _stacked(rest[4 : 4 + count], padded, x)
        y = (x.new_empty if lengths is None else x.new_zeros)(len(x), steps, padded)
        pieces, finals = [], []
        for rows in _split(len(x), steps, hidden * weights[0].shape[0]):
            S = x.new_empty(steps + 1 if keep else 2, states, rows.stop - rows.start, padded)
            for k, each in enumerate(first):
                S[0, k, :, :hidden] = each[rows]
            tape = x.new_empty(steps if keep else 0, rows.stop - rows.start, len(kernel.traced.tape), padded)
            gated = x.new_empty(steps if keep else 1, rows.stop - rows.start, padded if kernel.traced.gated else 0)
            active = None if lengths is None else _active(lengths[rows], steps)
            pieces.append((rows, S, tape, gated, active))

        def work(piece: tuple[slice, Tensor, Tensor, Tensor, Tensor | None]) -> int:
            rows, S, tape, gated, active = piece
            n = _sizes(x[rows], hidden, padded, kernel.lanes, keep=keep, need_x=False)
            given = (x[rows], *weights, parameters, S, tape, gated, y[rows], active)
            return int(kernel.forward(ctypes.byref(n), *map(_pointer, given)))

        _together(work, pieces)
        for rows, S, _, _, _ in pieces:
            finals.append(_final(S, None if lengths is None else lengths[rows], steps, keep)[..., :hidden])
        final = finals[0] if len(finals) == 1 else torch.cat(finals, 1)  # [state batch hidden]
        if keep:
            ctx.kernel, ctx.sizes = kernel, (hidden, padded)
            ctx.pieces = pieces
            ctx.save_for_backward(x, *weights, parameters)
        return (y[..., :hidden], *final.unbind(0))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, dy: Tensor, *dfinal: Tensor) -> tuple[Tensor | None, ...]:
        kernel: Kernel = ctx.kernel
        x, *weights, parameters = ctx.saved_tensors
        hidden, padded = ctx.sizes
        states, count = kernel.traced.states, len(kernel.traced.parameters)
        need_x = ctx.needs_input_grad[2]
        wide = -(-x.shape[2] // kernel.lanes) * kernel.lanes
        if dy.shape[2] != padded or not dy.is_contiguous():
            dy = torch.nn.functional.pad(dy, (0, padded - hidden)).contiguous()
        dx = x.new_zeros(*x.shape[:2], wide) if need_x else None
        jobs = []
        for piece in ctx.pieces:
            rows = piece[0]
            D = x.new_zeros(states, rows.stop - rows.start, padded)
            for k, each in enumerate(dfinal):
                D[k, :, :hidden] = each[rows]
            jobs.append((piece, D, [torch.zeros_like(each) for each in weights], x.new_zeros(count, hidden)))

        def work(job: tuple[Any, ...]) -> int:
            (rows, S, tape, gated, active), D, grads, own = job
            n = _sizes(x[rows], hidden, padded, kernel.lanes, keep=True, need_x=need_x)
            into = None if dx is None else dx[rows]
            given = (x[rows], *weights[:2], parameters, S, tape, gated, dy[rows], D, into, *grads, own, active)
            return int(kernel.backward(ctypes.byref(n), *map(_pointer, given)))

        _together(work, jobs)
        grads = [sum(each) for each in zip(*(job[2] for job in jobs), strict=True)]
        own = sum(job[3] for job in jobs)
        first = jobs[0][1] if len(jobs) == 1 else torch.cat([job[1] for job in jobs], 1)
        return (
            None,
            None,
            None if dx is None else dx[..., : x.shape[2]],
            *grads,
            *(own.unbind(0) if count else ()),
            *first[..., :hidden].unbind(0),
        )


def _sizes(x: Tensor, hidden: int, padded: int, lanes: int, keep: bool, need_x: bool) -> _Sizes:
    wide = -(-x.shape[2] // lanes) * lanes
    return _Sizes(x.shape[1], x.shape[0], x.shape[2], hidden, padded, wide, x.stride(0), x.stride(1), keep, need_x)


def _pointer(tensor: Tensor | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if tensor is None else tensor.data_ptr())


def _stacked(parameters: tuple[Tensor, ...], padded: int, like: Tensor) -> Tensor:
    """The cell's own parameters, padded: [parameter padded]."""
    stacked = like.new_zeros(len(parameters), padded)
    for k, each in enumerate(parameters):
        stacked[k, : len(each)] = each
    return stacked


def _active(lengths: Tensor, steps: int) -> Tensor:
    """How many rows (sorted, longest first) are still running at each step: [step] int32."""
    return (lengths[None, :] > torch.arange(steps)[:, None]).sum(1, dtype=torch.int32)


def _final(S: Tensor, lengths: Tensor | None, steps: int, keep: bool) -> Tensor:
    """The state after each row's last step: [state row padded]."""
    if not keep or lengths is None:
        return S[steps if keep else steps % 2]
    return S[lengths, :, torch.arange(len(lengths))].transpose(0, 1)


def _split(rows: int, steps: int, size: int) -> list[slice]:
    """Rows for each thread: one thread where the work is small."""
    threads = min(torch.get_num_threads(), rows, max(1, rows * steps * size // _WORTH_A_THREAD))
    edges = [rows * k // threads for k in range(threads + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]


def _together(work: Any, pieces: list[Any]) -> None:
    """Do each piece in a thread of its own; ctypes lets go of the interpreter meanwhile."""
    done = [work(pieces[0])] if len(pieces) == 1 else list(_pool(len(pieces)).map(work, pieces))
    if any(done):
        raise MemoryError("a recurrence kernel found no memory for its work space")


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="tsrnn-kernel")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has no threads but its own
