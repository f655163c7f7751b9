"""What lies around each step, at several scales: the step itself, and means over the steps about it."""

import torch
from torch import Tensor

from tsrnn.shapes import Batch, Spec


def scales(sequence: Tensor, widths: tuple[int, ...], real: Tensor | None = None) -> Tensor:
    """[batch time channel] -> [batch time channel*(1 + widths)]; means over real steps alone, centred on each.

    Args:
        widths: odd numbers of steps.
        real: [batch] real steps, padded in front; None: all are.
    """
    time = sequence.shape[1]
    seen = sequence.new_ones(sequence.shape[:2])
    if real is not None:
        seen = (torch.arange(time, device=sequence.device) >= time - real[:, None]).to(sequence)
    sums = _running(sequence * seen[..., None])
    counts = _running(seen[..., None])
    parts = [sequence]
    steps = torch.arange(time, device=sequence.device)
    for width in widths:
        low, high = (steps - width // 2).clamp(min=0), (steps + width // 2 + 1).clamp(max=time)
        parts.append((sums[:, high] - sums[:, low]) / (counts[:, high] - counts[:, low]).clamp(min=1))
    return torch.cat([part.to(sequence) for part in parts], -1)


def features(batch: Batch, spec: Spec, widths: tuple[int, ...]) -> Tensor:
    """`scales` of the past, and known and static covariates as they are, of each step: [batch time feature]."""
    parts, time = [scales(batch.past, widths, batch.lengths)], batch.past.shape[1]
    if batch.known is not None and spec.known:
        parts.append(batch.known[:, :time])
    if batch.static is not None and spec.static:
        parts.append(batch.static.unsqueeze(1).expand(-1, time, -1))
    return torch.cat(parts, -1)


def _running(values: Tensor) -> Tensor:
    """Sums up to each step, in float64, with a zero in front: [batch time+1 channel]."""
    sums = values.double().cumsum(1)
    return torch.cat([sums.new_zeros(len(sums), 1, sums.shape[2]), sums], 1)
