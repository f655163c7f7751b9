"""What lies around each step, at several scales: the step itself, and means over the steps about it."""

import torch
from torch import Tensor

from tsrnn.shapes import Batch, Spec


def scales(sequence: Tensor, widths: tuple[int, ...], seen: Tensor | None = None) -> Tensor:
    """[batch time channel] -> [batch time channel*(1 + widths)]; means centred on each step.

    Args:
        widths: odd numbers of steps.
        seen: [batch time channel-or-1] bool, cells that count in a mean; where none does it is NaN. None: all do.
    """
    time = sequence.shape[1]
    weight = torch.ones_like(sequence) if seen is None else seen.expand_as(sequence).to(sequence)
    sums, counts = _running(sequence.nan_to_num() * weight), _running(weight)
    parts, steps = [sequence], torch.arange(time, device=sequence.device)
    for width in widths:
        low, high = (steps - width // 2).clamp(min=0), (steps + width // 2 + 1).clamp(max=time)
        parts.append(((sums[:, high] - sums[:, low]) / (counts[:, high] - counts[:, low])).to(sequence))
    return torch.cat(parts, -1)


def features(batch: Batch, spec: Spec, widths: tuple[int, ...]) -> Tensor:
    """`scales` of the past, and known and static covariates as they are, of each step: [batch time feature]."""
    time = batch.past.shape[1]
    real = torch.ones(len(batch.past), time, 1, dtype=torch.bool, device=batch.past.device)
    if batch.lengths is not None:
        real = (torch.arange(time, device=real.device) >= time - batch.lengths[:, None])[..., None]
    parts = [scales(batch.past, widths, real).nan_to_num()]
    if batch.known is not None and spec.known:
        parts.append(batch.known[:, :time])
    if batch.static is not None and spec.static:
        parts.append(batch.static.unsqueeze(1).expand(-1, time, -1))
    return torch.cat(parts, -1)


def _running(values: Tensor) -> Tensor:
    """Sums up to each step, in float64, with a zero in front: [batch time+1 channel]."""
    sums = values.double().cumsum(1)
    return torch.cat([sums.new_zeros(len(sums), 1, sums.shape[2]), sums], 1)
