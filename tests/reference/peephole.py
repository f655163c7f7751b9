"""Graves (2013), eq. 7 to 11 with diagonal peepholes, on one sequence, and the same without the output's recurrence."""

import torch
from torch import Tensor


def run(x: Tensor, w: dict[str, Tensor], state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
    """x [time input], h and c [hidden] -> outputs [time hidden], the last h and c. Stacked i, f, g, o."""
    h, c = state
    n = len(h)
    outputs = []
    for t in range(len(x)):
        a = w["weight_ih"] @ x[t] + w["bias_ih"]
        if "weight_hh" in w:
            a = a + w["weight_hh"] @ h + w["bias_hh"]
        i = 1 / (1 + torch.exp(-(a[:n] + w["peephole_i"] * c)))  # eq. 7
        f = 1 / (1 + torch.exp(-(a[n : 2 * n] + w["peephole_f"] * c)))  # eq. 8
        c = f * c + i * torch.tanh(a[2 * n : 3 * n])  # eq. 9
        o = 1 / (1 + torch.exp(-(a[3 * n :] + w["peephole_o"] * c)))  # eq. 10
        h = o * torch.tanh(c)  # eq. 11
        outputs.append(h)
    return torch.stack(outputs), (h, c)


def full(x: Tensor, w: dict[str, Tensor], state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
    """As `run`, with matrices that act on c in place of h; stacked g, i, f, o, recurrent ones i, f, o."""
    h, c = state
    n = len(h)
    outputs = []
    for t in range(len(x)):
        a = w["weight_ih"] @ x[t] + w["bias_ih"]
        seen = w["weight_hh"] @ c + w["bias_hh"]
        i = torch.sigmoid(a[n : 2 * n] + seen[:n])
        f = torch.sigmoid(a[2 * n : 3 * n] + seen[n : 2 * n])
        o = torch.sigmoid(a[3 * n :] + seen[2 * n :])
        c = f * c + i * torch.tanh(a[:n])
        h = o * torch.tanh(c)
        outputs.append(h)
    return torch.stack(outputs), (h, c)


TWINS = {"peephole": run, "peephole_only": run, "peephole_full": full}
