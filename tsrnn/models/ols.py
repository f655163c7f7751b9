"""Least squares: the best linear map from a centred window to the horizon, in closed form.

A direct multi-step autoregression (Toner & Darlow 2024 show that LTSF's linear models are all this one, found slowly).
With a small ridge, chosen on validation. Weights are shared by all channels, or individual: each channel has its own,
with a ridge of its own. `ridge` takes what validation likes better, shared ones where there is no validation part.

`arx` reads the newest steps of past covariates too, as they are, and which of their cells were measured. Each step's
forecast also reads the features known ahead of it, at that step and at those before (`tsrnn.layers.least_squares`).
What they do to a step on average is then taken out of the window and put back on the forecast, and all is solved again,
as long as that is better on validation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

import torch
from torch import Tensor, nn

from tsrnn.errors import InputError
from tsrnn.layers import overlapping
from tsrnn.layers.ahead import LAGS, Ahead
from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.individual import linear
from tsrnn.layers.least_squares import ALL, Moments, Rows, Solved, best_of, regressors
from tsrnn.models._base import Model, forecasts_of, restore, series_of
from tsrnn.options import choice
from tsrnn.scale import Affine
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

_CHUNK, _NUMBERS = 512, 8_000_000  # windows summed at a time, fewer where their regressors are so many
_ROUNDS = 4
_RUN = 64  # windows in a run, on average, from which on its rows are quicker to read than its windows
_HELD = 100_000_000  # numbers of normal equations held at once; the rows are read again for more channels


@dataclass(frozen=True)
class Config:
    centring: Centring = choice("last", "last", "season", "mean")
    ridges: tuple[float, ...] = (1e-6, 1e-4, 1e-3, 1e-2, 1e-1)  # shares of the mean eigenvalue, tried on validation
    covariates: int = 0  # newest steps of past covariates that are read, and which of their cells were measured
    weights: Literal["shared", "individual", "auto"] = "shared"  # auto: what validation likes better

    def __post_init__(self) -> None:
        listed = isinstance(self.ridges, list | tuple) and len(self.ridges) > 0
        if not listed or not all(isinstance(ridge, Real) and ridge >= 0 for ridge in self.ridges):
            raise InputError(f"ridges takes numbers of at least 0, such as [1e-4, 1e-2], not {self.ridges!r}")


class LeastSquares(Model):
    by_steps = False
    reads = frozenset({"known"})

    @classmethod
    def reads_with(cls, config: Config) -> frozenset[str]:
        return cls.reads | {"past"} if config.covariates else cls.reads

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.reads = self.reads_with(config)
        others = min(config.covariates, spec.input_size) * (spec.channels - spec.targets)
        shared = config.weights == "shared"
        self.linear = linear("shared" if shared else "individual", spec.targets, spec.input_size + others, spec.horizon)
        self.beside = (LAGS + 1) * spec.known  # regressors of a step
        sets = () if shared else (spec.targets,)
        self.known = nn.Parameter(torch.zeros(*sets, spec.horizon, self.beside)) if spec.known else None
        self.ahead = Ahead(spec, linear=True)
        self.requires_grad_(False)

    def forward(self, batch: Batch) -> Tensor:
        batch, response = self.ahead.without(batch)
        undo = centre(batch.past[..., : self.spec.targets], self.config.centring, self.spec.seasonality)
        x = self._window(batch, undo)
        y = self.linear(x)  # [batch*target horizon]
        q = regressors(batch, self.spec, self.config.centring)
        if q is not None and self.known is not None:
            y = y + self._beside(q, self.known)
        y = y.unsqueeze(-1).expand(-1, -1, self.spec.params)
        params = self.ahead(forecasts_of(y.reshape(len(y), -1), self.spec), batch)
        return self.ahead.back(restore(undo, params), response)

    def _beside(self, q: Tensor, known: Tensor) -> Tensor:
        """What regressors [batch horizon q] add: [batch*target horizon]."""
        if known.ndim == 2:
            return (q * known).sum(-1).repeat_interleave(self.spec.targets, 0)
        return (q.unsqueeze(1) * known).sum(-1).flatten(0, 1)

    def solve(self, train: Windows, val: Windows | None) -> bool:
        """Normal equations in float64, one eigendecomposition for all ridges."""
        solved = self._best(train, val) if self.ahead.response is None else self._around(train, val)
        self.linear.weight.copy_(solved.weight.view_as(self.linear.weight))  # [target-or-none horizon time]
        self.linear.bias.copy_(solved.bias.view_as(self.linear.bias))
        if self.known is not None and solved.known is not None:
            self.known.copy_(solved.known.view_as(self.known))
        return True

    def _around(self, train: Windows, val: Windows | None) -> Solved:
        """What regressors do to a step on average is made the response, for as often as validation likes it."""
        assert self.ahead.response is not None
        response = self.ahead.response.last.weight.zero_()  # [target feature*lag]
        solved = self._best(train, val)
        for _ in range(_ROUNDS):
            assert solved.known is not None
            added = solved.known[..., : response.shape[1]].mean(1)  # [target-or-1 feature*lag]
            response += added
            again = self._best(train, val)
            if again.squares >= solved.squares:
                response -= added
                break
            solved = again
        return solved

    def _best(self, train: Windows, val: Windows | None) -> Solved:
        """What does best on validation, of all ridges and, where that is open, of shared and individual weights."""
        ridges, sets, parts = self.config.ridges, range(self.spec.targets), []
        if self.config.weights == "shared":
            return best_of(self._moments(train, [ALL]), ridges, self._judged(val, [ALL]))
        total: list[Moments] = []
        seen: list[Moments] | None = []
        most = max(1, _HELD // self.linear.in_features // (self.linear.in_features + self.spec.horizon))
        for some in (sets[first : first + most] for first in range(0, len(sets), most)):
            moments, judged = self._moments(train, some), self._overlapping(val, some)
            parts.append(best_of(moments, ridges, self._judged(val, some) if judged is None else judged))
            total = [Moments.sum([*total, *moments])]
            seen = None if seen is None or judged is None else [Moments.sum([*seen, *judged])]
        solved = Solved.joined(parts)
        if self.config.weights != "auto":
            return solved
        shared = best_of(total, ridges, self._judged(val, [ALL]) if seen is None else seen)
        return solved if solved.squares < shared.squares else shared.expanded(len(sets))

    def _moments(self, train: Windows, sets: Sequence[int]) -> list[Moments]:
        """Sums over training of the rows of each set of weights."""
        if (quick := self._overlapping(train, sets)) is not None:
            return quick
        moments = [Moments(self.linear.in_features, self.spec.horizon, self.beside) for _ in sets]
        for batch in train.batches(self._chunk):
            rows = self._rows(batch)
            for each, channel in zip(moments, sets, strict=True):
                part = rows.of(channel)
                each.add(part.x, part.y)
                if part.q is not None:
                    each.add_known(part.x, part.y, part.q, part.window)
        return moments

    def _judged(self, val: Windows | None, sets: Sequence[int]) -> Iterator[list[Rows]]:
        """The rows of validation, a batch at a time, those of each set of weights."""
        for batch in () if val is None else val.batches(self._chunk):
            rows = self._rows(batch)
            yield [rows.of(channel) for channel in sets]

    def _overlapping(self, windows: Windows | None, sets: Sequence[int]) -> list[Moments] | None:
        """Sums of each channel from its rows; None where windows hold more than these, or are no long runs."""
        covered = self.beside or self.config.covariates or self.config.centring == "revin" or ALL in sets
        if covered or windows is None or (runs := windows.runs()) is None or len(windows) < _RUN * len(runs):
            return None
        size, values = self.spec.input_size, windows.buffer.values
        made = self.spec.horizon, self.config.centring, self.spec.seasonality
        return [overlapping.moments((values[run, channel] for run in runs), size, *made) for channel in sets]

    @property
    def _chunk(self) -> int:
        numbers = self.spec.targets * self.spec.horizon * self.beside  # of a window's regressors
        return max(1, min(_CHUNK, _NUMBERS // max(1, numbers)))

    def _rows(self, batch: Batch) -> Rows:
        """Centred inputs and targets in float64, without rows in which a target is missing; regressors."""
        assert batch.target is not None
        target = batch.target
        batch, response = self.ahead.without(batch)
        target = target if response is None else target - response
        undo = centre(batch.past[..., : self.spec.targets], self.config.centring, self.spec.seasonality)
        x = self._window(batch, undo)
        y = series_of(undo.apply(target), self.spec.targets)
        window = torch.arange(len(batch.past)).repeat_interleave(self.spec.targets)
        channel = torch.arange(self.spec.targets).repeat(len(batch.past))
        if batch.target_observed is not None:
            whole = series_of(batch.target_observed, self.spec.targets).all(1)
            x, y, window, channel = x[whole], y[whole], window[whole], channel[whole]
        q = regressors(batch, self.spec, self.config.centring)
        return Rows(x.double(), y.double(), None if q is None else q.double(), window, channel)

    def _window(self, batch: Batch, undo: Affine) -> Tensor:
        """The centred window, and behind it those of past covariates where they are read: [batch*target time]."""
        own = series_of(undo.apply(batch.past[..., : self.spec.targets]), self.spec.targets)
        if not self.config.covariates:
            return own
        others = batch.past[:, -self.config.covariates :, self.spec.targets :].flatten(1)
        return torch.cat([own, others.repeat_interleave(self.spec.targets, 0)], 1)


PAPER = {"ols": "Toner & Darlow 2024", "ridge": "Toner & Darlow 2024", "arx": "Toner & Darlow 2024"}
VARIANTS: dict[str, dict[str, Any]] = {"ols": {}, "ridge": {"weights": "auto"}, "arx": {"covariates": 24}}
ABOUT = {
    "ols": "Least squares: the best linear map from a centred window to the horizon, in closed form",
    "ridge": "Least squares with weights of each channel or shared, and a ridge of each, by what validation likes",
    "arx": "Least squares on the target's window and the newest steps of past covariates, in closed form",
}
FAMILY = "linear"
MODEL = LeastSquares
