"""Memories that are matrices as compiled kernels (`memory.hpp`, `memory_back.hpp`), forward and backward.

S_t = a_t S_{t-1} + w_t k_t v_t^T and y_t = S_t^T q_t, each step as it stands. SSD gives the numbers a and w and may add
D v. The mLSTM gives their logarithms, kept below a running largest m, and divides y by max(|n q|, exp(-m)), where
n_t = a_t n_{t-1} + w_t k_t and the root of the keys' length is in w. The backward pass starts from memories kept every
16 steps and recomputes the rest; one that must be differentiated itself goes through the same in torch's operations.

What `run` is given, here `Given`: q, k [batch time head key], v [batch time head value], enter and forget [batch time
head], D [head], and the first S [batch head key value], n [batch head key], m [batch head]; the last four may be None.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from tsrnn.errors import InputError, unknown
from tsrnn.recurrence.native import CHUNK, Plain, able, call, differentiable, recorded, threads_for
from tsrnn.recurrence.structs import MemorySizes

_LANES = 16  # numbers in the longest vector, and keys in the tallest tile
METHODS = ("auto", "fused", "plain", "chunked")
Given = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor | None, Tensor | None, Tensor | None, Tensor | None]
Results = tuple[Tensor, Tensor, Tensor | None, Tensor | None]  # y as v, then S, and of the mLSTM n and m


def choose(what: str, method: str, given: Callable[[], Given]) -> tuple[str, str]:
    """The method that runs, and why: the kernel where it can, chunks elsewhere.

    Raises:
        InputError: no method has that name, or "fused" was asked for and cannot run.
    """
    if method not in METHODS:
        raise unknown(f"method of the {what}", method, METHODS)
    if method in ("plain", "chunked"):
        return method, "as asked"
    terms = given()
    can, reason = able("matrices", *terms) if _fits(*terms) else (False, "kernels stretch no shapes by broadcasting")
    if can:
        return "fused", reason
    if method == "fused":
        raise InputError(f"method 'fused' of the {what} cannot run this: {reason}; choose method='auto'")
    return "chunked", f"not fused: {reason}"


def run(plain: Plain, logs: bool, given: Given) -> Results:
    """Over all steps, for what `choose` accepts; `plain` takes what is given and returns the same.

    With `logs`, enter and forget are logarithms, and the output is divided.
    """
    if recorded(*given):
        results: Results = _Memory.apply(plain, logs, *given)  # type: ignore[no-untyped-call]
        return results
    return _forward(logs, given, keep=False)[0]


class _Memory(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, plain: Plain, logs: bool, *given: Any) -> Results:
        results, borders = _forward(logs, given, keep=True)
        ctx.plain, ctx.logs = plain, logs
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*given, results[0], borders)
        if logs:
            ctx.mark_non_differentiable(results[3])
        return results

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Any, ...]:
        *given, y, borders = ctx.saved_tensors
        if torch.is_grad_enabled():
            return None, None, *differentiable(ctx.plain, given, gradients)
        return None, None, *_backward(ctx.logs, given, [y, borders], gradients)


def _fits(*given: Tensor | None) -> bool:
    q, v = given[0], given[2]
    if q is None or v is None or q.ndim != 4 or v.ndim != 4:
        return False
    (batch, time, heads, keys), values = q.shape, v.shape[3]
    wanted = [
        *((batch, time, heads, keys), (batch, time, heads, keys), (batch, time, heads, values)),
        *((batch, time, heads), (batch, time, heads), (heads,)),
        *((batch, heads, keys, values), (batch, heads, keys), (batch, heads)),
    ]
    return all(each is None or each.shape == shape for each, shape in zip(given, wanted, strict=True))


def _forward(logs: bool, given: Given, keep: bool) -> tuple[Results, Tensor | None]:
    """The results, and the memories at the chunks' borders [batch border head size]."""
    q, v = given[0], given[2]
    (batch, time, heads, keys), values = q.shape, v.shape[3]
    y, S = v.new_empty(v.shape), v.new_empty(batch, heads, keys, values)
    n, m = (v.new_empty(batch, heads, keys), v.new_empty(batch, heads)) if logs else (None, None)
    borders = None
    if keep and time > CHUNK:
        size = _filled(keys) * (_filled(values) + 1)
        borders = v.new_empty(batch, heads, (time - 1) // CHUNK, size).transpose(1, 2)
    _call("memory_forward", [*_inputs(given), y, *_states(S, n, m), borders], logs)
    return (y, S, n, m), borders


def _backward(
    logs: bool, given: list[Tensor | None], kept: list[Tensor | None], gradients: tuple[Tensor | None, ...]
) -> tuple[Tensor | None, ...]:
    q, skip = given[0], given[5]
    assert q is not None
    dy, dS, dn, _ = gradients
    into = [None if each is None else each.new_empty(each.shape) for each in given]
    into[5] = None if skip is None else skip.new_empty(len(q), len(skip))  # [batch head]
    tensors = [*_inputs(given), *kept, dy, *_states(dS, dn, None)[:2], *_grids(into)]
    _call("memory_backward", tensors, logs)
    into[5] = None if into[5] is None else into[5].sum(0)
    return tuple(into)


def _inputs(given: Sequence[Tensor | None]) -> list[Tensor | None]:
    q, skip = given[0], given[5]
    assert q is not None
    return _grids([*given[:5], None if skip is None else skip.expand(len(q), -1), *given[6:]])


def _grids(given: Sequence[Tensor | None]) -> list[Tensor | None]:
    """As `Given`, D as [batch head] -> each [batch step head lane]."""
    q, k, v, enter, forget, skip, S, n, m = given
    assert enter is not None
    assert forget is not None
    return [q, k, v, enter[..., None], forget[..., None], _one_step(skip), *_states(S, n, m)]


def _states(S: Tensor | None, n: Tensor | None, m: Tensor | None) -> list[Tensor | None]:
    """Each [batch step head lane], the steps of S its keys."""
    return [None if S is None else S.transpose(1, 2), None if n is None else n[:, None], _one_step(m)]


def _one_step(x: Tensor | None) -> Tensor | None:
    """[batch head] -> [batch 1 head 1]."""
    return None if x is None else x[:, None, :, None]


def _filled(count: int) -> int:
    """Filled up to the longest vectors."""
    return -(-count // _LANES) * _LANES


def _call(name: str, tensors: list[Tensor | None], logs: bool) -> None:
    q, v = tensors[0], tensors[2]
    assert q is not None
    assert v is not None
    (batch, time, heads, keys), values = q.shape, v.shape[3]
    threads = threads_for(batch * heads, time, keys, values)
    call("matrices", name, tensors, MemorySizes(time, heads, keys, values, logs), batch * heads, threads)
