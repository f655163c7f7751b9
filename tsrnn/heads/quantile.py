"""A few quantiles per forecast cell, trained together by the pinball loss (Koenker & Bassett 1978)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tsrnn.heads._base import Head, checked, empirical, mean


class QuantileHead(Head):
    """`levels`, each between 0 and 1, are learnt; levels between them are interpolated. Quantiles never cross."""

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels = checked(levels)
        self.params = len(self.levels)

    def loss(self, params: Tensor, target: Tensor, observed: Tensor | None) -> Tensor:
        level = params.new_tensor(self.levels)
        error = target.unsqueeze(-1) - params  # [batch horizon target quantile]
        pinball = torch.maximum(level * error, (level - 1) * error).mean(-1)
        return mean(2 * pinball, observed)  # twice: at level 0.5 this is the absolute error

    def point(self, params: Tensor) -> Tensor:
        return self.quantiles(params, [0.5]).squeeze(-1)

    def quantiles(self, params: Tensor, levels: Sequence[float]) -> Tensor:
        """Levels outside the learnt ones take the outermost: a quantile that was not learnt is not made up."""
        rising = params.sort(-1).values
        columns = []
        for level in levels:
            above = next((k for k, known in enumerate(self.levels) if known >= level), self.params - 1)
            below = max(above - 1, 0) if self.levels[above] > level else above
            gap = self.levels[above] - self.levels[below]
            weight = (level - self.levels[below]) / gap if gap else 1.0
            columns.append(torch.lerp(rising[..., below], rising[..., above], weight))
        return torch.stack(columns, -1)

    def of_samples(self, samples: Tensor) -> Tensor:
        return empirical(samples, self.levels)


HEAD = QuantileHead
