"""What a training added to a closed form, taken in the share that does best on validation: a convex weight of the two.

A recurrence that learns what a straight line leaves learns it of the rows that both were fitted to, and that is less
than the line leaves of others. How much of it holds is one number, chosen among a few: 0 is the line alone.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tsrnn.shapes import Batch
from tsrnn.windows import Windows

SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)
_CHUNK = 256  # windows


@torch.no_grad()
def shrink(added: Sequence[Tensor], loss: Callable[[Batch], Tensor], val: Windows) -> float:
    """Multiply weights by the share whose loss is lowest, the largest of several; the share.

    Args:
        added: weights that are all nothing where nothing is added.
        loss: of a batch, a mean over its windows.
        val: windows of validation.
    """
    learnt, losses = [weight.clone() for weight in added], []
    for share in SHARES:
        _set(added, learnt, share)
        losses.append(sum(float(loss(batch)) * len(batch.past) for batch in val.batches(_CHUNK)))
    best = SHARES[losses.index(min(losses))]
    _set(added, learnt, best)
    return best


def _set(added: Sequence[Tensor], learnt: Sequence[Tensor], share: float) -> None:
    for weight, whole in zip(added, learnt, strict=True):
        weight.copy_(share * whole)
