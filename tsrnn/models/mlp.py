"""Sliding-window network: the whole window in, the whole horizon out, through one hidden layer or more."""

from dataclasses import dataclass

from torch import Tensor, nn

from tsrnn.layers.ahead import Ahead
from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.covariates import Beside
from tsrnn.models._base import COVARIATES, Model, forecasts_of, restore, series_of
from tsrnn.options import choice, span
from tsrnn.shapes import Batch, Spec


@dataclass(frozen=True)
class Config:
    hidden_size: int = choice(256, 64, 128, 256, 512)
    num_layers: int = span(1, 1, 3)
    dropout: float = span(0.2, 0.0, 0.6)
    centring: Centring = choice("season", "last", "season", "revin")


class MLP(Model):
    reads = COVARIATES

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        width, layers = spec.input_size, []
        for _ in range(config.num_layers):
            layers += [nn.Linear(width, config.hidden_size), nn.GELU(), nn.Dropout(config.dropout)]
            width = config.hidden_size
        self.net = nn.Sequential(*layers, nn.Linear(width, spec.horizon * spec.params))
        self.ahead = Ahead(spec)
        self.beside = Beside(spec, spec.input_size, config.hidden_size)

    def forward(self, batch: Batch) -> Tensor:
        batch, response = self.ahead.without(batch)
        undo = centre(batch.past, self.config.centring, self.spec.seasonality)
        first, *others = self.net
        hidden = first(series_of(undo.apply(batch.past), self.spec.targets))  # [batch*target hidden]
        hidden = self.beside(hidden.unsqueeze(1), batch, undo).squeeze(1)
        for layer in others:
            hidden = layer(hidden)
        params = self.ahead(forecasts_of(hidden, self.spec), batch)  # [batch horizon target params]
        return self.ahead.back(restore(undo, params), response)


FAMILY = "feed-forward"
MODEL = MLP
