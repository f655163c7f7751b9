"""Which cells were measured, told to models that read past covariates: two more channels where a panel has holes.

    missing    1 where nothing was measured, else 0
    since      steps since something was, as log(1 + steps) / log(1 + time): 0 where it was, 1 for a whole window

The pair stands behind the past covariates, of each channel that has holes, or of all of them together where those are
many: their means. It is made of a window's own mask, so that padding, and rows before the window, do not change it.
Che et al. 2018 (GRU-D, arXiv 1606.01865, section 2) feed both to a recurrence, as masks and time intervals.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tsrnn.arrays import Arrays
from tsrnn.shapes import Batch

WIDTH = 2  # channels of a pair
_APART = 8  # channels with holes that have pairs of their own

Groups = tuple[tuple[int, ...], ...]  # channels that share a pair


def groups_of(arrays: Arrays) -> Groups:
    """The channels that have holes, each alone, or together where they are many."""
    holed = tuple(k for k, column in enumerate(arrays.columns) if not np.isfinite(column).all())
    return tuple((k,) for k in holed) if len(holed) <= _APART else (holed,)


def beside(batch: Batch, groups: Groups, channels: int) -> Batch:
    """The batch with a pair for each group behind its `channels`: past [batch time channels+2*groups]."""
    if not groups:
        return batch
    past = batch.past[..., :channels]
    if batch.observed is None:
        pairs = past.new_zeros(*past.shape[:2], WIDTH * len(groups))
        return replace(batch, past=torch.cat([past, pairs], -1))
    observed = batch.observed[..., :channels]
    missing, since = (~observed).to(past.dtype), _since(observed, batch.lengths).to(past.dtype)
    pairs = torch.stack([each[..., list(group)].mean(-1) for group in groups for each in (missing, since)], -1)
    seen = observed.new_ones(1).expand(*pairs.shape)
    return replace(batch, past=torch.cat([past, pairs], -1), observed=torch.cat([observed, seen], -1))


def dropped(
    batch: Batch, share: float, groups: Groups, channels: int, targets: int, generator: torch.Generator | None
) -> Batch:
    """The batch with whole past covariates as if never measured, each of a window with the chance `share`.

    Targets, the first channels, stay: a forecast is never made from a look-back without one.
    """
    if not share or channels <= targets:
        return batch
    gone = torch.rand(len(batch.past), channels - targets, generator=generator) < share  # [batch covariate]
    gone = torch.cat([gone.new_zeros(len(gone), targets), gone], 1)[:, None]  # [batch 1 channel]
    past = batch.past[..., :channels].masked_fill(gone, 0.0)  # what stands before a first measured value
    observed = past.new_ones(1, dtype=torch.bool) if batch.observed is None else batch.observed[..., :channels]
    return beside(replace(batch, past=past, observed=(observed & ~gone).expand_as(past)), groups, channels)


def _since(observed: Tensor, lengths: Tensor | None) -> Tensor:
    """Steps since a cell was measured, counted from a window's first real step on, between 0 and 1."""
    time = observed.shape[1]
    place = torch.arange(time, device=observed.device)[:, None]  # [time 1]
    before = torch.as_tensor(-1, device=observed.device) if lengths is None else (time - lengths - 1)[:, None, None]
    last = torch.where(observed, place, before).cummax(1).values
    return (place - last).clamp(min=0).log1p() / math.log1p(time)


def behind(groups: Groups, first: int) -> Groups:
    """The groups of the channels from `first` on, counted from there."""
    kept = (tuple(k - first for k in group if k >= first) for group in groups)
    return tuple(group for group in kept if group) if first else groups


def plain(groups: Sequence[Sequence[int]], channels: int) -> Groups:
    """Groups as a saved model has them.

    Raises:
        ValueError: they are no numbers of channels.
    """
    made = tuple(tuple(group) for group in groups)
    if not all(group and all(type(k) is int and 0 <= k < channels for k in group) for group in made):
        raise ValueError(f"holes must list numbers of channels below {channels}, not {groups!r}")
    return made


def leave_targets(reading: dict[str, Any]) -> None:
    """Masks of the target, the first channel, which nobody is to read, are told to nobody."""
    if "holes" in reading:
        kept = (tuple(k for k in group if k) for group in reading["holes"]["channels"])
        reading["holes"] = {**reading["holes"], "channels": tuple(group for group in kept if group)}
