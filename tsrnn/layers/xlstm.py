"""xLSTM's residual block for cells that mix their memory: Beck et al. (2024), "xLSTM", arXiv 2405.04517, appendix A.

    x = x + GroupNorm(recurrence(LayerNorm(x)))               one group per head
    x = x + down(gelu(up(z)) * gate(z)), z = LayerNorm(x)     a gated feed-forward, 4/3 as wide inside

Departs from the paper in that the cell's matrices are full where it has one block per head (so that heads are groups
of the normalisation alone), in that no short convolution feeds the gates, and in dropout behind both parts.
[batch time width] -> [batch time width].
"""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from tsrnn.errors import InputError
from tsrnn.recurrence import Recurrent


class GatedFeedForward(nn.Module):
    """down(gelu(up) * gate), at every step alone: [... width] -> [... width]; 4/3 as wide inside as outside."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = -(-4 * width // 3)
        self.up = nn.Linear(width, 2 * inner)
        self.down = nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.up(x).chunk(2, -1)  # each [... inner]
        lowered: Tensor = self.down(F.gelu(value) * gate)
        return lowered


class RecurrentBlock(nn.Module):
    """Recurrence, then feed-forward, each behind a normalisation and added to what went in.

    Args:
        width: channels of input and output.
        cell: any cell; the paper's is "slstm".
        heads: groups in which the recurrence's outputs are normalised; a divisor of the width.
        bidirectional: run a second recurrence backwards and mix the two linearly.
        dropout: share dropped of what each part adds.

    Raises:
        InputError: the heads do not divide the width.
    """

    def __init__(
        self, width: int, cell: str | type = "slstm", heads: int = 4, bidirectional: bool = False, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if heads < 1 or width % heads:
            raise InputError(f"heads={heads} must divide hidden_size={width}")
        self.before = nn.LayerNorm(width)
        self.recurrent = Recurrent(cell, width, width, bidirectional=bidirectional)
        self.merge = nn.Linear(2 * width, width) if bidirectional else nn.Identity()
        self.group = nn.GroupNorm(heads, width)
        self.between = nn.LayerNorm(width)
        self.feed = GatedFeedForward(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """[batch time width] -> [batch time width]."""
        mixed = self.merge(self.recurrent(self.before(x))[0])  # [batch time width]
        x = x + self.dropout(self.group(mixed.flatten(0, 1)).view_as(x))
        fed: Tensor = self.dropout(self.feed(self.between(x)))
        return x + fed


def stack(width: int, blocks: int, **options: Any) -> nn.Sequential:
    """Blocks of the same options, and a last normalisation: [batch time width] -> [batch time width].

    Raises:
        InputError: no block, or options that fit none.
    """
    if blocks < 1:
        raise InputError(f"num_layers must be at least 1, not {blocks}")
    return nn.Sequential(*(RecurrentBlock(width, **options) for _ in range(blocks)), nn.LayerNorm(width))
