"""A normal distribution per forecast cell, trained by its likelihood (the Gaussian of Salinas et al. 2017, eq. 3)."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from tsrnn.heads._base import Distribution, checked, gap, mean, width


class GaussianHead(Distribution):
    """Two numbers: one that stands off the mean by the softplus inverse of the deviation, and the mean."""

    params = 2

    def loss(self, params: Tensor, target: Tensor, observed: Tensor | None) -> Tensor:
        deviation = width(params, 0)
        error = (target - params[..., 1]) / deviation
        return mean(0.5 * error.square() + deviation.log() + 0.5 * math.log(2 * math.pi), observed)

    def point(self, params: Tensor) -> Tensor:
        return params[..., 1]

    def quantiles(self, params: Tensor, levels: Sequence[float]) -> Tensor:
        checked(levels)
        standard: Tensor = torch.special.ndtri(params.new_tensor(list(levels)))  # [quantile]
        return params[..., 1:] + width(params, 0).unsqueeze(-1) * standard

    def of_samples(self, samples: Tensor) -> Tensor:
        """Mean and deviation of the samples."""
        average = samples.nanmean(-1).nan_to_num(0.0)
        variance = (samples - average.unsqueeze(-1)).square().nanmean(-1).nan_to_num(0.0)
        return torch.stack([average + gap((variance + 1e-12).sqrt()), average], -1)

    def draw(self, params: Tensor, noise: Tensor) -> Tensor:
        standard: Tensor = torch.special.ndtri(noise[0])
        return params[..., 1] + width(params, 0) * standard


HEAD = GaussianHead
