"""Cho et al. (2014), eq. 5 to 8, on one sequence; the reset gate acts after the recurrent product, as in torch."""

import torch
from torch import Tensor


def run(x: Tensor, w: dict[str, Tensor], state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
    """x [time input], h [hidden] -> outputs [time hidden], the last h. Stacked reset, update, candidate."""
    (h,) = state
    n = len(h)
    reset, update, candidate = (slice(k * n, (k + 1) * n) for k in range(3))
    outputs = []
    for t in range(len(x)):
        from_input = w["weight_ih"] @ x[t] + w["bias_ih"]
        from_state = w["weight_hh"] @ h + w["bias_hh"]
        r = 1 / (1 + torch.exp(-(from_input[reset] + from_state[reset])))  # eq. 5
        z = 1 / (1 + torch.exp(-(from_input[update] + from_state[update])))  # eq. 6
        new = torch.tanh(from_input[candidate] + r * from_state[candidate])  # eq. 8
        h = z * h + (1 - z) * new  # eq. 7
        outputs.append(h)
    return torch.stack(outputs), (h,)
