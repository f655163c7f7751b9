"""Instance centring: a window is shifted (and scaled) by its own past, and the forecast is shifted back.

Sources: last value, NLinear (Zeng et al. 2023, sec. 4); mean and deviation, RevIN without its affine map
(Kim et al. 2022); last season, the mean of the newest `season` steps: less noisy than the last value and, unlike the
mean of the whole window, still near the present.
"""

from typing import Literal

import torch
from torch import Tensor

from tsrnn.scale import Affine

Centring = Literal["none", "last", "season", "mean", "revin"]


def centre(past: Tensor, kind: Centring, season: int, lengths: Tensor | None = None) -> Affine:
    """past [batch time channel] -> loc, scale [batch 1 channel]: `apply` to the past, `invert` on the forecast.

    Of a row's past only its newest `lengths` [batch] steps are looked at; None: all of them.
    """
    newest = past[:, -1:]
    if kind == "none":
        return Affine(torch.zeros_like(newest), torch.ones_like(newest))
    if kind == "revin":
        if lengths is None:
            variance, loc = torch.var_mean(past, 1, correction=0, keepdim=True)
        else:
            loc = _mean(past, lengths)
            variance = _mean((past - loc).square(), lengths)
        return Affine(loc, (variance + 1e-5).sqrt())
    span = {"last": 1, "season": season, "mean": past.shape[1]}[kind]
    return Affine(_mean(past[:, -span:], lengths), torch.ones_like(newest))


def _mean(values: Tensor, lengths: Tensor | None) -> Tensor:
    """Mean over each row's newest steps: [batch time channel] -> [batch 1 channel]."""
    if lengths is None:
        return values.mean(1, keepdim=True)
    counts = lengths.clamp(1, values.shape[1])  # [batch]
    padding = torch.arange(values.shape[1], 0, -1, device=values.device) > counts[:, None]  # [batch time]
    return values.masked_fill(padding[..., None], 0.0).sum(1, keepdim=True) / counts[:, None, None]
