"""How much each row's label counts in the training: by a column, or by what a column's values or classes weigh."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import polars as pl

from tsrnn import figures
from tsrnn.arrays import Floats
from tsrnn.errors import InputError, listed, quoted, unknown
from tsrnn.panel import Panel


def of_rows(panel: Panel, asked: str | Mapping[str, Any]) -> Floats:
    """A weight per row, 0 where the column says nothing: [row].

    Args:
        asked: a column of weights; or {column: {value: weight}}, such as {"confidence": {1: 1.0, 2: 0.5}} or
            {"confidence": {"high": 1.0, "low": 0.5}}.

    Raises:
        InputError: there is no such column, or a cell of it has no weight, a negative one, or a word for one.
    """
    plain = isinstance(asked, str)
    if not plain and (not isinstance(asked, Mapping) or len(asked) != 1):
        raise InputError(f"label_weights takes a column, or one {{column: {{value: weight}}}}, not {asked!r}")
    name, table = (asked, None) if plain else next(iter(asked.items()))  # type: ignore[union-attr]  # `plain` tells
    if name in panel.roles.targets:
        raise InputError(f"label_weights names {quoted(name)}, which holds the labels; name a column of weights")
    if name not in panel.frame.columns:
        raise unknown(f"column of {panel.source}", str(name), panel.frame.columns)
    column = panel.frame[name]
    if table is None:
        weights = figures.floats(figures.read(column, panel.source) if figures.is_text(column.dtype) else column)
    else:
        weights = _by_value(column, table, str(name), panel.source)
    weights = np.nan_to_num(weights.astype(np.float64))
    if (weights < 0).any() or not np.isfinite(weights).all():
        row = int(np.flatnonzero((weights < 0) | ~np.isfinite(weights))[0])
        raise InputError(
            f"{panel.source}, row {row + 1}: {quoted(name)} weighs {weights[row]:g}; weights are at least 0"
        )
    return weights


def named(asked: str | Mapping[str, Any] | None) -> list[str]:
    """The column that `label_weights` names: it says something of labels, and is no input."""
    return [asked] if isinstance(asked, str) else [str(name) for name in asked or ()]


def of_classes(asked: Mapping[Any, Any], classes: Sequence[Any]) -> list[float]:
    """What the cells of each class weigh, by its name: [class] in the order of `classes`, 1.0 of one without a word.

    Args:
        asked: class -> weight. A number or a truth value may be written as text, as JSON and TOML write keys.

    Raises:
        InputError: a name is no class, or is there twice, or a weight is no number of at least 0.
    """
    weights: dict[int, float] = {}
    for name, weight in asked.items():
        place = next((k for k, each in enumerate(classes) if _is_class(name, each)), None)
        if place is None:
            raise InputError(f"class_weights weighs {quoted(name)}, which is no class; there are {listed(classes, 20)}")
        if place in weights:
            raise InputError(f"class_weights weighs the class {quoted(name)} twice; leave one of them out")
        if (
            not isinstance(weight, int | float | np.number)
            or isinstance(weight, bool)
            or not 0 <= weight < float("inf")
        ):
            raise InputError(f"class_weights weighs {quoted(name)} {weight!r}; a weight is a number of at least 0")
        weights[place] = float(weight)
    return [weights.get(k, 1.0) for k in range(len(classes))]


def _is_class(name: Any, kind: Any) -> bool:
    """Whether a name is a class's: text is compared as text, and numbers and truth values by what they are."""
    if isinstance(kind, str):
        return str(name) == kind
    if isinstance(name, str):
        with suppress(ValueError):
            name = json.loads(name.lower())
    return bool(name == kind)


def _by_value(column: pl.Series, table: Any, name: str, source: str) -> Floats:
    """What the words, or the numbers, of a column weigh: [row], NaN where the cell is empty."""
    told: type[str] | type[float]
    told, what, such = (str, "words", {"high": 1.0}) if figures.is_text(column.dtype) else (float, "values", {1: 1.0})
    try:
        known = {told(value): float(weight) for value, weight in table.items()}
    except (AttributeError, TypeError, ValueError):
        raise InputError(
            f"label_weights says what {what} of {quoted(name)} weigh, such as {such}, not {table!r}"
        ) from None
    cells = figures.text(column) if told is str else pl.Series(figures.floats(column), dtype=pl.Float64).fill_nan(None)
    if lacking := [value for value in cells.unique().drop_nulls().sort() if value not in known]:
        shown = listed(value if told is str else f"{value:g}" for value in lacking)
        raise InputError(f"{source}: label_weights does not say what {shown} of {quoted(name)} weighs; add it")
    weights: Floats = np.array([known.get(cell, np.nan) for cell in cells], np.float64)
    return weights
