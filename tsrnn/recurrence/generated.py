"""Compiled kernels made from a cell's equations: traced (`trace`), printed (`source`), built once (`build`), called.

One call each way does the whole layer: input and recurrent products, the equations, and in the backward pass all weight
gradients, with the pre-activations of a step still in the cache. Rows of a batch are split among threads, which never
wait for each other; a ragged batch is sorted by length and costs the sum of its lengths. Under autocast a kernel
computes in its weights' type, as recurrences in half precision lose more than they gain on a CPU.
"""

import threading
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn import functional as F

from tsrnn.cells import Cell
from tsrnn.recurrence import build, call, operators
from tsrnn.recurrence.call import Given, Kernel
from tsrnn.recurrence.emit import Untraceable
from tsrnn.recurrence.source import source
from tsrnn.recurrence.trace import remembered
from tsrnn.shapes import State

_Function = TypeVar("_Function", bound=Callable[..., Any])
_KERNELS: WeakKeyDictionary[Cell, dict[tuple[object, ...], Kernel | Exception]] = WeakKeyDictionary()
_MADE_IN_TURN = threading.Lock()  # a trace patches torch's modules for all threads


def _constant(function: _Function) -> _Function:
    """`torch.compiler.assume_constant_result` without its import of the compiler, a second in every process."""
    function._dynamo_marked_constant = True  # type: ignore[attr-defined]  # the mark that the compiler looks for
    return function


def supports(cell: Cell, x: Tensor, lengths: Tensor | None) -> tuple[bool, str]:
    """Whether a kernel can be had for this cell and input, and why."""
    dtype = cell.weight_ih.dtype
    fits = x.dtype == dtype or (x.is_floating_point() and torch.is_autocast_enabled("cpu"))
    if x.device.type != "cpu" or dtype not in build.SINGLE or not fits:
        return False, f"kernels run in float32 and float64 on the CPU, not {x.dtype} on {x.device.type}"
    if not x.numel():
        return False, "the batch is empty"
    found: tuple[bool, str] = able(cell, dtype)
    return found


@_constant
def able(cell: Cell, dtype: torch.dtype) -> tuple[bool, str]:
    """Whether a kernel can be had for this cell, and why."""
    try:
        kernel_of(cell, dtype)
    except (Untraceable, build.Unavailable) as reason:
        return False, str(reason)
    return True, f"the equations of {type(cell).__name__}, compiled"


def run(cell: Cell, x: Tensor, state: State, lengths: Tensor | None) -> tuple[Tensor, State]:
    """As `tsrnn.recurrence.reference.run`, for a cell that `supports` accepts."""
    order = None
    x, state = x.to(cell.weight_ih.dtype), tuple(each.to(cell.weight_ih.dtype) for each in state)
    if lengths is not None:
        lengths, order = lengths.sort(descending=True)
        x, state = x.index_select(0, order), tuple(each.index_select(0, order) for each in state)
    weights = (cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh)
    if torch.compiler.is_compiling():
        key, names = kept(cell, x.dtype)
        own = [cell.get_parameter(name) for name in names]
        output, *final = operators.run(key, lengths, x, weights, own, state, torch.is_grad_enabled())
    else:
        kernel = kernel_of(cell, x.dtype)
        own = [cell.get_parameter(name) for name in kernel.traced.parameters]
        apply: Any = _Run.apply  # untyped in torch
        output, *final = apply(kernel, lengths, x, *weights, *own, *state)
    if order is None:
        return output, tuple(final)
    back = order.argsort()
    return output.index_select(0, back), tuple(each.index_select(0, back) for each in final)


@_constant
def kept(cell: Cell, dtype: torch.dtype) -> tuple[str, tuple[str, ...]]:
    """The key under which a graph finds the cell's kernel, and the names of the cell's own parameters."""
    kernel = kernel_of(cell, dtype)
    return operators.keep(kernel), kernel.traced.parameters


def kernel_of(cell: Cell, dtype: torch.dtype) -> Kernel:
    """The kernel of a cell: what its class, options and parameters' names make it, not its weights or sizes.

    Raises:
        Untraceable: the step has no C++; Unavailable: nothing can be compiled here.
    """
    kept = _KERNELS.get(cell)
    if kept is None:
        kept = _KERNELS[cell] = {}
    key = (dtype, cell.training, *(repr(getattr(cell, name)) for name in cell.options))
    found = kept.get(key)
    if found is None:
        try:
            with _MADE_IN_TURN:
                traced = remembered(cell, build.folder_of_kernels())
                found = call.load(traced, *build.library(source(traced, dtype)))
        except (Untraceable, build.Unavailable) as reason:
            found = reason
        kept[key] = found
    if isinstance(found, Exception):
        raise found
    return found


class _Run(torch.autograd.Function):
    """One layer, one direction. Inputs after x: the four weights, the cell's own parameters, the first state."""

    @staticmethod
    def forward(ctx: Any, kernel: Kernel, lengths: Tensor | None, x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        count = len(kernel.traced.parameters)
        x = x if x.stride(2) == 1 else x.contiguous()
        weights, own, first = [each.contiguous() for each in rest[:4]], rest[4 : 4 + count], rest[4 + count :]
        keep = any(ctx.needs_input_grad)
        output, final, trail = call.forward(kernel, Given(x, lengths, weights, own), first, keep)
        if keep:
            ctx.kernel, ctx.lengths, ctx.trail = kernel, lengths, trail
            ctx.save_for_backward(x, *weights, *own)
            ctx.set_materialize_grads(False)
        hidden = weights[1].shape[1]
        return (_cut(output, hidden), *_cut(final, hidden).unbind(0))

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor | None) -> tuple[Tensor | None, ...]:
        return (_back_once if torch.is_grad_enabled() else _back)(ctx, *slopes)


def _back(ctx: Any, slope: Tensor | None, *final: Tensor | None) -> tuple[Tensor | None, ...]:
    x, *held = ctx.saved_tensors
    hidden, padded = held[1].shape[1], ctx.trail.states.shape[-1]
    if slope is None:
        slope = x.new_zeros(*x.shape[:2], padded)
    elif padded != hidden or not slope.is_contiguous():
        slope = F.pad(slope, (0, padded - hidden)).contiguous()
    wanted, states = ctx.needs_input_grad, len(final)
    given = Given(x, ctx.lengths, held[:4], held[4:])
    dx, vector, dfirst = call.backward(ctx.kernel, given, ctx.trail, slope, final, wanted[2])
    first = _cut(dfirst, hidden).unbind(0) if any(wanted[-states:]) else (None,) * states
    return (None, None, None if dx is None else _cut(dx, x.shape[2]), *call.parts(vector, held), *first)


_back_once: Any = torch.autograd.function.once_differentiable(_back)


def _cut(padded: Tensor, size: int) -> Tensor:
    return padded if padded.shape[-1] == size else padded[..., :size]
