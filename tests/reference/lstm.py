"""Graves (2013), eq. 7 to 11 without peepholes, on one sequence; a gate has two biases, as in torch."""

import torch
from torch import Tensor


def run(x: Tensor, w: dict[str, Tensor], state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
    """x [time input], h and c [hidden] -> outputs [time hidden], the last h and c. Stacked i, f, g, o."""
    h, c = state
    n = len(h)
    outputs = []

    def gate(k: int, t: int, before: Tensor) -> Tensor:
        rows = slice(k * n, (k + 1) * n)
        from_input = w["weight_ih"][rows] @ x[t] + w["bias_ih"][rows]
        from_state = w["weight_hh"][rows] @ before + w["bias_hh"][rows]
        return from_input + from_state

    for t in range(len(x)):
        i = 1 / (1 + torch.exp(-gate(0, t, h)))  # eq. 7
        f = 1 / (1 + torch.exp(-gate(1, t, h)))  # eq. 8
        c = f * c + i * torch.tanh(gate(2, t, h))  # eq. 9
        o = 1 / (1 + torch.exp(-gate(3, t, h)))  # eq. 10
        h = o * torch.tanh(c)  # eq. 11
        outputs.append(h)
    return torch.stack(outputs), (h, c)
