"""Representations of sequences, learnt by contrast, and the Frechet distance between two sets of them: Context-FID.

Jeha et al. 2022, "PSA-GAN", ICLR, section 4.2: the Frechet distance of Heusel et al. (2017, arXiv 1706.08500) between
representations by the encoder of Franceschi et al.; the field has since taken TS2Vec's (Yue et al. 2022, arXiv
2106.10466), as Diffusion-TS (Yuan & Qiao 2024, arXiv 2403.01742) does. The encoder here is written after TS2Vec's
paper: a linear map, masked at random steps, ten dilated convolutions with residuals, 320 numbers a step; two crops that
overlap must say the same of a step (over steps, and over sequences, at every scale of a max-pooling in time), 200 steps
with 8 sequences; a sequence is the maximum over its steps, and an average of the weights is what encodes.

It differs from theirs in that dilations stop at the length of a sequence (theirs go on to 512, reading nothing but
padding), in the ends of the crops, which all sequences of a batch share, and in its random numbers.
"""

import copy

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tsrnn.arrays import Floats

_HIDDEN, _OUTPUT, _DEPTH = 64, 320, 10
_STEPS, _BATCH, _RATE = 200, 8, 1e-3
_DROPOUT = 0.1
_ENCODED = 256  # sequences encoded at once


class Encoder(nn.Module):
    """[batch time channel] -> [batch time 320]."""

    def __init__(self, channels: int, length: int) -> None:
        super().__init__()
        self.inward = nn.Linear(channels, _HIDDEN)
        widths = [_HIDDEN] * (_DEPTH + 1) + [_OUTPUT]
        reach = max(1, (length - 1).bit_length())
        self.blocks = nn.ModuleList(_Block(widths[k], widths[k + 1], 2 ** min(k, reach)) for k in range(_DEPTH + 1))
        self.dropout = nn.Dropout(_DROPOUT)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.inward(x)
        if self.training:
            hidden = hidden * (torch.rand(*x.shape[:2], 1) < 0.5)
        for block in self.blocks:
            hidden = block(hidden)
        answer: Tensor = self.dropout(hidden)
        return answer


class _Block(nn.Module):
    """[batch time inward] -> [batch time outward]."""

    def __init__(self, inward: int, outward: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.first, self.second = nn.Linear(3 * inward, outward), nn.Linear(3 * outward, outward)
        self.beside = nn.Linear(inward, outward) if inward != outward else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.gelu(self.first(self._around(F.gelu(x))))
        answer: Tensor = self.second(self._around(hidden)) + self.beside(x)
        return answer

    def _around(self, x: Tensor) -> Tensor:
        """Each step beside those `dilation` before and behind it: what a convolution of width three reads."""
        padded = F.pad(x, (0, 0, self.dilation, self.dilation))
        steps = x.shape[1]
        return torch.cat([padded[:, k * self.dilation : k * self.dilation + steps] for k in range(3)], -1)


def learn(real: Floats, seed: int, most: int | None = None) -> Encoder:
    """An encoder of sequences [sequence time channel], learnt from them alone, in 200 steps or the fewer asked."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        values = torch.from_numpy(real).float()
        length = values.shape[1]
        encoder = Encoder(values.shape[2], length)
        average, optimizer = copy.deepcopy(encoder), torch.optim.AdamW(encoder.parameters(), lr=_RATE)
        for step in range(min(_STEPS, most or _STEPS)):
            drawn = values[torch.randint(len(values), (min(_BATCH, len(values)),))]
            begin, first, last, end = _crops(length)
            left = encoder(drawn[:, begin:last])[:, first - begin :]
            right = encoder(drawn[:, first:end])[:, : last - first]
            loss = contrast(left, right)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
            optimizer.step()
            with torch.no_grad():
                for kept, moved in zip(average.parameters(), encoder.parameters(), strict=True):
                    kept.lerp_(moved, 1 / (step + 1))
    return average.eval()


@torch.no_grad()
def represent(encoder: Encoder, sequences: Floats) -> Floats:
    """[sequence time channel] -> [sequence 320], the maximum over time."""
    parts = torch.from_numpy(sequences).float().split(_ENCODED)  # type: ignore[no-untyped-call]  # torch has no type
    answer: Floats = torch.cat([encoder(part).amax(1) for part in parts]).double().numpy()
    return answer


def contrast(left: Tensor, right: Tensor) -> Tensor:
    """The loss of two views [batch time 320] of the same steps, at every scale (TS2Vec, algorithm 1)."""
    losses = []
    while left.shape[1] > 1:
        losses.append(0.5 * (_apart(left.transpose(0, 1), right.transpose(0, 1)) + _apart(left, right)))
        left, right = (F.max_pool1d(each.mT, 2).mT for each in (left, right))
    losses.append(0.5 * _apart(left.transpose(0, 1), right.transpose(0, 1)))
    return torch.stack(losses).mean()


def _apart(left: Tensor, right: Tensor) -> Tensor:
    """Each view's own other one against all else of its row: [row item width], items told apart (eq. 1 and 2)."""
    count = left.shape[1]
    if count == 1:
        return left.new_zeros(())
    both = torch.cat([left, right], 1)  # [row 2*item width]
    alike = (both @ both.mT).masked_fill(torch.eye(2 * count, dtype=torch.bool), -torch.inf)
    other = torch.arange(2 * count).roll(count)
    return F.cross_entropy(alike.flatten(0, 1), other.repeat(len(left)))


def _crops(length: int) -> tuple[int, int, int, int]:
    """Rows begin <= first < last <= end: [begin, last) and [first, end) overlap in [first, last)."""
    overlap = int(torch.randint(2, length + 1, ())) if length > 2 else length
    first = int(torch.randint(0, length - overlap + 1, ()))
    last = first + overlap
    return int(torch.randint(0, first + 1, ())), first, last, int(torch.randint(last, length + 1, ()))


def frechet(one: Floats, other: Floats) -> float:
    """Frechet distance of two normal distributions with the means and covariances of [row width] each."""
    means, spreads = zip(*((each.mean(0), np.cov(each, rowvar=False)) for each in (one, other)), strict=True)
    values, vectors = np.linalg.eigh(spreads[0])
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    common = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ spreads[1] @ root), 0)).sum()
    return float(((means[0] - means[1]) ** 2).sum() + np.trace(spreads[0]) + np.trace(spreads[1]) - 2 * common)
