"""The state-space baseline: segments of each channel through selective state-space blocks (Gu & Dao 2023, "Mamba").

The newest segment's output, which has read the whole window through the recurrence, is mapped to the horizon. Patching
before a state-space stack follows PatchTST's reading of a window (Nie et al. 2023, sec. 3.1), without overlap.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.covariates import Ahead, folded, inputs
from tsrnn.layers.covariates import width as input_width
from tsrnn.layers.selective import SelectiveBlock
from tsrnn.models._base import Model, forecasts_of, restore, segments
from tsrnn.ranges import choice, span
from tsrnn.shapes import Batch, Spec


@dataclass(frozen=True)
class Config:
    hidden_size: int = choice(64, 32, 64, 128)
    num_layers: int = span(2, 1, 4)
    state_size: int = choice(16, 8, 16, 32)
    segment: int = choice(24, 8, 12, 24)
    dropout: float = span(0.2, 0.0, 0.6)
    centring: Centring = choice("season", "last", "season", "revin")


class Selective(Model):
    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        segments(spec.input_size, config.segment, "input_size")
        self.embed = nn.Linear(config.segment * input_width(spec, True), config.hidden_size)
        self.blocks = nn.Sequential(
            *(SelectiveBlock(config.hidden_size, state_size=config.state_size) for _ in range(config.num_layers))
        )
        self.norm = nn.RMSNorm(config.hidden_size)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden_size, spec.horizon * spec.params)
        self.ahead = Ahead(spec)

    def forward(self, batch: Batch) -> Tensor:
        undo = centre(batch.past, self.config.centring, self.spec.seasonality)
        sequence = folded(inputs(batch, undo, self.spec, True), self.config.segment)  # [batch*target step width]
        newest = self.norm(self.blocks(self.embed(sequence))[:, -1])  # [batch*target hidden]
        params = forecasts_of(self.head(self.dropout(newest)), self.spec)
        return restore(undo, self.ahead(params, batch))


MODEL = Selective
