"""The scans as compiled kernels (`scans.hpp`, `selective.hpp`), forward and backward: one call does all there is to do.

Between the steps no state leaves the processor's cache; the backward pass starts from states kept every 16 steps and
recomputes the rest. Each function takes, as `plain`, the same scan in torch's operations: a backward pass that must be
differentiated itself (`create_graph=True`) goes through that one.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from tsrnn.recurrence.native import CHUNK, Plain, call, differentiable, recorded, threads_for
from tsrnn.recurrence.structs import ScanSizes

_VECTOR = 64  # bytes that channels are filled up to


def linear_fits(a: Tensor, b: Tensor, initial: Tensor | None) -> bool:
    """Whether the shapes are those of `linear`, none stretched by broadcasting."""
    return b.ndim >= 2 and a.shape == b.shape and (initial is None or initial.shape == b[:, 0].shape)


def linear(plain: Plain, a: Tensor, b: Tensor, initial: Tensor | None) -> Tensor:
    """As `scan.linear_scan`, for tensors that `able` and `linear_fits` accept."""
    if recorded(a, b, initial):
        h: Tensor = _Linear.apply(plain, a, b, initial)  # type: ignore[no-untyped-call]
        return h
    return _linear_forward(a, b, initial)


def selective_fits(
    u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor | None, initial: Tensor | None
) -> bool:
    """Whether the shapes are those of `selective`, none stretched by broadcasting."""
    if u.ndim != 3 or A.ndim != 2 or A.shape[0] != u.shape[2]:
        return False
    batch, time, channels = u.shape
    states = A.shape[1]
    kept = initial is None or initial.shape == (batch, channels, states)
    weights = B.shape == C.shape == (batch, time, states) and (D is None or D.shape == (channels,))
    return delta.shape == u.shape and weights and kept


def selective(plain: Plain, *given: Tensor | None) -> tuple[Tensor, Tensor]:
    """As `scan.selective_scan` (u, delta, A, B, C, D, initial), for tensors that `able` and `selective_fits` accept."""
    if recorded(*given):
        y, final = _Selective.apply(plain, *given)  # type: ignore[no-untyped-call]
        return y, final
    return _selective_forward(*given, keep=False)[:2]  # type: ignore[arg-type, misc]


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, plain: Plain, a: Tensor, b: Tensor, initial: Tensor | None) -> Tensor:
        h = _linear_forward(a, b, initial)
        ctx.plain = plain
        ctx.save_for_backward(a, b, initial, h)
        return h

    @staticmethod
    def backward(ctx: Any, dh: Tensor) -> tuple[Tensor | None, ...]:
        a, b, initial, h = ctx.saved_tensors
        if torch.is_grad_enabled():
            return None, *differentiable(ctx.plain, (a, b, initial), (dh,))
        rows = [_columns(each) for each in (a, h, dh)]  # each [batch time column]
        da, db = torch.empty_like(rows[1]), torch.empty_like(rows[1])
        first = None if initial is None else _columns(initial[:, None])  # [batch 1 column]
        dfirst = None if first is None else h.new_empty(first.shape)
        tensors, (batch, *sizes) = [*rows, da, db, first, dfirst], rows[1].shape
        call("scans", "linear_backward", tensors, ScanSizes(*sizes), batch, threads_for(batch, *sizes))
        return None, da.view(h.shape), db.view(h.shape), None if dfirst is None else dfirst.view(initial.shape)


class _Selective(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, plain: Plain, *given: Tensor | None) -> tuple[Tensor, Tensor]:
        y, final, borders = _selective_forward(*given, keep=True)  # type: ignore[arg-type, misc]
        ctx.plain = plain
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*given, borders)
        return y, final

    @staticmethod
    def backward(ctx: Any, dy: Tensor | None, dfinal: Tensor | None) -> tuple[Tensor | None, ...]:
        *given, borders = ctx.saved_tensors
        if torch.is_grad_enabled():
            return None, *differentiable(ctx.plain, given, (dy, dfinal))
        return None, *_selective_backward(given, borders, dy, dfinal)


def _linear_forward(a: Tensor, b: Tensor, initial: Tensor | None) -> Tensor:
    rows = [_columns(each) for each in (a, b)]  # each [batch time column]
    h = b.new_empty(rows[1].shape)
    first = None if initial is None else _columns(initial[:, None])  # [batch 1 column]
    call("scans", "linear_forward", [*rows, h, first], ScanSizes(*h.shape[1:]), h.shape[0], threads_for(*h.shape))
    return h.view(b.shape)


def _selective_forward(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None,
    initial: Tensor | None,
    keep: bool,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """y [batch time channel], final state [batch channel state], kept states [batch border state*padded]."""
    (batch, time, channels), states = u.shape, A.shape[1]
    wide = _wide(channels, u.dtype)
    y, final = u.new_empty(u.shape), u.new_empty(batch, states, wide)
    borders = u.new_empty(batch, (time - 1) // CHUNK, states * wide) if keep and time > CHUNK else None
    tensors = [u, delta, _rates(A), B, C, _skip(D), _states(initial), y, final, borders]
    threads = threads_for(batch, time, channels, states)
    call("scans", "selective_forward", tensors, ScanSizes(time, channels, states, wide), batch, threads)
    return y, final.transpose(1, 2)[:, :channels], borders


def _selective_backward(
    given: list[Tensor], borders: Tensor | None, dy: Tensor | None, dfinal: Tensor | None
) -> tuple[Tensor | None, ...]:
    u, delta, A, B, C, D, initial = given
    (batch, time, channels), states = u.shape, A.shape[1]
    wide, threads = _wide(channels, u.dtype), threads_for(batch, time, channels, states)
    dy = torch.zeros_like(u) if dy is None else dy
    dinitial = None if initial is None else u.new_empty(batch, states, wide)
    du, ddelta, dB, dC = torch.empty_like(u), torch.empty_like(delta), B.new_empty(B.shape), C.new_empty(C.shape)
    sums = u.new_empty(threads, states + 1, wide)  # of A, and in the last row of D
    tensors = [u, delta, _rates(A), B, C, _skip(D), _states(initial), borders, dy]
    into = [du, ddelta, sums, dB, dC, _states(dfinal), dinitial]
    call("scans", "selective_backward", tensors + into, ScanSizes(time, channels, states, wide), batch, threads)
    total = (sums.sum(0) if threads > 1 else sums[0])[:, :channels]  # [state+1 channel]
    return (
        du,
        ddelta,
        total[:states].t(),
        dB,
        dC,
        None if D is None else total[states],
        None if dinitial is None else dinitial.transpose(1, 2)[:, :channels],
    )


def _columns(x: Tensor) -> Tensor:
    """[batch time ...] -> [batch time column], columns next to each other."""
    x = x.reshape(*x.shape[:2], -1)
    return x if x.stride(2) == 1 else x.contiguous()


def _wide(channels: int, dtype: torch.dtype) -> int:
    lanes = _VECTOR // dtype.itemsize
    return -(-channels // lanes) * lanes


def _filled(x: Tensor) -> Tensor:
    """The last dimension filled up with zeros to whole vectors."""
    missing = _wide(x.shape[-1], x.dtype) - x.shape[-1]
    return F.pad(x, (0, missing)) if missing else x.contiguous()


def _rates(A: Tensor) -> Tensor:
    """[channel state] -> [1 state padded], in powers of two."""
    return _filled((A * math.log2(math.e)).t())[None]


def _skip(D: Tensor | None) -> Tensor | None:
    """[channel] -> [1 1 padded]."""
    return None if D is None else _filled(D)[None, None]


def _states(h: Tensor | None) -> Tensor | None:
    """[batch channel state] -> [batch state padded]."""
    return None if h is None else _filled(h.transpose(1, 2))
