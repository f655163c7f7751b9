"""Least squares: the best linear map from a centred window to the horizon, in closed form, shared by all channels.

A direct multi-step autoregression (Toner & Darlow 2024 show that LTSF's linear models are all this one, found slowly).
With a small ridge, chosen on validation. `arx` reads the newest steps of past covariates too, as they are, and which of
their cells were measured. Each step's forecast also reads the features known ahead of it, at that step and at those
before (`tsrnn.layers.least_squares`). What they do to a step on average is then taken out of the window and put back
on the forecast, and all is solved again, as long as that is better on validation.
"""

import math
from dataclasses import dataclass
from numbers import Real

import torch
from torch import Tensor, nn

from tsrnn import metrics
from tsrnn.errors import InputError
from tsrnn.layers.ahead import LAGS, Ahead
from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.least_squares import Moments, Solution, regressors
from tsrnn.models._base import Model, forecasts_of, restore, series_of
from tsrnn.options import choice
from tsrnn.scale import Affine
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

_CHUNK, _NUMBERS = 512, 8_000_000  # windows summed at a time, fewer where their regressors are so many
_ROUNDS = 4


@dataclass(frozen=True)
class Config:
    centring: Centring = choice("last", "last", "season", "mean")
    ridges: tuple[float, ...] = (1e-6, 1e-4, 1e-3, 1e-2, 1e-1)  # shares of the mean eigenvalue, tried on validation
    covariates: int = 0  # newest steps of past covariates that are read, and which of their cells were measured

    def __post_init__(self) -> None:
        listed = isinstance(self.ridges, list | tuple) and len(self.ridges) > 0
        if not listed or not all(isinstance(ridge, Real) and ridge >= 0 for ridge in self.ridges):
            raise InputError(f"ridges takes numbers of at least 0, such as [1e-4, 1e-2], not {self.ridges!r}")


class LeastSquares(Model):
    reads = frozenset({"known"})

    @classmethod
    def reads_with(cls, config: Config) -> frozenset[str]:
        return cls.reads | {"past"} if config.covariates else cls.reads

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.reads = self.reads_with(config)
        others = min(config.covariates, spec.input_size) * (spec.channels - spec.targets)
        self.linear = nn.Linear(spec.input_size + others, spec.horizon)
        self.beside = (LAGS + 1) * spec.known  # regressors of a step
        self.known = nn.Parameter(torch.zeros(spec.horizon, self.beside)) if spec.known else None
        self.ahead = Ahead(spec, linear=True)
        self.requires_grad_(False)

    def forward(self, batch: Batch) -> Tensor:
        batch, response = self.ahead.without(batch)
        undo = centre(batch.past[..., : self.spec.targets], self.config.centring, self.spec.seasonality)
        x = self._window(batch, undo)
        y = self.linear(x)  # [batch*target horizon]
        q = regressors(batch, self.spec, self.config.centring)
        if q is not None and self.known is not None:
            y = y + (q * self.known).sum(-1).repeat_interleave(self.spec.targets, 0)
        y = y.unsqueeze(-1).expand(-1, -1, self.spec.params)
        params = self.ahead(forecasts_of(y.reshape(len(y), -1), self.spec), batch)
        return self.ahead.back(restore(undo, params), response)

    def solve(self, train: Windows, val: Windows | None) -> bool:
        """Normal equations in float64, one eigendecomposition for all ridges."""
        solution = self._best(train, val)[1] if self.ahead.response is None else self._around(train, val)
        self.linear.weight.copy_(solution.weight)  # [horizon time]
        self.linear.bias.copy_(solution.bias)
        if self.known is not None and solution.known is not None:
            self.known.copy_(solution.known)
        return True

    def _around(self, train: Windows, val: Windows | None) -> Solution:
        """What regressors do to a step on average is made the response, for as often as validation likes it."""
        assert self.ahead.response is not None
        response = self.ahead.response.last.weight.zero_()  # [target feature*lag]
        error, solution = self._best(train, val)
        for _ in range(_ROUNDS):
            assert solution.known is not None
            added = solution.known[:, : response.shape[1]].mean(0)
            response += added
            again, other = self._best(train, val)
            if again >= error:
                response -= added
                break
            error, solution = again, other
        return solution

    def _best(self, train: Windows, val: Windows | None) -> tuple[float, Solution]:
        """The error on validation of the ridge that does best there, infinite without any, and what it gives."""
        moments = Moments(self.linear.in_features, self.spec.horizon, self.beside)
        for batch in train.batches(self._chunk):
            x, y, q, window = self._rows(batch)
            moments.add(x, y)
            if q is not None:
                moments.add_known(x, y, q, window)
        solutions = moments.solutions(self.config.ridges)
        if val is None or not len(val):
            return math.inf, solutions[0]
        errors = [self._error(val, each) for each in solutions]
        best = min(range(len(errors)), key=errors.__getitem__)
        return errors[best], solutions[best]

    @property
    def _chunk(self) -> int:
        numbers = self.spec.targets * self.spec.horizon * self.beside  # of a window's regressors
        return max(1, min(_CHUNK, _NUMBERS // max(1, numbers)))

    def _rows(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
        """Centred inputs and targets in float64, without rows in which a target is missing; regressors; their windows.

        Returns:
            x [row time], y [row horizon], q [window horizon regressor], the window of each row [row].
        """
        assert batch.target is not None
        target = batch.target
        batch, response = self.ahead.without(batch)
        target = target if response is None else target - response
        undo = centre(batch.past[..., : self.spec.targets], self.config.centring, self.spec.seasonality)
        x = self._window(batch, undo)
        y = series_of(undo.apply(target), self.spec.targets)
        window = torch.arange(len(batch.past)).repeat_interleave(self.spec.targets)
        if batch.target_observed is not None:
            whole = series_of(batch.target_observed, self.spec.targets).all(1)
            x, y, window = x[whole], y[whole], window[whole]
        q = regressors(batch, self.spec, self.config.centring)
        return x.double(), y.double(), None if q is None else q.double(), window

    def _window(self, batch: Batch, undo: Affine) -> Tensor:
        """The centred window, and behind it those of past covariates where they are read: [batch*target time]."""
        own = series_of(undo.apply(batch.past[..., : self.spec.targets]), self.spec.targets)
        if not self.config.covariates:
            return own
        others = batch.past[:, -self.config.covariates :, self.spec.targets :].flatten(1)
        return torch.cat([own, others.repeat_interleave(self.spec.targets, 0)], 1)

    def _error(self, windows: Windows, solution: Solution) -> float:
        total, count = 0.0, 0
        for batch in windows.batches(self._chunk):
            x, y, q, window = self._rows(batch)
            forecast = solution.forecast(x, None if q is None else q[window])
            total += float(metrics.mse.cells(y, forecast).sum())
            count += y.numel()
        return total / max(count, 1)


PAPER = {"ols": "Toner & Darlow 2024", "arx": "Toner & Darlow 2024"}
VARIANTS: dict[str, dict[str, int]] = {"ols": {}, "arx": {"covariates": 24}}
ABOUT = {
    "ols": "Least squares: the best linear map from a centred window to the horizon, in closed form",
    "arx": "Least squares on the target's window and the newest steps of past covariates, in closed form",
}
FAMILY = "linear"
MODEL = LeastSquares
