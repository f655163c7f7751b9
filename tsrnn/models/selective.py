"""The state-space baseline: patches of each channel through selective state-space blocks (Gu & Dao 2023, "Mamba").

Overlapping patches and a head that reads the outputs of all of them, not the newest one's alone, follow PatchTST (Nie
et al. 2023, section 3.1) with its attention replaced by the blocks: a state that forgets then costs the forecast
little, and the linear part of the map from window to forecast is learned at once.

`kind="ssd"` takes the blocks of Mamba-2 (Dao & Gu 2024): one decay per head of `head_size` channels. Sweeps do not try
it by themselves, so that those of before can be run again; fix it to sweep it.
"""

from dataclasses import dataclass
from typing import Literal

from torch import nn

from tsrnn.layers.centring import Centring
from tsrnn.layers.selective import SelectiveBlock
from tsrnn.layers.ssd import HeadsBlock
from tsrnn.models._base import Patched
from tsrnn.options import Settled, choice, span


@dataclass(frozen=True)
class Config:
    hidden_size: int = choice(32, 16, 32, 64, 128)
    num_layers: int = span(1, 1, 4)
    state_size: int = choice(8, 4, 8, 16)
    segment: Settled = choice(None, 8, 12, 24, 48, first=24)  # None: the usual (tsrnn.usual)
    overlap: float = choice(0.5, 0.0, 0.5)  # share of a patch that the next one reads again
    dropout: float = span(0.2, 0.0, 0.6)
    centring: Centring = choice("season", "last", "season", "revin")
    kind: Literal["selective", "ssd"] = "selective"
    head_size: int = 16  # inner channels, twice hidden_size, that share a decay; of kind="ssd" alone


class Selective(Patched):
    def blocks_of(self, config: Config) -> nn.Module:
        blocks = (self._block(config) for _ in range(config.num_layers))
        return nn.Sequential(*blocks, nn.RMSNorm(config.hidden_size))

    def _block(self, config: Config) -> nn.Module:
        if config.kind == "ssd":
            return HeadsBlock(config.hidden_size, config.state_size, config.head_size)
        return SelectiveBlock(config.hidden_size, config.state_size)


PAPER = "Gu & Dao 2023, arXiv 2312.00752"
FAMILY = "recurrent"
MODEL = Selective
