"""Beck et al. (2024), eq. 8 to 14, on one sequence, with nothing kept small: float64 holds exp of a few hundred."""

import torch
from torch import Tensor


def run(
    x: Tensor, w: dict[str, Tensor], state: tuple[Tensor, ...], forget: str = "sigmoid"
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """x [time input]; h and c, n, both divided by exp(m), and m [hidden] -> outputs [time hidden], the last state."""
    h, c, n, m = state
    c, n = c * torch.exp(m), n * torch.exp(m)
    outputs = []
    for t in range(len(x)):
        a = w["weight_ih"] @ x[t] + w["bias_ih"] + w["weight_hh"] @ h + w["bias_hh"]
        enter, keep, cell, out = a.chunk(4)
        z = torch.tanh(cell)  # eq. 11
        i = torch.exp(enter)  # eq. 12
        f = torch.exp(keep) if forget == "exponential" else 1 / (1 + torch.exp(-keep))  # eq. 13
        o = 1 / (1 + torch.exp(-out))  # eq. 14
        c = f * c + i * z  # eq. 8
        n = f * n + i  # eq. 9
        h = o * (c / n)  # eq. 10
        m = torch.maximum(torch.log(f) + m, torch.log(i))  # eq. 15
        outputs.append(h)
    return torch.stack(outputs), (h, c * torch.exp(-m), n * torch.exp(-m), m)
