"""A straight line between the last measured value before a hole and the first behind it, of the first past covariate.

What fills a short gap of a curve as well as anything, where that covariate is what is left of the target
(`tsrnn.gaps`). Before the first value and behind the last one the nearest stays.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from tsrnn.errors import InputError
from tsrnn.models._base import Model, NoOptions
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

TASKS = ("along",)
TELLS = "values"


class Interpolated(Model):
    tasks = frozenset(TASKS)
    by_steps = False
    by_chance = False
    reads = frozenset({"past"})
    reads_lengths = True

    def __init__(self, config: NoOptions, spec: Spec) -> None:
        super().__init__(config, spec)
        if spec.params != 1 or spec.targets != 1:
            raise InputError("model 'interpolated' tells the values of one curve; take loss='mse', or another model")
        self.units = nn.Parameter(torch.tensor([1.0, 0.0], dtype=torch.float64), requires_grad=False)

    def forward(self, batch: Batch) -> Tensor:
        """[batch time 1 1], in the scale of the target."""
        slope, level = self.units
        told: Tensor = slope * torch.from_numpy(_filled(batch)) + level
        return told.to(batch.past)[..., None, None]

    def solve(self, train: Windows, val: Windows | None) -> bool:
        """The covariate's scale in that of the target: no line is fitted, both are known."""
        buffer = train.buffer
        if len(buffer.undo.loc) > 1 or buffer.undo.logs:
            raise InputError("model 'interpolated' takes one scale for all series; leave out scale_per_series and logs")
        raw, rows = buffer.arrays.columns[1].astype(np.float64), buffer.rows_of(np.arange(buffer.arrays.rows))
        scaled = buffer.values[torch.from_numpy(rows), 1].double().numpy()
        seen = np.flatnonzero(np.isfinite(raw))
        low, high = seen[raw[seen].argmin()], seen[raw[seen].argmax()]
        unit = (raw[high] - raw[low]) / ((scaled[high] - scaled[low]) or 1.0)
        loc, scale = (float(each.flatten()[0]) for each in (buffer.undo.loc, buffer.undo.scale))
        self.units.copy_(torch.tensor([unit / scale, (raw[low] - unit * scaled[low] - loc) / scale]))
        return True


def _filled(batch: Batch) -> npt.NDArray[Any]:
    """The first covariate with lines over its holes: [batch time]."""
    values = batch.past[..., 0].double().numpy().copy()
    if batch.observed is None:
        return values
    steps = np.arange(values.shape[1])
    for row, seen in zip(values, batch.observed[..., 0].numpy(), strict=True):
        if seen.any():
            row[:] = np.interp(steps, steps[seen], row[seen])
    return values


FAMILY = "naive"
Config = NoOptions
MODEL = Interpolated
