"""NLinear: subtract the last value, one linear map from window to horizon, add it back (Zeng et al. 2023, sec. 4)."""

from dataclasses import dataclass

from torch import Tensor

from tsrnn.layers.ahead import Ahead
from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.individual import Weights, linear
from tsrnn.models._base import Model, forecasts_of, restore, series_of, uniform_weights
from tsrnn.options import choice
from tsrnn.shapes import Batch, Spec


@dataclass(frozen=True)
class Config:
    centring: Centring = choice("last", "last", "season")
    weights: Weights = "shared"


class NLinear(Model):
    reads = frozenset({"known"})

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        outputs = spec.horizon * spec.params
        self.linear = uniform_weights(linear(config.weights, spec.targets, spec.input_size, outputs))
        self.ahead = Ahead(spec, linear=True)

    def forward(self, batch: Batch) -> Tensor:
        batch, response = self.ahead.without(batch)
        past = batch.past[..., : self.spec.targets]  # [batch time target]
        undo = centre(past, self.config.centring, self.spec.seasonality)
        rows = self.linear(series_of(undo.apply(past), self.spec.targets))  # [batch*target horizon*params]
        params = self.ahead(forecasts_of(rows, self.spec), batch)
        return self.ahead.back(restore(undo, params), response)


PAPER = "Zeng et al. 2023, arXiv 2205.13504"
FAMILY = "linear"
MODEL = NLinear
