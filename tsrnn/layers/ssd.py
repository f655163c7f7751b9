"""Mamba-2's block around the state space with one decay per head: Dao & Gu (2024), arXiv 2405.21060, section 7.

    z, xBC, d = W RMSNorm(x)                                  all projections at once, before the convolution
    u, B, C = silu(convolution(xBC))                          causal, 4 steps, each channel alone
    y = SSD(u, softplus(d + b), A, B, C) + D u                A, D: one per head; B, C: shared by all heads
    x = x + W' RMSNorm(y silu(z))

Departs from the paper in sizes alone: heads of 16 channels by default, where it has 64 or more.
[batch time width] -> [batch time width]; step t of the output sees the input's steps up to t and none after.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tsrnn.errors import InputError
from tsrnn.layers.convolution import ShortConvolution
from tsrnn.layers.selective import draw_step_sizes
from tsrnn.recurrence.ssd import ssd

_FASTEST_RATE = 16.0  # of the decays that training starts from, uniform from 1, as in the authors' code


class HeadsBlock(nn.Module):
    """Normalise, mix over time, add to the input: x + mix(RMSNorm(x)).

    Args:
        width: channels of the input and the output.
        state_size: states per inner channel.
        head_size: inner channels that share a decay; a divisor of the inner channels.
        expand: inner channels per channel.
        conv: steps that the short causal convolution sees.

    Raises:
        InputError: a size below one, or a head that does not divide the inner channels.
    """

    def __init__(self, width: int, state_size: int = 16, head_size: int = 16, expand: int = 2, conv: int = 4) -> None:
        super().__init__()
        sizes = {"width": width, "state_size": state_size, "head_size": head_size, "expand": expand, "conv": conv}
        for name, size in sizes.items():
            if size < 1:
                raise InputError(f"{name} of an SSD block must be at least 1, not {size}")
        inner = expand * width
        if inner % head_size:
            raise InputError(f"head_size={head_size} must divide {expand} * hidden_size={inner}")
        heads = inner // head_size
        self.mixed = (inner, state_size, state_size)
        self.parts = (inner, sum(self.mixed), heads)
        self.head_size = head_size
        self.norm = nn.RMSNorm(width, eps=1e-5)
        self.inward = nn.Linear(width, sum(self.parts), bias=False)
        self.conv = ShortConvolution(sum(self.mixed), conv)
        self.delta = nn.Parameter(torch.empty(heads))  # of the step sizes, before the softplus
        self.log_rate = nn.Parameter(torch.empty(heads))  # A = -exp(log_rate)
        self.skip = nn.Parameter(torch.ones(heads))  # D
        self.gated = nn.RMSNorm(inner, eps=1e-5)
        self.outward = nn.Linear(inner, width, bias=False)
        draw_step_sizes(self.delta)
        with torch.no_grad():
            self.log_rate.uniform_(1.0, _FASTEST_RATE).log_()

    def forward(self, x: Tensor) -> Tensor:
        """[batch time width] -> [batch time width]."""
        gate, both, delta = self.inward(self.norm(x)).split(self.parts, -1)  # inner, inner and two states, head
        u, B, C = (F.silu(part) for part in self.conv(both).split(self.mixed, -1))  # inner, state, state
        u = u.reshape(*u.shape[:2], -1, self.head_size)  # [batch time head channel]
        delta = F.softplus(delta + self.delta)  # [batch time head]
        y, _ = ssd(u, delta, -torch.exp(self.log_rate), B, C, self.skip)  # [batch time head channel]
        mixed: Tensor = self.outward(self.gated(y.flatten(2) * F.silu(gate)))  # [batch time width]
        return x + mixed
