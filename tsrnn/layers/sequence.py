"""A batch as whole sequences: what is read of each step side by side, rows padded behind."""

import torch
from torch import Tensor

from tsrnn.layers.lengths import settled, to_front
from tsrnn.shapes import Batch, Spec


def whole(batch: Batch, spec: Spec, static: bool = True) -> tuple[Tensor, Tensor | None]:
    """[batch time width] and each row's own steps [batch] (None: all), as long as the longest of them.

    Args:
        static: whether covariates of series stand beside every step.
    """
    batch = settled(batch)
    parts, time = [batch.past], batch.past.shape[1]
    if batch.known is not None and spec.known:
        parts.append(batch.known[:, :time])
    if batch.static is not None and spec.static and static:
        parts.append(batch.static.unsqueeze(1).expand(-1, time, -1))
    sequence, steps = to_front(torch.cat(parts, -1), batch.lengths)
    return (sequence, None) if steps is None else (sequence[:, : int(steps.max())], steps)
