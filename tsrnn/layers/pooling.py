"""A sequence's steps made one view of it, over its own steps alone: [batch time width] -> [batch width].

Rows are padded behind (`tsrnn.layers.lengths.to_front`), and `steps` [batch] says how many of each are its
own; None: all.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def blank(sequence: Tensor, steps: Tensor | None) -> Tensor:
    """Rows with nothing in their padding, whatever stood there: [batch time width]."""
    if steps is None:
        return sequence
    return sequence.masked_fill(~real(sequence, steps)[..., None], 0.0)


def real(sequence: Tensor, steps: Tensor) -> Tensor:
    """Which steps are a row's own: [batch time] bool."""
    return torch.arange(sequence.shape[1], device=sequence.device) < steps[:, None]


def last(sequence: Tensor, steps: Tensor | None) -> Tensor:
    """Each row's own last step."""
    if steps is None:
        return sequence[:, -1]
    at = (steps - 1)[:, None, None].expand(-1, 1, sequence.shape[2])
    return sequence.gather(1, at)[:, 0]


def mean(sequence: Tensor, steps: Tensor | None) -> Tensor:
    """The mean of each row's own steps."""
    if steps is None:
        return sequence.mean(1)
    return blank(sequence, steps).sum(1) / steps[:, None]


def largest(sequence: Tensor, steps: Tensor | None) -> Tensor:
    """The largest of each row's own steps, channel by channel."""
    if steps is None:
        return sequence.amax(1)
    return sequence.masked_fill(~real(sequence, steps)[..., None], -torch.inf).amax(1)


def thinned(sequence: Tensor, steps: Tensor | None, every: int) -> tuple[Tensor, Tensor | None]:
    """Means of `every` own steps in a row, the last of them of as many as are left, and how many there are."""
    if every == 1:
        return sequence, steps
    batch, time, width = sequence.shape
    count = -(-time // every)
    blocks = F.pad(blank(sequence, steps), (0, 0, 0, count * every - time)).view(batch, count, every, width)
    own = time if steps is None else steps[:, None]
    first = every * torch.arange(count, device=sequence.device)
    held = torch.as_tensor(own - first).clamp(1, every)  # [batch-or-none count]
    return blocks.sum(2) / held[..., None], None if steps is None else (steps + every - 1) // every


class Attention(nn.Module):
    """Each row's own steps, weighted by what the training finds telling: Yang et al. 2016, equations 5 to 7."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.seen = nn.Linear(width, width)
        self.telling = nn.Linear(width, 1, bias=False)

    def forward(self, sequence: Tensor, steps: Tensor | None) -> Tensor:
        weight = self.telling(self.seen(sequence).tanh())[..., 0]  # [batch time]
        if steps is not None:
            weight = weight.masked_fill(~real(sequence, steps), -torch.inf)
        view: Tensor = (weight.softmax(1).unsqueeze(1) @ blank(sequence, steps))[:, 0]
        return view
