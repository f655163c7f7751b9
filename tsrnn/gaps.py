"""Holes cut into a curve on purpose: what stood in them is to be told, the rest of the curve beside it is shown.

A curve that was lost for some metres, between two stretches where it was measured. Gaps are of one length, lie where a
seed says, a gap's length apart at least, and have a measured row right above and right below.
"""

from dataclasses import replace

import numpy as np
import polars as pl

from tsrnn.arrays import Rows
from tsrnn.errors import InputError, quoted
from tsrnn.panel import Panel

SHOWN = "{}_shown"  # the name of what is left of the column
_EVERY = 4  # gaps' lengths from the beginning of one to that of the next, on average


def cut(panel: Panel, rows: int, seed: int = 0) -> Panel:
    """A panel whose target is empty outside of gaps, and whose first past covariate, `<target>_shown`, within them.

    Args:
        panel: with one target of values.
        rows: of a gap.

    Raises:
        InputError: there is another number of targets, the name is taken, or no gap fits into any series.
    """
    if len(panel.roles.targets) != 1:
        raise InputError(f"{panel.source} has {len(panel.roles.targets)} targets; gaps are cut into one")
    target = panel.roles.targets[0]
    name = SHOWN.format(target)
    if name in panel.frame.columns:
        raise InputError(f"{panel.source} has a column {quoted(name)}, which is what gaps leave of {quoted(target)}")
    arrays = panel.arrays()
    seen = np.isfinite(arrays.columns[0])
    inside = np.zeros(len(seen), bool)
    for k, (begin, end) in enumerate(zip(*arrays.segments(), strict=True)):
        for first in _places(int(end - begin), rows, np.random.default_rng((seed, k))) + begin:
            inside[first : first + rows] = seen[first - 1] and seen[first + rows]
    if not (inside & seen).any():
        raise InputError(f"{panel.source}: no gap of {rows} rows has {quoted(target)} measured above and below it")
    gap = pl.Series(inside)
    values = panel.frame[target].cast(pl.Float64)
    frame = panel.frame.with_columns(
        pl.select(pl.when(gap).then(values).alias(target)).to_series(),
        pl.select(pl.when(~gap).then(values).alias(name)).to_series(),
    )
    columns = {**panel.columns, **({name: panel.columns[target]} if target in panel.columns else {})}
    roles = replace(panel.roles, past=(name, *panel.roles.past))
    return replace(panel, frame=frame, roles=roles, columns=columns)


def _places(length: int, rows: int, rng: np.random.Generator) -> Rows:
    """First rows of gaps in a stretch of so many rows, a row to spare at either end."""
    stride = _EVERY * rows
    starts = np.arange(1, length - stride, stride)
    return starts + rng.integers(0, stride - 2 * rows + 1, len(starts))
