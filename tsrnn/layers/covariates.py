"""What a sequence model reads besides the target: past covariates, features known ahead, features of the series.

Shared: every target channel is a sequence of its own, read with one set of weights, beside the covariates.
Joint: one sequence holds all channels. What covariates do to the forecast's own steps is in `tsrnn.layers.ahead`.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from tsrnn.layers.lengths import to_front
from tsrnn.layers.younger import Younger
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


def unplaced(spec: Spec) -> Spec:
    """The task without the known features that only say where a row lies along the index."""
    return replace(spec, known=spec.known - len(spec.placed), placed=())


def acting(batch: Batch, spec: Spec) -> Batch:
    """The batch as a model of `unplaced(spec)` reads it."""
    if not spec.placed or batch.known is None:
        return batch
    return replace(batch, known=batch.known[..., [k for k in range(spec.known) if k not in spec.placed]])


class Beside(Younger):
    """What covariates of a segment add to its embedding, nothing at first: for models that embed the target alone.

    Args:
        spec: of the task.
        segment: steps that are embedded as one.
        hidden: size of an embedding.
    """

    since = ("linear",)

    def __init__(self, spec: Spec, segment: int, hidden: int) -> None:
        super().__init__()
        self.spec = spec
        self.segment = segment
        numbers = width(unplaced(spec), True) - 1
        self.linear = nn.Linear(segment * numbers, hidden, bias=False) if numbers else None
        if self.linear is not None:
            nn.init.zeros_(self.linear.weight)

    def forward(self, embedded: Tensor, batch: Batch, undo: Affine) -> Tensor:
        """embedded [batch*target step hidden], short rows in front; undo of all channels of the past."""
        if self.linear is None:
            return embedded
        beside = inputs(acting(batch, self.spec), undo, unplaced(self.spec), False)  # [batch time targets+width]
        folds = folded(beside[..., self.spec.targets :], self.segment)
        read, _ = to_front(folds, batch.lengths, self.segment)
        added: Tensor = self.linear(read)  # [batch step hidden]
        return embedded + added.repeat_interleave(self.spec.targets, 0)
