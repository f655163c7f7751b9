"""What compiled kernels stand on: which tensors they take, how they are built and called, threads, second derivatives.

Kernels come in two libraries: the scans (`fused.py`) and the memories of matrices (`matrices.py`).
"""

import ctypes
import math
from array import array
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from tsrnn.recurrence import build
from tsrnn.recurrence.structs import MemorySizes, Part, ScanSizes, filled
from tsrnn.recurrence.threads import Entry

CHUNK = 16  # steps between two states that are kept, as in scans.hpp
Plain = Callable[..., Any]  # the same in torch's operations

_LIBRARIES = {"scans": "selective.hpp", "matrices": "memory_back.hpp"}  # each stands on the others
_WORTH_A_THREAD = 1_000_000  # numbers (states of all steps) per thread, below which one thread is faster
_OPAQUE = "kernels are opaque to compiling, tracing and function transforms"


def able(kind: str, *given: Tensor | None) -> tuple[bool, str]:
    """Whether kernels of a library can run on these tensors, and by what or why not; shapes are the caller's."""
    if torch.compiler.is_compiling():
        return False, _OPAQUE
    if torch._C._get_tracing_state() is not None or torch._C._are_functorch_transforms_active():
        return False, _OPAQUE
    tensors = [each for each in given if each is not None]
    dtype = tensors[0].dtype
    if any(each.device.type != "cpu" or each.dtype != dtype or dtype not in build.SINGLE for each in tensors):
        return False, "kernels take tensors on the CPU, all float32 or all float64"
    if not all(type(each) in (Tensor, torch.nn.Parameter) and each.layout == torch.strided for each in tensors):
        return False, "kernels take plain tensors only"
    if any(each.is_neg() or not each.numel() for each in tensors):
        return False, "a tensor is empty, or a negated view"
    if torch.autograd.forward_ad._current_level >= 0:
        return False, "kernels have no forward-mode derivative"
    if torch.is_autocast_enabled("cpu"):
        return False, "kernels do not run under autocast"
    found = _library(kind, dtype)
    return (False, found) if isinstance(found, str) else (True, "kernels compiled for this processor")


def differentiable(plain: Plain, given: Any, gradients: Any) -> tuple[Tensor | None, ...]:
    """The gradients as a graph of torch's own operations."""
    wanted = [each for each in given if each is not None and each.requires_grad]
    results = plain(*given)
    pairs = [
        pair
        for pair in zip((results,) if isinstance(results, Tensor) else results, gradients, strict=True)
        if pair[1] is not None and pair[0].requires_grad
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


def recorded(*given: Tensor | None) -> bool:
    return torch.is_grad_enabled() and any(each is not None and each.requires_grad for each in given)


def threads_for(rows: int, *others: int) -> int:
    """Threads for a scan over so many rows: one where the work is small."""
    return min(torch.get_num_threads(), rows, max(1, rows * math.prod(others) // _WORTH_A_THREAD))


def call(
    kind: str, name: str, tensors: list[Tensor | None], sizes: ScanSizes | MemorySizes, rows: int, threads: int
) -> None:
    """Run a kernel over so many rows, split among threads. A tensor goes as its place and strides, all of one rank."""
    first = tensors[0]
    assert first is not None
    run = _entry(kind, name, first.dtype)
    views, nothing = array("q"), (0,) * (first.ndim + 1)
    for each in tensors:
        views.extend(nothing if each is None else (each.data_ptr(), *each.stride()))
    places = views.buffer_info()[0], ctypes.addressof(sizes)
    edges = [rows * k // threads for k in range(threads + 1)]
    run(filled(Part, [(*places, k, *ends) for k, ends in enumerate(pairwise(edges))]), threads)


@cache
def _entry(kind: str, name: str, dtype: torch.dtype) -> Entry:
    loaded = _library(kind, dtype)
    assert not isinstance(loaded, str)
    return Entry(loaded, name)


@cache
def _library(kind: str, dtype: torch.dtype) -> ctypes.CDLL | str:
    """The kernels, or why there are none."""
    try:
        _, loaded = build.library(f'#define SINGLE {build.SINGLE[dtype]}\n#include "{_LIBRARIES[kind]}"\n')
    except build.Unavailable as reason:
        return str(reason)
    return loaded
