"""Calls into a built kernel: memory laid out, rows split among threads, pointers passed.

One tensor of each kind holds the whole batch; a thread is given its rows by their addresses, so no thread waits for
another and nothing is copied together afterwards but the weights' gradients.
"""

import ctypes
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from tsrnn.recurrence.trace import Traced

_WORTH_A_THREAD = 2_000_000  # multiply-adds of the whole call for each thread, below which one thread is faster


@dataclass(frozen=True)
class Kernel:
    """A built kernel and what it was built from."""

    traced: Traced
    key: str
    forward: Callable[..., int]
    backward: Callable[..., int]
    lanes: int


@dataclass(frozen=True, slots=True)
class Given:
    """What both ways read."""

    x: Tensor  # [batch time input], its last axis dense
    lengths: Tensor | None  # [batch], longest first
    weights: Sequence[Tensor]  # weight_ih, weight_hh, bias_ih, bias_hh, contiguous
    own: Sequence[Tensor]  # the cell's own parameters, each [hidden]


@dataclass(frozen=True, slots=True)
class Trail:
    """What the way back needs of the way there; empty where nobody will go back."""

    states: Tensor  # [step+1 state batch padded], or the last two of them in turn
    tape: Tensor  # [step batch entry padded]
    gated: Tensor  # [step batch padded]


class _Sizes(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_long) for name in ("T", "B", "R", "I", "H", "Hp", "Ip", "x_row", "x_step", "keep", "need_x")
    ]


def load(traced: Traced, key: str, library: ctypes.CDLL) -> Kernel:
    """A kernel from its library."""
    library.forward.argtypes = [ctypes.c_void_p] * 13
    library.backward.argtypes = [ctypes.c_void_p] * 18
    return Kernel(traced, key, library.forward, library.backward, int(library.lanes()))


def forward(kernel: Kernel, given: Given, first: Sequence[Tensor], keep: bool) -> tuple[Tensor, Tensor, Trail]:
    """One layer, one direction.

    Args:
        kernel: of the cell.
        given: input and weights.
        first: the state before the first step, each [batch hidden].
        keep: whether a way back will follow.

    Returns:
        output [batch time padded], the final state [state batch padded], and the trail.
    """
    x, lengths, weights = given.x, given.lengths, given.weights
    batch, steps, _ = x.shape
    traced, hidden = kernel.traced, weights[1].shape[1]
    padded = _whole(hidden, kernel.lanes)
    output = (x.new_empty if lengths is None else x.new_zeros)(batch, steps, padded)
    trail = Trail(
        x.new_empty(steps + 1 if keep else 2, traced.states, batch, padded),
        x.new_empty(steps if keep else 0, batch, len(traced.tape), padded),
        x.new_empty(steps if keep else 1, batch, padded if traced.gated else 0),
    )
    own, first = [each.contiguous() for each in given.own], [each.contiguous() for each in first]
    fixed = [each.data_ptr() for each in weights]
    vectors = _pointers(own)

    def work(rows: slice) -> int:
        active = None if lengths is None else _active(lengths[rows], steps)
        sizes = _sizes(x, rows, hidden, kernel.lanes, keep=keep, need_x=False)
        states = _pointers(first, rows.start)
        at = (_at(each, 1, rows) for each in (trail.tape, trail.gated))
        places = (_at(trail.states, 2, rows), *at, _at(output, 0, rows), None if active is None else active.data_ptr())
        return kernel.forward(ctypes.addressof(sizes), _at(x, 0, rows), *fixed, vectors, states, *places)

    _together(work, _split(batch, steps, hidden * weights[0].shape[0]))
    return output, _final(trail.states, lengths, steps, keep), trail


def backward(
    kernel: Kernel, given: Given, trail: Trail, slope: Tensor, final: Sequence[Tensor | None], need_x: bool
) -> tuple[Tensor | None, Tensor, Tensor]:
    """The way back.

    Args:
        kernel, given, trail: as in `forward`.
        slope: cotangent of the output [batch time padded], contiguous.
        final: cotangent of the final state, each [batch hidden]; None for zeros.
        need_x: whether the input's cotangent is asked for.

    Returns:
        cotangents of the input [batch time input+] (None where not asked for), of the weights and the cell's own
        parameters, end to end in one vector, and of the first state [state batch padded].
    """
    x, lengths, weights = given.x, given.lengths, given.weights
    batch, steps, width = x.shape
    traced, hidden = kernel.traced, weights[1].shape[1]
    fresh = x.new_empty if lengths is None else x.new_zeros
    dx = fresh(batch, steps, _whole(width, kernel.lanes)) if need_x else None
    dfirst = x.new_empty(traced.states, batch, _whole(hidden, kernel.lanes))
    pieces = _split(batch, steps, hidden * weights[0].shape[0])
    counts = [each.numel() for each in weights]
    into = x.new_zeros(len(pieces), sum(counts) + len(given.own) * hidden)
    own, final = (
        [each.contiguous() for each in given.own],
        [None if each is None else each.contiguous() for each in final],
    )
    fixed = [each.data_ptr() for each in weights[:2]]
    vectors = _pointers(own)

    def work(rows: slice) -> int:
        active = None if lengths is None else _active(lengths[rows], steps)
        sizes = _sizes(x, rows, hidden, kernel.lanes, keep=True, need_x=need_x)
        places: list[int | None] = [_at(trail.states, 2, rows), _at(trail.tape, 1, rows), _at(trail.gated, 1, rows)]
        places += [_at(slope, 0, rows), _at(dfirst, 1, rows), None if dx is None else _at(dx, 0, rows)]
        begin = into.data_ptr() + pieces.index(rows) * into.stride(0) * into.itemsize
        gradients = [begin + sum(counts[:k]) * into.itemsize for k in range(5)]
        ends = _pointers(final, rows.start)
        last = None if active is None else active.data_ptr()
        return kernel.backward(
            ctypes.addressof(sizes), _at(x, 0, rows), *fixed, vectors, ends, *places, *gradients, last
        )

    _together(work, pieces)
    return dx, into[0] if len(pieces) == 1 else into.sum(0), dfirst


def parts(vector: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """A vector cut into tensors of given shapes."""
    pieces = vector.split_with_sizes([each.numel() for each in like])
    return [piece.view_as(each) for piece, each in zip(pieces, like, strict=True)]


def _whole(size: int, lanes: int) -> int:
    return -(-size // lanes) * lanes


def _sizes(x: Tensor, rows: slice, hidden: int, lanes: int, keep: bool, need_x: bool) -> _Sizes:
    batch, steps, width = x.shape
    x_row, x_step, _ = x.stride()
    padded, wide = _whole(hidden, lanes), _whole(width, lanes)
    return _Sizes(steps, rows.stop - rows.start, batch, width, hidden, padded, wide, x_row, x_step, keep, need_x)


def _at(tensor: Tensor, axis: int, rows: slice) -> int:
    """The address where a thread's rows begin, which lie along `axis`."""
    return int(tensor.data_ptr() + rows.start * tensor.stride(axis) * tensor.itemsize)


def _pointers(tensors: Sequence[Tensor | None], row: int = 0) -> Any:
    """A C array of addresses, of a row or of the whole; null for None."""
    found = [None if each is None else each.data_ptr() + row * each.stride(0) * each.itemsize for each in tensors]
    return (ctypes.c_void_p * max(1, len(found)))(*found)


def _active(lengths: Tensor, steps: int) -> Tensor:
    """How many rows (sorted, longest first) are still running at each step: [step] int32."""
    return (lengths[None, :] > torch.arange(steps)[:, None]).sum(1, dtype=torch.int32)


def _final(states: Tensor, lengths: Tensor | None, steps: int, keep: bool) -> Tensor:
    """The state after each row's last step: [state row padded]."""
    if not keep or lengths is None:
        return states[steps if keep else steps % 2]
    return states[lengths, :, torch.arange(len(lengths))].transpose(0, 1)


def _split(rows: int, steps: int, size: int) -> list[slice]:
    """Rows for each thread: one thread where the work is small."""
    threads = min(torch.get_num_threads(), rows, max(1, rows * steps * size // _WORTH_A_THREAD))
    edges = [rows * k // threads for k in range(threads + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]


def _together(work: Callable[[slice], int], pieces: list[slice]) -> None:
    """Do each piece in a thread of its own; ctypes lets go of the interpreter meanwhile."""
    if len(pieces) == 1:
        done = [work(pieces[0])]
    else:
        others = [_pool(len(pieces) - 1).submit(work, piece) for piece in pieces[1:]]
        done = [work(pieces[0]), *(each.result() for each in others)]
    if any(done):
        raise MemoryError("a recurrence kernel found no memory for its work space")


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="tsrnn-kernel")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has no threads but its own
