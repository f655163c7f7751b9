"""S-Mamba: one token per variate, mixed by selective state spaces that run over the variates in both directions.

Wang et al. (2024), "Is Mamba Effective for Time Series Forecasting?", arXiv 2403.11144: the window of a variate is one
token, an order among variates does not exist and so both are read, and a feed-forward reads each token's time.

    u_v = W x_v + b                                   the tokens, from each variate's normalised window
    u = LayerNorm(u + M(u) + flip(M'(flip(u))))       between variates; M, M': selective blocks
    u = LayerNorm(u + feed(u))                        within each
    forecast_v = V u_v + c

The paper's normalisation is `centring="revin"`: each window's mean and deviation, undone on the forecast (Liu et al.
2022, "Non-stationary Transformers"). Departs from the paper in a default that takes off the mean of the last season and
leaves the scale alone, in M and M', which normalise what they read, and in features known ahead, which enter with their
future and add a linear effect on their own step. A task of one token leaves nothing to be mixed: the decay of states
has no effect then, and is not trained.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tsrnn.layers.ahead import Ahead
from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.lengths import settled
from tsrnn.layers.selective import SelectiveBlock
from tsrnn.layers.variates import Companions, targets_last
from tsrnn.models._base import COVARIATES, Model, forecasts_of, restore
from tsrnn.options import choice, span
from tsrnn.shapes import Batch, Spec


@dataclass(frozen=True)
class Config:
    hidden_size: int = choice(64, 32, 64, 128, 256)
    num_layers: int = span(2, 1, 4)
    state_size: int = choice(8, 4, 8, 16, 32)
    dropout: float = span(0.3, 0.0, 0.6)
    centring: Centring = choice("season", "last", "season", "revin")


class Mixer(nn.Module):
    """Between tokens in both directions, then within each: [batch token hidden] -> [batch token hidden]."""

    def __init__(self, hidden: int, state_size: int, dropout: float) -> None:
        super().__init__()
        self.onward = SelectiveBlock(hidden, state_size=state_size, expand=1, conv=2)
        self.back = SelectiveBlock(hidden, state_size=state_size, expand=1, conv=2)
        self.feed = nn.Sequential(
            nn.Linear(hidden, 2 * hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(2 * hidden, hidden)
        )
        self.dropout = nn.Dropout(dropout)
        self.between, self.within = nn.LayerNorm(hidden), nn.LayerNorm(hidden)

    def forward(self, u: Tensor) -> Tensor:
        both = self.onward(u) + self.back(u.flip(1)).flip(1) - u  # each block adds what it read
        u = self.between(both)
        mixed: Tensor = self.within(u + self.dropout(self.feed(u)))
        return mixed


class SMamba(Model):
    reads = COVARIATES
    reads_lengths = True
    channels_shared = False

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.embed = nn.Linear(spec.input_size, config.hidden_size)
        self.companions = Companions(spec, config.hidden_size)
        self.dropout = nn.Dropout(config.dropout)
        self.mixers = nn.Sequential(
            *(Mixer(config.hidden_size, config.state_size, config.dropout) for _ in range(config.num_layers))
        )
        if spec.channels + self.companions.count == 1:
            for block in self.modules():
                if isinstance(block, SelectiveBlock):
                    block.log_rate.requires_grad_(False)
        self.head = nn.Linear(config.hidden_size, spec.horizon * spec.params)
        self.ahead = Ahead(spec, config.hidden_size)

    def forward(self, batch: Batch) -> Tensor:
        batch, response = self.ahead.without(settled(batch))
        undo = centre(batch.past, self.config.centring, self.spec.seasonality, batch.lengths)
        variates = self.embed(targets_last(undo.apply(batch.past), self.spec.targets))  # [batch channel hidden]
        tokens = self.dropout(torch.cat([*self.companions(batch), variates], 1))  # [batch token hidden]
        mixed = self.mixers(tokens)[:, -self.spec.targets :]  # [batch target hidden]
        params = forecasts_of(self.head(mixed), self.spec)  # [batch horizon target params]
        return self.ahead.back(restore(undo, self.ahead(params, batch, mixed)), response)


PAPER = "Wang et al. 2024, arXiv 2403.11144"
FAMILY = "recurrent"
MODEL = SMamba
