"""Matrix memories, number by number, on one sequence and one head: Dao & Gu (2024) and Beck et al. (2024)."""

import math

import torch
from torch import Tensor


def ssd(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, initial: Tensor) -> tuple[Tensor, Tensor]:
    """u [time channel], delta [time], A, D [], B, C [time state], initial [channel state] -> y, final state."""
    h, rows = initial, []
    for t in range(len(u)):
        h = torch.exp(delta[t] * A) * h + delta[t] * torch.outer(u[t], B[t])
        rows.append(h @ C[t] + D * u[t])
    return torch.stack(rows), h


def mlstm(
    q: Tensor, k: Tensor, v: Tensor, log_i: Tensor, log_f: Tensor, C: Tensor, n: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """q, k [time key], v [time value], gates' logarithms [time], C [key value], n [key] -> outputs, the last C and n.

    Nothing is kept small: float64 holds exp of a few hundred.
    """
    rows = []
    for t in range(len(q)):
        i, f = torch.exp(log_i[t]), torch.exp(log_f[t])  # eq. 25, 26
        key = k[t] / math.sqrt(len(k[t]))  # eq. 23
        C = f * C + i * torch.outer(key, v[t])  # eq. 19
        n = f * n + i * key  # eq. 20
        rows.append(C.T @ q[t] / torch.clamp(torch.abs(n @ q[t]), min=1.0))  # eq. 21
    return torch.stack(rows), C, n
