"""CycleNet: a learnt cycle is taken out of the window, what is left is forecast by one map for all channels, and the
cycle of the horizon is put back (Lin et al. 2024, "CycleNet: Enhancing Time Series Forecasting through Modeling
Periodic Patterns", arXiv 2409.18479).

The network between is a linear map (CycleNet/Linear) or one with a hidden layer (CycleNet/MLP). Departs from the
authors' code in the divisor of the instance's variance (the number of steps, not one less), and in the choice of
another centring than theirs, "revin".
"""

from dataclasses import dataclass

from torch import Tensor, nn

from tsrnn.errors import unknown
from tsrnn.layers.ahead import Ahead
from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.cycle import Cycle
from tsrnn.layers.lengths import settled
from tsrnn.models._base import Model, forecasts_of, restore, series_of
from tsrnn.options import choice
from tsrnn.shapes import Batch, Spec


@dataclass(frozen=True)
class Config:
    cycle: int | None = None  # steps after which the pattern returns; None: the data's own shortest season
    network: str = choice("linear", "linear", "mlp")
    hidden_size: int = choice(512, 128, 256, 512)  # of the mlp
    centring: Centring = choice("revin", "revin", "season", "none")


class CycleNet(Model):
    reads = frozenset({"known"})
    reads_lengths = True

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.cycle = Cycle(spec.seasonality if config.cycle is None else config.cycle, spec.targets)
        self.network: nn.Module
        width, out = config.hidden_size, spec.horizon * spec.params
        if config.network == "linear":
            self.network = nn.Linear(spec.input_size, out)
        elif config.network == "mlp":
            self.network = nn.Sequential(nn.Linear(spec.input_size, width), nn.ReLU(), nn.Linear(width, out))
        else:
            raise unknown("network of cyclenet", config.network, ("linear", "mlp"))
        self.ahead = Ahead(spec, linear=True)

    def forward(self, batch: Batch) -> Tensor:
        batch, response = self.ahead.without(settled(batch))
        past = batch.past[..., : self.spec.targets]  # [batch time target]
        undo = centre(past, self.config.centring, self.spec.seasonality, batch.lengths)
        left = self.cycle.subtract(undo.apply(past), batch.phase)  # [batch time target]
        rows = self.network(series_of(left, self.spec.targets))  # [batch*target horizon*params]
        params = self.ahead(self.cycle.add(forecasts_of(rows, self.spec), batch.phase), batch)
        return self.ahead.back(restore(undo, params), response)


PAPER = "Lin et al. 2024, arXiv 2409.18479"
FAMILY = "linear"
MODEL = CycleNet
