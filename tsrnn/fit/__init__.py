"""Train a model on windows. The only rooms that know Lightning.

`ForecastModule` and `WindowsDataModule` are public: give them to a Trainer of your own, or call `fit`, which builds a
silent one that writes nothing, stops early and brings the best weights back.
"""

import math
import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, Checkpoint, EarlyStopping, ProgressBar
from pytorch_lightning.utilities.exceptions import MisconfigurationException  # type: ignore[attr-defined]

from tsrnn import progress, trial
from tsrnn.allocator import tune_allocator
from tsrnn.errors import InputError
from tsrnn.fit import phased
from tsrnn.fit.callbacks import BestWeights, EpochEnd, ShownProgress
from tsrnn.fit.manners import interruptible, quiet
from tsrnn.fit.modules import ForecastModule as ForecastModule
from tsrnn.fit.modules import WindowsDataModule as WindowsDataModule
from tsrnn.heads._base import Head
from tsrnn.models._base import Model
from tsrnn.parameters import FitConfig
from tsrnn.phases import Lesson
from tsrnn.seeding import seeded as seeded
from tsrnn.trained import Report as Report
from tsrnn.windows import Windows


def fit(
    model: Model,
    head: Head,
    train: Windows,
    val: Windows | None,
    config: FitConfig,
    on_epoch: EpochEnd | None = None,
    callbacks: Sequence[Any] = (),
    logger: Any = None,
) -> Report:
    """Train `model` in place and leave the best weights in it (the last ones without a validation part).

    A model with a closed form is solved instead, and one with phases of its own goes through them (`tsrnn.phases`). One
    that begins at a closed form (`Model.stands_with`) stays there where no epoch does better on `val`.
    Early stopping looks at the model's own loss on `val`, unweighted.
    What was trained in double precision comes back in single.

    Args:
        callbacks: Lightning's, called after our own.
        logger: Lightning's, or None.

    Raises:
        InputError: the loss stopped being a number, a callback is none of Lightning's, or someone else's model gives no
            forecast (`tsrnn.trial`).
    """
    began, bounds = time.perf_counter(), (config.max_epochs, config.max_steps)
    config = config.settled(len(train), train.buffer.targets)
    tune_allocator()
    solved = model.solve(train, val)
    trial.on_windows(model, train)
    if solved:
        return Report(0, 0, math.nan, time.perf_counter() - began)
    lesson = Lesson(train, config.batch_size, *bounds)
    if phases := model.phases(lesson, config.learning_rate):
        phased.say_unread(config)
        once = replace(config, max_epochs=1, max_minutes=None, gradient_clip=0.0)  # phases have bounds of their own
        return phased.train(model, phases, lesson, config, lambda: _trainer(once, _checked(callbacks), logger))
    module, best = ForecastModule(model, head, config), BestWeights(on_epoch)
    if config.arithmetic == "64-true":
        module.double()
    validated = val is not None and len(val) > 0
    calls: list[Callback] = []
    if validated:
        calls += [best, EarlyStopping("val_loss", patience=config.patience, check_finite=True)]
    data = WindowsDataModule(train, val, config)
    steps = len(data.train_dataloader()) * (config.max_epochs or 1)
    with quiet(), progress.bar("training", steps, config.progress) as shown:
        first = validated and model.stands_with(model.config)
        trainer = _trainer(config, [*calls, ShownProgress(shown), *_checked(callbacks)], logger, first)
        with interruptible(trainer):
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
    if val is not None and len(val) > 0:
        model.eval().settle(val if config.val_windows is None else val.thinned(config.val_windows), head)
    seconds, device = time.perf_counter() - began, trainer.strategy.root_device.type
    return Report(trainer.current_epoch, best.epoch + 1, best.loss, seconds, device, tuple(module.losses))


def adopted(module: Any) -> tuple[Model, Report]:
    """The model of a `ForecastModule` that a Trainer of one's own has trained, and what its Trainer did.

    Raises:
        InputError: it is no such module, or a weight is no number.
    """
    if not isinstance(module, ForecastModule):
        raise InputError(f"adopt takes the ForecastModule that a Trainer has trained, not a {type(module).__name__}")
    model = deepcopy(module.evaluated).to("cpu").float().eval()
    if not all(weight.isfinite().all() for weight in model.state_dict().values()):
        raise InputError("a weight of that module is not a number; lower learning_rate or set gradient_clip")
    trainer = module._trainer
    if trainer is None:
        return model, Report(0, 0, math.nan, 0.0)
    loss = float(trainer.callback_metrics.get("val_loss", math.nan))
    return model, Report(trainer.current_epoch, trainer.current_epoch, loss, 0.0, trainer.strategy.root_device.type)


def _checked(callbacks: Sequence[Any]) -> list[Callback]:
    for each in callbacks:
        if not isinstance(each, Callback):
            raise InputError(f"callbacks takes Lightning's callbacks, and {each!r} is none")
    return list(callbacks)


def _trainer(config: FitConfig, callbacks: list[Callback], logger: Any = None, first: bool = False) -> pl.Trainer:
    """A Trainer that says and writes nothing of its own accord; `first`: it validates before it trains, too."""
    mixed = config.arithmetic.endswith("-mixed")
    try:
        trainer = pl.Trainer(
            max_epochs=config.max_epochs,
            max_time=None if config.max_minutes is None else timedelta(minutes=config.max_minutes),
            accelerator=config.accelerator,
            devices=config.devices,
            strategy="ddp_find_unused_parameters_true" if config.devices > 1 else "auto",  # an average learns nothing
            precision=config.arithmetic if mixed else "32-true",  # type: ignore[arg-type]  # doubles are our own
            gradient_clip_val=config.gradient_clip or None,
            callbacks=callbacks,
            logger=logger or False,
            enable_checkpointing=any(isinstance(each, Checkpoint) for each in callbacks),
            enable_model_summary=False,
            enable_progress_bar=any(isinstance(each, ProgressBar) for each in callbacks),
            num_sanity_val_steps=-1 if first else 0,
        )
    except (ValueError, MisconfigurationException) as error:
        asked = f"accelerator={config.accelerator!r}, devices={config.devices}, precision={config.precision!r}"
        raise InputError(f"{asked} cannot be had here: {error}") from None
    config.check_device(trainer.strategy.root_device.type)
    return trainer
