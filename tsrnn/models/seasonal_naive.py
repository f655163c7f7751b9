"""Seasonal naive: the last season repeats. The forecast to beat where days or years return."""

from dataclasses import dataclass

import torch
from torch import Tensor

from tsrnn.errors import InputError
from tsrnn.models._base import Naive
from tsrnn.shapes import Batch, Spec


@dataclass(frozen=True)
class Config:
    season: int | None = None  # steps; None: the data's own shortest season


class SeasonalNaive(Naive):
    sees_newest = False
    rows: Tensor

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if config.season is not None and config.season < 1:
            raise InputError(f"season must be at least 1 step, or None, not {config.season}")
        season = min(config.season or spec.seasonality, spec.input_size)
        self.needs = season
        rows = spec.input_size - season + torch.arange(spec.horizon) % season
        self.register_buffer("rows", rows, persistent=False)

    def repeated(self, batch: Batch) -> Tensor:
        return batch.past[:, self.rows, : self.spec.targets]


FAMILY = "naive"
MODEL = SeasonalNaive
