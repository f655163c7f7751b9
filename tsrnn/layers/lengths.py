"""Rows shorter than the window: their padding is made harmless, and moved behind them where a recurrence reads on.

Windows end with the newest observation, so that a short row is padded in front (`Batch.lengths` counts its real steps,
the newest ones); a recurrence starts with a row's first step and stops after its last, and is padded behind.
"""

from dataclasses import replace

import torch
from torch import Tensor

from tsrnn.shapes import Batch


def settled(batch: Batch) -> Batch:
    """The batch with each row's first real step in place of its padding, whatever stood there; itself without any."""
    if batch.lengths is None:
        return batch
    time = batch.past.shape[1]
    first = (time - batch.lengths)[:, None]  # [batch 1]
    rows = torch.arange(time, device=batch.past.device).maximum(first)[..., None]  # [batch time 1]
    past = batch.past.gather(1, rows.expand_as(batch.past))
    if batch.known is None:
        return replace(batch, past=past)
    behind, ahead = batch.known[:, :time], batch.known[:, time:]
    return replace(batch, past=past, known=torch.cat([behind.gather(1, rows.expand_as(behind)), ahead], 1))


def to_front(sequence: Tensor, lengths: Tensor | None, segment: int = 1) -> tuple[Tensor, Tensor | None]:
    """Rows padded in front -> rows padded behind, and the steps of each, for a `Recurrent`.

    Args:
        sequence: [row step width], `segment` steps of the window read as one; as many rows per window, side by side.
        lengths: [batch] real steps of each window. None: nothing is to be moved.

    Returns:
        [row step width] and [row]; a step that is real in part counts.
    """
    if lengths is None:
        return sequence, None
    steps = ((lengths + segment - 1) // segment).clamp(max=sequence.shape[1])  # [batch]
    steps = steps.repeat_interleave(len(sequence) // len(steps)) if len(steps) else steps  # [row]
    shift = (sequence.shape[1] - steps)[:, None]  # [row 1]
    source = (torch.arange(sequence.shape[1], device=sequence.device) + shift).clamp(max=sequence.shape[1] - 1)
    return sequence.gather(1, source[..., None].expand_as(sequence)), steps
