"""A point and a few quantiles per forecast cell: the point by its own loss, the quantiles together by the pinball loss.

Pinball loss: Koenker & Bassett 1978. Quantiles cannot cross: the one nearest the median is a number of the model's (the
point itself, where that is the median), and the next ones outward stand off it by steps that are above 0, which begin
as a normal distribution's.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist

import torch
from torch import Tensor
from torch.nn import functional as F

from tsrnn.heads._base import LOSSES, Head, checked, empirical, mean, softplus_inverse

_START = 0.5  # deviation of the normal distribution that quantiles begin as, in scaled units
_NARROWEST = 1e-6  # least step between quantiles: of samples, and at the start of levels a rounding apart


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
        self._median = loss == "mae"  # the point is the quantile at level 0.5
        self._ladder = sorted({*self.levels, 0.5}) if self._median and not self._sorted else list(self.levels)
        self._anchor = min(range(len(self._ladder)), key=lambda k: abs(self._ladder[k] - 0.5))
        normal = [NormalDist(0, _START).inv_cdf(level) for level in self._ladder]
        self._starts = [math.log(math.expm1(max(b - a, _NARROWEST))) for a, b in pairwise(normal)]

    def loss(self, params: Tensor, target: Tensor, observed: Tensor | None) -> Tensor:
        level = params.new_tensor(self.levels)
        rising = params if self._sorted else self.quantiles(params, self.levels)
        error = target.unsqueeze(-1) - rising  # [... quantile]
        cells = 2 * torch.maximum(level * error, (level - 1) * error).mean(-1)  # at level 0.5 the absolute error
        if not self._sorted:
            cells = (cells + LOSSES[self._loss](target, params[..., self.params // 2])) / 2
        return mean(cells, observed)

    def point(self, params: Tensor) -> Tensor:
        if self._sorted:
            return self.quantiles(params, [0.5]).squeeze(-1)
        return params[..., self.params // 2]

    def quantiles(self, params: Tensor, levels: Sequence[float]) -> Tensor:
        """Levels outside the learnt ones take the outermost: a quantile that was not learnt is not made up."""
        rising, ladder, columns = self._rising(params), self._ladder, []
        for level in levels:
            above = next((k for k, known in enumerate(ladder) if known >= level), len(ladder) - 1)
            below = max(above - 1, 0) if ladder[above] > level else above
            gap = ladder[above] - ladder[below]
            weight = (level - ladder[below]) / gap if gap else 1.0
            columns.append(torch.lerp(rising[..., below], rising[..., above], weight))
        return torch.stack(columns, -1)

    def of_samples(self, samples: Tensor) -> Tensor:
        return self.of_rising(empirical(samples, self._ladder), samples.nanmean(-1).nan_to_num(0.0))

    @property
    def ladder(self) -> tuple[float, ...]:
        """The levels of the rising quantiles that `of_rising` takes: the learnt ones, and 0.5 where it is the point."""
        return tuple(self._ladder)

    def of_rising(self, quantiles: Tensor, point: Tensor) -> Tensor:
        """The params that say these quantiles [... ladder] and this point [...]; by mae the median is the point."""
        if self._sorted:
            return quantiles
        steps = quantiles.diff(dim=-1).clamp(min=_NARROWEST)
        gaps = (softplus_inverse(steps) - steps.new_tensor(self._starts)).cumsum(-1)
        first = quantiles[..., self._anchor] - (gaps[..., self._anchor - 1] if self._anchor else 0)
        numbers = torch.cat([first[..., None], first[..., None] + gaps], -1)  # [... ladder]
        own = numbers[..., [self._ladder.index(level) for level in self.levels]]
        point = quantiles[..., self._anchor] if self._median else point
        middle = self.params // 2
        return torch.cat([own[..., :middle], point[..., None], own[..., middle:]], -1)

    def _rising(self, params: Tensor) -> Tensor:
        """The quantiles of the ladder: [... params] -> [... level]."""
        if self._sorted:
            return params.sort(-1).values
        middle, anchor = self.params // 2, self._anchor
        point = params[..., middle : middle + 1]
        numbers = torch.cat([params[..., :middle], params[..., middle + 1 :]], -1)
        if len(self._ladder) > len(self.levels):
            numbers = torch.cat([numbers[..., :anchor], point, numbers[..., anchor:]], -1)
        steps = F.softplus(numbers.diff(dim=-1) + numbers.new_tensor(self._starts))
        start = point if self._median else numbers[..., anchor : anchor + 1]
        above = start + steps[..., anchor:].cumsum(-1)
        below = start - steps[..., :anchor].flip(-1).cumsum(-1).flip(-1)
        return torch.cat([below, start, above], -1)


HEAD = QuantileHead
