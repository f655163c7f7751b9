"""Several normal distributions per forecast cell, mixed, trained by their likelihood (Bishop 1994, eq. 21-29).

For what is one of a few things: a machine that is on or off, an hour that is sunny or not.
"""

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from tsrnn.heads._base import _NARROWEST, Distribution, checked, gap, mean

_HALVINGS = 50  # of the range in which a quantile lies


class MixtureHead(Distribution):
    """The mean in the middle of 3k + 1 numbers; k before and after it say shares, places and deviations of k parts.

    Each says so by how far it stands off the middle. The places are shifted together until their mean is the middle;
    they begin side by side, for parts that begin alike would stay so.
    """

    components: ClassVar[int] = 3
    params = 3 * components + 1

    def loss(self, params: Tensor, target: Tensor, observed: Tensor | None) -> Tensor:
        share, place, deviation = self._parts(params)
        error = (target.unsqueeze(-1) - place) / deviation
        density = share.log() - deviation.log() - 0.5 * error.square() - 0.5 * math.log(2 * math.pi)
        return mean(-torch.logsumexp(density, -1), observed)

    def point(self, params: Tensor) -> Tensor:
        return params[..., self.params // 2]

    def quantiles(self, params: Tensor, levels: Sequence[float]) -> Tensor:
        """By halving the range between the parts' own quantiles, where the mixture's lies."""
        checked(levels)
        share, place, deviation = (each.unsqueeze(-2) for each in self._parts(params))  # [... 1 component]
        level = params.new_tensor(list(levels))
        ends = place + deviation * torch.special.ndtri(level)[:, None]  # [... level component]
        low: Tensor = ends.amin(-1)
        high: Tensor = ends.amax(-1)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            below = (share * torch.special.ndtr((middle.unsqueeze(-1) - place) / deviation)).sum(-1) < level
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return (low + high) / 2

    def of_samples(self, samples: Tensor) -> Tensor:
        """Parts of equal share: mean and deviation of each k-th of the samples in rising order."""
        rising = samples.sort(-1).values  # NaN stands last
        count = (~samples.isnan()).sum(-1, keepdim=True).clamp(min=1)
        part = torch.arange(samples.shape[-1], device=samples.device) * self.components // count  # [... sample]
        average = samples.nanmean(-1).nan_to_num(0.0)
        places, gaps = [], []
        for k in range(self.components):
            own = rising.masked_fill(part != k, torch.nan)
            place = torch.where(own.isnan().all(-1), average, own.nanmean(-1).nan_to_num(0.0))
            variance = (own - place.unsqueeze(-1)).square().nanmean(-1).nan_to_num(0.0)
            places.append(place - self._start(k))
            gaps.append(average + gap((variance + 1e-12).sqrt()))
        shares = [average] * self.components
        numbers = [*shares, *places, *gaps]
        numbers.insert(self.params // 2, average)
        return torch.stack(numbers, -1)

    def draw(self, params: Tensor, noise: Tensor) -> Tensor:
        """The second noise chooses a part, the first draws from it."""
        share, place, deviation = self._parts(params)
        chosen = (share.cumsum(-1)[..., :-1] < noise[1].unsqueeze(-1)).sum(-1, keepdim=True)
        which = torch.arange(self.components, device=params.device) == chosen  # [... component]
        standard: Tensor = torch.special.ndtri(noise[0]).unsqueeze(-1)
        return torch.where(which, place + deviation * standard, 0.0).sum(-1)

    def _parts(self, params: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Share, mean and deviation of each part: [... params] -> [... component] each."""
        centre, k = self.params // 2, self.components
        middle = params[..., centre : centre + 1]
        others = torch.cat([params[..., :centre], params[..., centre + 1 :]], -1) - middle
        share = torch.softmax(others[..., :k], -1)
        offset = others[..., k : 2 * k] + others.new_tensor([self._start(each) for each in range(k)])
        offset = offset - (share * offset).sum(-1, keepdim=True)
        return share, middle + offset, F.softplus(others[..., 2 * k :]) + _NARROWEST

    def _start(self, component: int) -> float:
        """Where a part begins, from the middle, in scaled units: -1 to 1."""
        return 2 * component / (self.components - 1) - 1


HEAD = MixtureHead
