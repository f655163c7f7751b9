"""A recurrent autoencoder writes each sequence as a code; a generator learns, against a critic, to write such codes.

Pei et al. 2021, "Towards Generating Real-World Time Series Data" (RTSGAN), ICDM, arXiv 2111.08386. A code is made of
the encoder's last state and of the mean and the greatest of its outputs; generator and critic are Wasserstein's with a
gradient penalty (Gulrajani et al. 2017, arXiv 1704.00028) in the space of codes, and a recurrent decoder makes
sequences of what the generator writes. The autoencoder is trained first and then stays as it is.

Departs from it: the decoder reads the code and which step it is, instead of its own output of the step before; the
generator meets codes on their principal axes, each of unit variance but for the narrowest, which hold noise; it learns
more slowly than the critic (Heusel et al. 2017, arXiv 1706.08500); its moving average writes what is sampled; no value
leaves the range of those learnt from.
"""

import copy
from collections.abc import Callable
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

_PENALTY = 10.0  # on the critic's gradient, as Gulrajani et al. have it
_LEAST = 1e-2  # variance of a code's axis, over that of the widest
_SLOWER = 3.0  # the critic's learning rate over the generator's, as Heusel et al. have it
_AVERAGING = 0.999  # of the generator's weights
_STEP = 16  # numbers that say which step it is
_CLIP = 1.0  # largest gradient of the autoencoder
_SHARES = (0.4, 0.6)  # of the time


@dataclass(frozen=True)
class Config:
    cell: str | type = "gru"
    hidden_size: int = choice(64, 32, 64, 128)
    num_layers: int = span(1, 1, 3)
    code_size: int = choice(32, 16, 32, 64)
    width: int = choice(128, 64, 128, 256)  # of the layers of generator and critic
    encoding_steps: int = 2500  # of the autoencoder
    steps: int = 4000  # of the generator
    critic_steps: int = 2  # of the critic to one of the generator
    critic_rate: float = span(5e-4, 1e-4, 1e-3, log=True)  # learning rate of the critic, and thrice the generator's
    critic_batch: int = 128  # codes of a step
    cell_options: dict[str, Any] = field(default_factory=dict)  # the cell's own, such as {"forget_bias": 2.0}


class RTSGAN(Generative):
    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        hidden, code = config.hidden_size, config.code_size
        self.encoder = Recurrent(config.cell, spec.targets, hidden, config.num_layers, **config.cell_options)
        self.pooled = nn.Linear(3 * hidden, code)
        self.place = nn.Parameter(torch.randn(spec.input_size, _STEP))
        self.decoder = Recurrent(config.cell, code + _STEP, hidden, config.num_layers, **config.cell_options)
        self.readout = nn.Linear(hidden, spec.targets)
        self.axes, self.ranges = _Axes(code), Ranges(spec.targets)
        self.generator = _layers(code, config.width, code)
        self.critic = _layers(code, config.width, 1)
        self.writer = copy.deepcopy(self.generator).requires_grad_(False)  # the generator's moving average

    def encode(self, sequence: Tensor) -> Tensor:
        """[batch time target] -> [batch code]."""
        outputs, _ = self.encoder(sequence)
        code: Tensor = self.pooled(torch.cat([outputs[:, -1], outputs.mean(1), outputs.amax(1)], -1))
        return code

    def decode(self, code: Tensor) -> Tensor:
        """[batch code] -> [batch time target]."""
        place = self.place.expand(len(code), -1, -1)
        outputs, _ = self.decoder(torch.cat([code.unsqueeze(1).expand(-1, place.shape[1], -1), place], -1))
        sequence: Tensor = self.readout(outputs)
        return sequence

    def forward(self, batch: Batch) -> Tensor:
        return self.decode(self.encode(batch.past[..., : self.spec.targets])).unsqueeze(-1)

    def sequences(self, count: int, generator: torch.Generator) -> Tensor:
        noise = torch.randn(count, self.config.code_size, generator=generator).to(self.place)
        return self.ranges.held(self.decode(self.axes.back(self.writer(noise))))

    def phases(self, lesson: Lesson, rate: float) -> list[Phase]:
        for first, real in enumerate(lesson.all(self.place)):
            self.ranges.widen(real, not first)
        first, second = lesson.steps(self.config.encoding_steps), lesson.steps(self.config.steps)
        write = _Adversaries(self, second)
        return [
            Phase("autoencoder", first, self._encoding(lesson, rate, first), _SHARES[0]),
            Phase("generator", second, write.step, _SHARES[1], lambda: write.begin(lesson)),
        ]

    def _encoding(self, lesson: Lesson, rate: float, steps: int) -> Callable[[], float]:
        drawn = lesson.drawn(self.place)
        parts: list[nn.Module | nn.Parameter] = [self.encoder, self.pooled, self.place, self.decoder, self.readout]
        descent = Descent(parts, 2 * rate, steps, clip=_CLIP)

        def step() -> float:
            real = next(drawn)
            return descent(F.mse_loss(self.decode(self.encode(real)), real))

        return step


class _Adversaries:
    """Generator and critic in turn, over the codes of all that is learnt from."""

    def __init__(self, model: RTSGAN, steps: int) -> None:
        self.model, rate = model, model.config.critic_rate
        self.critic = Descent([model.critic], rate, steps, (0.0, 0.9))
        self.generator = Descent([model.generator], rate / _SLOWER, steps, (0.0, 0.9))
        self.taken = 0

    @torch.no_grad()
    def begin(self, lesson: Lesson) -> None:
        model = self.model
        codes = torch.cat([model.encode(real) for real in lesson.all(model.place)])
        model.axes.learn(codes)
        self.codes = model.axes(codes)
        model.writer.load_state_dict(model.generator.state_dict())

    def step(self) -> float:
        """The distance that the critic sees, after its steps and one of the generator."""
        model, size, distance = self.model, self.model.config.critic_batch, 0.0
        for _ in range(model.config.critic_steps):
            real = self.codes[torch.randint(len(self.codes), (size,), device=self.codes.device)]
            with torch.no_grad():
                made = model.generator(torch.randn_like(real))
            apart = model.critic(made).mean() - model.critic(real).mean()
            self.critic(apart + _PENALTY * self._steepness(real, made))
            distance = -float(apart.detach())
        self.generator(-model.critic(model.generator(torch.randn_like(real))).mean())
        self.taken += 1
        keep = min(_AVERAGING, self.taken / (10 + self.taken))  # the random start is soon forgotten
        pairs = zip(model.writer.parameters(), model.generator.parameters(), strict=True)
        with torch.no_grad():
            for kept, moved in pairs:
                kept.lerp_(moved, 1 - keep)
        return distance

    def _steepness(self, real: Tensor, made: Tensor) -> Tensor:
        """How far from 1 the critic's slope is between a real code and a made one."""
        between = torch.lerp(real, made, torch.rand_like(real[:, :1])).requires_grad_()
        (slope,) = torch.autograd.grad(self.model.critic(between).sum(), between, create_graph=True)
        steep: Tensor = (slope.norm(dim=1) - 1).square().mean()
        return steep


class _Axes(nn.Module):
    """Codes on their principal axes, of mean 0 and variance 1, and back: [row code]."""

    loc: Tensor  # [code]
    axes: Tensor  # [code axis]
    scale: Tensor  # [axis]

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("loc", torch.zeros(size))
        self.register_buffer("axes", torch.eye(size))
        self.register_buffer("scale", torch.ones(size))

    def learn(self, codes: Tensor) -> None:
        self.loc.copy_(codes.mean(0))
        variance, axes = torch.linalg.eigh(torch.cov((codes - self.loc).T))
        self.axes.copy_(axes)
        self.scale.copy_(variance.clamp(min=max(float(variance.max()) * _LEAST, 1e-12)).sqrt())

    def forward(self, codes: Tensor) -> Tensor:
        return (codes - self.loc) @ self.axes / self.scale

    def back(self, codes: Tensor) -> Tensor:
        return (codes * self.scale) @ self.axes.T + self.loc


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + F.leaky_relu(self.linear(self.norm(x)), 0.2)


def _layers(inward: int, width: int, outward: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inward, width), nn.LeakyReLU(0.2), _Residual(width), _Residual(width), nn.Linear(width, outward)
    )


FAMILY = "recurrent"
TASKS = ("generate",)
ABOUT = "Makes sequences: a recurrent autoencoder, and a generator and a critic in the space of its codes"
PAPER = "Pei et al. 2021, arXiv 2111.08386"
MODEL = RTSGAN
