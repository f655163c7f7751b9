"""What is done to a column before it is scaled, and undone at the exit: the common logarithm of what spans decades.

A resistivity of 0.2 to 2000 ohm.m has its middle half within a hundredth of a deviation as it stands, and within one in
log10. A model reads and forecasts the logarithm; forecasts, quantiles and measures come out in the column's own unit. A
power is monotone, so quantiles stay quantiles; a mean in logarithms comes out as a geometric one.

Zero and below have no logarithm: such cells are missing, which is counted and said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from tsrnn.arrays import Arrays, Floats
from tsrnn.errors import InputError, notice, unknown
from tsrnn.reading import Note, line
from tsrnn.roles import Roles

KINDS = ("log10",)


def plain(transforms: Any) -> dict[str, str] | None:
    """Column -> transform, as a saved model keeps it; None: none.

    Raises:
        InputError: it is no such table, or there is no such transform.
    """
    if not transforms:
        return None
    if not isinstance(transforms, Mapping):
        raise InputError(
            f'transforms takes columns and what is done to them, such as {{"RDEP": "log10"}}, not {transforms!r}'
        )
    for name, kind in transforms.items():
        if kind not in KINDS:
            raise unknown(f"transform of column {name!r}", str(kind), KINDS)
    return {str(name): str(kind) for name, kind in transforms.items()}


def of_channels(transforms: Mapping[str, str] | None, roles: Roles, columns: Sequence[str], source: str) -> Any:
    """The transforms of targets and past covariates; those of columns that nobody reads are left out.

    Raises:
        InputError: there is no such column, or it is known ahead or of a whole series.
    """
    for name in transforms or ():
        if name not in columns:
            raise unknown(f"column of {source}", name, columns)
        if name in (*roles.future, *roles.static):
            raise InputError(f"{source}: transforms are of targets and past covariates, and {name!r} is neither")
    channels = (*roles.targets, *roles.past)
    return {name: kind for name, kind in (transforms or {}).items() if name in channels} or None


def masked(
    table: pl.DataFrame, transforms: Mapping[str, str] | None, source: str
) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """The table with cells that have no logarithm null, and a note for every column that had some, which is said."""
    changed, notes = [], []
    for name in transforms or ():
        low = (table[name] <= 0).fill_null(False)
        if low.any():
            notes.append(Note("values at or below 0 taken as missing, for want of a logarithm", int(low.sum()), name))
            changed.append(pl.when(pl.col(name) > 0).then(pl.col(name)).alias(name))
    if told := line(notes):
        notice(f"{source}: {told}")
    return table.with_columns(changed), tuple(notes)


def places(transforms: Mapping[str, str] | None, names: Sequence[str]) -> tuple[int, ...]:
    """Which of the channels are read by their logarithms."""
    return tuple(k for k, name in enumerate(names) if name in (transforms or {}))


def logged(arrays: Arrays, places: Sequence[int]) -> Arrays:
    """The numbers as a model reads them: some columns by their logarithms, in float64."""
    if not places:
        return arrays
    columns = [log10(column) if k in places else column for k, column in enumerate(arrays.columns)]
    return replace(arrays, columns=tuple(columns))


def log10(column: Floats) -> Floats:
    """NaN where there is none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(column > 0, np.log10(column.astype(np.float64)), np.nan)
