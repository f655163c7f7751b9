"""Fixed convolutions of a sequence and how often each exceeds its thresholds: Dempster et al. (2021), arXiv 2012.08791.

Every kernel has nine taps, three of weight 2 and six of -1, so that there are 84, each at several dilations. A view is
the share of a row's own steps at which a convolution exceeds a threshold, drawn from the training's convolutions, or
the largest it reaches: [batch time channel] -> [batch view]. Several channels: each kernel adds up some of them, drawn.
"""

import math
from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tsrnn.layers.pooling import blank, real

TAPS, _KERNELS = 9, 84
_DILATIONS = 8  # at most
_DRAWN = 8192  # steps of which thresholds are quantiles, at most


class Rocket(nn.Module):
    """Views by fixed kernels; `learn` draws their thresholds.

    Args:
        channels: of the sequence.
        time: steps of the longest one, which the widest kernel spans.
        views: about so many shares, and 84 largest values per dilation beside them.
    """

    dilations: Tensor
    chosen: Tensor  # [dilation kernel channel] of 0 and 1
    thresholds: Tensor  # [dilation kernel threshold], rising

    def __init__(self, channels: int, time: int, views: int) -> None:
        super().__init__()
        widest = math.log2(max(1, (time - 1) / (TAPS - 1)))
        self.steps = sorted({int(2 ** (widest * k / (_DILATIONS - 1))) for k in range(_DILATIONS)})
        count = max(1, views // (_KERNELS * len(self.steps)))
        self.register_buffer("chosen", _drawn(len(self.steps), channels))
        self.register_buffer("thresholds", torch.zeros(len(self.steps), _KERNELS, count))
        self.size = len(self.steps) * _KERNELS * (count + 1)

    def forward(self, sequence: Tensor, steps: Tensor | None) -> Tensor:
        inside = None if steps is None else real(sequence, steps)[:, None]  # [batch 1 time]
        own = sequence.shape[1] if steps is None else steps[:, None]
        views = []
        for place, thresholds in enumerate(self.thresholds):
            rows = self._convolved(sequence, steps, place)  # [batch kernel time]
            rows = rows if inside is None else rows.masked_fill(~inside, -torch.inf)
            views += [(rows > each[:, None]).sum(-1, dtype=rows.dtype) / own for each in thresholds.unbind(-1)]
            views.append(rows.amax(-1))
        return torch.cat(views, -1)

    @torch.no_grad()
    def learn(self, sequence: Tensor, steps: Tensor | None) -> None:
        """Thresholds at even quantiles of what each kernel gives of these rows' own steps, or of some of many."""
        levels = torch.arange(1, self.thresholds.shape[2] + 1) / (self.thresholds.shape[2] + 1)
        for place in range(len(self.steps)):
            rows = self._convolved(sequence, steps, place).mT  # [batch time kernel]
            cells = rows.flatten(0, 1) if steps is None else rows[real(sequence, steps)]  # [step kernel]
            some = cells[torch.randperm(len(cells))[:_DRAWN]] if len(cells) > _DRAWN else cells
            rising = some.sort(0).values
            self.thresholds[place] = rising[(levels * (len(rising) - 1)).round().long()].mT

    def _convolved(self, sequence: Tensor, steps: Tensor | None, place: int) -> Tensor:
        """[batch time channel] -> [batch kernel time], by the dilation at a place."""
        dilation, rows = self.steps[place], blank(sequence, steps).mT
        weight = _weights().to(rows)[:, None] * self.chosen[place, :, :, None]  # [kernel channel tap]
        return F.conv1d(rows, weight, padding=dilation * (TAPS // 2), dilation=dilation)


def _weights() -> Tensor:
    """[kernel tap]."""
    weights = torch.full((_KERNELS, TAPS), -1.0)
    for kernel, taps in enumerate(combinations(range(TAPS), 3)):
        weights[kernel, list(taps)] = 2.0
    return weights


def _drawn(dilations: int, channels: int) -> Tensor:
    """Which channels each kernel adds up: few more often than many, by torch's generator: [dilation kernel channel]."""
    count = (channels + 1) ** torch.rand(dilations, _KERNELS, 1)  # from 1 up to all
    order = torch.rand(dilations, _KERNELS, channels).argsort(-1).argsort(-1)
    return (order < count.floor().clamp(1, min(channels, TAPS))).float()
