"""Time cut into chunks, and sums of logarithms inside a chunk: what the matrix forms of linear recurrences share."""

import torch
from torch import Tensor
from torch.nn import functional as F


def cut(x: Tensor, size: int, fill: float = 0.0) -> Tensor:
    """[batch time ...] -> [batch chunk size ...], the last chunk filled up with `fill`."""
    chunks = -(-x.shape[1] // size)
    missing = chunks * size - x.shape[1]
    padded = F.pad(x, (0, 0) * (x.ndim - 2) + (0, missing), value=fill) if missing else x
    return padded.reshape(x.shape[0], chunks, size, *x.shape[2:])


def join(x: Tensor, time: int) -> Tensor:
    """[batch chunk size ...] -> [batch time ...], without what `cut` filled in."""
    return x.flatten(1, 2)[:, :time]


def spans(logs: Tensor) -> Tensor:
    """Sums over the steps after s up to t, for every t and s <= t, minus infinity elsewhere.

    [... size] -> [... t s]. Each is summed by itself: the difference of two running sums would lose digits, and is not
    a number where a decay is zero.
    """
    size = logs.shape[-1]
    ones = torch.ones(size, size, dtype=torch.bool, device=logs.device)
    later = logs[..., None].expand(*logs.shape, size).masked_fill(~ones.tril(-1), 0.0)  # [... t s], zero where t <= s
    return later.cumsum(-2).masked_fill(~ones.tril(), -torch.inf)
