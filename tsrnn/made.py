"""Made sequences as a long frame: which one, which step of it, and its channels, in the frame type that came in."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from tsrnn.arrays import Floats
from tsrnn.errors import InputError, quoted
from tsrnn.frames import Origin, from_polars

ID, STEP = "sequence", "step"
LIBRARIES = ("polars", "pandas", "pyarrow")


def check_names(names: Sequence[str]) -> None:
    """Refuse channels that are called as the frame's own columns are.

    Raises:
        InputError: one is.
    """
    for name in (ID, STEP):
        if name in names:
            raise InputError(f"a column is called {quoted(name)}, as one of what `sample` gives is; rename it")


def frame(values: Floats, names: Sequence[str], library: str) -> Any:
    """[sequence step channel] -> columns `sequence` (from 0), `step` (from 0), and one per channel."""
    count, length, _ = values.shape
    keys = {ID: np.repeat(np.arange(count), length), STEP: np.tile(np.arange(length), count)}
    channels = {name: values[..., k].ravel() for k, name in enumerate(names)}
    return from_polars(pl.DataFrame({**keys, **channels}), Origin(library), STEP)
