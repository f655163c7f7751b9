"""xLSTM's residual block around a memory of matrices: Beck et al. (2024), "xLSTM", arXiv 2405.04517, figure 11.

    u, z = up(LayerNorm(x))                                   twice as wide: what is mixed, and what gates the output
    c = silu(convolution(u))                                  causal, 4 steps, each channel alone
    q, k = W c, v = W u                                       block-diagonal, blocks of 4 channels
    i, f = w c + b                                            one of each per head, exponents (eq. 25, 26)
    x = x + down((GroupNorm(mLSTM(q, k, v, i, f)) + s c) silu(z))     one group per head; s: learnable skip, per channel

Departs from the paper in gates that read what queries and keys read and not the raw input, in smaller blocks where a
head's channels are no multiple of 4, in projections without biases, in forget gates that start open (biases from 3 to
6 over the heads, as in the authors' code; the paper names none) and in dropout behind the block.
[batch time width] -> [batch time width]; step t of the output sees the input's steps up to t and none after.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tsrnn.errors import InputError
from tsrnn.layers.convolution import ShortConvolution
from tsrnn.recurrence.mlstm import mlstm

_BLOCK = 4  # channels
_FACTOR = 2  # inner channels per channel
_OPENEST = (3.0, 6.0)  # forget gates' biases, from the first head to the last


class BlockDiagonal(nn.Module):
    """A linear map of a few neighbouring channels each: [... channels] -> [... channels].

    Args:
        channels: of input and output.
        size: channels of a block; a divisor of the channels.
    """

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels // size, size, size))  # [block in out]
        nn.init.uniform_(self.weight, -(size**-0.5), size**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        blocks, size, _ = self.weight.shape
        rows = x.reshape(-1, blocks, size).transpose(0, 1)  # [block row in]
        return (rows @ self.weight).transpose(0, 1).reshape(x.shape)


class MatrixBlock(nn.Module):
    """Normalise, widen, convolve, remember, gate, narrow, add to the input.

    Args:
        width: channels of input and output.
        heads: memories side by side; a divisor of the inner channels, of which there are two per channel.
        conv: steps that the short causal convolution sees.
        dropout: share dropped of what the block adds.

    Raises:
        InputError: a size below one, or heads that do not divide the inner channels.
    """

    def __init__(self, width: int, heads: int = 4, conv: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        for name, count in {"width": width, "heads": heads, "conv": conv}.items():
            if count < 1:
                raise InputError(f"{name} of an mLSTM block must be at least 1, not {count}")
        inner = _FACTOR * width
        if inner % heads:
            raise InputError(f"heads={heads} must divide {_FACTOR} * hidden_size={inner}")
        size = math.gcd(_BLOCK, inner // heads)
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.inward = nn.Linear(width, 2 * inner, bias=False)
        self.conv = ShortConvolution(inner, conv)
        self.query, self.key, self.value = (BlockDiagonal(inner, size) for _ in range(3))
        self.gates = nn.Linear(inner, 2 * heads)
        self.group = nn.GroupNorm(heads, inner)
        self.skip = nn.Parameter(torch.ones(inner))
        self.outward = nn.Linear(inner, width, bias=False)
        self.dropout = nn.Dropout(dropout)
        with torch.no_grad():
            self.gates.bias[:heads].zero_()
            self.gates.bias[heads:].copy_(torch.linspace(*_OPENEST, heads))

    def forward(self, x: Tensor) -> Tensor:
        """[batch time width] -> [batch time width]."""
        u, gate = self.inward(self.norm(x)).chunk(2, -1)  # each [batch time inner]
        c = F.silu(self.conv(u))  # [batch time inner]
        q, k, v = (
            each.unflatten(-1, (self.heads, -1)) for each in (self.query(c), self.key(c), self.value(u))
        )  # each [batch time head channel]
        enter, forget = self.gates(c).chunk(2, -1)  # each [batch time head]
        y, _ = mlstm(q, k, v, enter, F.logsigmoid(forget))  # [batch time head channel]
        y = self.group(y.reshape(-1, u.shape[-1])).view_as(u) + self.skip * c  # [batch time inner]
        mixed: Tensor = self.dropout(self.outward(y * F.silu(gate)))  # [batch time width]
        return x + mixed
