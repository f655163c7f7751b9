"""Damped anomaly persistence: what the clock says, and a part of today's departure from it that shrinks with the lead.

    y(t+h) = c(t+h) + a_h (y(t) - c(t))

c is the mean at the same place of the season over the newest whole seasons of the look-back (the same time of day over
30 days, say), a_h least squares on the training windows, for each target. The reference of forecast verification:
climatology and persistence in their best mixture (Murphy 1992, "Climatology, persistence, and their linear combination
as standards of reference in skill scores", Weather and Forecasting 7).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from tsrnn.errors import InputError
from tsrnn.models._base import Naive
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

_CHUNK = 256  # windows summed at a time


@dataclass(frozen=True)
class Config:
    seasons: int | None = None  # of the mean; None: as many as the look-back holds

    def __post_init__(self) -> None:
        if self.seasons is not None and self.seasons < 1:
            raise InputError(f"seasons of model 'damped' must be at least 1, or None, not {self.seasons}")


class Damped(Naive):
    damping: Tensor  # [horizon target]

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.season = min(spec.seasonality, spec.input_size)
        self.seasons = config.seasons or spec.input_size // self.season
        if self.seasons * self.season > spec.input_size:
            raise InputError(
                f"{self.seasons} seasons of {self.season} steps reach behind input_size={spec.input_size}; take "
                "fewer, or look further"
            )
        self.sees_newest = self.seasons > 1  # one season is its own mean: the newest departs from it by nothing
        self.register_buffer("damping", torch.ones(spec.horizon, spec.targets))

    def repeated(self, batch: Batch) -> Tensor:
        """[batch horizon target]; before `solve` the departure stays as it is."""
        clock, departure = self._departure(batch)
        return clock + self.damping * departure

    @torch.no_grad()
    def solve(self, train: Windows, val: Windows | None) -> bool:
        """Each lead's share of the departure, then what its errors show."""
        both, square = torch.zeros_like(self.damping), torch.zeros_like(self.damping)
        for batch in train.batches(_CHUNK):
            assert batch.target is not None
            clock, departure = self._departure(batch)
            seen = departure.new_ones(1) if batch.target_observed is None else batch.target_observed.to(departure.dtype)
            both += ((batch.target - clock) * departure * seen).sum(0)
            square += (departure.square() * seen).sum(0)
        self.damping.copy_(both / square.clamp(min=1e-12))
        return super().solve(train, val)

    def _departure(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The clock's mean at each step ahead [batch horizon target], and the newest departure [batch 1 target]."""
        season, targets = self.season, self.spec.targets
        newest = batch.past[:, -self.seasons * season :, :targets]
        mean = newest.reshape(len(newest), self.seasons, season, targets).mean(1)  # [batch season target]
        ahead = torch.arange(self.spec.horizon, device=mean.device) % season
        return mean[:, ahead], newest[:, -1:] - mean[:, -1:]


PAPER = "Murphy 1992"
FAMILY = "naive"
MODEL = Damped
