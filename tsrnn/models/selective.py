"""The state-space baseline: patches of each channel through selective state-space blocks (Gu & Dao 2023, "Mamba").

Overlapping patches and a head that reads the outputs of all of them, not the newest one's alone, follow PatchTST (Nie
et al. 2023, section 3.1) with its attention replaced by the blocks: a state that forgets then costs the forecast
little, and the linear part of the map from window to forecast is learned at once.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.covariates import Ahead, inputs, width
from tsrnn.layers.lengths import settled
from tsrnn.layers.patches import Patches, flat_head
from tsrnn.layers.selective import SelectiveBlock
from tsrnn.models._base import Model, forecasts_of, restore, segments
from tsrnn.ranges import choice, span
from tsrnn.shapes import Batch, Spec


@dataclass(frozen=True)
class Config:
    hidden_size: int = choice(32, 16, 32, 64, 128)
    num_layers: int = span(1, 1, 4)
    state_size: int = choice(8, 4, 8, 16)
    segment: int = choice(24, 8, 12, 24, 48)
    overlap: float = choice(0.5, 0.0, 0.5)  # share of a patch that the next one reads again
    dropout: float = span(0.2, 0.0, 0.6)
    centring: Centring = choice("season", "last", "season", "revin")


class Selective(Model):
    reads_lengths = True

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        segments(spec.input_size, config.segment, "input_size")
        self.patches = Patches(spec.input_size, config.segment, config.overlap, width(spec, True), config.hidden_size)
        self.blocks = nn.Sequential(
            *(SelectiveBlock(config.hidden_size, state_size=config.state_size) for _ in range(config.num_layers)),
            nn.RMSNorm(config.hidden_size),
        )
        self.head = flat_head(self.patches, config.hidden_size, spec.horizon * spec.params, config.dropout)
        self.ahead = Ahead(spec)

    def forward(self, batch: Batch) -> Tensor:
        batch = settled(batch)
        undo = centre(batch.past, self.config.centring, self.spec.seasonality, batch.lengths)
        steps = self.patches(inputs(batch, undo, self.spec, True))  # [batch*target step hidden]
        params = forecasts_of(self.head(self.blocks(steps)), self.spec)  # [batch horizon target params]
        return restore(undo, self.ahead(params, batch))


MODEL = Selective
