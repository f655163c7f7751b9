"""Which windows make a batch: all in turn, in random order, or those of like length together."""

from collections.abc import Iterator

import torch
from torch import Tensor

_POOL = 32  # batches sorted by length together: enough for like lengths, few enough to stay random


def batches(
    count: int,
    size: int,
    generator: torch.Generator | None = None,
    most: int | None = None,
    lengths: Tensor | None = None,
) -> Iterator[Tensor]:
    """Window numbers, a batch at a time.

    Args:
        count: windows there are.
        size: windows per batch; the last batch may be smaller.
        generator: for a random order; None: as they stand.
        most: windows drawn at most; None: all.
        lengths: [window] real steps: windows of like length come together, in buckets of `size`, and the buckets in
            random order; None: lengths do not matter.
    """
    order = torch.arange(count) if generator is None else torch.randperm(count, generator=generator)
    order = order[:most]
    if lengths is None or generator is None:
        yield from order.split(size)  # type: ignore[no-untyped-call]
        return
    buckets: list[Tensor] = []
    for first in range(0, len(order), _POOL * size):
        pool = order[first : first + _POOL * size]
        buckets += pool[lengths[pool].argsort(stable=True)].split(size)  # type: ignore[no-untyped-call]
    for which in torch.randperm(len(buckets), generator=generator).tolist():
        yield buckets[which]
