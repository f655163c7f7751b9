"""The short causal convolution before gated recurrences: Gu & Dao (2023), figure 3; Beck et al. (2024), figure 11.

Every channel alone, over the newest few steps: [batch time channel] -> the same; step t sees t and what is before it.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ShortConvolution(nn.Module):
    """As `nn.Conv1d` with one group per channel, weights and start alike, but a CPU adds shifted steps faster.

    Args:
        channels: of input and output.
        steps: that an output sees, the newest of them its own.
    """

    def __init__(self, channels: int, steps: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, 1, steps))  # the last for the newest step
        self.bias = nn.Parameter(torch.empty(channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Uniform within one over the root of the steps."""
        bound = 1 / math.sqrt(self.weight.shape[2])
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, u: Tensor) -> Tensor:
        """[batch time channel] -> [batch time channel]."""
        weights = self.weight[:, 0].t()  # [step channel]
        time, back = u.shape[1], len(weights) - 1
        past = F.pad(u, (0, 0, back, 0))  # [batch time+steps-1 channel]
        blended = torch.addcmul(self.bias, past[:, :time], weights[0])  # [batch time channel]
        for step in range(1, back + 1):
            blended = torch.addcmul(blended, past[:, step : step + time], weights[step])
        return blended
