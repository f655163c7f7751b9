"""DLinear: a moving average and what is left of it, one linear map each, added (Zeng et al. 2023, sec. 4).

Departs from the paper in one option: `centring` may shift the window first; "none" is the paper's model.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from tsrnn.layers.centring import Centring, centre
from tsrnn.models._base import Model, forecasts_of, restore, series_of, uniform_weights
from tsrnn.options import choice
from tsrnn.shapes import Batch, Spec


@dataclass(frozen=True)
class Config:
    kernel: int = choice(25, 13, 25, 49)  # steps of the moving average
    centring: Centring = choice("none", "none", "last")


class DLinear(Model):
    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.trend = uniform_weights(nn.Linear(spec.input_size, spec.horizon * spec.params))
        self.season = uniform_weights(nn.Linear(spec.input_size, spec.horizon * spec.params))

    def forward(self, batch: Batch) -> Tensor:
        past = batch.past[..., : self.spec.targets]  # [batch time target]
        undo = centre(past, self.config.centring, self.spec.seasonality)
        x = series_of(undo.apply(past), self.spec.targets)  # [batch*target time]
        left = (self.config.kernel - 1) // 2
        padded = F.pad(x.unsqueeze(1), (left, self.config.kernel - 1 - left), mode="replicate")
        trend = F.avg_pool1d(padded, self.config.kernel, stride=1).squeeze(1)  # [batch*target time]
        return restore(undo, forecasts_of(self.trend(trend) + self.season(x - trend), self.spec))


PAPER = "Zeng et al. 2023, arXiv 2205.13504"
FAMILY = "linear"
MODEL = DLinear
