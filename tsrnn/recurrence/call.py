"""Calls into a built kernel: memory laid out, rows split among threads, pointers passed.

One tensor of each kind holds the whole batch; a thread is given its rows by their addresses, so no thread waits for
another and nothing is copied together afterwards but the weights' gradients.
"""

import ctypes
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import torch
from torch import Tensor

from tsrnn.recurrence.structs import BackwardArguments, ForwardArguments, filled
from tsrnn.recurrence.threads import Entry
from tsrnn.recurrence.trace import Traced

_WORTH_A_THREAD = 2_000_000  # multiply-adds of the whole call for each thread, below which one thread is faster

_ROWS = 64  # rows at most that go back together: what a block of their steps writes stays in the cache


@dataclass(frozen=True)
class Kernel:
    """A built kernel and what it was built from."""

    traced: Traced
    key: str
    forward: Entry
    backward: Entry
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


def load(traced: Traced, key: str, library: ctypes.CDLL) -> Kernel:
    """A kernel from its library."""
    return Kernel(traced, key, Entry(library, "forward"), Entry(library, "backward"), int(library.lanes()))


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
    fixed, vectors, pieces, held = [each.data_ptr() for each in weights], _pointers(own), [], []
    threads = _threads(batch, steps, hidden * weights[0].shape[0])
    for rows in _split(batch, threads):
        active = None if lengths is None else _active(lengths[rows], steps)
        states = _pointers(first, rows.start)
        held.append((active, states))  # addresses alone keep nothing alive
        places = [_at(trail.states, 2, rows), _at(trail.tape, 1, rows), _at(trail.gated, 1, rows), _at(output, 0, rows)]
        sizes = _sizes(x, rows, hidden, kernel.lanes, keep, False)
        read, until = (_address(vectors), _address(states)), 0 if active is None else active.data_ptr()
        pieces.append((*sizes, _at(x, 0, rows), *fixed, *read, *places, until))
    kernel.forward(filled(ForwardArguments, pieces), threads)
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
    threads = _threads(batch, steps, hidden * weights[0].shape[0])
    split = _split(batch, threads * -(-batch // (threads * _ROWS)))
    offsets = list(accumulate((each.numel() for each in weights), initial=0))
    into = x.new_zeros(len(split), offsets[-1] + len(given.own) * hidden)
    own = [each.contiguous() for each in given.own]
    final = [None if each is None else each.contiguous() for each in final]
    fixed, vectors, pieces, held = [each.data_ptr() for each in weights[:2]], _pointers(own), [], []
    for k, rows in enumerate(split):
        active = None if lengths is None else _active(lengths[rows], steps)
        ends = _pointers(final, rows.start)
        held.append((active, ends))
        places = [_at(trail.states, 2, rows), _at(trail.tape, 1, rows), _at(trail.gated, 1, rows)]
        places += [_at(slope, 0, rows), _at(dfirst, 1, rows), 0 if dx is None else _at(dx, 0, rows)]
        begin = into.data_ptr() + k * into.stride(0) * into.itemsize
        gradients = [begin + offset * into.itemsize for offset in offsets]
        sizes = _sizes(x, rows, hidden, kernel.lanes, True, need_x)
        read, until = (_address(vectors), _address(ends)), 0 if active is None else active.data_ptr()
        pieces.append((*sizes, _at(x, 0, rows), *fixed, *read, *places, *gradients, until))
    kernel.backward(filled(BackwardArguments, pieces), threads)
    return dx, into[0] if len(split) == 1 else into.sum(0), dfirst


def parts(vector: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """A vector cut into tensors of given shapes."""
    pieces = vector.split_with_sizes([each.numel() for each in like])
    return [piece.view_as(each) for piece, each in zip(pieces, like, strict=True)]


def _whole(size: int, lanes: int) -> int:
    return -(-size // lanes) * lanes


def _sizes(x: Tensor, rows: slice, hidden: int, lanes: int, keep: bool, need_x: bool) -> tuple[int, ...]:
    """The words of `CellSizes`."""
    batch, steps, width = x.shape
    x_row, x_step, _ = x.stride()
    padded, wide = _whole(hidden, lanes), _whole(width, lanes)
    count = rows.stop - rows.start
    return steps, count, batch, width, hidden, padded, wide, x_row, x_step, keep, need_x


def _at(tensor: Tensor, axis: int, rows: slice) -> int:
    """The address where a thread's rows begin, which lie along `axis`."""
    return int(tensor.data_ptr() + rows.start * tensor.stride(axis) * tensor.itemsize)


def _pointers(tensors: Sequence[Tensor | None], row: int = 0) -> "array[int]":
    """Addresses, of a row or of the whole; 0 for None."""
    return array(
        "q", [0 if each is None else each.data_ptr() + row * each.stride(0) * each.itemsize for each in tensors]
    )


def _address(numbers: "array[int]") -> int:
    return numbers.buffer_info()[0]


def _active(lengths: Tensor, steps: int) -> Tensor:
    """How many rows (sorted, longest first) are still running at each step: [step] int32."""
    return (lengths[None, :] > torch.arange(steps)[:, None]).sum(1, dtype=torch.int32)


def _final(states: Tensor, lengths: Tensor | None, steps: int, keep: bool) -> Tensor:
    """The state after each row's last step: [state row padded]."""
    if not keep or lengths is None:
        return states[steps if keep else steps % 2]
    return states[lengths, :, torch.arange(len(lengths))].transpose(0, 1)


def _threads(rows: int, steps: int, size: int) -> int:
    """Threads for a call: one where the work is small."""
    return min(torch.get_num_threads(), rows, max(1, rows * steps * size // _WORTH_A_THREAD))


def _split(rows: int, pieces: int) -> list[slice]:
    edges = [rows * k // pieces for k in range(pieces + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]
