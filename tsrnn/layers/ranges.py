"""Where each channel lay while it was learnt, from its least to its greatest value: made values do not leave it."""

import torch
from torch import Tensor, nn


class Ranges(nn.Module):
    """The least and the greatest value of each channel; 0 and 1 until `learn` is through."""

    low: Tensor  # [channel]
    high: Tensor  # [channel]

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("low", torch.zeros(channels))
        self.register_buffer("high", torch.ones(channels))

    def widen(self, values: Tensor, first: bool) -> None:
        """Take in more values [batch time channel]; `first`: forget all others."""
        low, high = values.amin((0, 1)), values.amax((0, 1))
        self.low.copy_(low if first else torch.minimum(low, self.low))
        self.high.copy_(high if first else torch.maximum(high, self.high))

    def held(self, values: Tensor) -> Tensor:
        """Values [... channel], none beyond."""
        return values.clamp(self.low, self.high)

    def inside(self, values: Tensor) -> Tensor:
        """Values [... channel] as shares of the range, from 0 to 1."""
        return (values - self.low) / (self.high - self.low).clamp(min=1e-6)

    def outside(self, shares: Tensor) -> Tensor:
        """Shares [... channel] as values."""
        return self.low + shares * (self.high - self.low)
