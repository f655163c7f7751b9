"""xLSTM-Mixer: a linear forecast shared by all channels, refined by a scalar-memory LSTM that runs over the variates.

Kraus et al. (2024), "xLSTM-Mixer: Multivariate Time Series Forecasting by Mixing via Scalar Memories", arXiv
2410.16928.

    x0_v = NLinear(x_v)                               time mixing: last value off, one linear map, last value on
    e_v = W x0_v + b                                  up to the blocks' width
    y = blocks([memory; e_1; ...; e_V])               joint mixing: sLSTM and feed-forward (`tsrnn.layers.xlstm`)
    y' = blocks(reversed [memory; e_1; ...; e_V])     the second view: every token's features in reverse, same weights
    forecast_v = x0_v + V [y_v; y'_v] + c             view mixing

Windows are normalised by their mean and deviation (`centring="revin"`, without the learned affine map). A variate is
read with the memory of those before it, in both views, so that their order matters. Departs from the paper in that the
blocks' output is added to the linear forecast in place of replacing it (`refine=False` replaces it) and starts at zero,
so that training starts from the linear forecast; in full recurrent matrices (see the block); and in covariates:
measured ones are variates like the targets, what is known ahead or of a series are tokens before them.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tsrnn.layers.ahead import Ahead
from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.lengths import settled
from tsrnn.layers.variates import Companions, targets_last
from tsrnn.layers.xlstm import stack
from tsrnn.models._base import COVARIATES, Model, forecasts_of, restore, uniform_weights, zeros
from tsrnn.options import choice, span
from tsrnn.shapes import Batch, Spec


@dataclass(frozen=True)
class Config:
    hidden_size: int = choice(64, 32, 64, 128, 256)
    num_layers: int = span(1, 1, 4)
    heads: int = choice(4, 4, 8)
    memory: int = choice(2, 1, 2, 3)  # learned tokens read before the variates
    dropout: float = span(0.2, 0.0, 0.5)
    refine: bool = True  # add the blocks' output to the linear forecast
    centring: Centring = choice("revin", "last", "season", "revin")


class XLSTMMixer(Model):
    reads = COVARIATES
    reads_lengths = True
    channels_shared = False

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        hidden, outputs = config.hidden_size, spec.horizon * spec.params
        self.linear = uniform_weights(nn.Linear(spec.input_size, outputs))
        self.embed = nn.Linear(outputs, hidden)
        self.memory = nn.Parameter(0.01 * torch.randn(config.memory, hidden))
        self.companions = Companions(spec, hidden)
        self.blocks = stack(hidden, config.num_layers, heads=config.heads, dropout=config.dropout)
        self.views = nn.Linear(2 * hidden, outputs)
        if config.refine:
            zeros(self.views)
        self.ahead = Ahead(spec, 2 * hidden)

    def forward(self, batch: Batch) -> Tensor:
        batch, response = self.ahead.without(settled(batch))
        undo = centre(batch.past, self.config.centring, self.spec.seasonality, batch.lengths)
        past = targets_last(undo.apply(batch.past), self.spec.targets)  # [batch channel time]
        last = past[..., -1:]
        first = self.linear(past - last) + last  # [batch channel horizon*params]
        memory = self.memory.expand(len(past), -1, -1)  # [batch memory hidden]
        tokens = torch.cat([memory, *self.companions(batch), self.embed(first)], 1)  # [batch token hidden]
        views = torch.cat([self.blocks(tokens), self.blocks(tokens.flip(-1))], -1)[:, -self.spec.targets :]
        rows = self.views(views)  # [batch target horizon*params]
        if self.config.refine:
            rows = rows + first[:, -self.spec.targets :]
        params = self.ahead(forecasts_of(rows, self.spec), batch, views)
        return self.ahead.back(restore(undo, params), response)


PAPER = "Kraus et al. 2024, arXiv 2410.16928"
FAMILY = "recurrent"
MODEL = XLSTMMixer
