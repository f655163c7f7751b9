"""Labels of any kind and their numbers: text, whole numbers, truth values -> 0, 1, 2..., and back."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from tsrnn.errors import InputError, listed, quoted

MOST = 1000  # classes: more are values, or names of rows


def classes_of(column: pl.Series, source: str) -> list[Any]:
    """The classes in a column, in order: numbers by size, text by letters.

    Raises:
        InputError: there is one class, or none, or so many that they are none.
    """
    kinds = column.drop_nulls()
    kinds = (kinds.fill_nan(None).drop_nulls() if kinds.dtype.is_float() else kinds).unique().sort()
    if len(kinds) < 2:
        held = "no label at all" if not len(kinds) else f"one class alone, {kinds[0]!r}"
        raise InputError(f"{source}: column {quoted(column.name)} holds {held}; there is nothing to tell apart")
    if len(kinds) > MOST:
        raise InputError(
            f"{source}: column {quoted(column.name)} holds {len(kinds):,} different values, which are no classes; take "
            "loss='mae' where they are numbers"
        )
    return list(kinds.to_list())


def encode(column: pl.Series, classes: Sequence[Any], source: str) -> pl.Series:
    """Each label's number, null where there is none.

    Raises:
        InputError: a label is none of the classes.
    """
    column = column.fill_nan(None) if column.dtype.is_float() else column
    strangers = sorted({str(each) for each in column.unique() if each is not None and each not in set(classes)})
    if strangers:
        raise InputError(
            f"{source}: column {quoted(column.name)} holds {listed(strangers)}, which is no class of the training's "
            f"({listed(map(str, classes))})"
        )
    numbers = dict(zip(classes, range(len(classes)), strict=True))
    codes = [None if each is None else float(numbers[each]) for each in column]
    return pl.Series(column.name, codes, pl.Float64)


def restored(classes: Any, count: int) -> list[Any] | None:
    """Classes from a saved model; None where it tells values.

    Raises:
        InputError: they are not `count` different words or numbers.
    """
    if classes is None:
        return None
    plain = isinstance(classes, list) and all(isinstance(each, str | int | float | bool) for each in classes)
    if not plain or len(classes) != count or len(set(classes)) != count:
        raise InputError(f"classes must be {count} different words or numbers")
    return list(classes)


def decode(codes: Sequence[int], classes: Sequence[Any], name: str, dtype: Any) -> pl.Series:
    """The labels of numbers, as the training's column had them."""
    return pl.Series(name, [classes[code] for code in codes]).cast(dtype)
