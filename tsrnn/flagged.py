"""Rows that are labelled as anomalies: kept from models, read as ones and zeros, held against scores."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from tsrnn import infer, split
from tsrnn.arrays import Floats
from tsrnn.errors import InputError, quoted, unknown
from tsrnn.frames import to_polars
from tsrnn.panel import Panel
from tsrnn.vus import BEST, measures, vus_pr


def unlabelled(frame: Any, label: str, roles: Mapping[str, Any]) -> Panel:
    """A panel with the label in no role.

    Raises:
        InputError: it is asked to be read.
    """
    if isinstance(frame, Panel):
        if label in (*frame.roles.targets, *(name for names in frame.roles.covariates.values() for name in names)):
            raise InputError(f"{frame.source}: column {quoted(label)} holds the labels, which no model may read")
        return frame
    table = to_polars(frame, "frame")[0]
    if label not in table.columns:
        return Panel.of(table, **roles)
    named = {
        name for value in roles.values() if value is not None for name in ([value] if isinstance(value, str) else value)
    }
    if label in named:
        raise InputError(f"frame: column {quoted(label)} holds the labels, which no model may read")
    seen = Panel.of(table.drop(label), **roles)
    return Panel.of(table, **{**roles, "target": seen.roles.targets})


def labels_of(panel: Panel, label: str) -> np.ndarray:
    """Which rows are labelled in the column of that name: [row].

    Raises:
        InputError: there is no such column, or it holds another thing than 0, 1, true and false.
    """
    if label not in panel.frame.columns:
        said = unknown(f"column of {panel.source}", label, panel.frame.columns)
        raise InputError(f"{said}; scores are held against labels, name the column of them with label=")
    column = panel.frame[label]
    cells = column.cast(pl.Float64, strict=False)
    strange = column.filter(column.is_not_null() & ~cells.is_in([0.0, 1.0]).fill_null(False))
    if len(strange):
        raise InputError(
            f"{panel.source}: column {quoted(label)} holds {quoted(strange[0])}; an anomaly is 1 or true, and "
            "what is none 0 or false"
        )
    labels: np.ndarray = cells.fill_null(0.0).to_numpy() == 1.0
    return labels


def score(panel: Panel, labels: np.ndarray, scores: Floats, part: split.Part) -> infer.Score:
    """VUS-PR over a part's rows of each series in which something is labelled, and their mean."""
    each = {}
    for name, begin, end in zip(panel.ids, part.begin, part.end, strict=True):
        if labels[begin:end].any():
            each[name] = vus_pr(labels[begin:end], scores[begin:end])
    if not each:
        raise InputError(f"{panel.source}: no row of the part is labelled as an anomaly; there is none to be found")
    table = np.array([[each.get(name, np.nan)] for name in panel.ids] + [[np.mean([*each.values()])]])
    rows = int((part.end - part.begin).sum())
    return infer.Score(
        measures(float(table[-1, 0])), rows, {}, dict(zip(BEST, (1 - table, table), strict=True)), panel.ids
    )
