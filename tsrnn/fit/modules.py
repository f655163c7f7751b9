"""The LightningModule and the LightningDataModule, public: give them to a Trainer of your own."""

import math
from typing import Any, cast

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from tsrnn import usual
from tsrnn.batches import Batches, weighted
from tsrnn.heads._base import Head
from tsrnn.models._base import Model
from tsrnn.parameters import FitConfig
from tsrnn.shapes import Batch
from tsrnn.trained import averaged
from tsrnn.windows import Windows

_SCORED = 256  # windows validated on at once


class ForecastModule(pl.LightningModule):
    """A model, a head and how to train them, as a LightningModule that logs `val_loss`."""

    def __init__(self, model: Model, head: Head, config: FitConfig) -> None:
        super().__init__()
        self.model = model
        self.head = head
        self.config = config
        self.average = averaged(model, config.averaging)
        self._train: list[Any] = [0.0, 0.0]  # sum of losses, windows
        self._val = [0.0, 0.0]
        self.losses: list[tuple[float, float]] = []  # of each epoch: training and validation

    @property
    def evaluated(self) -> Model:
        """The model that validation and forecasts use: the averaged one where there is one."""
        return self.model if self.average is None else cast(Model, self.average.module)

    def on_after_batch_transfer(self, batch: Batch, _: int) -> Batch:
        return batch.double() if self.config.arithmetic == "64-true" else batch

    def training_step(self, batch: Batch, _: int) -> Tensor:
        loss = self.model.loss(weighted(batch, self.config.weighting), self.head)
        windows = len(batch.past) if batch.share else 0
        self._train = [self._train[0] + loss.detach() * windows, self._train[1] + windows]
        if self._trainer is not None and self._trainer.loggers:
            self.log("train_loss", loss, on_step=True, on_epoch=True, batch_size=len(batch.past))
        return loss * batch.share

    def on_train_batch_end(self, *_: Any) -> None:
        if self.average is not None:
            self.average.update_parameters(self.model)

    def on_train_epoch_start(self) -> None:
        self._train, self._val = [0.0, 0.0], [0.0, 0.0]
        self.model.epoch_starts(self.current_epoch / max(1, self.trainer.max_epochs or 1))

    def on_train_epoch_end(self) -> None:
        sums = [self._of_all(self._train), self._val]
        train, val = (total / windows if windows else math.nan for total, windows in sums)
        self.losses.append((train, val))

    def on_validation_epoch_start(self) -> None:
        self._val = [0.0, 0.0]

    def validation_step(self, batch: Batch, _: int) -> None:
        self._val[0] += float(self.evaluated.loss(batch, self.head)) * len(batch.past)
        self._val[1] += len(batch.past)

    def on_validation_epoch_end(self) -> None:
        self._val = self._of_all(self._val)
        self.log("val_loss", self._val[0] / max(1.0, self._val[1]))

    def _of_all(self, sums: list[Any]) -> list[float]:
        """A sum of losses and a number of windows, over all processes."""
        if self.trainer.world_size == 1:
            return [float(each) for each in sums]
        told = torch.tensor([float(each) for each in sums], dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(told)
        return told.tolist()

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
        config, passes = self.config, self.config.passes or 1
        assert config.batch_size is not None
        told = config.channel_dropout
        dropout = (usual.CHANNEL_DROPOUT if self.train.buffer.masks else 0.0) if told is None else told
        drawn = Batches(
            self.train, config.batch_size, self.generator, config.max_windows, config.buckets, passes, dropout
        )
        return DataLoader(drawn, batch_size=None)

    def val_dataloader(self) -> DataLoader[Batch] | list[Any]:
        if self.val is None or not len(self.val):
            return []
        val = self.val if self.config.val_windows is None else self.val.thinned(self.config.val_windows)
        return DataLoader(Batches(val, max(_SCORED, self.config.batch_size or 0)), batch_size=None)
