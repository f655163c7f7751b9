"""Season and scale of many short windows at once, as the classical decomposition has them; nothing here is learnt.

Rows end with the newest step; of each only the steps that are `seen` count, the newest ones.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

SURE = 1.645  # deviations of an autocorrelation from which a season is taken out (90 %, as in the Theta method)
_TINY = 1e-6
_LEAST_INDEX = 0.05


def positive(x: Tensor, seen: Tensor) -> Tensor:
    """Rows [row] whose values [row time], about 1 in size, are all above 0: their season is a factor, else a term."""
    return x.masked_fill(~seen, 1.0).amin(1) > 1e-3


def scales(x: Tensor, seen: Tensor, season: int) -> Tensor:
    """Mean absolute difference from a season before, of rows shorter than that from a step before: [row]."""
    apart = _differences(x, seen, season)
    whole = _differences(x, seen, 1)
    return torch.where(seen[:, :-season].any(1) if season < x.shape[1] else torch.zeros_like(seen[:, 0]), apart, whole)


def _differences(x: Tensor, seen: Tensor, lag: int) -> Tensor:
    pairs = seen[:, :-lag]
    return ((x[:, lag:] - x[:, :-lag]).abs() * pairs).sum(1) / pairs.sum(1).clamp(min=1)


def indices(x: Tensor, seen: Tensor, season: int, ratio: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Seasonal indices by the distance from the newest step, and how sure they are.

    Ratios to a centred moving average, or differences from it, are averaged over the seasons (Theta's preparation:
    Assimakopoulos & Nikolopoulos 2000).

    Args:
        x, seen: [row time]; at least two seasons.
        ratio: [row] bool: whose season is a factor.

    Returns:
        Indices [row season], the first of the newest step, none (1, or 0 where it is a term) where some have no
        observation; deviations of the autocorrelation a season apart [row]; share of the variance about the moving
        average that the season explains [row].
    """
    time, ends = x.shape[1], 0.5 if season % 2 == 0 else 1.0
    weights = x.new_ones(season + (season % 2 == 0))
    weights[0], weights[-1] = ends, ends
    half = len(weights) // 2
    around = F.conv1d(x[:, None], weights[None, None] / season)[:, 0]  # [row inner]
    inner, known = x[:, half : time - half], seen[:, : around.shape[1]].to(x.dtype)
    apart = torch.where(ratio[:, None], inner / around.abs().clamp(min=_TINY), inner - around)
    place = (time - 1 - torch.arange(half, time - half, device=x.device)) % season
    member = F.one_hot(place, season).to(x.dtype)  # [inner season]
    count = known @ member
    found = (apart * known) @ member / count.clamp(min=1)
    mean = found.mean(1, keepdim=True)
    found = torch.where(ratio[:, None], found / mean.clamp(min=_TINY), found - mean)
    left, centred = (apart - found @ member.T) * known, _centred(apart, known)
    strength = (1 - left.square().sum(1) / centred.square().sum(1).clamp(min=_TINY)).clamp(min=0)
    enough = count.amin(1) >= 1
    found = torch.where(enough[:, None], found, none(ratio, found))
    return found, enough * _deviations(x, seen.to(x.dtype), season), enough * strength


def none(ratio: Tensor, like: Tensor) -> Tensor:
    """The indices of no season: 1 where it is a factor, else 0."""
    return ratio[:, None].to(like.dtype).expand_as(like)


def adjusted(x: Tensor, season: Tensor, ratio: Tensor) -> Tensor:
    """Values without their season, both [row time]."""
    return torch.where(ratio[:, None], x / season.clamp(min=_LEAST_INDEX), x - season)


def seasoned(x: Tensor, season: Tensor, ratio: Tensor) -> Tensor:
    """Values with their season again, both [row horizon]."""
    return torch.where(ratio[:, None], x * season.clamp(min=0), x + season)


def trend(x: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """The straight line through each row: its value at the newest step, its slope: [row] each."""
    known = seen.to(x.dtype)
    time = torch.arange(x.shape[1], dtype=x.dtype, device=x.device).expand_as(x) - (x.shape[1] - 1)
    count = known.sum(1).clamp(min=1)
    middle, mean = (known * time).sum(1) / count, (known * x).sum(1) / count
    off = (time - middle[:, None]) * known
    slope = (off * (x - mean[:, None])).sum(1) / off.square().sum(1).clamp(min=_TINY)
    return mean - slope * middle, slope


def _centred(x: Tensor, known: Tensor) -> Tensor:
    return (x - ((x * known).sum(1) / known.sum(1).clamp(min=1))[:, None]) * known


def _deviations(x: Tensor, known: Tensor, season: int) -> Tensor:
    """The autocorrelation a season apart over its deviation where there is no season (Bartlett): [row]."""
    off = _centred(x, known)
    lags = torch.stack([(off[:, lag:] * off[:, :-lag]).sum(1) for lag in range(1, season + 1)], 1)
    lags = lags / off.square().sum(1, keepdim=True).clamp(min=_TINY)
    spread = (1 + 2 * lags[:, :-1].square().sum(1)) / known.sum(1).clamp(min=1)
    return lags[:, -1].abs() / spread.sqrt()
