"""What stands out: a frame with each row's score, the threshold, and what each target adds."""

import numpy as np
import polars as pl

from tsrnn.arrays import Floats
from tsrnn.errors import InputError
from tsrnn.panel import Panel

SCORE, THRESHOLD, ANOMALY = COLUMNS = ("score", "threshold", "anomaly")


def table(panel: Panel, parts: Floats, scores: Floats, threshold: float) -> pl.DataFrame:
    """Ids, index, score, threshold, anomaly, and `<target>_score` of each target.

    Args:
        parts: [row target]; scores: [row]. NaN, of a row that was not judged, is an empty cell, and no anomaly.

    Raises:
        InputError: the id or the index is called as one of the columns.
    """
    targets = [f"{name}_{SCORE}" for name in panel.roles.targets]
    keys = [name for name in (panel.roles.id, panel.roles.index) if name is not None]
    for name in keys:
        if name in (*COLUMNS, *targets):
            raise InputError(f"{panel.source}: column {name!r} is called as one of the anomalies' columns; rename it")
    with np.errstate(invalid="ignore"):
        beyond = scores > threshold
    judged = [(SCORE, scores), (THRESHOLD, np.full(len(scores), threshold)), (ANOMALY, beyond)]
    columns = [pl.Series(name, values, nan_to_null=True) for name, values in judged]
    beside = [pl.Series(name, parts[:, k], nan_to_null=True) for k, name in enumerate(targets)]
    return pl.DataFrame([*(panel.frame[name] for name in keys), *columns, *beside])


def between(panel: Panel, values: Floats) -> pl.DataFrame:
    """Ids, index and a column per target: values [row target]."""
    keys = [panel.frame[name] for name in (panel.roles.id, panel.roles.index) if name is not None]
    columns = [pl.Series(name, values[:, k], nan_to_null=True) for k, name in enumerate(panel.roles.targets)]
    return pl.DataFrame([*keys, *columns])


def codes(panel: Panel, rows: np.ndarray, values: Floats) -> pl.DataFrame:
    """Ids and index of some rows, and `code_1`, `code_2`...: values [row code]."""
    keys = [panel.frame[name].gather(rows) for name in (panel.roles.id, panel.roles.index) if name is not None]
    return pl.DataFrame([*keys, *(pl.Series(f"code_{k + 1}", column) for k, column in enumerate(values.T))])
