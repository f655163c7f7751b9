"""Generated kernels as operators of torch, so that `torch.compile` and `torch.export` keep one graph.

Outside a compiler `tsrnn.recurrence.generated` calls the kernels itself: the dispatcher costs more than a short layer.
A graph names a kernel by its key; whoever runs an exported graph in another process builds the cell there first.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from tsrnn.recurrence.call import Given, Kernel, Trail, backward, forward, parts

_KERNELS: dict[str, Kernel] = {}


def keep(kernel: Kernel) -> str:
    """Let operators find a kernel; its key."""
    return _KERNELS.setdefault(kernel.key, kernel).key


def run(
    key: str,
    lengths: Tensor | None,
    x: Tensor,
    weights: Sequence[Tensor],
    own: Sequence[Tensor],
    first: Sequence[Tensor],
    keep: bool,
) -> tuple[Tensor, ...]:
    """Output [batch time hidden] and final states, each [batch hidden]; arguments as in `tsrnn.recurrence.call`."""
    hidden = first[0].shape[1]
    output, final, *_ = _ahead(x, list(weights), list(own), list(first), lengths, key, keep)
    return (output[..., :hidden], *final[..., :hidden].unbind(0))


def _kernel(key: str) -> Kernel:
    if key not in _KERNELS:
        raise RuntimeError(f"kernel {key} is not built in this process: build a layer of the same cell and run it once")
    return _KERNELS[key]


@torch.library.custom_op("tsrnn::recurrence", mutates_args=())
def _ahead(
    x: Tensor,
    weights: Sequence[Tensor],
    own: Sequence[Tensor],
    first: Sequence[Tensor],
    lengths: Tensor | None,
    key: str,
    keep: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    dense = x if x.stride(2) == 1 else x.contiguous()
    weights = [each.contiguous() for each in weights]
    output, final, trail = forward(_kernel(key), Given(dense, lengths, weights, own), first, keep)
    return output, final.clone(memory_format=torch.contiguous_format), trail.states, trail.tape, trail.gated


@_ahead.register_fake
def _(
    x: Tensor,
    weights: Sequence[Tensor],
    own: Sequence[Tensor],
    first: Sequence[Tensor],
    lengths: Tensor | None,
    key: str,
    keep: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    kernel = _kernel(key)
    traced, batch, steps = kernel.traced, x.shape[0], x.shape[1]
    padded = -(-weights[1].shape[1] // kernel.lanes) * kernel.lanes
    return (
        x.new_empty(batch, steps, padded),
        x.new_empty(traced.states, batch, padded),
        x.new_empty(steps + 1 if keep else 2, traced.states, batch, padded),
        x.new_empty(steps if keep else 0, batch, len(traced.tape), padded),
        x.new_empty(steps if keep else 1, batch, padded if traced.gated else 0),
    )


@torch.library.custom_op("tsrnn::recurrence_back", mutates_args=())
def _back(
    x: Tensor,
    weights: Sequence[Tensor],
    own: Sequence[Tensor],
    trail: Sequence[Tensor],
    slope: Tensor,
    final: Tensor,
    lengths: Tensor | None,
    key: str,
) -> tuple[Tensor, Tensor, Tensor]:
    dense = x if x.stride(2) == 1 else x.contiguous()
    weights = [each.contiguous() for each in weights]
    ends = final[..., : weights[1].shape[1]].contiguous().unbind(0)
    given = Given(dense, lengths, weights, own)
    dx, vector, dfirst = backward(_kernel(key), given, Trail(*trail), slope.contiguous(), ends, need_x=True)
    assert dx is not None
    return dx, vector.clone(), dfirst


@_back.register_fake
def _(
    x: Tensor,
    weights: Sequence[Tensor],
    own: Sequence[Tensor],
    trail: Sequence[Tensor],
    slope: Tensor,
    final: Tensor,
    lengths: Tensor | None,
    key: str,
) -> tuple[Tensor, Tensor, Tensor]:
    lanes = _kernel(key).lanes
    count = sum(each.numel() for each in (*weights, *own))
    return x.new_empty(*x.shape[:2], -(-x.shape[2] // lanes) * lanes), x.new_empty(count), x.new_empty(final.shape)


def _remember(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    x, weights, own, first, lengths, key, _ = inputs
    ctx.save_for_backward(x, *weights, *own, *output[2:])
    ctx.own, ctx.first, ctx.lengths, ctx.key = len(own), len(first), lengths, key


def _go_back(ctx: Any, slope: Tensor, final: Tensor, *_: Tensor) -> tuple[Any, ...]:
    x, *rest = ctx.saved_tensors
    weights, own, trail = rest[:4], rest[4 : 4 + ctx.own], rest[4 + ctx.own :]
    dx, vector, dfirst = _back(x, weights, own, trail, slope, final, ctx.lengths, ctx.key)
    pieces = parts(vector, (*weights, *own))
    hidden = weights[1].shape[1]
    return dx[..., : x.shape[2]], pieces[:4], pieces[4:], list(dfirst[..., :hidden].unbind(0)), None, None, None


_ahead.register_autograd(_go_back, setup_context=_remember)
