"""Retrieval: what followed the training windows that are most like this one (RAFT: Han et al. 2025, ICML).

Likeness is the correlation of one channel's look-backs. A forecast is the mean of the centred futures of the nearest,
weighed by exp(correlation / temperature), added to where this window is centred.
"""

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from tsrnn.layers.centring import Centring, centre
from tsrnn.windows import Windows

_KEYS, _MOST = 6000, 50  # training windows that are looked at, evenly spread; the nearest that are kept
_CHUNK = 64  # windows at a time
COUNTS, TEMPERATURES = (5, 20, 50), (0.01, 0.1, float("inf"))


@dataclass(frozen=True)
class Setting:
    """How neighbours are put together.

    Args:
        count: how many.
        temperature: infinite: all count alike.
        stretched: futures are stretched as far as the window's deviation is that of the neighbour's.
    """

    count: int
    temperature: float
    stretched: bool

    def __str__(self) -> str:
        return f"{self.count} nearest, temperature {self.temperature:g}{', stretched' * self.stretched}"


SETTINGS = tuple(Setting(*each) for each in product(COUNTS, TEMPERATURES, (False, True)))


class Neighbours:
    """The training windows, and which of them each window is most like."""

    def __init__(self, train: Windows, centring: Centring, season: int) -> None:
        self.centring, self.season = centring, season
        keys, futures, deviations = zip(*map(self._parts, train.thinned(_KEYS).batches(512)), strict=True)
        self.keys = torch.cat(keys, 1)  # [channel key time]
        self.futures = torch.cat(futures, 1)  # [channel key horizon]
        self.deviations = torch.cat(deviations, 1)  # [channel key]

    def _parts(self, batch: object) -> tuple[Tensor, Tensor, Tensor]:
        """Windows of unit length about their mean, centred futures, deviations."""
        level = centre(batch.past, self.centring, self.season).loc
        window = (batch.past - batch.past.mean(1, keepdim=True)).permute(2, 0, 1)  # [channel batch time]
        length = window.norm(dim=2).clamp(min=1e-6)
        return window / length[..., None], (batch.target - level).permute(2, 0, 1), length

    def of(self, windows: Windows) -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
        """Of each chunk of windows: correlations and places of the nearest [channel batch near], deviations, levels."""
        chunks = []
        for batch in windows.batches(_CHUNK):
            rows, _, deviations = self._parts(batch)
            near = (rows @ self.keys.transpose(1, 2)).topk(_MOST, dim=2)
            level = centre(batch.past, self.centring, self.season).loc
            chunks.append((near.values, near.indices, deviations, level))
        return chunks

    def forecast(self, chunks: list[tuple[Tensor, Tensor, Tensor, Tensor]], setting: Setting) -> Tensor:
        """[window horizon target]."""
        told, channels = [], torch.arange(len(self.keys))[:, None, None]
        for alike, places, deviations, level in chunks:
            alike, places = alike[..., : setting.count], places[..., : setting.count]
            weight = (alike / setting.temperature).softmax(2)
            if setting.stretched:
                weight = weight * (deviations[..., None] / self.deviations[channels, places]).clamp(max=4)
            futures = self.futures[channels, places]  # [channel batch near horizon]
            told.append((weight[:, :, None] @ futures).squeeze(2).permute(1, 2, 0) + level)
        return torch.cat(told)
