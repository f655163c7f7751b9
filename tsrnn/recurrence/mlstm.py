"""mLSTM, a memory of matrices without recurrent products: Beck et al. (2024), "xLSTM: Extended Long Short-Term Memory",
arXiv 2405.04517, section 2.3.

"fused" is a compiled kernel that keeps the memory in the processor's cache (`matrices.py`). "plain" takes one step
after another. "chunked" works out all chunks abreast as products of matrices, each as if it started from nothing, and
passes only the state from chunk to chunk. "auto" takes "fused" where it can run, "chunked" elsewhere.

C and n are kept divided by exp(m), where m follows the largest exponent, so that nothing overflows. The output does not
depend on m, which is therefore held fixed in the backward pass; so are all gradients, and those through the final state
where it is carried on, exact.
"""

import math
from typing import Any

import torch
from torch import Tensor

from tsrnn.recurrence import matrices
from tsrnn.recurrence.chunks import cut, join, spans

Memory = tuple[Tensor, Tensor, Tensor]  # C [batch head key value], n [batch head key], m [batch head]
_CHUNK = 32  # steps


def mlstm(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    log_i: Tensor,
    log_f: Tensor,
    initial: Memory | None = None,
    method: str = "auto",
) -> tuple[Tensor, Memory]:
    """Run over time.

    Args:
        q, k: queries and keys [batch time head key]; keys are divided by the root of their length here (eq. 23).
        v: values [batch time head value].
        log_i: the input gate's exponent [batch time head], its pre-activation (eq. 25).
        log_f: the forget gate's [batch time head]: `logsigmoid` of its pre-activation, or the latter itself (eq. 26).
        initial: C, n and m before the first step; None: nothing seen, with m minus infinity.
        method: "fused", "plain", "chunked" or "auto".

    Returns:
        The output before its gate [batch time head value] (eq. 21), and the final C, n and m.

    Raises:
        InputError: no method has that name, or "fused" was asked for and cannot run.
    """
    given = q, k, v, log_i, log_f, None, *(initial or (None, None, None))
    name, _ = matrices.choose("mLSTM", method, lambda: given)
    if name == "fused":
        y, C, n, m = matrices.run(_again, True, given)
        assert n is not None
        assert m is not None
        return y, (C, n, m)
    if initial is None:
        initial = _nothing(k, v)
    run = _chunked if name == "chunked" else _plain
    return run(q, k / math.sqrt(k.shape[-1]), v, log_i, log_f, initial)  # (eq. 23)


def explain_mlstm(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    log_i: Tensor,
    log_f: Tensor,
    initial: Memory | None = None,
    method: str = "auto",
) -> str:
    """Which method `mlstm` takes for these tensors, and why."""
    first = initial or (None, None, None)
    return ": ".join(matrices.choose("mLSTM", method, lambda: (q, k, v, log_i, log_f, None, *first)))


def _nothing(k: Tensor, v: Tensor) -> Memory:
    """Before the first step, where nothing has been seen."""
    batch, _, heads, keys = k.shape
    m = v.new_full((batch, heads), -torch.inf)
    return v.new_zeros(batch, heads, keys, v.shape[-1]), v.new_zeros(batch, heads, keys), m


def _again(
    q: Tensor, k: Tensor, v: Tensor, log_i: Tensor, log_f: Tensor, _: None, *first: Any
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What the kernel does, in torch's operations."""
    initial: Memory = _nothing(k, v) if first[0] is None else first
    y, (C, n, m) = _plain(q, k / math.sqrt(k.shape[-1]), v, log_i, log_f, initial)
    return y, C, n, m


def _plain(q: Tensor, k: Tensor, v: Tensor, log_i: Tensor, log_f: Tensor, initial: Memory) -> tuple[Tensor, Memory]:
    C, n, m = initial
    outputs = []
    for qt, kt, vt, it, ft in zip(*(each.unbind(1) for each in (q, k, v, log_i, log_f)), strict=True):
        following = torch.maximum(ft + m, it).detach()  # [batch head] (eq. 15)
        i, f = torch.exp(it - following), torch.exp(ft + m - following)  # each [batch head] (eq. 16, 17)
        C = f[..., None, None] * C + i[..., None, None] * kt[..., None] * vt[..., None, :]  # (eq. 19, transposed)
        n = f[..., None] * n + i[..., None] * kt  # [batch head key] (eq. 20)
        m = following
        outputs.append(_read((qt[..., None, :] @ C)[..., 0, :], (qt * n).sum(-1), m))  # [batch head value] (eq. 21)
    return torch.stack(outputs, 1), (C, n, m)


def _chunked(q: Tensor, k: Tensor, v: Tensor, log_i: Tensor, log_f: Tensor, initial: Memory) -> tuple[Tensor, Memory]:
    time = q.shape[1]
    q, k, v, log_f = (cut(each, _CHUNK).transpose(2, 3) for each in (q, k, v, log_f))  # [batch chunk head step ...]
    log_i = cut(log_i, _CHUNK, -torch.inf).transpose(2, 3)  # steps filled in write nothing
    exponents = spans(log_f) + log_i[..., None, :]  # [batch chunk head t s], of what s wrote as seen at t
    passed = log_f.cumsum(-1)  # [batch chunk head step], since the chunk's start
    (C, n, m), final = _states(k, v, exponents[..., -1, :], passed[..., -1], initial)
    largest = torch.maximum(passed + m[..., None], exponents.amax(-1)).detach()  # [batch chunk head step]
    scores = (q @ k.transpose(3, 4)) * torch.exp(exponents - largest[..., None])  # [batch chunk head t s]
    old = torch.exp(passed + m[..., None] - largest)  # [batch chunk head step]
    values = scores @ v + old[..., None] * (q @ C)  # [batch chunk head step value]
    norms = scores.sum(-1) + old * (q @ n[..., None])[..., 0]  # [batch chunk head step]
    return join(_read(values, norms, largest).transpose(2, 3), time), final


def _states(k: Tensor, v: Tensor, exponents: Tensor, passed: Tensor, initial: Memory) -> tuple[Memory, Memory]:
    """C, n, m before each chunk, each [batch chunk ...], and the final ones."""
    own = exponents.amax(-1).detach()  # [batch chunk head]
    written = torch.exp(exponents - own[..., None])[..., None] * k  # [batch chunk head step key]
    memories, sums = written.transpose(3, 4) @ v, written.sum(-2)  # [... key value], [... key], divided by exp(own)
    C, n, m = initial
    before: tuple[list[Tensor], list[Tensor], list[Tensor]] = [], [], []
    for memory, summed, local, through in zip(*(each.unbind(1) for each in (memories, sums, own, passed)), strict=True):
        for parts, part in zip(before, (C, n, m), strict=True):
            parts.append(part)
        following = torch.maximum(through + m, local).detach()  # [batch head]
        old, new = torch.exp(through + m - following)[..., None], torch.exp(local - following)[..., None]
        C = old[..., None] * C + new[..., None] * memory  # [batch head key value]
        n = old * n + new * summed  # [batch head key]
        m = following
    return (torch.stack(before[0], 1), torch.stack(before[1], 1), torch.stack(before[2], 1)), (C, n, m)


def _read(values: Tensor, norms: Tensor, m: Tensor) -> Tensor:
    """Divided by what the normaliser and one are at most, both over exp(m): [... value], [...], [...]  (eq. 21)."""
    return values / torch.maximum(norms.abs(), torch.exp(-m))[..., None]
