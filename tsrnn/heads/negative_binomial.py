"""Counts: a negative binomial per forecast cell, trained by its likelihood (Salinas et al. 2017, eq. 4).

Counts do not live in scaled units, so the head goes by the undo of their scaling (`at`), as the paper multiplies the
mean by the series' scale v and divides the dispersion by its root:

    mean = v (m + sqrt(m^2 + 0.1)) / 2       m: the number in the middle, from where 0 stands on the scaled axis
    dispersion = softplus(gap) / sqrt(v)     variance = mean + dispersion mean^2

The mean's shape (Barron 2021, "Squareplus", arXiv 2112.11687) is nearly m itself above 0, so that a forecast stands
where a decoder and the centring of windows put it, and its slope below 0 does not die out as softplus's does.
"""

from collections.abc import Sequence
from copy import copy
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from tsrnn.arrays import Arrays
from tsrnn.errors import InputError
from tsrnn.heads._base import Distribution, checked, gap, mean, width
from tsrnn.scale import Affine

_BEND = 0.1  # of the mean's shape, in scaled units squared
_LEAST = 1e-6  # of the mean, in scaled units


class NegativeBinomialHead(Distribution):
    """Two numbers: one that stands off the middle by the softplus inverse of the dispersion, and the middle."""

    params = 2
    counts = True

    def __init__(self) -> None:
        self._loc: Any = 0.0
        self._unit: Any = 1.0

    def at(self, undo: Affine | None) -> Self:
        head = copy(self)
        if undo is not None:
            head._loc, head._unit = undo.loc, undo.scale + (undo.scale == 0)
        return head

    def check(self, arrays: Arrays) -> None:
        for name, column in zip(arrays.names, arrays.columns[: arrays.targets], strict=False):
            strange = np.flatnonzero((column < 0) | (column != np.rint(column)) & np.isfinite(column))
            if len(strange):
                series = int(np.searchsorted(arrays.offsets, strange[0], side="right")) - 1
                raise InputError(
                    f"column {name!r}, row {strange[0] - arrays.offsets[series] + 1} of series {arrays.ids[series]!r} "
                    f"holds {column[strange[0]]:g}, which is no count; take loss='student_t' or 'gaussian' for it"
                )

    def loss(self, params: Tensor, target: Tensor, observed: Tensor | None) -> Tensor:
        average, dispersion = self._moments(params.double())
        count = (target.double() * self._unit + self._loc).round().clamp(min=0)
        size = 1 / dispersion
        ways = torch.lgamma(count + size) - torch.lgamma(size) - torch.lgamma(count + 1)
        chance = -size * torch.log1p(average * dispersion) - count * torch.log1p(size / average)
        return mean(-(ways + chance), observed).to(params.dtype)

    def point(self, params: Tensor) -> Tensor:
        return self._scaled(self._moments(params.double())[0]).to(params.dtype)

    def quantiles(self, params: Tensor, levels: Sequence[float]) -> Tensor:
        checked(levels)
        moments = self._moments(params.double())
        columns = [_inverse(torch.full_like(moments[0], level), *moments) for level in levels]
        return torch.stack([self._scaled(each) for each in columns], -1).to(params.dtype)

    def of_samples(self, samples: Tensor) -> Tensor:
        """By the mean and the variance."""
        values = samples.double()
        average, unit = values.nanmean(-1).nan_to_num(0.0), torch.as_tensor(self._unit)
        variance = (values - average.unsqueeze(-1)).square().nanmean(-1).nan_to_num(0.0) * unit.square()
        level = (average + self._loc / unit).clamp(min=_LEAST)  # scaled, from where 0 stands
        dispersion = ((variance - level * unit) / (level * unit).square()).clamp(min=1e-3)
        middle = level - _BEND / (4 * level) - self._loc / unit
        return torch.stack([middle + gap(dispersion * unit.sqrt()), middle], -1).to(samples.dtype)

    def draw(self, params: Tensor, noise: Tensor) -> Tensor:
        """The count at the level of the first noise; it has no slope."""
        return self._scaled(_inverse(noise[0].double(), *self._moments(params.double()))).to(params.dtype)

    def _moments(self, params: Tensor) -> tuple[Tensor, Tensor]:
        """Mean, in counts, and dispersion: [... params] -> [...] each."""
        unit = torch.as_tensor(self._unit, dtype=torch.float64, device=params.device)
        middle = params[..., 1] + self._loc / unit
        level = (middle + (middle.square() + _BEND).sqrt()) / 2
        return level.clamp(min=_LEAST) * unit, width(params, 0) / unit.sqrt()

    def _scaled(self, count: Tensor) -> Tensor:
        scaled: Tensor = (count - self._loc) / self._unit
        return scaled


def _inverse(level: Tensor, average: Tensor, dispersion: Tensor) -> Tensor:
    """The least count up to which at least `level` of the probability lies, by bisection: [...] each -> [...]."""
    from scipy.special import betainc  # slow to import, and only counts need it

    wanted, mu, alpha = (each.detach().cpu().numpy() for each in (level, average, dispersion))
    size, chance = 1 / alpha, 1 / (1 + alpha * mu)
    low, high = np.full(mu.shape, -1.0), np.ceil(mu + 1)

    def short(count: np.ndarray) -> np.ndarray:
        return np.asarray(betainc(size, count + 1, chance) < wanted)

    while (beyond := short(high)).any():
        low, high = np.where(beyond, high, low), np.where(beyond, 2 * high + 1, high)
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        beyond = short(np.maximum(middle, 0))
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    return torch.from_numpy(np.maximum(high, 0)).to(level.device)


HEAD = NegativeBinomialHead
