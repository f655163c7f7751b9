"""Fixed convolutions of a sequence, and least squares of how often each exceeds its thresholds: MiniROCKET's views.

Dempster, Schmidt & Webb (2021), arXiv 2012.08791, with the views of a sequence's steps and of its differences beside
them, and the largest values, as in MultiROCKET (Tan et al. 2022, arXiv 2102.00457). Nothing is recurrent: it is the
plain baseline of recurrent classifiers, quick and hard to beat. Logits are as sharp as cases left out ask for.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tsrnn.layers import ridge
from tsrnn.layers.pooling import blank
from tsrnn.layers.rocket import Rocket
from tsrnn.layers.sequence import whole
from tsrnn.models._base import COVARIATES, Model
from tsrnn.options import choice
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

_CHUNK = 16  # sequences at a time, whose convolutions a processor's cache holds
_SAMPLE = 256  # of which thresholds are drawn


@dataclass(frozen=True)
class Config:
    views: int = choice(5_000, 2_500, 5_000, 10_000)  # shares of steps above a threshold, about
    differences: bool = True  # half of them of the steps' differences


TASKS = ("whole",)
PAPER = "Dempster et al. 2021, arXiv 2012.08791"


class RocketClassifier(Model):
    tasks = frozenset(TASKS)
    by_steps = False
    reads = COVARIATES
    reads_lengths = True
    loc: Tensor
    scale: Tensor

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        width, kinds = spec.channels + spec.known, 1 + config.differences
        made = [Rocket(width, spec.input_size, config.views // kinds) for _ in range(kinds)]
        self.rockets = nn.ModuleList(made)
        size = sum(each.size for each in made) + spec.static
        self.register_buffer("loc", torch.zeros(size))
        self.register_buffer("scale", torch.ones(size))
        self.head = nn.Linear(size, spec.targets * spec.params)
        self.requires_grad_(False)

    def forward(self, batch: Batch) -> Tensor:
        """[batch 1 target params], of the whole past."""
        views = (self._views(batch) - self.loc) / self.scale
        return torch.as_tensor(self.head(views)).view(-1, 1, self.spec.targets, self.spec.params)

    @torch.no_grad()
    def solve(self, train: Windows, val: Windows | None) -> bool:
        """Thresholds, then the ridge; cases of the validation choose nothing."""
        some = train.gather(torch.randperm(len(train))[:_SAMPLE])
        for rocket, (sequence, steps) in zip(self.rockets, self._read(some), strict=True):
            rocket.learn(sequence, steps)  # type: ignore[operator]  # they are Rockets
        batches = list(train.batches(_CHUNK))
        views = torch.cat([self._views(batch) for batch in batches]).double()
        target = torch.cat([batch.target[:, 0, 0] for batch in batches if batch.target is not None])
        self.loc.copy_(views.mean(0))
        self.scale.copy_(views.std(0).clamp(min=1e-6))
        classes = self.spec.params > 1
        marks = nn.functional.one_hot(target.long(), self.spec.params) if classes else target[:, None]
        answer = ridge.fit((views - self.loc) / self.scale, marks.double(), classes)
        self.head.weight.copy_(answer.weight.mT)
        self.head.bias.copy_(answer.bias)
        return True

    def _views(self, batch: Batch) -> Tensor:
        """[batch view]."""
        views = [
            rocket(sequence, steps) for rocket, (sequence, steps) in zip(self.rockets, self._read(batch), strict=True)
        ]
        return torch.cat([*views, batch.static] if batch.static is not None and self.spec.static else views, -1)

    def _read(self, batch: Batch) -> list[tuple[Tensor, Tensor | None]]:
        """The sequences, and their differences, with each row's own steps."""
        sequence, steps = whole(batch, self.spec, static=False)
        sequence = blank(sequence, steps)
        change = torch.diff(sequence, dim=1, prepend=sequence[:, :1])
        return [(sequence, steps), (blank(change, steps), steps)][: len(self.rockets)]


FAMILY = "linear"
MODEL = RocketClassifier
