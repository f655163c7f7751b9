"""Parallel multi-step decoding: Lin et al. (2023), "SegRNN", arXiv 2308.11200, section 3.3.

Every future segment takes the encoder's last state through one step of the decoder cell, fed with an embedding of the
segment's place and of the channel. The recurrent product depends on the state alone and the input product on place and
channel alone, so each is computed once and they meet element by element: the numbers of stepping the repeated state,
for as many times fewer products as there are segments.
"""

import torch
from torch import Tensor, nn

from tsrnn.cells import Cell
from tsrnn.shapes import State


class Places(nn.Module):
    """Embeddings of future segments, half of them the channel's where it has one.

    Args:
        width: inputs of the decoder cell.
        steps: future segments.
        channels: series that have an embedding of their own; 0: none has.
    """

    def __init__(self, width: int, steps: int, channels: int) -> None:
        super().__init__()
        half = width // 2 if channels else 0
        self.position = nn.Parameter(torch.randn(steps, width - half))
        self.channel = nn.Parameter(torch.randn(channels, half)) if channels else None

    def forward(self, channels: int) -> Tensor:
        """[channel step width], of as many channels as the batch has."""
        where = self.position.expand(channels, -1, -1)  # [channel step width-half]
        if self.channel is None:
            return where
        return torch.cat([where, self.channel.unsqueeze(1).expand(-1, len(self.position), -1)], -1)


def multistep(cell: Cell, where: Tensor, final: State) -> Tensor:
    """One step of the cell for all future segments at once.

    Args:
        cell: the decoder.
        where: [channel step width], as `Places` makes it.
        final: the encoder's last state, each [batch*channel hidden].

    Returns:
        the decoder's first state [batch channel step hidden].
    """
    x = cell.project(where).unsqueeze(0).chunk(len(cell.gates), -1)  # each [1 channel step hidden]
    state = tuple(each.view(-1, len(where), 1, each.shape[-1]) for each in final)  # each [batch channel 1 hidden]
    following, _ = cell.step(x, cell.products(x, state), state)
    return following[0].expand(len(state[0]), *where.shape[:2], -1)  # a cell may leave the state or the place unread
