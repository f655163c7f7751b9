"""Matrix memories, step by step, on one sequence and one head: Dao & Gu (2024) and Beck et al. (2024); their blocks."""

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


def mlstm_block(x: Tensor, w: dict[str, Tensor], heads: int) -> Tensor:
    """Beck et al. (2024), figure 11: one sequence [time width] -> [time width]; `w` holds the weights by name."""
    both = (torch.stack([scaled(row - row.mean()) for row in x]) * w["norm.weight"] + w["norm.bias"]) @ w[
        "inward.weight"
    ].T
    u, z = both[:, : both.shape[1] // 2], both[:, both.shape[1] // 2 :]
    c = silu(convolved(u, w))
    q, k, v = (each @ torch.block_diag(*w[f"{name}.weight"]) for each, name in ((c, "query"), (c, "key"), (u, "value")))
    gates = c @ w["gates.weight"].T + w["gates.bias"]
    size, outputs = u.shape[1] // heads, []
    for head in range(heads):
        own = slice(head * size, (head + 1) * size)
        forget = torch.log(torch.sigmoid(gates[:, heads + head]))
        nothing = torch.zeros(size, size, dtype=x.dtype), torch.zeros(size, dtype=x.dtype)
        y, *_ = mlstm(q[:, own], k[:, own], v[:, own], gates[:, head], forget, *nothing)
        normed = torch.stack([scaled(row - row.mean()) for row in y])
        outputs.append(normed * w["group.weight"][own] + w["group.bias"][own])
    mixed = torch.cat(outputs, 1) + w["skip"] * c
    return x + (mixed * silu(z)) @ w["outward.weight"].T


def ssd_block(x: Tensor, w: dict[str, Tensor], heads: int, states: int) -> Tensor:
    """Dao & Gu (2024), section 7: one sequence [time width] -> [time width]; `w` holds the weights by name."""
    inner = w["outward.weight"].shape[1]
    projected = torch.stack([scaled(row) for row in x]) * w["norm.weight"] @ w["inward.weight"].T
    z, both, steps = projected[:, :inner], projected[:, inner:-heads], projected[:, -heads:]
    both = silu(convolved(both, w))
    u, B, C = both[:, :inner], both[:, inner : inner + states], both[:, inner + states :]
    size, outputs = inner // heads, []
    for head in range(heads):
        own = slice(head * size, (head + 1) * size)
        delta, rate = torch.log1p(torch.exp(steps[:, head] + w["delta"][head])), -torch.exp(w["log_rate"][head])
        outputs.append(ssd(u[:, own], delta, rate, B, C, w["skip"][head], torch.zeros(size, states, dtype=x.dtype))[0])
    gated = torch.stack([scaled(row) for row in torch.cat(outputs, 1) * silu(z)]) * w["gated.weight"]
    return x + gated @ w["outward.weight"].T


def convolved(u: Tensor, w: dict[str, Tensor]) -> Tensor:
    """Each channel of [time channel] alone, over the steps up to its own."""
    steps, rows = w["conv.weight"].shape[2], []
    for t in range(len(u)):
        seen = [w["conv.weight"][:, 0, steps - 1 - back] * u[t - back] for back in range(min(steps, t + 1))]
        rows.append(w["conv.bias"] + torch.stack(seen).sum(0))
    return torch.stack(rows)


def silu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(x)


def scaled(row: Tensor) -> Tensor:
    """To a root of the mean square of one."""
    return row / torch.sqrt((row**2).mean() + 1e-5)
