"""Cells linear in their state, on one sequence: Feng et al. (2024), section 3, and De et al. (2024), eq. 1 to 4."""

import torch
from torch import Tensor


def mingru(x: Tensor, w: dict[str, Tensor], state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
    (h,) = state
    outputs = []
    for t in range(len(x)):
        update, candidate = (w["weight_ih"] @ x[t] + w["bias_ih"]).chunk(2)
        z = 1 / (1 + torch.exp(-update))
        h = (1 - z) * h + z * candidate
        outputs.append(h)
    return torch.stack(outputs), (h,)


def minlstm(x: Tensor, w: dict[str, Tensor], state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
    (h,) = state
    outputs = []
    for t in range(len(x)):
        enter, forget, candidate = (w["weight_ih"] @ x[t] + w["bias_ih"]).chunk(3)
        i, f = 1 / (1 + torch.exp(-enter)), 1 / (1 + torch.exp(-forget))
        h = f / (f + i) * h + i / (f + i) * candidate
        outputs.append(h)
    return torch.stack(outputs), (h,)


def rglru(x: Tensor, w: dict[str, Tensor], state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
    """With c = 8 and a = exp(-softplus(rate)), which the gate raises to the power c r."""
    (h,) = state
    a = 1 / (1 + torch.exp(w["rate"]))
    outputs = []
    for t in range(len(x)):
        recurrence, enter, candidate = (w["weight_ih"] @ x[t] + w["bias_ih"]).chunk(3)
        r = 1 / (1 + torch.exp(-recurrence))  # eq. 1
        i = 1 / (1 + torch.exp(-enter))  # eq. 2
        now = a ** (8 * r)  # eq. 3
        h = now * h + torch.sqrt(1 - now**2) * (i * candidate)  # eq. 4
        outputs.append(h)
    return torch.stack(outputs), (h,)


TWINS = {"mingru": mingru, "minlstm": minlstm, "rglru": rglru}
