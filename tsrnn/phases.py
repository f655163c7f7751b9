"""A training of several phases, each with steps of its own: what a model asks for that learns by more than one loss.

An adversarial pair, or a network that another one is trained on: each step moves some of the weights by an optimizer of
their own. `Model.phases` lists them; `tsrnn.fit` walks through them with one bar, one budget, and Ctrl-C between steps.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tsrnn import usual
from tsrnn.windows import Windows

_MOST = 100_000  # windows that are gone through at once


@dataclass(frozen=True)
class Phase:
    """One of several, which follow one another.

    Args:
        name: a word or two, shown on the bar.
        steps: how many.
        step: takes one and says what it lessened.
        share: of `max_minutes`, after which the next phase begins, however many steps are left; all shares add up to 1.
        begin: called before the first step, when the model is on its device.
    """

    name: str
    steps: int
    step: Callable[[], float]
    share: float
    begin: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Lesson:
    """What is learnt from: all windows, drawn in random order, again and again."""

    windows: Windows
    batch_size: int | None  # windows; None: the usual
    max_epochs: int | None  # bounds every phase; None: it has the steps that it asks for
    max_steps: int | None = None  # likewise

    @property
    def size(self) -> int:
        return self.batch_size or usual.batch(len(self.windows), self.windows.buffer.targets)

    def steps(self, asked: int) -> int:
        """Of a phase that asks for so many."""
        asked = min(asked, self.max_steps or asked)
        if self.max_epochs is None:
            return asked
        return min(asked, self.max_epochs * -(-len(self.windows) // self.size))

    def drawn(self, like: Tensor) -> Iterator[Tensor]:
        """The targets of batches, on the device of `like`: [batch time target]; torch's own generator draws them."""
        while True:
            generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
            for batch in self.windows.batches(self.size, generator):
                assert batch.target is not None
                yield batch.target.to(like.device)

    def all(self, like: Tensor) -> Iterator[Tensor]:
        """Those of each window once, of many ones some, evenly spread."""
        for batch in self.windows.thinned(_MOST).batches(512):
            assert batch.target is not None
            yield batch.target.to(like.device)


class Descent:
    """Adam over some of a model's weights.

    Args:
        parts: whose weights.
        rate: of learning.
        steps: over which it falls along a cosine to a hundredth; None: it stays.
        moments: decay of the first and the second moment.
        clip: largest norm of the gradient; 0: any.
    """

    def __init__(
        self,
        parts: Iterable[nn.Module | nn.Parameter],
        rate: float,
        steps: int | None = None,
        moments: tuple[float, float] = (0.9, 0.999),
        clip: float = 0.0,
    ) -> None:
        lists = [[part] if isinstance(part, nn.Parameter) else [*part.parameters()] for part in parts]
        self.weights, self.clip = [weight for each in lists for weight in each], clip
        self.optimizer = torch.optim.Adam(self.weights, lr=rate, betas=moments)
        cosine = torch.optim.lr_scheduler.CosineAnnealingLR
        self.schedule = None if steps is None else cosine(self.optimizer, steps, rate / 100)

    def __call__(self, loss: Tensor) -> float:
        """One step down; the loss as a number."""
        for weight, gradient in zip(self.weights, torch.autograd.grad(loss, self.weights), strict=True):
            weight.grad = gradient
        if self.clip:
            nn.utils.clip_grad_norm_(self.weights, self.clip)
        self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()
        return float(loss.detach())
