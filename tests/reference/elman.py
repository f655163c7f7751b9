"""Elman (1990), figure 2, on one sequence."""

import torch
from torch import Tensor


def run(x: Tensor, w: dict[str, Tensor], state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
    """x [time input], h [hidden] -> outputs [time hidden], the last h."""
    (h,) = state
    outputs = []
    for t in range(len(x)):
        h = torch.tanh(w["weight_ih"] @ x[t] + w["bias_ih"] + w["weight_hh"] @ h + w["bias_hh"])
        outputs.append(h)
    return torch.stack(outputs), (h,)
