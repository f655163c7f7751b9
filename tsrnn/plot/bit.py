"""Forecasts ahead of the bit: of each curve what is forecast below the last depth at which it was measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tsrnn import hindcast
from tsrnn.errors import InputError, listed, quoted
from tsrnn.frames import to_polars
from tsrnn.plot import facets
from tsrnn.plot.facets import Fan, Values
from tsrnn.plot.logs import Logs

_CUTOFFS = 8  # the newest, where forecasts were made from several
_BEHIND = 3.0  # lengths of a forecast that are shown above the bit


@dataclass(frozen=True)
class Ahead:
    """Forecasts of one curve in one well."""

    curve: str
    bits: Values  # the last depth measured before each forecast
    fans: list[Fan]

    @property
    def window(self) -> tuple[float, float]:
        """The depths to show: some above the first bit, and down to the last step forecast."""
        ends = [float(fan.at[-1]) for fan in self.fans]
        length = max(end - bit for end, bit in zip(ends, self.bits.tolist(), strict=True))
        return float(self.bits[0] - _BEHIND * length), max(ends)


def curves(forecast: Any, logs: Logs, asked: Sequence[str] = ()) -> list[str]:
    """The curves that a table of forecasts tells of, of those asked for.

    Raises:
        InputError: it tells of none, or of several models.
    """
    if forecast is None:
        return []
    table = to_polars(forecast, "forecast")[0]
    if "model" in table.columns and table["model"].n_unique() > 1:
        raise InputError(
            f"the forecast is of the models {listed(table['model'].unique(maintain_order=True))}; filter it for one"
        )
    names = table["target"].unique(maintain_order=True).to_list() if _is_long(table) else table.columns
    known = [name for name in names if name in (asked or logs.curves)]
    if not known or logs.index not in table.columns:
        raise InputError(
            f"the forecast has none of the curves {listed(asked or logs.curves)} over {quoted(logs.index)}"
        )
    return known


def ahead(forecast: Any, logs: Logs, names: list[str], well: str, rows: pl.DataFrame) -> list[Ahead]:
    """What is forecast of a well: from its end, as `predict` gives it, or from the newest cutoffs of a table."""
    if forecast is None:
        return []
    table = to_polars(forecast, "forecast")[0]
    if logs.id in table.columns:
        table = table.filter(pl.col(logs.id).cast(pl.String) == well)
    told = [_ahead(_fans(table, logs, name), rows, logs, name) for name in names]
    return [each for each in told if each.fans]


def _is_long(table: pl.DataFrame) -> bool:
    return {"cutoff", "target", "forecast"} <= set(table.columns)


def _fans(table: pl.DataFrame, logs: Logs, name: str) -> list[Fan]:
    if _is_long(table):
        rows = table.filter(target=name)
        newest = rows["cutoff"].unique().sort().tail(_CUTOFFS)
        parts = [rows.filter(cutoff=cutoff).sort(logs.index) for cutoff in newest]
    else:
        levels = {each: each.removeprefix(f"{name}_") for each in table.columns if each.startswith(f"{name}_")}
        quantiles = [pl.col(each).alias(level) for each, level in levels.items() if hindcast.is_level(level)]
        rows = table.sort(logs.index).drop_nulls(name)
        parts = [
            rows.select(logs.index, pl.col(name).alias("forecast"), pl.col(logs.index).alias("cutoff"), *quantiles)
        ]
    return [facets.fan(part, logs.index) for part in parts if part.height]


def _ahead(fans: list[Fan], rows: pl.DataFrame, logs: Logs, name: str) -> Ahead:
    measured = rows.drop_nulls(name)[logs.index].cast(pl.Float64).to_numpy()
    firsts = np.array([float(fan.at[0]) for fan in fans])
    above = np.searchsorted(measured, firsts) - 1
    bits = np.where(above >= 0, measured[np.maximum(above, 0)] if len(measured) else firsts, firsts)
    return Ahead(name, bits, fans)
