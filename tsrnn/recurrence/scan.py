"""Recurrences that are linear in their state, hence free to be cut into chunks: h_t = a_t h_{t-1} + b_t.

The selective scan is Mamba's: Gu & Dao (2023), arXiv 2312.00752, eq. 2 with the input-dependent parameters of
algorithm 2; A is discretised by a zero-order hold (eq. 4) and B by Euler's rule, as in the authors' code.

Three methods. "fused" is a compiled kernel that keeps the states in the processor's cache (`fused.py`), for float32
and float64 on the CPU where there is a compiler. "plain" takes one step after another. "chunked" takes the first step
of every chunk together, then the second..., and then passes the state from chunk to chunk: about 2 sqrt(time) steps in
place of time, at the price of holding every step's terms at once. All multiply decays forwards only, and never divide
by one, so that decays in [0, 1] can underflow to zero and never overflow.

"auto" takes "fused" where it can run. Elsewhere it goes by the numbers in one step (batch times channels, times
states), because the chunks' terms must stay in the processor's cache. Measured forward and backward on one CPU core
over 14 to 336 steps: selective chunks were 1.7 to 8 times faster than plain steps up to 4096 numbers and 1.1 to 5.5
times slower at 32768; linear ones up to 5 times faster up to 2048 numbers (slower by up to a half at 14 steps), slower
from 8192 on. `explain_linear` and `explain_selective` say which method runs, and why.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from tsrnn.errors import InputError, unknown
from tsrnn.recurrence import fused, native

METHODS = ("auto", "fused", "plain", "chunked")
_NARROW_LINEAR, _NARROW_SELECTIVE = 2048, 4096  # numbers in one step up to which chunks win
_ODD_SHAPES = False, "kernels stretch no shapes by broadcasting"


def linear_scan(a: Tensor, b: Tensor, initial: Tensor | None = None, method: str = "auto") -> Tensor:
    """h_t = a_t h_{t-1} + b_t for all t: a, b [batch time ...], initial [batch ...] (zero) -> h [batch time ...].

    Raises:
        InputError: no method has that name, or "fused" was asked for and cannot run.
    """
    name, _ = _choose_linear(a, b, initial, method)
    if name == "fused":
        return fused.linear(_plain_linear, a, b, initial)
    if name == "plain":
        return _plain_linear(a, b, initial)
    return _chunked(a, b, torch.zeros_like(b[:, 0]) if initial is None else initial)


def selective_scan(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    initial: Tensor | None = None,
    method: str = "auto",
) -> tuple[Tensor, Tensor]:
    """Run the selective state space over time.

    Args:
        u: input [batch time channel].
        delta: step sizes [batch time channel], at least zero.
        A: rates [channel state], at most zero.
        B, C: input and output weights [batch time state].
        D: weights past the state [channel], or None.
        initial: the state before the first step [batch channel state]; None: zeros.
        method: "fused", "plain", "chunked" or "auto".

    Returns:
        y [batch time channel] and the final state [batch channel state].

    Raises:
        InputError: no method has that name, or "fused" was asked for and cannot run.
    """
    name, _ = _choose_selective(u, delta, A, B, C, D, initial, method)
    run = {"plain": _plain_selective, "chunked": _chunked_selective}.get(name)
    if run is None:
        return fused.selective(_plain_selective, u, delta, A, B, C, D, initial)
    return run(u, delta, A, B, C, D, initial)


def explain_linear(a: Tensor, b: Tensor, initial: Tensor | None = None, method: str = "auto") -> str:
    """Which method `linear_scan` takes for these tensors, and why."""
    return ": ".join(_choose_linear(a, b, initial, method))


def explain_selective(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    initial: Tensor | None = None,
    method: str = "auto",
) -> str:
    """Which method `selective_scan` takes for these tensors, and why."""
    return ": ".join(_choose_selective(u, delta, A, B, C, D, initial, method))


def _choose_linear(a: Tensor, b: Tensor, initial: Tensor | None, method: str) -> tuple[str, str]:
    def able() -> tuple[bool, str]:
        return native.able("scans", a, b, initial) if fused.linear_fits(a, b, initial) else _ODD_SHAPES

    return _choose(method, able, b[:, 0].numel(), _NARROW_LINEAR)


def _choose_selective(
    u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor | None, initial: Tensor | None, method: str
) -> tuple[str, str]:
    given = (u, delta, A, B, C, D, initial)

    def able() -> tuple[bool, str]:
        return native.able("scans", *given) if fused.selective_fits(*given) else _ODD_SHAPES

    return _choose(method, able, u.shape[0] * A.numel(), _NARROW_SELECTIVE)


def _choose(method: str, able: Callable[[], tuple[bool, str]], numbers: int, narrow: int) -> tuple[str, str]:
    """The method that runs, and why."""
    if method not in METHODS:
        raise unknown("scan method", method, METHODS)
    if method in ("plain", "chunked"):
        return method, "as asked"
    if torch.compiler.is_exporting():
        return "chunked", "a graph holds few steps, and does not look at sizes"
    can, reason = able()
    if can:
        return "fused", reason
    if method == "fused":
        raise InputError(f"scan method 'fused' cannot run this: {reason}; choose method='auto'")
    chosen, bound = ("chunked", "up to") if numbers <= narrow else ("plain", "more than")
    return chosen, f"{numbers} numbers in one step, {bound} {narrow}; not fused: {reason}"


def _plain_linear(a: Tensor, b: Tensor, initial: Tensor | None) -> Tensor:
    h = torch.zeros_like(b[:, 0]) if initial is None else initial
    states = []
    for at, bt in zip(a.unbind(1), b.unbind(1), strict=True):
        h = at * h + bt  # [batch ...]
        states.append(h)
    return torch.stack(states, 1)


def _plain_selective(
    u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor | None, initial: Tensor | None
) -> tuple[Tensor, Tensor]:
    h = u.new_zeros(u.shape[0], *A.shape) if initial is None else initial
    outputs = []
    for dt, wt, Bt, Ct in zip(*(each.unbind(1) for each in (delta, delta * u, B, C)), strict=True):
        h = torch.exp(dt[..., None] * A) * h + wt[..., None] * Bt[:, None]  # [batch channel state] (eq. 4, 2a)
        outputs.append((h @ Ct[..., None])[..., 0])  # [batch channel] (eq. 2b)
    y = torch.stack(outputs, 1)  # [batch time channel]
    return (y if D is None else y + D * u), h


def _chunked_selective(
    u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor | None, initial: Tensor | None
) -> tuple[Tensor, Tensor]:
    h = u.new_zeros(u.shape[0], *A.shape) if initial is None else initial
    decay = torch.exp(delta[..., None] * A)  # [batch time channel state] (eq. 4)
    states = _chunked(decay, (delta * u)[..., None] * B[:, :, None], h)  # [batch time channel state] (eq. 2a)
    y = (states @ C[..., None])[..., 0]  # [batch time channel] (eq. 2b)
    return (y if D is None else y + D * u), states[:, -1]


def _chunked(a: Tensor, b: Tensor, h: Tensor) -> Tensor:
    """All chunks abreast: a, b [batch time ...], h [batch ...] -> [batch time ...]."""
    time = b.shape[1]
    size = max(1, math.isqrt(time))
    a, b = _cut(a, size), _cut(b, size)  # [batch chunk size ...]
    total, local = a[:, :, 0], b[:, :, 0]  # decay since the chunk's start, state as if it started from zero
    totals, locals_ = [total], [local]
    for at, bt in zip(a.unbind(2)[1:], b.unbind(2)[1:], strict=True):
        total, local = at * total, at * local + bt  # each [batch chunk ...]
        totals.append(total)
        locals_.append(local)
    starts = []
    for decay, gain in zip(total.unbind(1), local.unbind(1), strict=True):
        starts.append(h)
        h = decay * h + gain  # [batch ...]
    start = torch.stack(starts, 1)[:, :, None]  # [batch chunk 1 ...]
    states = torch.stack(totals, 2) * start + torch.stack(locals_, 2)  # [batch chunk size ...]
    return states.flatten(1, 2)[:, :time]


def _cut(x: Tensor, size: int) -> Tensor:
    """[batch time ...] -> [batch chunk size ...], the last chunk filled up with zeros."""
    chunks = math.ceil(x.shape[1] / size)
    missing = chunks * size - x.shape[1]
    padded = F.pad(x, (0, 0) * (x.ndim - 2) + (0, missing)) if missing else x
    return padded.reshape(x.shape[0], chunks, size, *x.shape[2:])
