"""Least squares: the best linear map from a centred window to the horizon, in closed form.

A direct multi-step autoregression (Toner & Darlow 2024 show that LTSF's linear models are all this one, found slowly).
With a small ridge, chosen on validation. Weights are shared by all channels, or individual: each channel has its own,
with a ridge of its own. `ridge` takes what validation likes better, shared ones where there is no validation part.

`arx` reads the newest steps of past covariates too, as they are, and which of their cells were measured. Each step's
forecast also reads the features known ahead of it, at that step and at those before (`tsrnn.layers.least_squares`).
What they do to a step on average is then taken out of the window and put back on the forecast, and all is solved again,
as long as that is better on validation.
"""

from dataclasses import dataclass
from numbers import Real
from typing import Any

import torch
from torch import Tensor, nn

from tsrnn.errors import InputError
from tsrnn.layers.ahead import LAGS, Ahead
from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.chosen_ridge import RIDGES, Pooling, Wanted, rows_of, solve
from tsrnn.layers.individual import linear
from tsrnn.layers.least_squares import Rows, Solved, regressors
from tsrnn.models._base import Model, forecasts_of, restore, series_of
from tsrnn.options import choice
from tsrnn.scale import Affine
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

_ROUNDS = 4


@dataclass(frozen=True)
class Config:
    centring: Centring = choice("last", "last", "season", "mean")
    ridges: tuple[float, ...] = RIDGES  # shares of the mean eigenvalue, tried on validation
    covariates: int = 0  # newest steps of past covariates that are read, and which of their cells were measured
    weights: Pooling = "shared"

    def __post_init__(self) -> None:
        listed = isinstance(self.ridges, list | tuple) and len(self.ridges) > 0
        if not listed or not all(isinstance(ridge, Real) and ridge >= 0 for ridge in self.ridges):
            raise InputError(f"ridges takes numbers of at least 0, such as [1e-4, 1e-2], not {self.ridges!r}")


class LeastSquares(Model):
    by_steps = False
    by_chance = False
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
        others, config = self.linear.in_features - self.spec.input_size, self.config
        asked = config.centring, tuple(config.ridges), config.weights
        return solve(Wanted(self.spec, *asked, self._rows, others, self.beside), train, val)

    def _rows(self, batch: Batch) -> Rows:
        """What is regressed on what, of a batch: all but the response."""
        assert batch.target is not None
        target = batch.target
        batch, response = self.ahead.without(batch)
        target = target if response is None else target - response
        undo = centre(batch.past[..., : self.spec.targets], self.config.centring, self.spec.seasonality)
        q = regressors(batch, self.spec, self.config.centring)
        return rows_of(self._window(batch, undo), target, undo, batch.target_observed, q)

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
