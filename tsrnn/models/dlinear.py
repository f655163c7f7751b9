"""DLinear: a moving average and what is left of it, one linear map each, added (Zeng et al. 2023, sec. 4).

Departs from the paper in one option: `centring` may shift the window first; "none" is the paper's model.
"""

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from tsrnn.layers.ahead import Ahead
from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.individual import Weights, linear
from tsrnn.models._base import Model, forecasts_of, restore, series_of, uniform_weights
from tsrnn.options import choice
from tsrnn.shapes import Batch, Spec


@dataclass(frozen=True)
class Config:
    kernel: int = choice(25, 13, 25, 49)  # steps of the moving average
    centring: Centring = choice("none", "none", "last")
    weights: Weights = "shared"


class DLinear(Model):
    reads = frozenset({"known"})

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        sizes = spec.targets, spec.input_size, spec.horizon * spec.params
        self.trend = uniform_weights(linear(config.weights, *sizes))
        self.season = uniform_weights(linear(config.weights, *sizes))
        self.ahead = Ahead(spec, linear=True)

    def forward(self, batch: Batch) -> Tensor:
        batch, response = self.ahead.without(batch)
        past = batch.past[..., : self.spec.targets]  # [batch time target]
        undo = centre(past, self.config.centring, self.spec.seasonality)
        x = series_of(undo.apply(past), self.spec.targets)  # [batch*target time]
        left = (self.config.kernel - 1) // 2
        padded = F.pad(x.unsqueeze(1), (left, self.config.kernel - 1 - left), mode="replicate")
        trend = F.avg_pool1d(padded, self.config.kernel, stride=1).squeeze(1)  # [batch*target time]
        params = forecasts_of(self.trend(trend) + self.season(x - trend), self.spec)  # [batch horizon target params]
        return self.ahead.back(restore(undo, self.ahead(params, batch)), response)


PAPER = "Zeng et al. 2023, arXiv 2205.13504"
FAMILY = "linear"
MODEL = DLinear
