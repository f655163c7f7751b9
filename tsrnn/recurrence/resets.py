"""Resets inside a sequence: each row falls into stretches, which are rows of their own to every backend.

Stretches of like length run together, so that a few long ones among many short ones cost no more than twice the memory
of the steps themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Stretches:
    """Where every step of a batch belongs, stretches numbered row by row."""

    number: Tensor  # [batch time]: the stretch that a step lies in
    place: Tensor  # [batch time]: the step's place in it
    real: Tensor  # [batch time] bool: not padding
    lengths: Tensor  # [stretch]
    row: Tensor  # [stretch]: the row it was cut from
    ends: tuple[Tensor, Tensor]  # each row's first and last stretch, [batch]
    carried: Tensor  # [batch] bool: the row begins with the state it is given

    def groups(self) -> Iterator[Tensor]:
        """Numbers of the stretches whose lengths round up to one power of two."""
        size = torch.frexp((self.lengths.clamp(min=1) - 0.5).float()).exponent  # [stretch]
        for each in torch.unique(size):
            yield (size == each).nonzero()[:, 0]

    def gather(self, x: Tensor, group: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
        """Stretches of a group side by side [stretch time channel], and where their steps are: `scatter` takes both."""
        position = torch.full_like(self.lengths, -1)
        position[group] = torch.arange(len(group), device=x.device)
        inside = self.real & (position[self.number] >= 0)  # [batch time]
        to, place = position[self.number[inside]], self.place[inside]  # each [step]
        cut = x.new_zeros(len(group), max(1, int(self.lengths[group].max())), x.shape[2])
        return cut.index_put((to, place), x[inside]), (inside, to, place)


def stretches(resets: Tensor, lengths: Tensor | None) -> Stretches:
    """Cut rows at their resets.

    Args:
        resets: [batch time] bool: forget the state before this step.
        lengths: [batch], or None.
    """
    batch, steps = resets.shape
    time = torch.arange(steps, device=resets.device)
    real = torch.ones_like(resets) if lengths is None else time < lengths[:, None]  # [batch time]
    begins = resets & real
    begins[:, 0] = True  # a row without steps has a stretch without steps
    number = begins.flatten().cumsum(0).view(batch, steps) - 1
    began = torch.where(begins, time, 0).cummax(1).values
    row = begins.nonzero()[:, 0]
    counts = torch.bincount(number[real], minlength=len(row))
    ends = number[:, 0], number[:, -1]
    return Stretches(number, time - began, real, counts, row, ends, ~(resets & real)[:, 0])
