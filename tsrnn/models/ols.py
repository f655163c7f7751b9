"""Least squares: the best linear map from a centred window to the horizon, in closed form, shared by all channels.

A direct multi-step autoregression (Toner & Darlow 2024 show that LTSF's linear models are all this one, found slowly).
With a small ridge, chosen on validation.
"""

from dataclasses import dataclass
from numbers import Real

import torch
from torch import Tensor, nn

from tsrnn import metrics
from tsrnn.errors import InputError
from tsrnn.layers.centring import Centring, centre
from tsrnn.models._base import Model, forecasts_of, restore, series_of
from tsrnn.options import choice
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

_CHUNK = 512  # windows summed at a time


@dataclass(frozen=True)
class Config:
    centring: Centring = choice("last", "last", "season", "mean")
    ridges: tuple[float, ...] = (1e-6, 1e-4, 1e-3, 1e-2, 1e-1)  # shares of the mean eigenvalue, tried on validation

    def __post_init__(self) -> None:
        listed = isinstance(self.ridges, list | tuple) and len(self.ridges) > 0
        if not listed or not all(isinstance(ridge, Real) and ridge >= 0 for ridge in self.ridges):
            raise InputError(f"ridges takes numbers of at least 0, such as [1e-4, 1e-2], not {self.ridges!r}")


class LeastSquares(Model):
    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.linear = nn.Linear(spec.input_size, spec.horizon)
        self.linear.requires_grad_(False)

    def forward(self, batch: Batch) -> Tensor:
        undo = centre(batch.past[..., : self.spec.targets], self.config.centring, self.spec.seasonality)
        x = series_of(undo.apply(batch.past[..., : self.spec.targets]), self.spec.targets)  # [batch*target time]
        y = self.linear(x).unsqueeze(-1).expand(-1, -1, self.spec.params)
        return restore(undo, forecasts_of(y.reshape(len(y), -1), self.spec))

    def solve(self, train: Windows, val: Windows | None) -> bool:
        """Normal equations in float64, one eigendecomposition for all ridges."""
        xx, xy, x_sum, y_sum, rows = self._moments(train)
        x_mean, y_mean = x_sum / rows, y_sum / rows
        xx -= rows * torch.outer(x_mean, x_mean)
        xy -= rows * torch.outer(x_mean, y_mean)
        values, vectors = torch.linalg.eigh(xx)
        rotated = vectors.T @ xy
        unit = values.mean().clamp(min=1e-12)
        weights = [
            (vectors @ (rotated / (values.clamp(min=0) + ridge * unit)[:, None])).T for ridge in self.config.ridges
        ]
        if val is not None and len(val):
            weights = [min(weights, key=lambda weight: self._error(val, weight, y_mean - weight @ x_mean))]
        self.linear.weight.copy_(weights[0])  # [horizon time]
        self.linear.bias.copy_(y_mean - weights[0] @ x_mean)
        return True

    def _moments(self, windows: Windows) -> tuple[Tensor, Tensor, Tensor, Tensor, int]:
        size, horizon = self.spec.input_size, self.spec.horizon
        xx, xy = torch.zeros(size, size, dtype=torch.float64), torch.zeros(size, horizon, dtype=torch.float64)
        x_sum, y_sum = torch.zeros(size, dtype=torch.float64), torch.zeros(horizon, dtype=torch.float64)
        rows = 0
        for batch in windows.batches(_CHUNK):
            x, y = self._rows(batch)
            xx += x.T @ x
            xy += x.T @ y
            x_sum += x.sum(0)
            y_sum += y.sum(0)
            rows += len(x)
        return xx, xy, x_sum, y_sum, max(rows, 1)

    def _rows(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Centred inputs and targets in float64, without the rows in which a target is missing."""
        assert batch.target is not None
        undo = centre(batch.past[..., : self.spec.targets], self.config.centring, self.spec.seasonality)
        x = series_of(undo.apply(batch.past[..., : self.spec.targets]), self.spec.targets)
        y = series_of(undo.apply(batch.target), self.spec.targets)
        if batch.target_observed is not None:
            whole = series_of(batch.target_observed, self.spec.targets).all(1)
            x, y = x[whole], y[whole]
        return x.double(), y.double()

    def _error(self, windows: Windows, weight: Tensor, bias: Tensor) -> float:
        total, count = 0.0, 0
        for batch in windows.batches(_CHUNK):
            x, y = self._rows(batch)
            total += float(metrics.mse.cells(y, x @ weight.T + bias).sum())
            count += y.numel()
        return total / max(count, 1)


PAPER = "Toner & Darlow 2024"
FAMILY = "linear"
MODEL = LeastSquares
