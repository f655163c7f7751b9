"""Sliding-window network: the whole window in, the whole horizon out, through one hidden layer or more."""

from dataclasses import dataclass

from torch import Tensor, nn

from tsrnn.layers.centring import Centring, centre
from tsrnn.models._base import Model, forecasts_of, restore, series_of
from tsrnn.options import choice, span
from tsrnn.shapes import Batch, Spec


@dataclass(frozen=True)
class Config:
    hidden_size: int = choice(256, 64, 128, 256, 512)
    num_layers: int = span(1, 1, 3)
    dropout: float = span(0.2, 0.0, 0.6)
    centring: Centring = choice("season", "last", "season", "revin")


class MLP(Model):
    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        width, layers = spec.input_size, []
        for _ in range(config.num_layers):
            layers += [nn.Linear(width, config.hidden_size), nn.GELU(), nn.Dropout(config.dropout)]
            width = config.hidden_size
        self.net = nn.Sequential(*layers, nn.Linear(width, spec.horizon * spec.params))

    def forward(self, batch: Batch) -> Tensor:
        past = batch.past[..., : self.spec.targets]  # [batch time target]
        undo = centre(past, self.config.centring, self.spec.seasonality)
        rows = self.net(series_of(undo.apply(past), self.spec.targets))  # [batch*target horizon*params]
        return restore(undo, forecasts_of(rows, self.spec))


FAMILY = "feed-forward"
MODEL = MLP
