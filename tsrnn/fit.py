"""Train a model on windows. The only room that knows Lightning.

`ForecastModule` and `WindowsDataModule` are public: give them to a Trainer of your own, or call `fit`, which builds a
silent one that writes nothing, stops early and brings the best weights back.
"""

import logging
import math
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping
from pytorch_lightning.utilities.exceptions import MisconfigurationException  # type: ignore[attr-defined]
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from tsrnn import progress, trial, usual
from tsrnn.allocator import tune_allocator
from tsrnn.batches import Batches, weighted
from tsrnn.errors import InputError
from tsrnn.heads._base import Head
from tsrnn.models._base import Model
from tsrnn.parameters import FitConfig
from tsrnn.shapes import Batch
from tsrnn.windows import Windows

Weights = tuple[Tensor, ...] | list[Tensor]
_SCORED = 256  # windows validated on at once
EpochEnd = Callable[[int, float], bool]  # epoch, validation loss -> stop now?


@dataclass(frozen=True)
class Report:
    """What a training did."""

    epochs: int
    best_epoch: int
    val_loss: float
    seconds: float
    device: str = "cpu"  # the kind that it ran on; the model comes back to the CPU


class ForecastModule(pl.LightningModule):
    """A model, a head and how to train them, as a LightningModule that logs `val_loss`."""

    def __init__(self, model: Model, head: Head, config: FitConfig) -> None:
        super().__init__()
        self.model = model
        self.head = head
        self.config = config
        self.average = AveragedModel(model, multi_avg_fn=_follow(config.averaging)) if config.averaging else None
        self._val = [0.0, 0.0]  # sum of losses, windows

    @property
    def evaluated(self) -> Model:
        """The model that validation and forecasts use: the averaged one where there is one."""
        return self.model if self.average is None else cast(Model, self.average.module)

    def on_after_batch_transfer(self, batch: Batch, _: int) -> Batch:
        return batch.double() if self.config.arithmetic == "64-true" else batch

    def training_step(self, batch: Batch, _: int) -> Tensor:
        return self.model.loss(weighted(batch, self.config.weighting), self.head)

    def on_train_batch_end(self, *_: Any) -> None:
        if self.average is not None:
            self.average.update_parameters(self.model)

    def on_train_epoch_start(self) -> None:
        self.model.epoch_starts(self.current_epoch / max(1, self.trainer.max_epochs or 1))

    def on_validation_epoch_start(self) -> None:
        self._val = [0.0, 0.0]

    def validation_step(self, batch: Batch, _: int) -> None:
        self._val[0] += float(self.evaluated.loss(batch, self.head)) * len(batch.past)
        self._val[1] += len(batch.past)

    def on_validation_epoch_end(self) -> None:
        self.log("val_loss", self._val[0] / max(1.0, self._val[1]))

    def configure_optimizers(self) -> Any:
        weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        mixed = self.config.arithmetic.endswith("-mixed")  # Lightning cannot clip what a fused step unscales
        rate, decay = self.config.learning_rate, self.config.weight_decay
        optimizer = torch.optim.AdamW(weights, lr=rate, weight_decay=decay, fused=not mixed)
        per_epoch = int(self.trainer.estimated_stepping_batches) // (self.trainer.max_epochs or 1)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: self.config.rate(step, per_epoch))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class WindowsDataModule(pl.LightningDataModule):
    """Batches gathered whole from windows: no worker processes, no collation."""

    def __init__(self, train: Windows, val: Windows | None, config: FitConfig) -> None:
        super().__init__()
        self.train, self.val, self.config = train, val, config.settled(len(train), train.buffer.targets)
        self.generator = torch.Generator().manual_seed(config.random_state)

    def train_dataloader(self) -> DataLoader[Batch]:
        config = self.config
        assert config.batch_size is not None
        told = config.channel_dropout
        dropout = (usual.CHANNEL_DROPOUT if self.train.buffer.masks else 0.0) if told is None else told
        drawn = Batches(
            self.train, config.batch_size, self.generator, config.max_windows, config.buckets, config.passes, dropout
        )
        return DataLoader(drawn, batch_size=None)

    def val_dataloader(self) -> DataLoader[Batch] | list[Any]:
        if self.val is None or not len(self.val):
            return []
        val = self.val if self.config.val_windows is None else self.val.thinned(self.config.val_windows)
        return DataLoader(Batches(val, max(_SCORED, self.config.batch_size or 0)), batch_size=None)


class BestWeights(Callback):
    """Keeps the evaluated weights of the best validation in memory, and asks `on_epoch` whether to stop."""

    def __init__(self, on_epoch: EpochEnd | None = None) -> None:
        self.loss, self.epoch = math.inf, -1
        self.weights: dict[str, Tensor] | None = None
        self.on_epoch = on_epoch

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        assert isinstance(module, ForecastModule)
        if trainer.sanity_checking:
            return
        loss = float(trainer.callback_metrics["val_loss"])
        if loss < self.loss:
            self.loss, self.epoch = loss, trainer.current_epoch
            self.weights = deepcopy(module.evaluated.state_dict())
        if self.on_epoch is not None and self.on_epoch(trainer.current_epoch, loss):
            trainer.should_stop = True


class ShownProgress(Callback):
    """Moves a bar on with every training step, and notes on it what validation says."""

    def __init__(self, shown: progress.Bar) -> None:
        self.shown = shown

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.is_global_zero:
            self.shown.advance()

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        loss = float(trainer.callback_metrics["val_loss"])
        self.shown.note = f", epoch {trainer.current_epoch + 1}, validation {loss:.4g}"


def fit(
    model: Model,
    head: Head,
    train: Windows,
    val: Windows | None,
    config: FitConfig,
    on_epoch: EpochEnd | None = None,
) -> Report:
    """Train `model` in place and leave the best weights in it (the last ones without a validation part).

    A model with a closed form is solved instead. Early stopping looks at the model's own loss on `val`, unweighted.
    What was trained in double precision comes back in single.

    Raises:
        InputError: the loss stopped being a number, or someone else's model gives no forecast (`tsrnn.trial`).
    """
    began, config = time.perf_counter(), config.settled(len(train), train.buffer.targets)
    tune_allocator()
    solved = model.solve(train, val)
    trial.on_windows(model, train)
    if solved:
        return Report(0, 0, math.nan, time.perf_counter() - began)
    module, best = ForecastModule(model, head, config), BestWeights(on_epoch)
    if config.arithmetic == "64-true":
        module.double()
    validated = val is not None and len(val) > 0
    callbacks: list[Callback] = []
    if validated:
        callbacks += [best, EarlyStopping("val_loss", patience=config.patience, check_finite=True)]
    data = WindowsDataModule(train, val, config)
    steps = len(data.train_dataloader()) * (config.max_epochs or 1)
    with _quiet(), progress.bar("training", steps, config.progress) as shown:
        trainer = _trainer(config, [*callbacks, ShownProgress(shown)])
        with _interruptible(trainer):
            trainer.fit(module, datamodule=data)
    weights = best.weights if validated else module.evaluated.state_dict()
    if weights is None or not all(weight.isfinite().all() for weight in weights.values()):
        raise InputError(
            f"the training loss stopped being a number in epoch {trainer.current_epoch}; "
            f"lower learning_rate={config.learning_rate} or set gradient_clip"
        )
    model.load_state_dict(weights)
    model.to("cpu")
    if config.arithmetic == "64-true":
        model.float()
    seconds, device = time.perf_counter() - began, trainer.strategy.root_device.type
    return Report(trainer.current_epoch, best.epoch + 1, best.loss, seconds, device)


def _trainer(config: FitConfig, callbacks: list[Callback]) -> pl.Trainer:
    """A Trainer that says and writes nothing of its own accord."""
    mixed = config.arithmetic.endswith("-mixed")
    try:
        trainer = pl.Trainer(
            max_epochs=config.max_epochs,
            max_time=None if config.max_minutes is None else timedelta(minutes=config.max_minutes),
            accelerator=config.accelerator,
            devices=config.devices,
            precision=config.arithmetic if mixed else "32-true",  # type: ignore[arg-type]  # doubles are our own
            gradient_clip_val=config.gradient_clip or None,
            callbacks=callbacks,
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=False,
            num_sanity_val_steps=0,
        )
    except (ValueError, MisconfigurationException) as error:
        asked = f"accelerator={config.accelerator!r}, devices={config.devices}, precision={config.precision!r}"
        raise InputError(f"{asked} cannot be had here: {error}") from None
    config.check_device(trainer.strategy.root_device.type)
    return trainer


@contextmanager
def seeded(random_state: int) -> Iterator[None]:
    """Draw weights, dropout and noise from a seed of one's own; the caller's global generator is left as it was."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(random_state)
        yield


def _follow(decay: float) -> Callable[[Weights, Weights, Tensor | int], None]:
    """An exponential moving average that is quick at first, so that the random start is soon forgotten."""

    def update(averaged: Weights, current: Weights, count: Tensor | int) -> None:
        torch._foreach_lerp_(averaged, current, 1 - min(decay, (1 + int(count)) / (10 + int(count))))

    return update


@contextmanager
def _interruptible(trainer: pl.Trainer) -> Iterator[None]:
    """Ctrl-C stays a KeyboardInterrupt: Lightning makes it a plain exit, and leaves Ctrl-C switched off."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit:
        if not trainer.interrupted:
            raise
        signal.signal(signal.SIGINT, before)
        raise KeyboardInterrupt from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Lightning's banners and hints, silenced for as long as the trainer runs."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"pytorch_lightning|lightning_fabric|torch\.utils\.data")
            for hint in (".*lr_scheduler.step.*", "Mismatch dtype between input and weight"):  # of mixed precision
                warnings.filterwarnings("ignore", message=hint)
            yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)
