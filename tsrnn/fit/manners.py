"""Lightning as a guest: it says nothing, and leaves Ctrl-C as it was."""

import logging
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytorch_lightning as pl


@contextmanager
def interruptible(trainer: pl.Trainer) -> Iterator[None]:
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
def quiet() -> Iterator[None]:
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
