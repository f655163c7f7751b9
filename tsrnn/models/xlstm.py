"""xLSTM over patches: blocks with a memory of matrices and blocks with memories of scalars, in a given ratio.

Beck et al. (2024), "xLSTM: Extended Long Short-Term Memory", arXiv 2405.04517: an xLSTM[a:b] has b sLSTM blocks to a
mLSTM blocks. The matrix remembers pairs of keys and values; the scalars' recurrent weights follow what has to be
followed step by step. Patches and the head that reads all of them follow Nie et al. (2023), section 3.1.

    e_t = W p_t + b                               p_t: patch t of the window, overlapping its neighbours
    h_1..N = blocks(e_1..N)                       each an mLSTM (`tsrnn.layers.mlstm`) or sLSTM (`tsrnn.layers.xlstm`)
    forecast = V [h_1; ...; h_N] + c              all patches at once

Departs from the paper in what its blocks say, and in the order: of each a + b blocks in a row the last b are sLSTM,
where the paper places them by hand. `p_slstm` has sLSTM blocks alone, which are this model's ratio 0:1.
"""

import re
from dataclasses import dataclass

from torch import nn

from tsrnn.errors import InputError
from tsrnn.layers.centring import Centring
from tsrnn.layers.mlstm import MatrixBlock
from tsrnn.layers.xlstm import RecurrentBlock
from tsrnn.models._base import Patched
from tsrnn.options import Settled, choice, span


@dataclass(frozen=True)
class Config:
    hidden_size: int = choice(32, 16, 32, 64, 128)
    num_layers: int = span(2, 2, 4)
    ratio: str = choice("1:1", "1:0", "1:1")  # mLSTM to sLSTM blocks
    heads: int = choice(4, 2, 4, 8)  # memories of an mLSTM block, groups of normalisation of an sLSTM block
    segment: Settled = choice(None, 12, 16, 24, 48, first=24)  # None: the usual (tsrnn.usual)
    overlap: float = choice(0.5, 0.0, 0.5)  # share of a patch that the next one reads again
    dropout: float = span(0.2, 0.0, 0.6)
    centring: Centring = choice("season", "last", "season", "revin")

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d+:\d+", self.ratio) or self.ratio.strip("0:") == "":
            raise InputError(f"ratio takes mLSTM to sLSTM blocks, such as '1:1' or '7:1', not {self.ratio!r}")
        matrix, scalar = self.parts
        if scalar and self.num_layers <= matrix:
            raise InputError(
                f"ratio='{self.ratio}' has no sLSTM among num_layers={self.num_layers}; take at least {matrix + 1} "
                "layers, or ratio='1:0'"
            )

    @property
    def parts(self) -> tuple[int, int]:
        """mLSTM and sLSTM blocks in a row."""
        matrix, scalar = self.ratio.split(":")
        return int(matrix), int(scalar)


class XLSTM(Patched):
    def blocks_of(self, config: Config) -> nn.Module:
        matrix, scalar = config.parts
        blocks = (
            self._block(config, MatrixBlock if layer % (matrix + scalar) < matrix else RecurrentBlock)
            for layer in range(config.num_layers)
        )
        return nn.Sequential(*blocks, nn.LayerNorm(config.hidden_size))

    def _block(self, config: Config, kind: type[MatrixBlock | RecurrentBlock]) -> nn.Module:
        return kind(config.hidden_size, heads=config.heads, dropout=config.dropout)


FAMILY = "recurrent"
MODEL = XLSTM
