"""The state space of Mamba-2, one decay per head: Dao & Gu (2024), "Transformers are SSMs", arXiv 2405.21060.

h_t = exp(delta_t A) h_{t-1} + delta_t u_t B_t^T and y_t = h_t C_t + D u_t, as in `tsrnn.recurrence.scan`, where A has a
number per channel and state; with one per head, the steps of a chunk are a product of matrices (section 6).

"fused" is a compiled kernel that keeps the state in the processor's cache (`matrices.py`). "plain" takes one step after
another. "chunked" works out all chunks abreast, each as if it started from zero, and passes only the state from chunk
to chunk; decays stay in log space and are summed inside a chunk alone, where none can overflow. "auto" takes "fused"
where it can run, "chunked" elsewhere.
"""

from typing import Any

import torch
from torch import Tensor

from tsrnn.recurrence import matrices
from tsrnn.recurrence.chunks import cut, join, spans

_CHUNK = 32  # steps; more cost accuracy in float32, and no fewer seconds on a CPU


def ssd(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    initial: Tensor | None = None,
    method: str = "auto",
) -> tuple[Tensor, Tensor]:
    """Run over time.

    Args:
        u: input [batch time head channel].
        delta: step sizes [batch time head], at least zero.
        A: rates [head], at most zero.
        B, C: input and output weights [batch time state], shared by all heads.
        D: weights past the state [head], or None.
        initial: the state before the first step [batch head channel state]; None: zeros.
        method: "fused", "plain", "chunked" or "auto".

    Returns:
        y [batch time head channel] and the final state [batch head channel state].

    Raises:
        InputError: no method has that name, or "fused" was asked for and cannot run.
    """

    def given() -> matrices.Given:
        return _as_memory(u, delta, A, B, C, D, initial)

    name, _ = matrices.choose("state space", method, given)
    if name == "fused":
        y, S, *_ = matrices.run(_again, False, given())
        return y, S.transpose(2, 3)
    h = u.new_zeros(u.shape[0], *u.shape[2:], B.shape[-1]) if initial is None else initial
    run = _chunked if name == "chunked" else _plain
    y, h = run(delta[..., None] * u, delta * A, B, C, h)
    return (y if D is None else y + D[:, None] * u), h


def explain_ssd(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    initial: Tensor | None = None,
    method: str = "auto",
) -> str:
    """Which method `ssd` takes for these tensors, and why."""
    return ": ".join(matrices.choose("state space", method, lambda: _as_memory(u, delta, A, B, C, D, initial)))


def _as_memory(
    u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor | None, initial: Tensor | None
) -> matrices.Given:
    q, k = (each[:, :, None].expand(-1, -1, u.shape[2], -1) for each in (C, B))  # [batch time head state]
    S = None if initial is None else initial.transpose(2, 3)  # [batch head state channel]
    return q, k, u, delta, torch.exp(delta * A), D, S, None, None


def _again(q: Tensor, k: Tensor, v: Tensor, w: Tensor, a: Tensor, skip: Tensor | None, *first: Any) -> matrices.Results:
    """What the kernel does, in torch's operations."""
    S = v.new_zeros(*v.shape[:1], *v.shape[2:3], q.shape[3], v.shape[3]) if first[0] is None else first[0]
    outputs = []
    for at, written, kt, qt in zip(*(each.unbind(1) for each in (a, w[..., None] * v, k, q)), strict=True):
        S = at[..., None, None] * S + kt[..., None] * written[..., None, :]  # [batch head key value]
        outputs.append((qt[..., None, :] @ S)[..., 0, :])  # [batch head value]
    y = torch.stack(outputs, 1)
    return (y if skip is None else y + skip[:, None] * v), S, None, None


def _plain(weighted: Tensor, logs: Tensor, B: Tensor, C: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    outputs = []
    for wt, at, Bt, Ct in zip(*(each.unbind(1) for each in (weighted, torch.exp(logs), B, C)), strict=True):
        h = at[..., None, None] * h + wt[..., None] * Bt[:, None, None]  # [batch head channel state]
        outputs.append((h @ Ct[:, None, :, None])[..., 0])  # [batch head channel]
    return torch.stack(outputs, 1), h


def _chunked(weighted: Tensor, logs: Tensor, B: Tensor, C: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    time = logs.shape[1]
    weighted, logs, B, C = (cut(each, _CHUNK) for each in (weighted, logs, B, C))  # [batch chunk step ...]
    by_head = logs.transpose(2, 3)  # [batch chunk head step]
    decay = torch.exp(spans(by_head))  # [batch chunk head t s], from after s up to t
    passed = torch.exp(by_head.cumsum(-1))  # [batch chunk head step], from the chunk's start
    mixed = (C @ B.transpose(2, 3))[:, :, None] * decay  # [batch chunk head t s] (section 6, diagonal blocks)
    values = weighted.transpose(2, 3)  # [batch chunk head step channel]
    kept = decay[..., -1, :, None] * values  # [batch chunk head step channel], what is left of it at the chunk's end
    gains = kept.transpose(3, 4) @ B[:, :, None]  # [batch chunk head channel state] (right factors)
    starts = []
    for chunk, gain in enumerate(gains.unbind(1)):
        starts.append(h)
        h = passed[:, chunk, :, -1, None, None] * h + gain  # [batch head channel state] (centre factors)
    carried = C[:, :, None] @ torch.stack(starts, 1).transpose(3, 4)  # [batch chunk head step channel] (left factors)
    y = mixed @ values + passed[..., None] * carried  # [batch chunk head step channel]
    return join(y.transpose(2, 3), time), h
