"""What a sequence model reads besides the target: past covariates, features known ahead, features of the series.

Shared: every target channel is a sequence of its own, read with one set of weights, beside the covariates.
Joint: one sequence holds all channels.
"""

import torch
from torch import Tensor, nn

from tsrnn.scale import Affine
from tsrnn.shapes import Batch, Spec


def width(spec: Spec, shared: bool) -> int:
    """Numbers per step of what `inputs` returns."""
    covariates = spec.channels - spec.targets
    return (1 if shared else spec.targets) + covariates + spec.known + spec.static


def inputs(batch: Batch, undo: Affine, spec: Spec, shared: bool) -> Tensor:
    """The centred past and its covariates: [batch*target time width] when shared, [batch time width] when joint."""
    past = undo.apply(batch.past)  # [batch time channel]
    beside = [past[..., spec.targets :]] if spec.channels > spec.targets else []
    if spec.known and batch.known is not None:
        beside.append(batch.known[:, : past.shape[1]])
    if spec.static and batch.static is not None:
        beside.append(batch.static.unsqueeze(1).expand(-1, past.shape[1], -1))
    if not shared:
        return torch.cat([past[..., : spec.targets], *beside], -1) if beside else past
    rows = past[..., : spec.targets].transpose(1, 2).reshape(-1, past.shape[1], 1)  # [batch*target time 1]
    return torch.cat([rows, *(each.repeat_interleave(spec.targets, 0) for each in beside)], -1) if beside else rows


def folded(sequence: Tensor, segment: int) -> Tensor:
    """Several steps read as one: [row time width] -> [row time/segment segment*width]; the oldest remainder is left."""
    if segment == 1:
        return sequence
    steps = sequence.shape[1] // segment
    return sequence[:, sequence.shape[1] - steps * segment :].reshape(len(sequence), steps, -1)


class Ahead(nn.Module):
    """The linear effect of features known ahead, added to the forecast; nothing where there are none."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec
        self.effect = nn.Linear(spec.known, spec.targets * spec.params, bias=False) if spec.known else None
        if self.effect is not None:
            nn.init.zeros_(self.effect.weight)

    def forward(self, params: Tensor, batch: Batch) -> Tensor:
        """params [batch horizon target params]."""
        if self.effect is None or batch.known is None:
            return params
        effect: Tensor = self.effect(batch.known[:, -self.spec.horizon :])  # [batch horizon target*params]
        return params + effect.view(params.shape)
