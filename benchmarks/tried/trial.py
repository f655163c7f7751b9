"""A data set at a horizon: what is fitted there, and what it says of the two halves of the validation part.

All is fitted to the training part. A fit takes its ridge, its best epoch and its share by the first half of the
validation part, so that the second one is new to it. The test part is never read. Of a competition, whose series are
validated on once each, halves are every second window, and fits see both.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from tsrnn import Forecaster, catalog, split, windows
from tsrnn.windows import Windows

Options = Mapping[str, Any]
Halves = tuple[Tensor, Tensor]  # forecasts of both, or the truth: [window horizon target]

_CHUNK = 256  # windows forecast at once
RECURRENCES = {"ridge_segrnn": "ridge", "segrnn": "none"}  # and the skip that makes one of a segment recurrence


@dataclass(frozen=True)
class Ground:
    """Where things are tried.

    Args:
        look_backs: of `ridge`.
        common: options of all models.
        trained: of the recurrences.
        ends: rows at which training and each half of validation end; None: the data set's own parts, and a half is
            every second window.
        shorter: another look-back of the recurrences.
        horizon: unless another one is asked for.
    """

    look_backs: tuple[int, ...]
    common: Options
    trained: Options
    ends: tuple[int, int, int] | None
    shorter: int
    horizon: int = 96

    @property
    def split(self) -> Any:
        return "standard" if self.ends is None else {"borders": [*self.ends]}


_TRAINED = {"segment": 24, "dropout": 0.3, "loss": "mae", "averaging": 0.998, "patience": 3, "val_windows": 1280}
_MONTHS = {"pad": True, "scaler": "mean_abs", "scale_per_series": True, "centring": "season"}
GROUNDS = {
    "weather": Ground(
        (96, 192, 336, 512, 720),
        {"centring": "last"},
        {**_TRAINED, "input_size": 720, "batch_size": 32, "max_windows": 4096, "max_steps": 640},
        (36887, 39522, 42157),
        336,
    ),
    "ETTh1": Ground(
        (96, 192, 336, 512, 720),
        {"centring": "season"},
        {**_TRAINED, "input_size": 336, "batch_size": 64, "max_windows": 4096, "max_steps": 768},
        (8640, 10080, 11520),
        720,
    ),
    "m3-monthly": Ground(
        (12, 24, 36, 48, 72),
        _MONTHS,
        {**_TRAINED, "input_size": 36, "segment": 12, "batch_size": 64, "max_windows": 4096, "max_steps": 768},
        None,
        72,
        18,
    ),
}


@dataclass(frozen=True)
class Fitted:
    """A forecaster, what it says of both halves, and the seconds of processor that its training took."""

    forecaster: Forecaster
    halves: Halves
    seconds: float


@dataclass
class Trial:
    """Each fit is made once, whoever asks for it; what was tried ends in a line that `say` prints."""

    dataset: str
    horizon: int
    recurrences: Mapping[str, str] = field(default_factory=lambda: RECURRENCES)
    fits: dict[str, Fitted] = field(default_factory=dict)

    @cached_property
    def ground(self) -> Ground:
        return GROUNDS[self.dataset]

    @cached_property
    def panel(self) -> Any:
        return catalog.load(self.dataset)

    def fitted(self, model: str | type, **options: Any) -> Fitted:
        """A fit with the ground's options and these."""
        key = f"{model} {sorted(options.items())}"
        if key not in self.fits:
            own = {} if model == "ridge" else self.ground.trained
            asked = {"horizon": self.horizon, "random_state": 0, "progress": False, **self.ground.common, **own}
            began = time.process_time()
            forecaster = Forecaster(model, **{**asked, **options}).fit(self.panel, split=self.ground.split)
            seconds = time.process_time() - began
            self.fits[key] = Fitted(forecaster, self.told(forecaster), seconds)
        return self.fits[key]

    def windows(self, forecaster: Forecaster) -> tuple[Windows, Windows, Windows]:
        """Of the training part and of each half of validation, as a fitted forecaster reads them."""
        laid = forecaster.laid()
        wanted = self.panel.split if self.ground.ends is None else self.ground.split
        parts = split.standard(laid.arrays, wanted, self.dataset)
        size = forecaster.input_size, self.horizon
        train, val = (windows.cut(laid, part, *size) for part in (parts.train, parts.val))
        if self.ground.ends is None:
            return train, val.only(torch.arange(0, len(val), 2)), val.only(torch.arange(1, len(val), 2))
        return train, val, windows.cut(laid, parts.test, *size)  # the last border is where validation ends

    @torch.inference_mode()
    def told(self, forecaster: Forecaster, sign: float = 1.0) -> Halves:
        """Forecasts; with sign -1 those of windows turned over, turned back."""
        first, second = (
            torch.cat(
                [
                    sign * forecaster.head_.point(forecaster.model_(replace(batch, past=sign * batch.past)))
                    for batch in each.batches(_CHUNK)
                ]
            )
            for each in self.windows(forecaster)[1:]
        )
        return first, second

    @cached_property
    def truth(self) -> Halves:
        forecaster = self.fitted("ridge", input_size=self.ground.look_backs[0]).forecaster
        first, second = (
            torch.cat([batch.target for batch in each.batches(_CHUNK)]) for each in self.windows(forecaster)[1:]
        )
        return first, second

    def scores(self, halves: Halves) -> list[tuple[float, float]]:
        """MSE and MAE of each half, in scaled units."""
        errors = [told - truth for told, truth in zip(halves, self.truth, strict=True)]
        return [(float(each.double().square().mean()), float(each.double().abs().mean())) for each in errors]

    def say(self, name: str, halves: Halves, seconds: float, beside: tuple[str, Halves] | None = None) -> None:
        """One line: MSE and MAE of both halves, their change from a reference, seconds of processor."""
        own = self.scores(halves)
        words = [f"{self.dataset} {self.horizon}", name, *(f"{mse:.4f} {mae:.4f}" for mse, mae in own)]
        if beside is not None:
            changes = zip(own, self.scores(beside[1]), strict=True)
            told = [[f"{100 * (a / b - 1):+.2f}" for a, b in zip(*pair, strict=True)] for pair in changes]
            words.append(f"{', '.join(' '.join(each) for each in told)} % of {beside[0]}")
        print(" | ".join([*words, f"{seconds:.0f} s"]), flush=True)


def mean(parts: list[Halves]) -> Halves:
    """Of forecasts."""
    first, second = (torch.stack(each).mean(0) for each in zip(*parts, strict=True))
    return first, second


def timed(make: Callable[[], Halves]) -> tuple[Halves, float]:
    """What it makes, and the seconds of processor that it took."""
    began = time.process_time()
    return make(), time.process_time() - began
