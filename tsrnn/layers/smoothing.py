"""Forecasts of exponential smoothing for many short windows at once; nothing here is learnt by gradients.

Each method runs through the window with every set of parameters of a small grid side by side. The sets are weighed by
exp(-n/2 log SSE), their likelihood under normal one-step errors, in place of a search for the best: a mean over sets is
steadier than the one that happened to fit a short history best.

    theta     half the line's slope on simple smoothing (Assimakopoulos & Nikolopoulos 2000; Hyndman & Billah 2003)
    log       damped trend and season of the logarithms (of windows with values at or below 0 as `add`)
    damped    damped trend of the window without its season (Gardner & McKenzie 1985)
    add       damped trend and season of the values (Holt & Winters, in error correction form)
    holt      linear trend of the window without its season
    simple    simple smoothing of it
    line      the straight line through it
    repeat    the last season
"""

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from tsrnn.layers import classical

METHODS = ("theta", "log", "damped", "add", "holt", "simple", "line", "repeat")
_SIMPLE = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 0.99)  # rates of the level
_TRENDED = tuple(product((0.1, 0.3, 0.6, 0.95), (0.05, 0.2), (0.8, 0.9, 0.97, 1.0)))  # level, trend, damping
_SEASONED = tuple(product((0.05, 0.2, 0.5, 0.9), (0.03, 0.2), (0.85, 0.97), (0.0, 0.2)))  # and the season's
_FIRST = 6  # steps, or a season, whose line begins the trend
_FAR = 2.0  # ranges of the window that no forecast goes beyond it
_TINY = 1e-12


@dataclass(frozen=True)
class Said:
    """What the methods say of windows, and what they saw: in the windows' own units."""

    forecasts: Tensor  # [row method horizon]
    level: Tensor  # [row] of simple smoothing
    errors: Tensor  # [row 2] root mean square of one-step errors, of simple smoothing and of the damped trend
    scale: Tensor  # [row] mean absolute seasonal difference
    adjusted: Tensor  # [row time] the window without its season
    sure: Tensor  # [row] deviations by which there is a season
    strength: Tensor  # [row] share of the variance that it explains
    factor: Tensor  # [row] bool: the season is a factor


def say(x: Tensor, seen: Tensor, season: int, horizon: int) -> Said:
    """All methods on windows [row time] of size about 1, of which the newest `seen` steps count."""
    rows, time = x.shape
    factor = classical.positive(x, seen)
    if 2 * season > time:
        season = 1
    found = classical.none(factor, x.new_zeros(rows, season))
    sure = strength = x.new_zeros(rows)
    if season > 1:
        index, sure, strength = classical.indices(x, seen, season, factor)
        found = torch.where((sure > classical.SURE)[:, None], index, found)
    past = (time - 1 - torch.arange(time, device=x.device)) % season
    ahead = (-1 - torch.arange(horizon, device=x.device)) % season
    y = classical.adjusted(x, found[:, past], factor)
    plain, level, errors = _without_season(y, seen, horizon)
    plain = classical.seasoned(plain.flatten(0, 1), found[:, ahead].repeat_interleave(plain.shape[1], 0),
                               factor.repeat_interleave(plain.shape[1])).view_as(plain)  # fmt: skip
    log, add = _with_season(x, seen, season, ahead, factor, sure)
    theta, damped, holt, simple, line = plain.unbind(1)
    repeat = x[:, time - season + torch.arange(horizon, device=x.device) % season]
    forecasts = _held(torch.stack([theta, log, damped, add, holt, simple, line, repeat], 1), x, seen)
    return Said(forecasts, level, errors, classical.scales(x, seen, season), y, sure, strength, factor)


def _without_season(y: Tensor, seen: Tensor, horizon: int) -> tuple[Tensor, Tensor, Tensor]:
    """theta, damped, holt, simple, line [row 5 horizon]; the level, the errors."""
    count = seen.sum(1, keepdim=True).clamp(min=1).to(y.dtype)
    steps = torch.arange(1, horizon + 1, dtype=y.dtype, device=y.device)
    rate, slope, damping = y.new_tensor(_TRENDED).unbind(1)
    flat = y.new_tensor(_SIMPLE)
    none = torch.zeros_like(flat)
    levels, trends, _, squares = smooth(
        y, seen, y.new_zeros(len(y), 1), torch.cat([flat, rate]), torch.cat([none, slope]), torch.cat([none, damping])
    )
    simple, trended = squares[:, : len(flat)], squares[:, len(flat) :]
    weight = _weights(simple, count)
    level = (weight * levels[:, : len(flat)]).sum(1)
    used = (weight * flat).sum(1)[:, None]
    at, along = classical.trend(y, seen)
    drift = along[:, None] / 2 * (steps - 1 + 1 / used - (1 - used) ** count / used)
    paths = levels[:, len(flat) :, None] + trends[:, len(flat) :, None] * _sums(damping, steps)  # [row set horizon]
    by_fit = _weights(trended, count)
    parts = [by_fit * (damping < 1), by_fit * (damping == 1)]
    damped, holt = ((part / part.sum(1, keepdim=True).clamp(min=_TINY))[..., None] for part in parts)
    flat_line = level[:, None].expand(-1, horizon)
    forecasts = [flat_line + drift, (damped * paths).sum(1), (holt * paths).sum(1), flat_line]
    errors = torch.stack([(weight * simple).sum(1), (damped[..., 0] * trended).sum(1)], 1) / count
    return torch.stack([*forecasts, at[:, None] + along[:, None] * steps], 1), level, errors.sqrt()


def _with_season(
    x: Tensor, seen: Tensor, season: int, ahead: Tensor, factor: Tensor, sure: Tensor
) -> tuple[Tensor, Tensor]:
    """log and add: [row horizon] each."""
    logs = torch.where(factor[:, None], x.clamp(min=1e-3).log(), x)
    both, known = torch.cat([logs, x]), seen.repeat(2, 1)
    index = x.new_zeros(len(both), season)
    if season > 1:
        index = classical.indices(both, known, season, torch.zeros_like(known[:, 0]))[0]
        index = torch.where((sure > classical.SURE).repeat(2)[:, None], index, torch.zeros_like(index))
    sets = [each for each in _SEASONED if season > 1 or not each[3]]
    rate, slope, damping, turn = x.new_tensor(sets).unbind(1)
    levels, trends, turns, squares = smooth(both, known, index, rate, slope, damping, turn)
    steps = torch.arange(1, len(ahead) + 1, dtype=x.dtype, device=x.device)
    paths = levels[..., None] + trends[..., None] * _sums(damping, steps) + turns[..., ahead]
    weight = _weights(squares, known.sum(1, keepdim=True).to(x.dtype))
    logged, add = (weight[..., None] * paths).sum(1).chunk(2)
    most = logs.masked_fill(~seen, -torch.inf).amax(1, keepdim=True) + 1
    return torch.where(factor[:, None], logged.minimum(most).exp(), logged), add


def smooth(
    y: Tensor,
    seen: Tensor,
    index: Tensor,
    rate: Tensor,
    slope: Tensor,
    damping: Tensor,
    turn: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Damped trend and season in error correction form, with every set of parameters.

    Args:
        y, seen: [row time].
        index: [row season] terms that the season begins with, the first of the newest step.
        rate, slope, damping, turn: [set] of level and trend, its damping, and of the season (None: it stays); where
            damping is 0 there is no trend, and the level begins as a mean.

    Returns:
        Level and trend [row set], the season [row set season], sums of squared one-step errors [row set].
    """
    time, season, sets = y.shape[1], index.shape[1], len(rate)
    at, along, mean = _begun(y, seen, index)
    level = torch.where(damping == 0, mean[:, None], at[:, None])
    trend = along[:, None] * (damping > 0)
    squares = torch.zeros_like(level)
    terms = [index[:, k : k + 1].expand(-1, sets) for k in range(season)]
    for t in range(time):
        here, place = seen[:, t : t + 1], (time - 1 - t) % season
        moved = damping * trend
        error = (y[:, t : t + 1] - level - moved - terms[place]) * here
        squares = squares + error * error
        level = torch.where(here, level + moved + rate * error, level)
        trend = torch.where(here, moved + rate * slope * error, trend)
        if turn is not None:
            terms[place] = terms[place] + turn * (1 - rate) * error
    return level, trend, torch.stack(terms, 2), squares


def _begun(y: Tensor, seen: Tensor, index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The line through a row's first steps: its value before them, its slope, and their mean: [row] each."""
    time, season = y.shape[1], index.shape[1]
    steps = torch.arange(max(_FIRST, season), device=y.device)
    rows = (time - seen.sum(1))[:, None] + steps  # [row step]
    known, rows = (rows < time).to(y.dtype), rows.clamp(max=time - 1)
    values = y.gather(1, rows) - index.gather(1, (time - 1 - rows) % season)
    count = known.sum(1).clamp(min=1)
    middle, mean = (known * steps).sum(1) / count, (known * values).sum(1) / count
    off = (steps - middle[:, None]) * known
    along = (off * (values - mean[:, None])).sum(1) / off.square().sum(1).clamp(min=1e-6)
    return mean - along * (middle + 1), along, mean


def _weights(squares: Tensor, count: Tensor) -> Tensor:
    return torch.softmax(-count / 2 * squares.clamp(min=_TINY).log(), 1)


def _sums(damping: Tensor, steps: Tensor) -> Tensor:
    """damping + damping^2 + ... of so many terms: [set horizon]."""
    powers = damping[:, None] ** steps
    return powers.cumsum(1)


def _held(forecasts: Tensor, x: Tensor, seen: Tensor) -> Tensor:
    """Forecasts no further than some ranges outside the window, and at or above 0 where it is."""
    low = x.masked_fill(~seen, torch.inf).amin(1)[:, None, None]
    high = x.masked_fill(~seen, -torch.inf).amax(1)[:, None, None]
    far = _FAR * (high - low)
    held = forecasts.maximum(low - far).minimum(high + far)
    return torch.where(low >= 0, held.clamp(min=0), held)
