"""Student's t distribution per forecast cell, trained by its likelihood: its tails as heavy as they must be."""

import math
from collections.abc import Sequence
from functools import cache
from statistics import NormalDist

import numpy as np
import torch
from torch import Tensor

from tsrnn.heads._base import Distribution, checked, gap, mean, width

_INVERSES = np.linspace(0, 0.5, 257)  # 1 / degrees of freedom: from a Gaussian to the heaviest tails with a variance
_ANGLES = np.linspace(-np.pi / 2, np.pi / 2, 8_193)


class StudentTHead(Distribution):
    """Three numbers: one for the scale, the mean, one for the degrees of freedom, which are above 2."""

    params = 3

    def loss(self, params: Tensor, target: Tensor, observed: Tensor | None) -> Tensor:
        scale, freedom = width(params, 0), 2 + width(params, 2)
        error = (target - params[..., 1]) / scale
        norm = torch.lgamma(freedom / 2) - torch.lgamma((freedom + 1) / 2) + 0.5 * (freedom * math.pi).log()
        return mean(norm + scale.log() + (freedom + 1) / 2 * torch.log1p(error.square() / freedom), observed)

    def point(self, params: Tensor) -> Tensor:
        return params[..., 1]

    def quantiles(self, params: Tensor, levels: Sequence[float]) -> Tensor:
        checked(levels)
        place = (len(_INVERSES) - 1) * 2 / (2 + width(params, 2))  # [batch horizon target], in steps of the table
        below = place.floor().long().clamp(max=len(_INVERSES) - 2)
        columns = []
        for level in levels:
            table = place.new_tensor(_standard(float(level)))
            columns.append(torch.lerp(table[below], table[below + 1], place - below))
        return params[..., 1:2] + width(params, 0).unsqueeze(-1) * torch.stack(columns, -1)

    def of_samples(self, samples: Tensor) -> Tensor:
        """By the first four moments: the degrees of freedom found are at least 4, where the fourth begins to exist."""
        average = samples.nanmean(-1).nan_to_num(0.0)
        squares = (samples - average.unsqueeze(-1)).square()
        variance = squares.nanmean(-1).nan_to_num(0.0) + 1e-12
        excess = squares.square().nanmean(-1).nan_to_num(0.0) / variance.square() - 3
        freedom = 4 + 6 / excess.clamp(min=0.05)
        scale = (variance * (freedom - 2) / freedom).sqrt()
        return torch.stack([average + gap(scale), average, average + gap(freedom - 2)], -1)

    def draw(self, params: Tensor, noise: Tensor) -> Tensor:
        """Polar, as Box and Muller's for the normal one (Bailey 1994, eq. 4)."""
        freedom = 2 + width(params, 2)
        radius = (freedom * torch.expm1(-2 / freedom * noise[0].log())).sqrt()
        return params[..., 1] + width(params, 0) * radius * torch.cos(2 * math.pi * noise[1])


@cache
def _standard(level: float) -> tuple[float, ...]:
    """The quantile at `level` of mean 0 and scale 1, for each of `_INVERSES`.

    With t = sqrt(freedom) tan(angle) the density is a power of the cosine on a finite range, which is summed up and
    inverted by interpolation.
    """
    found = [NormalDist().inv_cdf(level)]
    for freedom in 1 / _INVERSES[1:]:
        density = np.cos(_ANGLES) ** (freedom - 1)
        share = np.cumsum(density[1:] + density[:-1])
        angle = np.interp(level, share / share[-1], _ANGLES[1:])
        found.append(math.sqrt(freedom) * math.tan(angle))
    return tuple(found)


HEAD = StudentTHead
