"""Repeat-last: the newest observation stays. The forecast to beat at short horizons."""

from dataclasses import dataclass

from torch import Tensor

from tsrnn.models._base import Naive
from tsrnn.shapes import Batch


@dataclass(frozen=True)
class Config:
    pass


class RepeatLast(Naive):
    def repeated(self, batch: Batch) -> Tensor:
        return batch.past[:, -1:, : self.spec.targets].expand(-1, self.spec.horizon, -1)


FAMILY = "naive"
MODEL = RepeatLast
