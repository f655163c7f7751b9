"""A Laplace distribution per forecast cell, trained by its likelihood: absolute errors, each by a width of its own."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from tsrnn.heads._base import Distribution, checked, empirical, gap, mean, width


class LaplaceHead(Distribution):
    """Two numbers: one that stands off the median by the softplus inverse of the scale, and the median."""

    params = 2

    def loss(self, params: Tensor, target: Tensor, observed: Tensor | None) -> Tensor:
        scale = width(params, 0)
        return mean((target - params[..., 1]).abs() / scale + scale.log() + math.log(2), observed)

    def point(self, params: Tensor) -> Tensor:
        return params[..., 1]

    def quantiles(self, params: Tensor, levels: Sequence[float]) -> Tensor:
        checked(levels)
        return params[..., 1:] + width(params, 0).unsqueeze(-1) * _standard(params.new_tensor(list(levels)))

    def of_samples(self, samples: Tensor) -> Tensor:
        """By likelihood: the median, and the mean distance from it."""
        middle = empirical(samples, [0.5])[..., 0]
        scale = (samples - middle.unsqueeze(-1)).abs().nanmean(-1).nan_to_num(0.0)
        return torch.stack([middle + gap(scale + 1e-6), middle], -1)

    def draw(self, params: Tensor, noise: Tensor) -> Tensor:
        return params[..., 1] + width(params, 0) * _standard(noise[0])


def _standard(level: Tensor) -> Tensor:
    """The quantile at each level of median 0 and scale 1."""
    beside = level - 0.5
    return -beside.sign() * torch.log1p(-2 * beside.abs())


HEAD = LaplaceHead
