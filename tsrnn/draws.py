"""Which windows make a batch, and in what order they come.

Up to `_MANY` windows are shuffled whole. Of more, an order is computed place by place: a Feistel network of four
rounds over the next power of four, walked on until it is inside (Black & Rogaway 2002, "Ciphers with Arbitrary Finite
Domains"). It is a permutation, too, and no list of all windows is made.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from tsrnn.arrays import Rows

_POOL = 32  # batches sorted by length together: enough for like lengths, few enough to stay random
_MANY = 1 << 24
_ROUNDS = 4
ALONE = (0, 1)
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: Knuth's multiplicative hash


def order(
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
    turn, drawn = _turn(count, generator), count if most is None else min(count, most)
    pieces = (turn(first, min(first + size, drawn)) for first in range(0, drawn, size))
    if lengths is None or generator is None:
        yield from pieces
        return
    buckets: list[Tensor] = []
    for first in range(0, drawn, _POOL * size):
        pool = turn(first, min(first + _POOL * size, drawn))
        buckets += pool[lengths[pool].argsort(stable=True)].split(size)  # type: ignore[no-untyped-call]
    for which in torch.randperm(len(buckets), generator=generator).tolist():
        yield buckets[which]


def shared(drawn: Iterator[Tensor], place: tuple[int, int], steps: bool) -> Iterator[tuple[Tensor, float]]:
    """One process's windows of each batch, and their number by the processes' mean: what their loss weighs in a step.

    Args:
        drawn: the batches of all.
        place: which process, of how many.
        steps: each batch is a step, which all take: who has no window in it takes the first one, at no weight.
    """
    rank, processes = place
    for which in drawn:
        own = which[rank::processes]
        if len(own):
            yield own, len(own) * processes / len(which)
        elif steps:
            yield which[:1], 0.0


def shuffled(places: Rows, count: int, keys: Rows) -> Rows:
    """Where a permutation of `count` numbers takes these places: [place]; keys: [round] of 63 bits, which one it is."""
    half = np.uint64(max(1, -(-max(1, count - 1).bit_length() // 2)))
    mask, limit = np.uint64((1 << int(half)) - 1), np.uint64(count)
    numbers, outside = places.astype(np.uint64), np.ones(len(places), bool)
    while outside.any():
        left, right = numbers[outside] >> half, numbers[outside] & mask
        for key in keys.astype(np.uint64):
            mixed = right * _ODD ^ key
            mixed = (mixed ^ mixed >> np.uint64(32)) * _ODD
            mixed = (mixed ^ mixed >> np.uint64(29)) * _ODD
            left, right = right, left ^ mixed >> (np.uint64(64) - half)
        numbers[outside] = (left << half) | right
        outside[outside] = numbers[outside] >= limit
    return numbers.astype(np.int64)


def _turn(count: int, generator: torch.Generator | None) -> Callable[[int, int], Tensor]:
    """Window numbers from one place of the order to another."""
    if generator is None:
        return torch.arange
    if count <= _MANY:
        whole = torch.randperm(count, generator=generator)
        return lambda begin, end: whole[begin:end]
    keys = torch.randint(2**62, (_ROUNDS,), generator=generator).numpy()
    return lambda begin, end: torch.from_numpy(shuffled(np.arange(begin, end), count, keys))
