"""SparseTSF: the window less its mean, smoothed a little, then each place of the period forecast from its own past by
weights that all places and channels share (Lin et al. 2024, "SparseTSF: Modeling Long-term Time Series Forecasting with
1k Parameters", arXiv 2405.00946, section 3).

Linear, or with a hidden layer as in the authors' later code. Departs from it in sizes that need not be whole periods:
the oldest part of the window is left out, the last forecast period cut short. A step in the first half of its period
does not see the newest observation but through the window's mean: that is the method.
"""

from dataclasses import dataclass

from torch import Tensor

from tsrnn.errors import unknown
from tsrnn.layers.ahead import Ahead
from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.lengths import settled
from tsrnn.layers.skip import SparseSkip
from tsrnn.models._base import Model, forecasts_of, restore, series_of
from tsrnn.options import choice
from tsrnn.shapes import Batch, Spec


@dataclass(frozen=True)
class Config:
    period: int | None = None  # steps; None: the data's own shortest season
    network: str = choice("linear", "linear", "mlp")
    hidden_size: int = choice(128, 64, 128, 256)  # of the mlp
    centring: Centring = choice("mean", "mean", "season")


class SparseTSF(Model):
    sees_newest = False
    reads = frozenset({"known"})
    reads_lengths = True

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if config.network not in ("linear", "mlp"):
            raise unknown("network of sparsetsf", config.network, ("linear", "mlp"))
        period = spec.seasonality if config.period is None else config.period
        self.sparse = SparseSkip(spec, period, "random", config.hidden_size if config.network == "mlp" else 0)
        self.ahead = Ahead(spec, linear=True)

    def forward(self, batch: Batch) -> Tensor:
        batch, response = self.ahead.without(settled(batch))
        past = batch.past[..., : self.spec.targets]  # [batch time target]
        undo = centre(past, self.config.centring, self.spec.seasonality, batch.lengths)
        rows = self.sparse(series_of(undo.apply(past), self.spec.targets))  # [batch*target horizon*params]
        params = self.ahead(forecasts_of(rows, self.spec), batch)
        return self.ahead.back(restore(undo, params), response)


PAPER = "Lin et al. 2024, arXiv 2405.00946"
FAMILY = "linear"  # as published; also where its network has a hidden layer
MODEL = SparseTSF
