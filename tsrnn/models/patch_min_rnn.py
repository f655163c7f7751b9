"""Minimal recurrences over patches: minGRU or minLSTM, whose gates read the input alone, in residual blocks.

Feng et al. (2024), "Were RNNs All We Needed?", arXiv 2410.01201: without the state in their gates, GRU and LSTM become
h_t = a_t h_(t-1) + b_t (sections 3.1 and 3.2), linear in the state and so open to a scan; gates that depend on the past
come from the layers above the first. Patches and the head that reads all of them follow Nie et al. (2023), section 3.1.

Departs from the paper in its block, which is xLSTM's (`tsrnn.layers.xlstm`: normalisation, recurrence, normalisation,
gated feed-forward; no convolution), in candidates of either sign (see the cells), and in `bidirectional`: all of the
window is past, so a second recurrence may read it backwards.
"""

from dataclasses import dataclass
from typing import Literal

from torch import nn

from tsrnn.layers.centring import Centring
from tsrnn.layers.xlstm import stack
from tsrnn.models._base import Patched
from tsrnn.options import Settled, choice, span


@dataclass(frozen=True)
class Config:
    cell: Literal["mingru", "minlstm"] = choice("mingru", "mingru", "minlstm")
    hidden_size: int = choice(32, 16, 32, 64, 128)
    num_layers: int = span(2, 1, 4)
    heads: int = choice(4, 1, 4, 8)  # groups in which the recurrence's outputs are normalised
    bidirectional: bool = choice(False, False, True)
    segment: Settled = choice(None, 12, 16, 24, 48, first=24)  # None: the usual (tsrnn.usual)
    overlap: float = choice(0.5, 0.0, 0.5)  # share of a patch that the next one reads again
    dropout: float = span(0.2, 0.0, 0.6)
    centring: Centring = choice("season", "last", "season", "revin")


class PatchedMinimal(Patched):
    def blocks_of(self, config: Config) -> nn.Module:
        return stack(
            config.hidden_size,
            config.num_layers,
            cell=config.cell,
            heads=config.heads,
            bidirectional=config.bidirectional,
            dropout=config.dropout,
        )


PAPER = "Feng et al. 2024, arXiv 2410.01201"
FAMILY = "recurrent"
MODEL = PatchedMinimal
