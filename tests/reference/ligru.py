"""Ravanelli et al. (2018) on one sequence, without the normalisation over the batch: z keeps, relu proposes."""

import torch
from torch import Tensor


def run(x: Tensor, w: dict[str, Tensor], state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
    """x [time input], h [hidden] -> outputs [time hidden], the last h. Stacked update, candidate."""
    (h,) = state
    n = len(h)
    outputs = []
    for t in range(len(x)):
        sums = w["weight_ih"] @ x[t] + w["bias_ih"] + w["weight_hh"] @ h + w["bias_hh"]
        z = 1 / (1 + torch.exp(-sums[:n]))
        h = z * h + (1 - z) * torch.where(sums[n:] > 0, sums[n:], torch.zeros_like(h))
        outputs.append(h)
    return torch.stack(outputs), (h,)
