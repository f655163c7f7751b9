"""What it costs to take one label for another: a matrix in the classes' order, or a table by label from a file.

A table is a TOML file, here under `penalties/` or anywhere: `labels`, and `costs[true][told]` in their order.
"""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tsrnn.errors import InputError, listed, unknown

_SHELF = Path(__file__).with_name("penalties")
Costs = list[list[float]]


def costs(penalty: Any, classes: Sequence[Any]) -> Costs | None:
    """The matrix [true class, told class] of what was asked for; None where nothing was.

    Args:
        penalty: rows of numbers in the order of `classes`, or a table's name or TOML file.

    Raises:
        InputError: there is no such table, it lacks a class, or the numbers are no costs.
    """
    if penalty is None:
        return None
    if isinstance(penalty, str | Path):
        return _of_table(str(penalty), classes)
    try:
        matrix = [[float(cost) for cost in row] for row in penalty]
    except (TypeError, ValueError):
        matrix = []
    return _checked(matrix, len(classes), "penalty")


def names() -> list[str]:
    """The tables that lie here."""
    return sorted(path.stem for path in _SHELF.glob("*.toml"))


def _of_table(word: str, classes: Sequence[Any]) -> Costs:
    own = Path(word).suffix == ".toml"
    path = Path(word) if own else _SHELF / f"{word}.toml"
    if own and not path.exists():
        raise InputError(f"{path} is not there; give the file of a table of penalties, or a name of {listed(names())}")
    if not path.is_file():
        raise unknown("table of penalties", word, names())
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as TOML: {error}") from None
    labels = table.get("labels")
    if not isinstance(labels, list) or "costs" not in table:
        raise InputError(f"{path} holds no table of penalties; it takes labels = [...] and costs = [[...], ...]")
    full = _checked(table["costs"], len(labels), f"{path}: costs")
    lacking = [str(each) for each in classes if each not in labels]
    if lacking:
        if own:
            raise InputError(f"{path} says no penalty of {listed(lacking)}; add it, or give a matrix")
        raise InputError(
            f"the table {word!r} says no penalty of {listed(lacking)}; copy {path} to a file of your own, add it "
            "there, and pass penalty='mine.toml'"
        )
    places = [labels.index(each) for each in classes]
    return [[full[true][told] for told in places] for true in places]


def _checked(matrix: Any, count: int, what: str) -> Costs:
    numbers = isinstance(matrix, list) and all(isinstance(row, list) and len(row) == count for row in matrix)
    if not numbers or len(matrix) != count or not all(_cost(each) for row in matrix for each in row):
        raise InputError(f"{what} takes {count} rows of {count} costs of at least 0, one row and column for each class")
    return [[float(each) for each in row] for row in matrix]


def _cost(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")
