"""Recurrences that embed, recover, generate, supervise and tell apart, trained together: TimeGAN, step by step.

Yoon, Jarrett, van der Schaar 2019, "Time-series Generative Adversarial Networks", NeurIPS. A sequence is embedded step
by step and recovered from it (eq. 3, 4); a generator makes such embeddings of noise at each step, a supervisor moves
them one step on (eq. 11), a discriminator tells them from real ones at each step (eq. 5, 9), and what is recovered has
the mean and the deviation of what was learnt. First the autoencoder is trained, then the supervisor, then all of them:
two steps of the generator and of the autoencoder to one of the discriminator, which waits while it is well ahead. The
losses weigh as in the authors' code. The plain baseline of `rtsgan`.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tsrnn.layers.ranges import Ranges
from tsrnn.models._base import Generative
from tsrnn.options import choice, span
from tsrnn.phases import Descent, Lesson, Phase
from tsrnn.recurrence import Recurrent
from tsrnn.shapes import Batch, Spec

_AHEAD = 0.15  # loss of the discriminator below which it waits
_SUPERVISED, _MOMENTS, _RECOVERED = 100.0, 100.0, 10.0  # weights of losses
_SHARES = (0.2, 0.2, 0.6)  # of the time


@dataclass(frozen=True)
class Config:
    cell: str | type = "gru"
    hidden_size: int = choice(24, 12, 24, 48)
    num_layers: int = span(2, 1, 3)
    steps: int = 2000  # of the joint training, and as many of each of the others
    cell_options: dict[str, Any] = field(default_factory=dict)  # the cell's own, such as {"forget_bias": 2.0}


class TimeGAN(Generative):
    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.ranges = Ranges(spec.targets)
        hidden, targets = config.hidden_size, spec.targets
        self.embedder = _Net(config, targets, hidden)
        self.recovery = _Net(config, hidden, targets)
        self.generator = _Net(config, targets, hidden)
        self.supervisor = _Net(config, hidden, hidden)
        self.discriminator = _Net(config, hidden, 1)

    def forward(self, batch: Batch) -> Tensor:
        past = self.ranges.inside(batch.past[..., : self.spec.targets])
        return self.ranges.outside(self._recover(self._embed(past))).unsqueeze(-1)

    def sequences(self, count: int, generator: torch.Generator) -> Tensor:
        shape = (count, self.spec.input_size, self.spec.targets)
        noise = torch.rand(*shape, generator=generator).to(self.ranges.low)
        hidden = self.supervisor(self.generator(noise).sigmoid()).sigmoid()
        return self.ranges.outside(self._recover(hidden))

    def phases(self, lesson: Lesson, rate: float) -> list[Phase]:
        for first, real in enumerate(lesson.all(self.ranges.low)):
            self.ranges.widen(real, not first)
        drawn = map(self.ranges.inside, lesson.drawn(self.recovery.readout.weight))
        autoencoder = Descent([self.embedder, self.recovery], rate)
        supervisor = Descent([self.supervisor], rate)
        makers = Descent([self.generator, self.supervisor], rate)
        discriminator = Descent([self.discriminator], rate)

        def embedding() -> float:
            return autoencoder(self._unlike(next(drawn)))

        def supervised() -> float:
            with torch.no_grad():
                hidden = self._embed(next(drawn))
            return supervisor(_root(self._behind(hidden)))

        def jointly() -> float:
            for _ in range(2):
                real = next(drawn)
                makers(self._unconvincing(real))
                autoencoder(self._unlike(real) + 0.1 * self._behind(self._embed(real)))
            loss = self._untold(next(drawn))
            return discriminator(loss) if loss > _AHEAD else float(loss)

        steps = lesson.steps(self.config.steps)
        jobs = {"autoencoder": embedding, "supervisor": supervised, "joint training": jointly}
        return [Phase(name, steps, step, share) for (name, step), share in zip(jobs.items(), _SHARES, strict=True)]

    def _embed(self, real: Tensor) -> Tensor:
        hidden: Tensor = self.embedder(real).sigmoid()
        return hidden

    def _recover(self, hidden: Tensor) -> Tensor:
        sequence: Tensor = self.recovery(hidden).sigmoid()
        return sequence

    def _make(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings made of noise of that shape, as the generator and as the supervisor has them."""
        first = self.generator(torch.rand_like(like)).sigmoid()
        return first, self.supervisor(first).sigmoid()

    def _unlike(self, real: Tensor) -> Tensor:
        return _RECOVERED * _root(F.mse_loss(self._recover(self._embed(real)), real))

    def _behind(self, hidden: Tensor) -> Tensor:
        """How far the supervisor's next step lies from the one that came."""
        return F.mse_loss(self.supervisor(hidden).sigmoid()[:, :-1], hidden[:, 1:])

    def _unconvincing(self, real: Tensor) -> Tensor:
        """What generator and supervisor lessen."""
        with torch.no_grad():
            hidden = self._embed(real)
        first, second = self._make(real)
        made = self._recover(second)
        deceived = sum(_called(self.discriminator(each), 1.0) for each in (first, second))
        apart = (made.mean(0) - real.mean(0)).abs().mean()
        apart = apart + ((made.var(0) + 1e-6).sqrt() - (real.var(0) + 1e-6).sqrt()).abs().mean()
        return deceived + _SUPERVISED * _root(self._behind(hidden)) + _MOMENTS * apart

    def _untold(self, real: Tensor) -> Tensor:
        """What the discriminator lessens."""
        with torch.no_grad():
            hidden, made = self._embed(real), self._make(real)
        return _called(self.discriminator(hidden), 1.0) + sum(_called(self.discriminator(each), 0.0) for each in made)


class _Net(nn.Module):
    """Recurrent layers and a map of each step's output: [batch time inward] -> [batch time outward]."""

    def __init__(self, config: Config, inward: int, outward: int) -> None:
        super().__init__()
        self.recurrent = Recurrent(config.cell, inward, config.hidden_size, config.num_layers, **config.cell_options)
        self.readout = nn.Linear(self.recurrent.output_size, outward)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.readout(self.recurrent(x)[0])
        return answer


def _root(loss: Tensor) -> Tensor:
    return (loss + 1e-8).sqrt()


def _called(logits: Tensor, label: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


FAMILY = "recurrent"
TASKS = ("generate",)
ABOUT = "Makes sequences step by step: five recurrences that embed, recover, generate, supervise and tell apart"
PAPER = "Yoon et al. 2019, NeurIPS"
MODEL = TimeGAN
