"""What a training step sees: batches drawn from windows, the steps of their targets weighted."""

import math
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch.utils.data import IterableDataset

from tsrnn import masks
from tsrnn.draws import ALONE
from tsrnn.parameters import Weighting
from tsrnn.shapes import Batch
from tsrnn.windows import Windows


class Batches(IterableDataset[Batch]):
    """All windows `passes` times, in random order when a generator is given; at most `most` of them each time.

    Of processes that train together (torch.distributed) each takes its part of every batch, so that all see each window
    once, and a step is that of one process.
    """

    def __init__(
        self,
        windows: Windows,
        size: int,
        generator: torch.Generator | None = None,
        most: int | None = None,
        buckets: bool = False,
        passes: int = 1,
        dropout: float = 0.0,
    ) -> None:
        """`dropout`: chance of each past covariate of a window to be told as never measured."""
        self.windows, self.size, self.generator, self.buckets = windows, size, generator, buckets
        self.dropout = dropout
        self.count, self.passes = min(len(windows), most or len(windows)), passes

    def __len__(self) -> int:
        return -(-self.count // self.size) * self.passes

    def __iter__(self) -> Iterator[Batch]:
        cut, group = self.windows, torch.distributed
        place = (group.get_rank(), group.get_world_size()) if group.is_available() and group.is_initialized() else ALONE
        masked = self.generator
        if self.generator is not None and place != ALONE:  # the order stays that of all
            masked = torch.Generator().manual_seed(self.generator.initial_seed() + 1 + place[0])
        for _ in range(self.passes):
            for batch in cut.batches(self.size, self.generator, self.count, self.buckets, place):
                yield masks.dropped(batch, self.dropout, cut.masks, cut.channels, cut.shown, masked)


def weighted(batch: Batch, kind: Weighting) -> Batch:
    """The batch with horizon steps i = 1, 2... weighted, at 1 on average.

    arctan: 1 + pi/4 - arctan(i), from 1 down to 0.21 (Stitsyuk & Choi 2024, arXiv 2412.17323); root: 1 / sqrt(i), as
    far as a random walk's deviation grows (Wang et al. 2023, arXiv 2305.12095).
    """
    if kind == "none" or batch.target is None:
        return batch
    step = torch.arange(1, batch.target.shape[1] + 1, device=batch.target.device, dtype=batch.target.dtype)
    weight = step.rsqrt() if kind == "root" else 1 + math.pi / 4 - step.arctan()  # [horizon]
    share = (weight / weight.mean())[:, None].expand_as(batch.target)
    return replace(batch, target_observed=share if batch.target_observed is None else share * batch.target_observed)
