"""P-sLSTM: patches of each channel through xLSTM's scalar-memory blocks, and a linear map of all their outputs.

Kong et al. (2024), "Unlocking the Power of LSTM for Long Term Time Series Forecasting", arXiv 2408.10006: patching
shortens what the recurrence has to remember, and every channel is a sequence of its own under shared weights.

    e_t = W p_t + b                               p_t: patch t of the window, overlapping its neighbours
    h_1..N = blocks(e_1..N)                       each: sLSTM, then a gated feed-forward (`tsrnn.layers.xlstm`)
    forecast = V [h_1; ...; h_N] + c              all patches at once

Departs from the paper in `centring` (it forecasts in the scaler's units, which is `centring="none"`), in patches that
end with the newest step, in full recurrent matrices and no convolution (see the block), and in dropout.
"""

from dataclasses import dataclass

from torch import nn

from tsrnn.layers.centring import Centring
from tsrnn.layers.xlstm import stack
from tsrnn.models._base import Patched
from tsrnn.options import Settled, choice, span


@dataclass(frozen=True)
class Config:
    hidden_size: int = choice(32, 16, 32, 64, 128)
    num_layers: int = span(1, 1, 3)
    heads: int = choice(4, 2, 4, 8)
    segment: Settled = choice(None, 12, 16, 24, 48, first=24)  # None: the usual (tsrnn.usual)
    overlap: float = choice(0.5, 0.0, 0.5)  # share of a patch that the next one reads again
    dropout: float = span(0.2, 0.0, 0.6)
    centring: Centring = choice("season", "last", "season", "revin")


class PatchedSLSTM(Patched):
    def blocks_of(self, config: Config) -> nn.Module:
        return stack(config.hidden_size, config.num_layers, heads=config.heads, dropout=config.dropout)


PAPER = "Kong et al. 2024, arXiv 2408.10006"
FAMILY = "recurrent"
MODEL = PatchedSLSTM
