"""The contract of a head: it asks a model for `params` numbers per forecast cell and says what they mean.

Every number lives on the target's own axis, so that adding to all of them alike moves the forecast and nothing else:
that is what instance centring, and a naive forecast's known errors, do to them. The number in the middle
(`params // 2`) stands where the forecast does; a decoder reads it back.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional as F

from tsrnn import metrics
from tsrnn.arrays import Arrays
from tsrnn.errors import InputError
from tsrnn.scale import Affine

LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {  # of a point, by cells: target, forecast
    "mse": metrics.mse.cells,
    "mae": metrics.mae.cells,
    "huber": lambda target, forecast: F.huber_loss(forecast, target, reduction="none"),  # quadratic up to 1
}
_NARROWEST = 1e-3  # least width of a distribution, in scaled units: the likelihood of a constant stays finite


class Head(ABC):
    """Losses and readings live in scaled space; the undo comes later, once, at the exit."""

    params: int  # numbers per forecast cell
    levels: tuple[float, ...] = ()  # the params' own levels where they are quantiles
    spreads: bool = True  # it says more than a point
    counts: bool = False  # its values are 0, 1, 2... of the data's own units, whatever the scale

    def at(self, undo: Affine | None) -> Self:
        """The head for targets that `undo` brings back to their units: loc, scale broadcast to [batch horizon target].

        Most heads know no units and are returned as they are.
        """
        return self

    def check(self, arrays: Arrays) -> None:  # noqa: B027  most heads take any number
        """Refuse a panel with targets that the head cannot mean.

        Raises:
            InputError: there is one; the message names the cell.
        """

    @abstractmethod
    def loss(self, params: Tensor, target: Tensor, observed: Tensor | None) -> Tensor:
        """Mean over observed cells: params [batch horizon target params], target [batch horizon target] -> []."""

    @abstractmethod
    def point(self, params: Tensor) -> Tensor:
        """The forecast to act on: [batch horizon target params] -> [batch horizon target]."""

    @abstractmethod
    def quantiles(self, params: Tensor, levels: Sequence[float]) -> Tensor:
        """Rising quantiles: [batch horizon target params] -> [batch horizon target quantile]."""

    @abstractmethod
    def of_samples(self, samples: Tensor) -> Tensor:
        """The params that say what samples show: [... sample] -> [... params].

        A NaN is no sample; where there is none, the params say a point at 0.
        """


class Distribution(Head):
    """A head whose params are a whole distribution, trained by its likelihood. Leading axes may be any."""

    @abstractmethod
    def draw(self, params: Tensor, noise: Tensor) -> Tensor:
        """A value per cell, differentiable: params [... params], noise [2 ...] uniform between 0 and 1 -> [...]."""


def mean(cells: Tensor, observed: Tensor | None) -> Tensor:
    """Mean over the cells that were measured, or by their weights; 0 where none was."""
    if observed is None:
        return cells.mean()
    return (cells * observed).sum() / observed.sum().clamp(min=1)


def checked(levels: Sequence[float]) -> tuple[float, ...]:
    """Levels of quantiles, rising.

    Raises:
        InputError: one is not between 0 and 1, or is given twice, or there is none.
    """
    if isinstance(levels, Iterable) and all(isinstance(level, Real) for level in levels):
        rising = tuple(sorted(float(str(level)) for level in levels))  # float32's 0.8 is 0.8
        if rising and all(0 < level < 1 for level in rising) and len(set(rising)) == len(rising):
            return rising
    raise InputError(f"quantiles must be different numbers between 0 and 1, such as [0.1, 0.9], not {levels!r}")


def empirical(samples: Tensor, levels: Sequence[float]) -> Tensor:
    """Quantiles of samples, NaN left out: [... sample] -> [... level]; 0 where there is none.

    The k-th of n samples in rising order stands at level k / (n+1) (Hyndman & Fan 1996, definition 6): a further draw
    falls below the quantile with the level's probability, however few the samples, as far as they reach.
    """
    rising = samples.sort(-1).values  # NaN stands last
    count = (~samples.isnan()).sum(-1, keepdim=True)
    place = samples.new_tensor(list(levels)) * (count + 1) - 1  # [... level], counted from 0
    place = place.minimum(count - 1).clamp(min=0)
    below = place.floor()
    above = place.ceil().long()
    return torch.lerp(rising.gather(-1, below.long()), rising.gather(-1, above), place - below).nan_to_num(0.0)


def width(params: Tensor, which: int) -> Tensor:
    """A positive width from the gap between one number and the middle one: [... params] -> [...]."""
    return F.softplus(params[..., which] - params[..., params.shape[-1] // 2]) + _NARROWEST


def gap(width: Tensor) -> Tensor:
    """The gap that `width` makes a width of."""
    return softplus_inverse((width - _NARROWEST).clamp(min=1e-6))


def softplus_inverse(value: Tensor) -> Tensor:
    """What softplus makes `value` of, above 0."""
    return value + torch.log(-torch.expm1(-value))
