"""The scans as compiled kernels (`scans.hpp`, `selective.hpp`), forward and backward: one call does all there is to do.

Between the steps no state leaves the processor's cache; the backward pass starts from states kept every 16 steps and
recomputes the rest. Each function takes, as `plain`, the same scan in torch's operations: a backward pass that must be
differentiated itself (`create_graph=True`) goes through that one.
"""

import ctypes
import math
import os
from array import array
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from tsrnn.recurrence import build

_HERE = Path(__file__).parent
_REALS = {torch.float32: "float", torch.float64: "double"}
_CHUNK = 16  # steps between two states that are kept, as in scans.hpp
_VECTOR = 64  # bytes that channels are filled up to
_WORTH_A_THREAD = 1_000_000  # numbers (states of all steps) per thread, below which one thread is faster
_OPAQUE = "kernels are opaque to compiling, tracing and function transforms"

Scan = Callable[..., Any]


def able(*given: Tensor | None) -> tuple[bool, str]:
    """Whether kernels can run on these tensors, and by what or why not; shapes are the caller's."""
    if torch.compiler.is_compiling():
        return False, _OPAQUE
    if torch._C._get_tracing_state() is not None or torch._C._are_functorch_transforms_active():
        return False, _OPAQUE
    tensors = [each for each in given if each is not None]
    dtype = tensors[0].dtype
    if any(each.device.type != "cpu" or each.dtype != dtype or dtype not in _REALS for each in tensors):
        return False, "kernels take tensors on the CPU, all float32 or all float64"
    if not all(type(each) in (Tensor, torch.nn.Parameter) and each.layout == torch.strided for each in tensors):
        return False, "kernels take plain tensors only"
    if any(each.is_neg() or not each.numel() for each in tensors):
        return False, "a tensor is empty, or a negated view"
    if torch.autograd.forward_ad._current_level >= 0:
        return False, "kernels have no forward-mode derivative"
    if torch.is_autocast_enabled("cpu"):
        return False, "kernels do not run under autocast"
    found = _library(dtype)
    return (False, found) if isinstance(found, str) else (True, "kernels compiled for this processor")


def linear_fits(a: Tensor, b: Tensor, initial: Tensor | None) -> bool:
    """Whether the shapes are those of `linear`, none stretched by broadcasting."""
    return b.ndim >= 2 and a.shape == b.shape and (initial is None or initial.shape == b[:, 0].shape)


def linear(plain: Scan, a: Tensor, b: Tensor, initial: Tensor | None) -> Tensor:
    """As `scan.linear_scan`, for tensors that `able` and `linear_fits` accept."""
    if _recorded(a, b, initial):
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


def selective(plain: Scan, *given: Tensor | None) -> tuple[Tensor, Tensor]:
    """As `scan.selective_scan` (u, delta, A, B, C, D, initial), for tensors that `able` and `selective_fits` accept."""
    if _recorded(*given):
        y, final = _Selective.apply(plain, *given)  # type: ignore[no-untyped-call]
        return y, final
    return _selective_forward(*given, keep=False)[:2]  # type: ignore[arg-type, misc]


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, plain: Scan, a: Tensor, b: Tensor, initial: Tensor | None) -> Tensor:
        h = _linear_forward(a, b, initial)
        ctx.plain = plain
        ctx.save_for_backward(a, b, initial, h)
        return h

    @staticmethod
    def backward(ctx: Any, dh: Tensor) -> tuple[Tensor | None, ...]:
        a, b, initial, h = ctx.saved_tensors
        if torch.is_grad_enabled():
            return None, *_differentiable(ctx.plain, (a, b, initial), (dh,))
        rows = [_columns(each) for each in (a, h, dh)]  # each [batch time column]
        da, db = torch.empty_like(rows[1]), torch.empty_like(rows[1])
        first = None if initial is None else _columns(initial[:, None])  # [batch 1 column]
        dfirst = None if first is None else h.new_empty(first.shape)
        sizes = (*rows[1].shape[1:], 0, 0)
        _call("linear_backward", [*rows, da, db, first, dfirst], sizes, _threads(*rows[1].shape))
        return None, da.view(h.shape), db.view(h.shape), None if dfirst is None else dfirst.view(initial.shape)


class _Selective(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, plain: Scan, *given: Tensor | None) -> tuple[Tensor, Tensor]:
        y, final, borders = _selective_forward(*given, keep=True)  # type: ignore[arg-type, misc]
        ctx.plain = plain
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*given, borders)
        return y, final

    @staticmethod
    def backward(ctx: Any, dy: Tensor | None, dfinal: Tensor | None) -> tuple[Tensor | None, ...]:
        *given, borders = ctx.saved_tensors
        if torch.is_grad_enabled():
            return None, *_differentiable(ctx.plain, given, (dy, dfinal))
        return None, *_selective_backward(given, borders, dy, dfinal)


def _linear_forward(a: Tensor, b: Tensor, initial: Tensor | None) -> Tensor:
    rows = [_columns(each) for each in (a, b)]  # each [batch time column]
    h = b.new_empty(rows[1].shape)
    first = None if initial is None else _columns(initial[:, None])  # [batch 1 column]
    _call("linear_forward", [*rows, h, first], (*h.shape[1:], 0, 0), _threads(*h.shape))
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
    borders = u.new_empty(batch, (time - 1) // _CHUNK, states * wide) if keep and time > _CHUNK else None
    tensors = [u, delta, _rates(A), B, C, _skip(D), _states(initial), y, final, borders]
    _call("selective_forward", tensors, (time, channels, states, wide), _threads(batch, time, channels, states))
    return y, final.transpose(1, 2)[:, :channels], borders


def _selective_backward(
    given: list[Tensor], borders: Tensor | None, dy: Tensor | None, dfinal: Tensor | None
) -> tuple[Tensor | None, ...]:
    u, delta, A, B, C, D, initial = given
    (batch, time, channels), states = u.shape, A.shape[1]
    wide, threads = _wide(channels, u.dtype), _threads(batch, time, channels, states)
    dy = torch.zeros_like(u) if dy is None else dy
    dinitial = None if initial is None else u.new_empty(batch, states, wide)
    du, ddelta, dB, dC = torch.empty_like(u), torch.empty_like(delta), B.new_empty(B.shape), C.new_empty(C.shape)
    sums = u.new_empty(threads, states + 1, wide)  # of A, and in the last row of D
    tensors = [u, delta, _rates(A), B, C, _skip(D), _states(initial), borders, dy]
    into = [du, ddelta, sums, dB, dC, _states(dfinal), dinitial]
    _call("selective_backward", tensors + into, (time, channels, states, wide), threads)
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


def _differentiable(plain: Scan, given: Any, gradients: Any) -> tuple[Tensor | None, ...]:
    """The gradients as a graph of torch's own operations."""
    wanted = [each for each in given if each is not None and each.requires_grad]
    results = plain(*given)
    pairs = [
        pair
        for pair in zip((results,) if isinstance(results, Tensor) else results, gradients, strict=True)
        if pair[1] is not None
    ]
    found = iter(
        torch.autograd.grad(
            [pair[0] for pair in pairs],
            wanted,
            [pair[1] for pair in pairs],
            create_graph=True,
            allow_unused=True,
        )
    )
    return tuple(next(found) if each is not None and each.requires_grad else None for each in given)


def _recorded(*given: Tensor | None) -> bool:
    return torch.is_grad_enabled() and any(each is not None and each.requires_grad for each in given)


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


def _threads(rows: int, *others: int) -> int:
    """Threads for a scan over so many rows: one where the work is small."""
    return min(torch.get_num_threads(), rows, max(1, rows * math.prod(others) // _WORTH_A_THREAD))


def _call(name: str, tensors: list[Tensor | None], sizes: tuple[int, ...], threads: int) -> None:
    """Run a kernel over the rows of a batch, split among threads."""
    first = tensors[0]
    assert first is not None
    library, rows = _library(first.dtype), first.shape[0]
    run = getattr(library, name)
    views, size = array("q"), array("q", sizes)
    for each in tensors:
        views.extend((0, 0, 0, 0) if each is None else (each.data_ptr(), *each.stride()))
    places = views.buffer_info()[0], size.buffer_info()[0]

    def work(k: int) -> int:
        return int(run(*places, k, rows * k // threads, rows * (k + 1) // threads))

    if any(_pool(threads).map(work, range(threads)) if threads > 1 else [work(0)]):
        raise MemoryError("a scan found no memory for its work space")


@cache
def _library(dtype: torch.dtype) -> ctypes.CDLL | str:
    """The kernels, or why there are none."""
    head = f"#define REAL {_REALS[dtype]}\n#define SINGLE {int(dtype == torch.float32)}\n"
    texts = [(_HERE / name).read_text(encoding="utf-8") for name in ("kernel.hpp", "scans.hpp", "selective.hpp")]
    try:
        loaded = build.library(head + "\n".join(texts))
    except build.Unavailable as reason:
        return str(reason)
    for name in ("linear_forward", "linear_backward", "selective_forward", "selective_backward"):
        function = getattr(loaded, name)
        function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_long, ctypes.c_long, ctypes.c_long]
        function.restype = ctypes.c_int
    return loaded


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="tsrnn-scan")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child inherits no threads
