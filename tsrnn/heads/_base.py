"""The contract of a head: it asks a model for `params` numbers per forecast cell and says what they mean."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor


class Head(ABC):
    """Losses and readings live in scaled space; the undo comes later, once, at the exit."""

    params: int  # numbers per forecast cell

    @abstractmethod
    def loss(self, params: Tensor, target: Tensor, observed: Tensor | None) -> Tensor:
        """Mean over observed cells: params [batch horizon target params], target [batch horizon target] -> []."""

    @abstractmethod
    def point(self, params: Tensor) -> Tensor:
        """The forecast to act on: [batch horizon target params] -> [batch horizon target]."""

    @abstractmethod
    def quantiles(self, params: Tensor, levels: Sequence[float]) -> Tensor:
        """Rising quantiles: [batch horizon target params] -> [batch horizon target quantile]."""


def mean(cells: Tensor, observed: Tensor | None) -> Tensor:
    """Mean over the cells that were measured; 0 where none was."""
    if observed is None:
        return cells.mean()
    return (cells * observed).sum() / observed.sum().clamp(min=1)
