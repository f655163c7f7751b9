"""Mamba's block around the selective scan: Gu & Dao (2023), "Mamba", arXiv 2312.00752, section 3.4 and figure 3.

[batch time width] -> [batch time width]; step t of the output sees the input's steps up to t and none after.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tsrnn.errors import InputError
from tsrnn.layers.convolution import ShortConvolution
from tsrnn.recurrence.scan import selective_scan

_SLOWEST, _FASTEST = 1e-3, 1e-1  # step sizes that training starts from (section 3.6)


class SelectiveBlock(nn.Module):
    """Normalise, mix over time, add to the input: x + mix(RMSNorm(x)).

    Args:
        width: channels of the input and the output.
        state_size: states per inner channel.
        expand: inner channels per channel.
        conv: steps that the short causal convolution sees.
        dt_rank: rank of the projection to the step sizes; None: a sixteenth of the width, at least one.

    Raises:
        InputError: a size below one.
    """

    def __init__(
        self, width: int, state_size: int = 16, expand: int = 2, conv: int = 4, dt_rank: int | None = None
    ) -> None:
        super().__init__()
        rank = math.ceil(width / 16) if dt_rank is None else dt_rank
        sizes = {"width": width, "state_size": state_size, "expand": expand, "conv": conv, "dt_rank": rank}
        for name, size in sizes.items():
            if size < 1:
                raise InputError(f"{name} of a selective block must be at least 1, not {size}")
        inner = expand * width
        self.parts = (rank, state_size, state_size)
        self.norm = nn.RMSNorm(width, eps=1e-5)
        self.inward = nn.Linear(width, 2 * inner, bias=False)
        self.conv = ShortConvolution(inner, conv)
        self.select = nn.Linear(inner, sum(self.parts), bias=False)
        self.delta = nn.Linear(rank, inner)
        self.log_rate = nn.Parameter(torch.empty(inner, state_size))  # A = -exp(log_rate)
        self.skip = nn.Parameter(torch.empty(inner))  # D
        self.outward = nn.Linear(inner, width, bias=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """A as in S4D-Real: -1, -2, ..., -state; step sizes between 1e-3 and 1e-1, D one."""
        inner, states = self.log_rate.shape
        bound = self.parts[0] ** -0.5
        with torch.no_grad():
            self.log_rate.copy_(torch.arange(1, states + 1).log().expand(inner, -1))
            self.skip.fill_(1.0)
            self.delta.weight.uniform_(-bound, bound)
        draw_step_sizes(self.delta.bias)

    def forward(self, x: Tensor) -> Tensor:
        """[batch time width] -> [batch time width]."""
        u, gate = self.inward(self.norm(x)).chunk(2, -1)  # each [batch time inner]
        u = F.silu(self.conv(u))  # [batch time inner]
        low, B, C = self.select(u).split(self.parts, -1)  # [batch time rank], then [batch time state] twice
        delta = F.softplus(self.delta(low))  # [batch time inner] (algorithm 2, line 4)
        y, _ = selective_scan(u, delta, -torch.exp(self.log_rate), B, C, self.skip)  # [batch time inner]
        mixed: Tensor = self.outward(y * F.silu(gate))  # [batch time width]
        return x + mixed


@torch.no_grad()
def draw_step_sizes(bias: Tensor) -> None:
    """Fill what a softplus turns into step sizes, so that they lie between 1e-3 and 1e-1.

    They are log-uniform, as in the authors' code; the paper (section 3.6) has them uniform.
    """
    size = torch.empty_like(bias).uniform_(math.log(_SLOWEST), math.log(_FASTEST)).exp()
    bias.copy_(size + torch.log(-torch.expm1(-size)))  # the softplus of this is `size`
