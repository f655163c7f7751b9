"""The mean of the newest steps stays: the forecast to beat where a series wanders about a level, as a log does."""

from dataclasses import dataclass

from torch import Tensor

from tsrnn.errors import InputError
from tsrnn.models._base import Naive
from tsrnn.shapes import Batch, Spec


@dataclass(frozen=True)
class Config:
    steps: int | None = None  # of the mean; None: a season, as far as the look-back holds one

    def __post_init__(self) -> None:
        if self.steps is not None and self.steps < 1:
            raise InputError(f"steps of model 'window_mean' must be at least 1, or None, not {self.steps}")


class WindowMean(Naive):
    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.steps = config.steps or spec.seasonality
        if self.steps > spec.input_size:
            raise InputError(
                f"steps={self.steps} reach behind input_size={spec.input_size}; take fewer, or look further"
            )

    def repeated(self, batch: Batch) -> Tensor:
        newest = batch.past[:, -self.steps :, : self.spec.targets]  # [batch step target]
        return newest.mean(1, keepdim=True).expand(-1, self.spec.horizon, -1)


FAMILY = "naive"
MODEL = WindowMean
