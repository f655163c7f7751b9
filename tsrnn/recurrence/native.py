"""What compiled kernels stand on: which tensors they take, how they are built and called, threads, second derivatives.

Kernels come in two libraries: the scans (`fused.py`) and the memories of matrices (`memories.py`).
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

from tsrnn.recurrence import build

CHUNK = 16  # steps between two states that are kept, as in scans.hpp
Plain = Callable[..., Any]  # the same in torch's operations

_HERE = Path(__file__).parent
_REALS = {torch.float32: "float", torch.float64: "double"}
_LIBRARIES = {  # their texts, and their functions
    "scans": (
        ("kernel.hpp", "scans.hpp", "selective.hpp"),
        ("linear_forward", "linear_backward", "selective_forward", "selective_backward"),
    ),
    "memories": (("kernel.hpp", "scans.hpp", "memory.hpp", "memory_back.hpp"), ("memory_forward", "memory_backward")),
}
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


def call(kind: str, name: str, tensors: list[Tensor | None], sizes: tuple[int, ...], rows: int, threads: int) -> None:
    """Run a kernel over so many rows, split among threads. A tensor goes as its place and strides, all of one rank."""
    first = tensors[0]
    assert first is not None
    run = getattr(_library(kind, first.dtype), name)
    views, size, nothing = array("q"), array("q", sizes), (0,) * (first.ndim + 1)
    for each in tensors:
        views.extend(nothing if each is None else (each.data_ptr(), *each.stride()))
    places = views.buffer_info()[0], size.buffer_info()[0]

    def work(k: int) -> int:
        return int(run(*places, k, rows * k // threads, rows * (k + 1) // threads))

    if any(_pool(threads).map(work, range(threads)) if threads > 1 else [work(0)]):
        raise MemoryError("a kernel found no memory for its work space")


@cache
def _library(kind: str, dtype: torch.dtype) -> ctypes.CDLL | str:
    """The kernels, or why there are none."""
    files, functions = _LIBRARIES[kind]
    head = f"#define REAL {_REALS[dtype]}\n#define SINGLE {int(dtype == torch.float32)}\n"
    texts = [(_HERE / name).read_text(encoding="utf-8") for name in files]
    try:
        _, loaded = build.library(head + "\n".join(texts))
    except build.Unavailable as reason:
        return str(reason)
    for name in functions:
        function = getattr(loaded, name)
        function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_long, ctypes.c_long, ctypes.c_long]
        function.restype = ctypes.c_int
    return loaded


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="tsrnn-scan")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child inherits no threads
