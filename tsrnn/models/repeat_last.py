"""Repeat-last: the newest observation stays. The forecast to beat at short horizons."""

from dataclasses import dataclass

from torch import Tensor

from tsrnn.models._base import Model
from tsrnn.shapes import Batch


@dataclass(frozen=True)
class Config:
    pass


class RepeatLast(Model):
    def forward(self, batch: Batch) -> Tensor:
        last = batch.past[:, -1:, : self.spec.targets, None]  # [batch 1 target 1]
        return last.expand(-1, self.spec.horizon, -1, self.spec.params)


MODEL = RepeatLast
