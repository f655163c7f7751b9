"""The state space of Mamba-2, one decay per head: Dao & Gu (2024), "Transformers are SSMs", arXiv 2405.21060.

h_t = exp(delta_t A) h_{t-1} + delta_t u_t B_t^T and y_t = h_t C_t + D u_t, as in `tsrnn.recurrence.scan`, where A has a
number per channel and state; with one per head, the steps of a chunk are a product of matrices (section 6). "plain"
takes one step after another. "chunked" works out all chunks abreast, each as if it started from zero, and passes only
the state from chunk to chunk. Decays stay in log space and are summed inside a chunk alone, where none can overflow.
"""

import torch
from torch import Tensor

from tsrnn.errors import unknown
from tsrnn.recurrence.chunks import cut, join, spans

METHODS = ("plain", "chunked")
_CHUNK = 32  # steps; more cost accuracy in float32, and no fewer seconds on a CPU


def ssd(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    initial: Tensor | None = None,
    method: str = "chunked",
) -> tuple[Tensor, Tensor]:
    """Run over time.

    Args:
        u: input [batch time head channel].
        delta: step sizes [batch time head], at least zero.
        A: rates [head], at most zero.
        B, C: input and output weights [batch time state], shared by all heads.
        D: weights past the state [head], or None.
        initial: the state before the first step [batch head channel state]; None: zeros.
        method: "chunked" or "plain".

    Returns:
        y [batch time head channel] and the final state [batch head channel state].

    Raises:
        InputError: no method has that name.
    """
    if method not in METHODS:
        raise unknown("method of the state space", method, METHODS)
    h = u.new_zeros(u.shape[0], *u.shape[2:], B.shape[-1]) if initial is None else initial
    run = _chunked if method == "chunked" else _plain
    y, h = run(delta[..., None] * u, delta * A, B, C, h)
    return (y if D is None else y + D[:, None] * u), h


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
