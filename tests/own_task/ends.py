"""A linear map of a window's last row and of its mean."""

import torch
from torch import Tensor, nn

from tsrnn.models import Model
from tsrnn.models._base import NoOptions
from tsrnn.shapes import Batch, Spec

TASKS = ("newest",)


class Ends(Model):
    tasks = frozenset(TASKS)
    reads = frozenset({"past"})

    def __init__(self, config: NoOptions, spec: Spec) -> None:
        super().__init__(config, spec)
        self.map = nn.Linear(2 * spec.channels, spec.targets * spec.params)

    def forward(self, batch: Batch) -> Tensor:
        read = torch.cat([batch.past[:, -1], batch.past.mean(1)], -1)  # [batch 2*channel]
        return self.map(read).unflatten(-1, (1, self.spec.targets, self.spec.params))


Config = NoOptions
MODEL = Ends
