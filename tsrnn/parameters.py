"""How to train, as data, and every option's way to the object it belongs to."""

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_type_hints

import numpy as np
import tomli_w

from tsrnn import cells, files, models, progress, usual
from tsrnn.errors import InputError, unknown
from tsrnn.options import check_types, choice, span
from tsrnn.provenance import place

Schedule = Literal["constant", "cosine", "exponential"]
Weighting = Literal["none", "arctan", "root"]

_PRECISIONS = ("32-true", "64-true", "bf16-mixed", "16-mixed")
_SHORT = {"32": "32-true", "64": "64-true", "bf16": "bf16-mixed", "16": "16-mixed"}


@dataclass(frozen=True)
class FitConfig:
    """How to train; the same for every model. None: the usual, which follows the data (`tsrnn.usual`)."""

    learning_rate: float = span(1e-3, 1e-4, 1e-2, log=True)
    batch_size: int | None = choice(None, 32, 64, 128, first=64)  # windows
    max_epochs: int | None = None  # through all windows, or `max_windows`; None: an epoch has the usual steps
    max_steps: int | None = None  # in place of max_epochs: whole epochs, as many as hold so many steps
    patience: int = usual.PATIENCE  # epochs without a better validation loss
    schedule: Schedule = "exponential"
    decay: float = 0.9  # of the learning rate per epoch after the first three, when exponential
    weight_decay: float = 0.0
    gradient_clip: float = 1.0  # largest norm of the whole gradient; 0: no clipping
    averaging: float = choice(
        usual.AVERAGING, 0.0, 0.99, 0.998
    )  # decay of the exponential moving average of weights; 0: none
    channel_dropout: float | None = None  # chance that a window's past covariate is told as missing; None: the usual
    weighting: Weighting = "none"  # of the horizon's steps in the training loss: the nearer, the heavier
    buckets: bool = False  # short windows (`pad=True`) of like length in one batch
    max_minutes: float | None = None  # of training, which then stops, inside an epoch too; None: no limit
    max_windows: int | None = None  # windows drawn per epoch; None: all, or the usual where max_epochs is None too
    val_windows: int | None = None  # windows validated on, evenly spread; None: likewise
    passes: int | None = None  # through the windows in an epoch; None: one, or likewise
    random_state: int = 0
    precision: str | int = "32-true"  # of the training: that, 64-true, bf16-mixed, or 16-mixed on a GPU
    accelerator: str = "cpu"
    devices: int = 1
    progress: bool | str = "auto"  # a bar with the time left: True, False, or "auto", where somebody looks on

    def __post_init__(self) -> None:
        check_types(vars(self), get_type_hints(FitConfig))
        for name, value in vars(self).items():
            if isinstance(value, np.generic):
                object.__setattr__(self, name, value.item())  # Lightning takes Python's own numbers alone
        self._check_ranges()
        if self.max_steps is not None and self.max_epochs is not None:
            raise InputError(
                f"max_epochs={self.max_epochs} and max_steps={self.max_steps} both end it; name one of them"
            )
        if self.arithmetic not in _PRECISIONS:
            why = ": weights of 16 bits lose the small steps of a training" if "16-true" in self.arithmetic else ""
            raise InputError(f"precision {self.precision!r} cannot be had{why}; write one of {', '.join(_PRECISIONS)}")
        if self.accelerator == "cpu":
            self.check_device("cpu")

    def _check_ranges(self) -> None:
        if not -(1 << 63) <= self.random_state < 1 << 64:
            raise InputError(f"random_state takes a whole number of 64 bits, not {str(self.random_state)[:30]}")
        if self.progress not in (True, False, progress.AUTO):
            raise InputError(f"progress takes True, False or 'auto', not {self.progress!r}")
        for name in ("learning_rate", "patience", "devices"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("batch_size", "max_epochs", "max_steps", "max_minutes", "max_windows", "val_windows", "passes"):
            if getattr(self, name) is not None and not getattr(self, name) > 0:
                raise InputError(f"{name} must be above 0, or None, not {getattr(self, name)}")
        for name in ("weight_decay", "gradient_clip"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} must be at least 0, not {getattr(self, name)}")
        for name in ("averaging", "decay"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must be between 0 and 1, not {getattr(self, name)}")
        if self.channel_dropout is not None and not 0 <= self.channel_dropout < 1:
            raise InputError(f"channel_dropout must be from 0 to below 1, or None, not {self.channel_dropout}")

    @property
    def arithmetic(self) -> str:
        """The precision in full: "32" is "32-true", "16" is "16-mixed"."""
        return _SHORT.get(str(self.precision), str(self.precision))

    def check_device(self, kind: str) -> None:
        """Refuse a precision that the kind of device does not have."""
        if kind == "cpu" and self.arithmetic == "16-mixed":
            raise InputError(f"precision {self.precision!r} needs a GPU; write bf16-mixed or 32-true for the CPU")

    def settled(self, windows: int, targets: int) -> "FitConfig":
        """With numbers in place of what was left open, for so many training windows of so many targets."""
        size = self.batch_size or usual.batch(windows, targets)
        if self.max_epochs is not None:
            return replace(self, batch_size=size)
        most, passes = (self.max_windows, 1) if self.max_windows else usual.epoch(windows, size)
        passes, validated = self.passes or passes, self.val_windows or usual.VALIDATED
        steps = passes * math.ceil(min(windows, most) / size)  # of an epoch
        epochs = math.ceil(self.max_steps / steps) if self.max_steps else usual.EPOCHS
        drawn = replace(self, batch_size=size, max_windows=most, passes=passes, val_windows=validated)
        return replace(drawn, max_epochs=epochs, max_steps=None)

    def rate(self, step: int, steps_per_epoch: int) -> float:
        """The share of the learning rate at a step: linear warm-up over half an epoch, then the schedule."""
        warm = min(1.0, (step + 1) / max(1, steps_per_epoch // 2))
        epoch = step / max(1, steps_per_epoch)
        if self.schedule == "cosine":
            return warm * 0.5 * (1 + math.cos(math.pi * min(1.0, epoch / (self.max_epochs or usual.EPOCHS))))
        if self.schedule == "exponential":
            return warm * self.decay ** max(0, int(epoch) - 2)
        return warm


def sort(model: str | type, options: dict[str, Any], beside: Iterable[str] = ()) -> tuple[Any, FitConfig]:
    """Options as users type them -> the model's Config and a FitConfig.

    Args:
        beside: the other words that may stand there, of which a misspelt option may be one.

    Raises:
        InputError: no such model or option; the nearest names are given.
    """
    own, training = _names(model)
    check(model, options, beside)
    config = models.configure(model, {name: value for name, value in options.items() if name in own})
    return config, FitConfig(**{name: value for name, value in options.items() if name in training})


def check(model: str | type, names: Iterable[str], others: Iterable[str] = ()) -> None:
    """Refuse a name that is no option of the model, none of how to train, and none of the `others`.

    Raises:
        InputError: no such model, or the first such name; the nearest are given.
    """
    own, training = _names(model)
    known = own | training | set(others)
    for name in names:
        if name not in known:
            raise unknown(f"option of model {models.find(model).name!r}", name, known)


def _names(model: str | type) -> tuple[set[str], set[str]]:
    """Options of the model, and of how to train."""
    own = {each.name for each in fields(models.find(model).config)}
    return own, {each.name for each in fields(FitConfig)}


def defaults(model: str | type) -> dict[str, Any]:
    """What each option of a model, and of how to train it, is where nothing is said, as plain values."""
    every = (*fields(models.find(model).config), *fields(FitConfig))
    return words({each.name: each.default for each in every if each.default is not MISSING})


def words(params: Mapping[str, Any], strict: bool = False) -> dict[str, Any]:
    """Parameters as plain values, none of NumPy's: a class is its word, or its place (`provenance.place`).

    Raises:
        InputError: with `strict`, a class that has no word and so cannot be found again.
    """

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {plain(key): plain(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [plain(each) for each in value]
        if isinstance(value, np.generic | np.ndarray):
            return value.tolist()
        if not isinstance(value, type):
            return value
        word = cells.word(value) if issubclass(value, cells.Cell) else models.find(value).word
        if word is None and strict:
            shelf = "cells" if issubclass(value, cells.Cell) else "models"
            raise InputError(
                f"class {value.__name__} is not registered, so that nothing could load it again; have its package name "
                f"it in the entry points 'tsrnn.{shelf}'"
            )
        return word or place(value)

    return {name: plain(value) for name, value in params.items()}


def read_toml(path: str | Path, named: bool = False) -> dict[str, Any]:
    """The parameters in a TOML file.

    Args:
        path: of the file.
        named: the model is named elsewhere.

    Raises:
        InputError: the file is missing, is not TOML, or names no model where nothing else does.
    """
    try:
        params = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} is not there; `tsrnn tune` writes such a file") from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as TOML: {error}") from None
    params.pop("chosen", None)  # how a sweep chose them
    if "model" not in params and not named:
        raise InputError(f'{path} names no model; add a line such as model = "lstm"')
    return params


def write_toml(params: dict[str, Any], path: Path) -> None:
    """Write parameters as TOML."""
    text = tomli_w.dumps(words(params, strict=True))
    files.replaced(path, lambda file: file.write(text.encode()))
