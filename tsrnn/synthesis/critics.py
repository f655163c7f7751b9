"""Small recurrences that judge made sequences: can they be told from real ones, and is what they teach true?

Yoon, Jarrett, van der Schaar 2019, "Time-series Generative Adversarial Networks", NeurIPS, section 5.1, and their code:
a GRU of half as many units as channels (here two at least), Adam, batches of 128.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tsrnn.arrays import Floats
from tsrnn.recurrence import Recurrent

_BATCH = 128
_FEWEST = 2  # units
_STEPS = {"discriminative": 2000, "predictive": 5000}
_TRAIN = 0.8  # of the sequences; the critic is judged on the others


class _Critic(nn.Module):
    """Each step's answer from the steps up to it: [batch time channel] -> [batch time]."""

    def __init__(self, read: int, channels: int) -> None:
        super().__init__()
        self.recurrent = Recurrent("gru", read, max(_FEWEST, channels // 2))
        self.readout = nn.Linear(self.recurrent.output_size, 1)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.readout(self.recurrent(x)[0])
        return answer.squeeze(-1)


def discriminative(real: Floats, made: Floats, seed: int, most: int | None = None) -> float:
    """How far from a half the accuracy of a critic is that tells made sequences from real ones, 0 to 0.5.

    It learns from four fifths of both and is judged on the others; its last state decides.

    Args:
        real: [sequence time channel], each channel between 0 and 1.
        made: likewise, as many.
        seed: of the critic's weights, the split and the batches.
        most: steps of its training; None: 2,000, which are the most.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        learnt, judged = zip(*(_parted(each) for each in (real, made)), strict=True)
        critic = _Critic(real.shape[2], real.shape[2])
        optimizer = torch.optim.Adam(critic.parameters())
        true_ones, false_ones = map(_drawn, learnt)
        for _ in range(_taken("discriminative", most)):
            true, false = next(true_ones), next(false_ones)
            logits = critic(torch.cat([true, false]))[:, -1]
            _step(optimizer, F.binary_cross_entropy_with_logits(logits, _labels(true, false)))
        with torch.no_grad():
            right = (critic(torch.cat(judged))[:, -1] > 0) == (_labels(*judged) > 0)
    return abs(float(right.float().mean()) - 0.5)


def predictive(real: Floats, made: Floats, seed: int, most: int | None = None) -> float:
    """Mean absolute error, on real sequences, of a critic that learnt from made ones alone.

    It forecasts the last channel one step ahead from all others, or from its own past where there is no other. The
    fewer steps of real sequences it misses by, the more what was made is good for; with real sequences in place of made
    ones it says how well can be done at all.

    Args, and their shapes: as `discriminative`; `most`: None: 5,000.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        read = max(1, real.shape[2] - 1)
        critic = _Critic(read, real.shape[2])
        optimizer = torch.optim.Adam(critic.parameters())

        def error(sequences: Tensor) -> Tensor:
            forecast: Tensor = critic(sequences[:, :-1, :read]).sigmoid()
            return F.l1_loss(forecast, sequences[:, 1:, -1])

        drawn = _drawn(torch.from_numpy(made).float())
        for _ in range(_taken("predictive", most)):
            _step(optimizer, error(next(drawn)))
        with torch.no_grad():
            return float(error(torch.from_numpy(real).float()))


def _taken(measure: str, most: int | None) -> int:
    return min(_STEPS[measure], most or _STEPS[measure])


def _parted(sequences: Floats) -> tuple[Tensor, Tensor]:
    shuffled = torch.from_numpy(sequences).float()[torch.randperm(len(sequences))]
    count = round(_TRAIN * len(shuffled))
    return shuffled[:count], shuffled[count:]


def _drawn(sequences: Tensor) -> Iterator[Tensor]:
    while True:
        yield sequences[torch.randint(len(sequences), (_BATCH,))]


def _labels(true: Tensor, false: Tensor) -> Tensor:
    return torch.cat([torch.ones(len(true)), torch.zeros(len(false))])


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
    optimizer.step()
