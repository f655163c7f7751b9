"""Our own: exponential smoothing of each window, and a recurrence that says what each method counts and all miss.

    y_h = sum_k w_k(h) f_k(h) + s d(h),    w = softmax(a + b(h) + g(z)),    z = mixed(state, what the methods say)

Eight methods forecast the window by themselves (`tsrnn.layers.smoothing`), which takes level, trend and season out of
it: of a short series nothing else is known. The recurrence reads the window without its season, its season and its
changes, in units of its own mean seasonal difference s; its state weighs the methods, adds what all of them miss, d,
and widens or narrows the quantiles, which begin as wide as the methods' one-step errors. g and d are nothing at first,
so that training begins with the mean of Theta and of damped smoothing of logarithms. What one series is too short to
say is learnt from thousands. Errors count by 1 / s, as in MASE. `members` are as many such parts that learn apart, each
from its own error; the forecast is their mean.

After Smyl 2020, "A hybrid method of exponential smoothing and recurrent neural networks for time series forecasting",
Int. J. Forecasting 36, the first of the M4 competition, whose smoothing is learnt with the network and adds no forecast
of its own; and Montero-Manso et al. 2020, "FFORMA: Feature-based forecast model averaging", the same issue, the second,
whose weights come from features, by trees.
"""

from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Any

import torch
from torch import Tensor, nn

from tsrnn import heads
from tsrnn.errors import notice
from tsrnn.heads.quantile import QuantileHead
from tsrnn.layers.covariates import folded
from tsrnn.layers.lengths import settled, to_front
from tsrnn.layers.smoothing import METHODS, Said, say
from tsrnn.models._base import Model, forecasts_of, segments, series_of, zeros
from tsrnn.options import Settled, choice, span
from tsrnn.recurrence import Recurrent
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

_FIRST = {"theta": 0.42, "log": 0.42, "damped": 0.03, "add": 0.03}  # weights at first; the others share what is left
_LEAST = 0.01  # of a window's size, of which its seasonal difference is at least
_MOST = 8.0  # seasonal differences that an input is at most
_INPUTS, _TOLD, _WIDTH = 4, 6, 64
_SEASONS = 4  # in a window for a smooth one to be believed (tsrnn.layers.classical)
_FEWEST = 5  # steps beyond a season that a window must have to be learnt from


@dataclass(frozen=True)
class Config:
    cell: str | type = choice("gru", "gru", "lstm")  # any of tsrnn/cells
    hidden_size: int = choice(48, 24, 48, 96)
    num_layers: int = 1
    segment: Settled = choice(None, 1, 4, 12, first=12)  # None: the usual (tsrnn.usual)
    members: int = choice(2, 1, 2, 4)
    dropout: float = span(0.2, 0.0, 0.6)
    cell_options: dict[str, Any] = field(default_factory=dict)  # the cell's own, such as {"forget_bias": 2.0}


class SmoothingGRU(Model):
    reads_lengths = True

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        segments(spec.input_size, config.segment, "input_size")
        self.members = nn.ModuleList(Combined(config, spec) for _ in range(config.members))

    def forward(self, batch: Batch) -> Tensor:
        return torch.stack(self._members(batch)[0]).mean(0)

    def loss(self, batch: Batch, head: heads.Head) -> Tensor:
        """The head's, each window by 1 / s, short ones not at all: in training a mean over the members' own losses."""
        assert batch.target is not None
        answers, scale = self._members(batch)
        weight = 1 / scale
        if batch.lengths is not None:
            weight = weight * (batch.lengths >= min(self.spec.seasonality + _FEWEST, self.spec.input_size))[:, None]
        mean = weight.mean().clamp(min=1e-12)
        seen = (weight / mean)[:, None].expand_as(batch.target)
        seen = seen if batch.target_observed is None else seen * batch.target_observed
        target, head = batch.target, head.at(batch.undo)
        answers = answers if self.training else [torch.stack(answers).mean(0)]
        return torch.stack([head.loss(params, target, seen) for params in answers]).mean() * mean  # in units of s

    def solve(self, train: Windows, val: Windows | None) -> bool:
        """Nothing is; where no window can show a smooth season plainly, it is said before the training."""
        season, held = self.spec.seasonality, self.spec.input_size
        if season > 1 and held < _SEASONS * season:
            notice(
                f"smoothing_gru: a smooth season is seldom plain in fewer than {_SEASONS} of it, and input_size={held} "
                f"holds {held / season:.3g} of {season} steps; give {_SEASONS * season} where series are as long"
            )
        return False

    def _members(self, batch: Batch) -> tuple[list[Tensor], Tensor]:
        """What each says, [batch horizon target params], and the windows' seasonal differences [batch target]."""
        targets, time = self.spec.targets, self.spec.input_size
        batch = settled(batch)
        x = series_of(batch.past, targets)  # [batch*target time]
        lengths = batch.past.new_full((len(batch.past),), time) if batch.lengths is None else batch.lengths
        seen = torch.arange(time, device=x.device) >= (time - lengths.repeat_interleave(targets))[:, None]
        size = ((x.abs() * seen).sum(1) / seen.sum(1).clamp(min=1)).clamp(min=1e-6)[:, None]
        said = say(x / size, seen, self.spec.seasonality, self.spec.horizon)
        said = replace(said, scale=said.scale.clamp(min=_LEAST))
        answers = [member(x / size, seen, said, batch.lengths, size) for member in self.members]
        return [forecasts_of(rows.flatten(1), self.spec) for rows in answers], (said.scale * size[:, 0]).view(
            -1, targets
        )


class Combined(nn.Module):
    """One member: windows and what the methods say of them -> params [row horizon params], in the task's units."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.spec, self.segment = spec, config.segment
        head, hidden, horizon = heads.of(spec), config.hidden_size, spec.horizon
        self.head = head if isinstance(head, QuantileHead) else None
        self.embed = nn.Sequential(nn.Linear(config.segment * _INPUTS, hidden), nn.ReLU())
        self.recurrent = Recurrent(
            config.cell, hidden, hidden, config.num_layers, dropout=config.dropout, **config.cell_options
        )
        self.dropout = nn.Dropout(config.dropout)
        told = hidden + _TOLD + 4 * len(METHODS)
        self.mixed = nn.Sequential(nn.Linear(told, _WIDTH), nn.GELU(), nn.Dropout(config.dropout))
        rest = (1 - sum(_FIRST.values())) / (len(METHODS) - len(_FIRST))
        first = torch.tensor([_FIRST.get(name, rest) for name in METHODS]).log()
        self.weights = nn.Parameter(first[:, None].repeat(1, horizon))  # [method horizon]
        self.gates = zeros(nn.Linear(_WIDTH, 2 * len(METHODS)))  # the same at every step, and more with each
        self.missed = zeros(nn.Linear(_WIDTH, horizon))
        growth = torch.log1p(0.3 * torch.arange(horizon)) / 2
        self.growth = nn.Parameter(growth) if spec.params > 1 else None  # log of the errors' growth over the first step
        ladder = () if self.head is None else self.head.ladder
        normal = torch.tensor([NormalDist().inv_cdf(level) for level in ladder])
        self.register_buffer("normal", normal.diff(), persistent=False)
        self.anchor = min(range(len(ladder)), key=lambda k: abs(ladder[k] - 0.5), default=0)
        gaps = max(len(ladder) - 1, 0) if self.head is not None else spec.params if spec.params > 1 else 0
        self.widths = zeros(nn.Linear(_WIDTH, gaps)) if gaps else None

    normal: Tensor  # [step of the ladder] between quantiles of a normal distribution

    def forward(self, x: Tensor, seen: Tensor, said: Said, lengths: Tensor | None, size: Tensor) -> Tensor:
        z = self.mixed(torch.cat([self.dropout(self._state(x, seen, said, lengths)), self._told(seen, said)], 1))
        even, slanted = self.gates(z)[..., None].chunk(2, 1)
        slant = torch.linspace(-1, 1, self.spec.horizon, dtype=x.dtype, device=x.device)
        weight = torch.softmax(self.weights + even + slanted * slant, 1)  # [row method horizon]
        point: Tensor = (weight * said.forecasts).sum(1) + said.scale[:, None] * self.missed(z)
        if self.growth is None:
            return (point * size)[..., None]
        spread = said.errors.mean(1).clamp(min=1e-3)[:, None] * self.growth.exp()  # [row horizon]
        widths: Tensor = z.new_zeros(len(z), 0) if self.widths is None else self.widths(z)
        if self.head is None:
            return (point[..., None] + spread[..., None] * widths[:, None]) * size[..., None]
        point, steps = point * size, (spread * size)[..., None] * self.normal * widths.exp()[:, None]
        above = steps[..., self.anchor :].cumsum(-1)
        below = -steps[..., : self.anchor].flip(-1).cumsum(-1).flip(-1)
        middle = point[..., None]
        params: Tensor = self.head.of_rising(torch.cat([middle + below, middle, middle + above], -1), point)
        return params

    def _state(self, x: Tensor, seen: Tensor, said: Said, lengths: Tensor | None) -> Tensor:
        """The recurrence's last state: [row hidden]."""
        season = min(self.spec.seasonality, x.shape[1])
        turned = torch.cat([torch.zeros_like(x[:, :season]), x[:, season:] - x[:, :-season]], 1)
        moved = torch.cat([torch.zeros_like(x[:, :1]), said.adjusted.diff(dim=1)], 1)
        numbers = torch.stack([said.adjusted - said.level[:, None], x - said.adjusted, turned, moved], -1)
        numbers = (numbers / said.scale[:, None, None]).clamp(-_MOST, _MOST) / 2 * seen[..., None]
        read, steps = to_front(folded(numbers, self.segment), lengths, self.segment)
        _, final = self.recurrent(self.embed(read), lengths=steps)
        state: Tensor = final[-1][0]
        return state

    def _told(self, seen: Tensor, said: Said) -> Tensor:
        """How the methods differ, and what was seen: [row number]."""
        scale, middle = said.scale[:, None, None], (said.forecasts[:, :1] + said.forecasts[:, 1:2]) / 2
        places = [0, self.spec.horizon // 2, self.spec.horizon - 1]
        apart = ((said.forecasts - middle) / scale)[..., places].clamp(-5, 5).flatten(1)
        ahead = ((said.forecasts - said.level[:, None, None]) / scale).mean(2).clamp(-_MOST, _MOST) / 2
        errors = (said.errors / said.scale[:, None]).clamp(min=1e-3).log()
        count = seen.sum(1).clamp(min=1).to(scale.dtype).log() / 2
        season = [count, said.sure.clamp(max=_MOST) / 3, said.strength, said.factor.to(scale.dtype)]
        return torch.cat([apart, ahead, errors, torch.stack(season, 1)], 1)


FAMILY = "mixed"
MODEL = SmoothingGRU
