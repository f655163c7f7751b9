"""What looks on while a Trainer runs: the best weights are kept, a bar moves."""

import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from tsrnn import progress
from tsrnn.fit.modules import ForecastModule

EpochEnd = Callable[[int, float], bool]  # epoch, validation loss -> stop now?


class BestWeights(Callback):
    """Keeps the evaluated weights of the best validation in memory, and asks `on_epoch` whether to stop.

    Lightning's check before the training, where it is asked for, counts: `epoch` -1.
    """

    def __init__(self, on_epoch: EpochEnd | None = None) -> None:
        self.loss, self.epoch = math.inf, -1
        self.weights: dict[str, Tensor] | None = None
        self.on_epoch = on_epoch

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        assert isinstance(module, ForecastModule)
        loss = float(trainer.callback_metrics["val_loss"])
        if loss < self.loss:
            self.loss, self.epoch = loss, -1 if trainer.sanity_checking else trainer.current_epoch
            self.weights = deepcopy(module.evaluated.state_dict())
        if self.on_epoch is not None and not trainer.sanity_checking and self.on_epoch(trainer.current_epoch, loss):
            trainer.should_stop = True


class ShownProgress(Callback):
    """Moves a bar on with every training step, and notes on it what validation says."""

    def __init__(self, shown: progress.Bar) -> None:
        self.shown = shown

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.is_global_zero:
            self.shown.advance()

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        loss = float(trainer.callback_metrics["val_loss"])
        self.shown.note = f"epoch {trainer.current_epoch + 1}, validation {loss:.4g}"
