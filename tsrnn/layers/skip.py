"""Linear skips from the window straight to the forecast, one set of weights for all channels.

Plain, every step of the window speaks for every step of the horizon, as in NLinear (Zeng et al. 2023, sec. 4). Sparse,
only the steps at the same place of their period do, through weights that all places share: Lin et al. (2024),
"SparseTSF: Modeling Long-term Time Series Forecasting with 1k Parameters", arXiv 2405.00946, section 3. Periods are
counted back from the newest step; an oldest one that is not whole is left out. In a model's forward:

    params = params + forecasts_of(self.skip(series_of(past, targets)), spec)
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from tsrnn.errors import InputError
from tsrnn.shapes import Spec

Start = Literal[
    "zero", "mean", "random"
]  # forecasts of an untrained skip: nothing; a mean of the past; torch's default


class Skip(nn.Module):
    """[row time] -> [row horizon*params]: y = W x + b."""

    def __init__(self, spec: Spec, start: Start = "zero") -> None:
        super().__init__()
        self.linear = nn.Linear(spec.input_size, spec.horizon * spec.params)
        _begin(self.linear, start)

    def forward(self, series: Tensor) -> Tensor:
        forecast: Tensor = self.linear(series)
        return forecast


class SparseSkip(nn.Module):
    """[row time] -> [row horizon*params]: aggregate around each step, then forecast each place of the period alone.

    Starting at "mean" without a hidden layer, a forecast is the mean of the past at the same place of the period.

    Args:
        spec: of the task.
        period: steps of a period.
        start: of the weights between periods; the aggregation starts at nothing unless "random".
        hidden_size: width of a hidden layer between past and future periods; 0: none, and no bias.

    Raises:
        InputError: the period is below one step or longer than the window.
    """

    def __init__(self, spec: Spec, period: int, start: Start = "zero", hidden_size: int = 0) -> None:
        super().__init__()
        if not 1 <= period <= spec.input_size:
            raise InputError(f"period={period} must be between 1 and input_size={spec.input_size}; choose another")
        self.spec = spec
        self.period = period
        self.behind, ahead = spec.input_size // period, math.ceil(spec.horizon / period)
        reach = period // 2
        self.aggregate = nn.Conv1d(1, 1, 2 * reach + 1, padding=reach, bias=False)
        if start != "random":
            nn.init.zeros_(self.aggregate.weight)
        last = nn.Linear(hidden_size or self.behind, ahead * spec.params, bias=bool(hidden_size))
        _begin(last, start)
        hidden = [nn.Linear(self.behind, hidden_size), nn.ReLU()] if hidden_size else []
        self.across = nn.Sequential(*hidden, last)

    def forward(self, series: Tensor) -> Tensor:
        x = series + slid(series, self.aggregate.weight.flatten())  # [row time] (section 3.2, sliding aggregation)
        x = x[:, x.shape[1] - self.behind * self.period :]
        places = x.view(len(x), self.behind, self.period).transpose(1, 2)  # [row place period]
        y: Tensor = self.across(places).view(len(x), self.period, -1, self.spec.params)  # [row place period params]
        steps = y.transpose(1, 2).reshape(len(x), -1, self.spec.params)[:, : self.spec.horizon]
        return steps.reshape(len(x), -1)


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
def _begin(layer: nn.Linear, start: Start) -> None:
    if start == "random":
        return
    layer.weight.fill_(1.0 / layer.in_features if start == "mean" else 0.0)
    if layer.bias is not None:
        layer.bias.zero_()
