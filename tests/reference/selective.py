"""Gu & Dao (2023): eq. 2 with algorithm 2's parameters, number by number; and the block of figure 3 around it."""

import torch
from torch import Tensor
from torch.nn import functional as F


def scan(
    u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, initial: Tensor
) -> tuple[Tensor, Tensor]:
    """One sequence: u, delta [time channel], A [channel state], B, C [time state], D [channel] -> y, final state."""
    channels, states = A.shape
    rows, final = [], []
    for d in range(channels):
        h = [initial[d, n] for n in range(states)]
        column = []
        for t in range(len(u)):
            y = D[d] * u[t, d]
            for n in range(states):
                decay = torch.exp(delta[t, d] * A[d, n])  # eq. 4, zero-order hold
                h[n] = decay * h[n] + delta[t, d] * B[t, n] * u[t, d]  # eq. 2a, Euler's rule for B
                y = y + C[t, n] * h[n]  # eq. 2b
            column.append(y)
        rows.append(torch.stack(column))
        final.append(torch.stack(h))
    return torch.stack(rows, 1), torch.stack(final)


def block(x: Tensor, w: dict[str, Tensor], rank: int, states: int) -> Tensor:
    """One sequence through the block: [time width] -> [time width]; `w` holds the weights by name."""
    time = len(x)
    normed = torch.stack([row / torch.sqrt((row**2).mean() + 1e-5) * w["norm.weight"] for row in x])
    both = normed @ w["inward.weight"].T
    inner = both.shape[1] // 2
    signal, gate = both[:, :inner], both[:, inner:]
    taps = w["conv.weight"].shape[2]
    rows = []
    for t in range(time):
        total = w["conv.bias"]
        for k in range(taps):
            back = taps - 1 - k
            if t >= back:
                total = total + w["conv.weight"][:, 0, k] * signal[t - back]
        rows.append(total * torch.sigmoid(total))
    u = torch.stack(rows)
    chosen = u @ w["select.weight"].T
    delta = F.softplus(chosen[:, :rank] @ w["delta.weight"].T + w["delta.bias"])
    B, C = chosen[:, rank : rank + states], chosen[:, rank + states :]
    start = torch.zeros(inner, states, dtype=x.dtype)
    y, _ = scan(u, delta, -torch.exp(w["log_rate"]), B, C, w["skip"], start)
    return x + (y * gate * torch.sigmoid(gate)) @ w["outward.weight"].T
