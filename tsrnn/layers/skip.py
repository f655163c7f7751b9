"""Linear skips from the window straight to the forecast, with weights of each channel or shared by all.

Plain, every step of the window speaks for every step of the horizon, as in NLinear (Zeng et al. 2023, sec. 4). Sparse,
only the steps at the same place of their period do, through weights that all places share: Lin et al. (2024),
"SparseTSF: Modeling Long-term Time Series Forecasting with 1k Parameters", arXiv 2405.00946, section 3. Periods are
counted back from the newest step; an oldest one that is not whole is left out. Ridge, it is plain, solved in closed
form before the training (`tsrnn.layers.chosen_ridge`) and kept as it is: what stands beside it begins at nothing and
learns what the straight line leaves. In a model's forward:

    params = params + forecasts_of(self.skip(series_of(past, targets)), spec)
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from tsrnn.errors import InputError
from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.chosen_ridge import RIDGES, Pooling, Wanted, rows_of, solve
from tsrnn.layers.individual import Individual, Weights, linear
from tsrnn.layers.least_squares import Rows
from tsrnn.layers.lengths import settled
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

Kind = Literal["none", "plain", "sparse", "ridge"]
Start = Literal[
    "zero", "mean", "random"
]  # forecasts of an untrained skip: nothing; a mean of the past; torch's default


def skip_of(kind: Kind, weights: Pooling, centring: Centring, spec: Spec) -> "Skip | SparseSkip | RidgeSkip | None":
    """A model's skip.

    Args:
        kind: of skip.
        weights: whose; "auto" is what validation likes better of a ridge, and shared of one that learns.
        centring: of the model's windows.
        spec: of the task.

    Raises:
        InputError: weights are named for a skip that is not there.
    """
    if kind == "none":
        if weights != "auto":
            raise InputError(
                f"skip_weights={weights!r} says whose weights a skip has, and there is none; leave it out, or name a "
                "skip such as skip='ridge'"
            )
        return None
    if kind == "ridge":
        return RidgeSkip(spec, centring, weights)
    whose: Weights = "individual" if weights == "individual" else "shared"
    return Skip(spec, weights=whose) if kind == "plain" else SparseSkip(spec, spec.seasonality, weights=whose)


class Skip(nn.Module):
    """[batch*target time] -> [batch*target horizon*params]: y = W x + b."""

    def __init__(self, spec: Spec, start: Start = "zero", weights: Weights = "shared") -> None:
        super().__init__()
        self.linear = linear(weights, spec.targets, spec.input_size, spec.horizon * spec.params)
        _begin(self.linear, start)

    def forward(self, series: Tensor) -> Tensor:
        forecast: Tensor = self.linear(series)
        return forecast


class RidgeSkip(nn.Module):
    """[batch*target time] -> [batch*target horizon*params]: y = W x + b, solved, the same for every param.

    Args:
        spec: of the task.
        centring: of the windows that it is shown.
        weights: whose, and chosen on validation how.
    """

    def __init__(self, spec: Spec, centring: Centring, weights: Pooling = "auto") -> None:
        super().__init__()
        self.spec, self.centring, self.weights = spec, centring, weights
        own: Weights = "shared" if weights == "shared" else "individual"
        self.linear = linear(own, spec.targets, spec.input_size, spec.horizon)
        self.requires_grad_(False)

    def forward(self, series: Tensor) -> Tensor:
        point: Tensor = self.linear(series)
        return point if self.spec.params == 1 else point.repeat_interleave(self.spec.params, 1)

    @torch.no_grad()
    def solve(self, train: Windows, val: Windows | None) -> None:
        """The ridge regression that `tsrnn.models.ols` is of targets alone."""
        solved = solve(Wanted(self.spec, self.centring, RIDGES, self.weights, self._rows), train, val)
        self.linear.weight.copy_(solved.weight.view_as(self.linear.weight))
        self.linear.bias.copy_(solved.bias.view_as(self.linear.bias))

    def _rows(self, batch: Batch) -> Rows:
        assert batch.target is not None
        past = settled(batch).past[..., : self.spec.targets]
        undo = centre(past, self.centring, self.spec.seasonality, batch.lengths)
        x = undo.apply(past).transpose(1, 2).flatten(0, 1)  # [batch*target time]
        return rows_of(x, batch.target, undo, batch.target_observed)


class SparseSkip(nn.Module):
    """[row time] -> [row horizon*params]: aggregate around each step, then forecast each place of the period alone.

    A row is a target of a window. Individual weights are those between periods; the aggregation is shared. Starting at
    "mean" without a hidden layer, a forecast is the mean of the past at the same place of the period.

    Args:
        spec: of the task.
        period: steps of a period.
        start: of the weights between periods; the aggregation starts at nothing unless "random".
        hidden_size: width of a hidden layer between past and future periods; 0: none, and no bias of shared weights.
        weights: whose; a hidden layer is always shared.

    Raises:
        InputError: the period is below one step or longer than the window.
    """

    def __init__(
        self, spec: Spec, period: int, start: Start = "zero", hidden_size: int = 0, weights: Weights = "shared"
    ) -> None:
        super().__init__()
        if not 1 <= period <= spec.input_size:
            raise InputError(f"period={period} must be between 1 and input_size={spec.input_size}; choose another")
        self.spec, self.period, self.apart = spec, period, weights == "individual"
        self.behind, ahead = spec.input_size // period, math.ceil(spec.horizon / period)
        reach = period // 2
        self.aggregate = nn.Conv1d(1, 1, 2 * reach + 1, padding=reach, bias=False)
        if start != "random":
            nn.init.zeros_(self.aggregate.weight)
        sizes = hidden_size or self.behind, ahead * spec.params
        last = nn.Linear(*sizes, bias=bool(hidden_size)) if weights == "shared" else Individual(spec.targets, *sizes)
        _begin(last, start)
        hidden = [nn.Linear(self.behind, hidden_size), nn.ReLU()] if hidden_size else []
        self.across = nn.Sequential(*hidden, last)

    def forward(self, series: Tensor) -> Tensor:
        x = series + slid(series, self.aggregate.weight.flatten())  # [row time] (section 3.2, sliding aggregation)
        x = x[:, x.shape[1] - self.behind * self.period :]
        places = x.view(len(x), self.behind, self.period).transpose(1, 2)  # [row place period]
        y = self._across(places).view(len(x), self.period, -1, self.spec.params)  # [row place period params]
        steps = y.transpose(1, 2).reshape(len(x), -1, self.spec.params)[:, : self.spec.horizon]
        return steps.reshape(len(x), -1)

    def _across(self, places: Tensor) -> Tensor:
        """[row place behind] -> [row place ahead*params]: rows' channels stand next to each other for their weights."""
        if not self.apart:
            shared: Tensor = self.across(places)
            return shared
        channels = places.view(-1, self.spec.targets, *places.shape[1:]).transpose(1, 2)  # [batch place target behind]
        y: Tensor = self.across(channels.flatten(0, 2)).view(*channels.shape[:3], -1)
        return y.transpose(1, 2).flatten(0, 1)


def slid(series: Tensor, weight: Tensor) -> Tensor:
    """`conv1d` of one channel with itself centred and zeros beyond the ends: [row time], [tap] -> [row time].

    Stretches of the series times one small banded matrix: a sixth of the time of a convolution of one channel.
    """
    taps, time = len(weight), series.shape[1]
    stretch = 2 * taps
    count = math.ceil(time / stretch)
    around = nn.functional.pad(series, (taps // 2, count * stretch - time + taps // 2))
    pieces = around.unfold(1, stretch + taps - 1, stretch)  # [row piece stretch+tap-1]
    tap = torch.arange(stretch + taps - 1, device=weight.device)[:, None] - torch.arange(stretch, device=weight.device)
    inside = (tap >= 0) & (tap < taps)
    banded = weight[tap.clamp(0, taps - 1)] * inside  # [stretch+tap-1 stretch]
    return (pieces @ banded).flatten(1)[:, :time]


@torch.no_grad()
def _begin(layer: nn.Linear | Individual, start: Start) -> None:
    if start == "random":
        return
    layer.weight.fill_(1.0 / layer.in_features if start == "mean" else 0.0)
    if layer.bias is not None:
        layer.bias.zero_()
