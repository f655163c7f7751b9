"""What a page says of labels beside its board: measures of all wells pooled, and how well each class is told."""

from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any

import polars as pl

from tsrnn.board import pooled
from tsrnn.board.apart import LINE
from tsrnn.page import cells
from tsrnn.suites import Suite

_COLUMNS = ("class", "rows", "precision", "recall", "F1", "else told", "of its rows")


def told(rows: pl.DataFrame, lines: Mapping[str, pl.DataFrame], suite: Suite, folder: Path) -> dict[str, Any] | None:
    """Both measures of each line by measure, F1 by class of all lines, and each line's classes; None of no labels.

    Args:
        rows: of a board.
        lines: the rows of each of its lines, by name.
    """
    names = {tuple(each.row(0, named=True)[word] for word in LINE): name for name, each in lines.items()}
    both: dict[str, dict[str, Mapping[str, Any]]] = {}
    for record in pooled.summary(rows, suite, folder):
        both.setdefault(_name(record, names), {})[record["measure"]] = record
    classes: dict[str, list[Mapping[str, Any]]] = {}
    for record in pooled.by_class(rows, suite, folder):
        classes.setdefault(_name(record, names), []).append(record)
    if not both and not classes:
        return None
    return {
        "ways": pooled.WAYS,
        "pooled": [(name, _ways(both[name], suite)) for name in names.values() if name in both],
        "series": next((each["series"] for records in both.values() for each in records.values()), 0),
        "pooled_said": pooled.BOTH,
        "f1": cells.heat(_f1({name: classes[name] for name in names.values() if name in classes}), True, higher=True),
        "columns": _COLUMNS,
        "classes": [(name, _texts(classes[name])) for name in names.values() if name in classes],
        "classes_said": pooled.CLASSES,
    }


def _name(record: Mapping[str, Any], names: Mapping[tuple[Any, ...], str]) -> str:
    """The line that a record is of, which says no more than it takes to tell lines apart."""
    fits = (name for key, name in names.items() if all(record.get(w, k) == k for w, k in zip(LINE, key, strict=True)))
    return next(fits)


def _ways(records: Mapping[str, Mapping[str, Any]], suite: Suite) -> list[list[str]]:
    """A cell for each way of counting, with a text per measure."""
    return [[_between(records[word], way) for word in suite.measures] for way in pooled.WAYS]


def _between(record: Mapping[str, Any], way: str) -> str:
    value, low, high = record[way], record[f"{way} low"], record[f"{way} high"]
    return cells.NONE if value is None else f"{value:.3f} ({low:.3f} to {high:.3f})"


def _f1(classes: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[list[str], dict[str, list[float]]]:
    """Classes, the commonest first, and each line's F1 of them."""
    counts = {each["class"]: each["rows"] for records in classes.values() for each in records}
    order = sorted(counts, key=lambda label: (-counts[label], label))
    scores = {name: {each["class"]: each["F1"] for each in records} for name, records in classes.items()}
    return order, {name: [known.get(label, nan) for label in order] for name, known in scores.items()}


def _texts(records: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    return [[_text(record[name]) for name in _COLUMNS] for record in records]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return cells.NONE if value is None else f"{value:,}" if isinstance(value, int) else str(value)
