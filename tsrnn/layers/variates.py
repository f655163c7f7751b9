"""Variates as a sequence: one token per measured channel, and beside them what else is known of the window.

A model that mixes across variates reads features known ahead and features of the series as further tokens, as Liu et
al. (2023, "iTransformer") read calendar features. Targets stand last, so that a recurrence over the tokens has read all
the others when it reaches them.
"""

import torch
from torch import Tensor, nn

from tsrnn.shapes import Batch, Spec


class Companions(nn.Module):
    """Tokens that are no channels: one for each feature known ahead, past and future, and one for all static ones."""

    def __init__(self, spec: Spec, hidden: int) -> None:
        super().__init__()
        self.known = nn.Linear(spec.input_size + spec.horizon, hidden) if spec.known else None
        self.static = nn.Linear(spec.static, hidden) if spec.static else None
        self.count = spec.known + bool(spec.static)

    def forward(self, batch: Batch) -> list[Tensor]:
        """Each [batch token hidden]; empty where the task has no such features."""
        tokens = []
        if self.static is not None and batch.static is not None:
            tokens.append(self.static(batch.static).unsqueeze(1))
        if self.known is not None and batch.known is not None:
            tokens.append(self.known(batch.known.transpose(1, 2)))
        return tokens


def targets_last(past: Tensor, targets: int) -> Tensor:
    """Channels as rows, the past covariates before the targets: [batch time channel] -> [batch channel time]."""
    return torch.cat([past[..., targets:], past[..., :targets]], -1).transpose(1, 2)
