"""A linear map with weights of its own for each channel, `individual` in LTSF's linear models (Zeng et al. 2023).

Channels of one kind (seven loads of one transformer) are forecast better by shared weights, which have more to learn
from; those of unlike kinds (pressure, rain and radiation of one station) by their own.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn

Weights = Literal["shared", "individual"]


class Individual(nn.Module):
    """y = W_c x + b_c: [batch*channel in] -> [batch*channel out], drawn as `nn.Linear` draws its weights."""

    def __init__(self, channels: int, in_features: int, out_features: int) -> None:
        super().__init__()
        self.in_features = in_features
        bound = 1 / math.sqrt(max(in_features, 1))
        self.weight = nn.Parameter(torch.empty(channels, out_features, in_features).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(channels, out_features).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        channels = len(self.weight)
        rows = x.view(-1, channels, x.shape[-1]).transpose(0, 1)  # [channel batch in]
        y = torch.baddbmm(self.bias.unsqueeze(1), rows, self.weight.mT)  # [channel batch out]
        return y.transpose(0, 1).reshape(len(x), -1)


def linear(weights: Weights, channels: int, in_features: int, out_features: int) -> nn.Linear | Individual:
    """The map of all channels, or one of each."""
    if weights == "shared":
        return nn.Linear(in_features, out_features)
    return Individual(channels, in_features, out_features)
