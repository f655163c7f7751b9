"""Which labels a column holds, of any kind: text, whole numbers, truth values -> 0, 1, 2..."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from tsrnn.errors import InputError, listed, quoted

MOST = 1000  # classes: more are values, or names of rows
_EXACT = 2.0**53  # below it a float holds every whole number


def classes_of(column: pl.Series, source: str) -> list[Any]:
    """The classes in a column, in order: numbers by size, text by letters.

    Raises:
        InputError: there is one class, or none, or so many that they are none.
    """
    if column.dtype.is_temporal() or column.dtype.is_nested():
        raise InputError(
            f"{source}: column {quoted(column.name)} holds {column.dtype}; labels are text, whole numbers or truth "
            "values"
        )
    kinds = said(column).drop_nulls().unique().sort()
    if kinds.dtype.is_float() and not are_whole(kinds) and len(kinds):
        broken = kinds.filter(kinds != kinds.round())[0]
        raise InputError(
            f"{source}: column {quoted(column.name)} holds {broken:g}, a fraction and no class; take loss='mae' to "
            "tell values"
        )
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
    column = said(column)
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
    return [int(each) if isinstance(each, float) and each.is_integer() else each for each in classes]


def as_array(classes: Sequence[Any]) -> Any:
    """Classes as scikit-learn has them: [class], of the type that holds each to the last digit."""
    return pl.Series(classes).to_numpy()


def said(column: pl.Series) -> pl.Series:
    """A column of labels in which nothing stands for none, no NaN and no text of blanks, and 65000.0 is 65000."""
    if column.dtype == pl.String:
        return column.set(column.str.strip_chars() == "", None)
    if not column.dtype.is_float() and not column.dtype.is_decimal():
        return column
    column = column.cast(pl.Float64).fill_nan(None)
    return column.cast(pl.Int64) if are_whole(column) and (column.abs() < _EXACT).all() else column


def are_whole(column: pl.Series) -> bool:
    """Whether numbers may be the numbers of classes, whatever type holds them: 5 or, beside missing ones, 5.0."""
    if column.dtype.is_integer():
        return True
    cells = column.drop_nulls().drop_nans() if column.dtype.is_float() else column.clear()
    return len(cells) > 0 and bool((cells == cells.round()).all())
