"""A point and a few quantiles per forecast cell: the point by its own loss, the quantiles together by the pinball loss.

Pinball loss: Koenker & Bassett 1978. Quantiles cannot cross: the one nearest the median is a number of the model's, and
the next ones outward stand off it by steps that are above 0, which begin as a normal distribution's.
"""

from collections.abc import Sequence
from statistics import NormalDist

import torch
from torch import Tensor
from torch.nn import functional as F

from tsrnn.heads._base import LOSSES, Head, checked, empirical, mean, softplus_inverse

_START = 0.5  # deviation of the normal distribution that quantiles begin as, in scaled units
_NARROWEST = 1e-6  # least step between samples' quantiles


class QuantileHead(Head):
    """`levels`, each between 0 and 1, are learnt; levels between them are interpolated.

    The point is the number in the middle, trained by `loss`: the mean by mse, the median by mae, whatever the levels.
    Where `params` are as many as the levels, they are the quantiles of a model saved by tsrnn before 0.2, sorted, and
    its point is its median.
    """

    def __init__(self, levels: Sequence[float], loss: str = "mse", params: int | None = None) -> None:
        self.levels = checked(levels)
        self._loss = loss
        self._sorted = params == len(self.levels)
        self.params = len(self.levels) + (not self._sorted)
        self._anchor = min(range(len(self.levels)), key=lambda k: abs(self.levels[k] - 0.5))
        normal = torch.tensor([NormalDist(0, _START).inv_cdf(level) for level in self.levels], dtype=torch.float64)
        self._starts: list[float] = softplus_inverse(normal.diff()).tolist()

    def loss(self, params: Tensor, target: Tensor, observed: Tensor | None) -> Tensor:
        level = params.new_tensor(self.levels)
        error = target.unsqueeze(-1) - (params if self._sorted else self._rising(params))  # [... quantile]
        cells = 2 * torch.maximum(level * error, (level - 1) * error).mean(-1)  # at level 0.5 the absolute error
        if not self._sorted:
            cells = (cells + LOSSES[self._loss](target, params[..., self.params // 2])) / 2
        return mean(cells, observed)

    def point(self, params: Tensor) -> Tensor:
        if self._sorted or (self._loss == "mae" and 0.5 in self.levels):
            return self.quantiles(params, [0.5]).squeeze(-1)
        return params[..., self.params // 2]

    def quantiles(self, params: Tensor, levels: Sequence[float]) -> Tensor:
        """Levels outside the learnt ones take the outermost: a quantile that was not learnt is not made up."""
        rising = self._rising(params)
        columns = []
        for level in levels:
            above = next((k for k, known in enumerate(self.levels) if known >= level), len(self.levels) - 1)
            below = max(above - 1, 0) if self.levels[above] > level else above
            gap = self.levels[above] - self.levels[below]
            weight = (level - self.levels[below]) / gap if gap else 1.0
            columns.append(torch.lerp(rising[..., below], rising[..., above], weight))
        return torch.stack(columns, -1)

    def of_samples(self, samples: Tensor) -> Tensor:
        quantiles = empirical(samples, self.levels)
        if self._sorted:
            return quantiles
        steps = quantiles.diff(dim=-1).clamp(min=_NARROWEST)
        gaps = (softplus_inverse(steps) - steps.new_tensor(self._starts)).unbind(-1)
        numbers = {self._anchor: quantiles[..., self._anchor]}
        for k in range(self._anchor + 1, len(self.levels)):
            numbers[k] = numbers[k - 1] + gaps[k - 1]
        for k in range(self._anchor - 1, -1, -1):
            numbers[k] = numbers[k + 1] - gaps[k]
        middle = empirical(samples, [0.5])[..., 0] if self._loss == "mae" else samples.nanmean(-1).nan_to_num(0.0)
        rising = [numbers[k] for k in range(len(self.levels))]
        return torch.stack([*rising[: self.params // 2], middle, *rising[self.params // 2 :]], -1)

    def _rising(self, params: Tensor) -> Tensor:
        """The quantiles at the learnt levels: [... params] -> [... quantile]."""
        if self._sorted:
            return params.sort(-1).values
        middle, anchor = self.params // 2, self._anchor
        numbers = torch.cat([params[..., :middle], params[..., middle + 1 :]], -1)
        steps = F.softplus(numbers.diff(dim=-1) + numbers.new_tensor(self._starts))
        start = numbers[..., anchor : anchor + 1]
        above = start + steps[..., anchor:].cumsum(-1)
        below = start - steps[..., :anchor].flip(-1).cumsum(-1).flip(-1)
        return torch.cat([below, start, above], -1)


HEAD = QuantileHead
