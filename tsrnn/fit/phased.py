"""A training in phases under the same Trainer: it keeps the budget, the device and Ctrl-C; the model its optimizers."""

import math
import time
from collections.abc import Callable, Iterator, Sequence

import pytorch_lightning as pl
from torch.utils.data import DataLoader, IterableDataset

from tsrnn import progress
from tsrnn.errors import InputError, notice
from tsrnn.fit.manners import interruptible, quiet
from tsrnn.models._base import Model
from tsrnn.parameters import FitConfig
from tsrnn.phases import Lesson, Phase
from tsrnn.trained import Report

Turn = tuple[int, int]  # phase, step of it
_UNREAD = ("patience", "schedule", "averaging")
_TAIL = 100  # newest steps of a phase, whose mean its loss is


class Turns(IterableDataset[Turn]):
    """Which phase's step it is: each has its steps, and ends sooner when its share of the minutes is over."""

    def __init__(self, phases: Sequence[Phase], minutes: float | None) -> None:
        self.phases, self.seconds = phases, math.inf if minutes is None else 60 * minutes

    def __len__(self) -> int:
        return sum(phase.steps for phase in self.phases)

    def __iter__(self) -> Iterator[Turn]:
        began, share = time.monotonic(), 0.0
        for place, phase in enumerate(self.phases):
            share += phase.share
            for step in range(phase.steps):
                if step and time.monotonic() - began > share * self.seconds:
                    break
                yield place, step


class PhasedModule(pl.LightningModule):
    """A model whose phases' steps a Trainer takes; it logs what they lessen as `<phase>_loss`."""

    def __init__(self, model: Model, phases: Sequence[Phase], shown: progress.Bar) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.model, self.phases, self.shown = model, phases, shown
        self.losses: list[list[float]] = [[] for _ in phases]

    def training_step(self, turn: Turn, _: int) -> None:
        place, step = turn
        phase = self.phases[place]
        if not step:
            self.shown.advance(sum(each.steps for each in self.phases[:place]) - self.shown.done)
            phase.begin()
        loss = phase.step()
        if not math.isfinite(loss):
            raise InputError(f"the loss of the {phase.name} stopped being a number in step {step}; lower learning_rate")
        self.losses[place].append(loss)
        self.shown.note = f"{phase.name} {loss:.4g}"
        self.shown.advance()
        if self.trainer.loggers:
            self.log(f"{phase.name.replace(' ', '_')}_loss", loss, on_step=True, batch_size=1)

    def configure_optimizers(self) -> None:
        return None


def say_unread(config: FitConfig) -> None:
    """Say which words of a training by epochs were given and mean nothing here."""
    usual = FitConfig()
    if given := [name for name in _UNREAD if getattr(config, name) != getattr(usual, name)]:
        them = "are" if len(given) > 1 else "is"
        notice(f"a model that learns in phases takes the steps of each, and {', '.join(given)} {them} not read")


def train(
    model: Model, phases: Sequence[Phase], lesson: Lesson, config: FitConfig, trainer_of: Callable[[], pl.Trainer]
) -> Report:
    """Walk through the phases, and leave in `model`, on the CPU, what they learnt.

    The report's epochs are those of all phases together, as if each step took a batch; its losses are the phases'.

    Raises:
        InputError: a loss stopped being a number.
    """
    began, turns = time.perf_counter(), Turns(phases, config.max_minutes)
    with quiet(), progress.bar("training", len(turns), config.progress) as shown:
        module, trainer = PhasedModule(model, phases, shown), trainer_of()
        with interruptible(trainer):
            trainer.fit(module, DataLoader(turns, batch_size=None))
    model.to("cpu").eval()
    device = trainer.strategy.root_device.type
    ends = tuple((sum(tail) / len(tail), math.nan) for each in module.losses if (tail := each[-_TAIL:]))
    epochs = math.ceil(sum(map(len, module.losses)) * lesson.size / len(lesson.windows))
    return Report(epochs, epochs, math.nan, time.perf_counter() - began, device, ends)
