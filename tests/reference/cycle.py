"""CycleNet and SparseTSF the long way, one number after another (Lin et al. 2024, both)."""

import torch
from torch import Tensor


def without(past: Tensor, pattern: Tensor, phase: int) -> Tensor:
    """One window [time channel] less its cycle; `phase` numbers the step after its last."""
    time = len(past)
    return torch.stack([past[t] - pattern[(phase - time + t) % len(pattern)] for t in range(time)])


def restored(forecast: Tensor, pattern: Tensor, phase: int) -> Tensor:
    """One forecast [horizon channel] with its cycle."""
    return torch.stack([each + pattern[(phase + t) % len(pattern)] for t, each in enumerate(forecast)])


def cyclenet(past: Tensor, w: dict[str, Tensor], phase: int) -> Tensor:
    """One window [time channel] -> [horizon channel]; a linear map, normalised by its own mean and deviation."""
    mean, deviation = past.mean(0), (past.var(0, correction=0) + 1e-5).sqrt()
    left = without((past - mean) / deviation, w["cycle.pattern"], phase)
    ahead = torch.stack([w["network.weight"] @ each + w["network.bias"] for each in left.T], 1)
    return restored(ahead, w["cycle.pattern"], phase) * deviation + mean


def sparsetsf(
    x: Tensor, kernel: Tensor, across: list[tuple[Tensor, Tensor | None]], period: int, horizon: int
) -> Tensor:
    """One centred series [time] -> [horizon]; `across`: weight and bias of each map between periods, ReLU between."""
    time, reach = len(x), len(kernel) // 2
    smooth = x.clone()
    for t in range(time):
        for k, weight in enumerate(kernel):
            if 0 <= t + k - reach < time:
                smooth[t] = smooth[t] + weight * x[t + k - reach]
    forecast = []
    for step in range(horizon):
        place = step % period
        left = time % period
        value = torch.stack([smooth[at] for at in range(left + place, time, period)])
        for k, (weight, bias) in enumerate(across):
            value = weight @ (torch.relu(value) if k else value) + (0 if bias is None else bias)
        forecast.append(value[step // period])
    return torch.stack(forecast)
