"""Convolutions over time with batch normalisation, each centred on its step: Wang et al. (2017), arXiv 1611.06455, FCN.

[batch time channel] -> [batch time width]. A row's padding, which stands behind, is as nothing to every layer: it is
blank before each convolution, and counts in no mean and no variance.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tsrnn.layers.pooling import blank, real

KERNELS = (8, 5, 3)  # steps that the three layers see
_WIDTHS = (1, 2, 1)  # of the layers, in filters


class FullConvolution(nn.Module):
    """Three layers, the middle one twice as wide.

    Args:
        channels: of the input.
        filters: of the first layer, and of the output.
    """

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        widths = [channels, *(filters * share for share in _WIDTHS)]
        self.layers = nn.ModuleList(
            nn.Conv1d(before, after, kernel, bias=False)
            for before, after, kernel in zip(widths[:-1], widths[1:], KERNELS, strict=True)
        )
        self.norms = nn.ModuleList(StepNorm(width) for width in widths[1:])

    def forward(self, sequence: Tensor, steps: Tensor | None) -> Tensor:
        x = blank(sequence, steps)
        for layer, norm, kernel in zip(self.layers, self.norms, KERNELS, strict=True):
            x = layer(F.pad(x.mT, ((kernel - 1) // 2, kernel // 2))).mT  # [batch time width]
            x = blank(norm(x, steps).relu(), steps)
        return x


class StepNorm(nn.Module):
    """Batch normalisation over the rows' own steps (Ioffe & Szegedy 2015, arXiv 1502.03167)."""

    mean: Tensor
    var: Tensor

    def __init__(self, width: int, follow: float = 0.1) -> None:
        """`follow`: share by which the mean and variance kept for later move towards each batch's."""
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("var", torch.ones(width))
        self.follow = follow

    def forward(self, x: Tensor, steps: Tensor | None) -> Tensor:
        """[batch time width] -> [batch time width], of any numbers in the padding."""
        if steps is None:
            return self._normed(x.mT).mT
        if not self.training:
            return self._normed(x.flatten(0, 1)).view_as(x)
        inside = real(x, steps)
        return torch.zeros_like(x).masked_scatter(inside[..., None], self._normed(x[inside]))

    def _normed(self, x: Tensor) -> Tensor:
        several = self.training and x.numel() > x.shape[1]
        return F.batch_norm(x, self.mean, self.var, self.weight, self.bias, several, self.follow)
