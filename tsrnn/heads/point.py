"""One number per forecast cell."""

from collections.abc import Sequence

from torch import Tensor

from tsrnn.errors import InputError, unknown
from tsrnn.heads._base import LOSSES, Head, empirical, mean


class PointHead(Head):
    """Trained by squared (`mse`), absolute (`mae`) or Huber error: the forecast is the mean, the median, or between."""

    params = 1
    spreads = False

    def __init__(self, loss: str = "mse") -> None:
        if loss not in LOSSES:
            raise unknown("loss", loss, LOSSES)
        self._loss = loss  # by its word, so that a fitted model can go to another process

    def loss(self, params: Tensor, target: Tensor, observed: Tensor | None) -> Tensor:
        return mean(LOSSES[self._loss](target, params.squeeze(-1)), observed)

    def point(self, params: Tensor) -> Tensor:
        return params.squeeze(-1)

    def quantiles(self, params: Tensor, levels: Sequence[float]) -> Tensor:
        raise InputError("this model forecasts points; fit one with quantiles=[...] to ask for quantiles")

    def of_samples(self, samples: Tensor) -> Tensor:
        """What the loss is least at: the median for `mae`, else the mean."""
        if self._loss == "mae":
            return empirical(samples, [0.5])
        return samples.nanmean(-1, keepdim=True).nan_to_num(0.0)


HEAD = PointHead
