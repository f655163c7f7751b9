"""Which labels a column holds, of any kind: text, whole numbers, truth values -> 0, 1, 2..."""

import unicodedata
from collections.abc import Sequence
from typing import Any

import polars as pl

from tsrnn.errors import InputError, listed, notice, quoted

MOST = 1000  # classes: more are values, or names of rows
_EXACT = 2.0**53  # below it a float holds every whole number
_NOTHING = ("nan", "na", "n/a", "#n/a", "<na>", "nat", "null", "none")  # what others write into an empty cell
_64_BITS = ((-(2**63), 2**63), (0, 2**64))  # what a signed number holds, and one without a sign


def classes_of(column: pl.Series, source: str) -> list[Any]:
    """The classes in a column, in order: numbers by size, text by letters.

    Raises:
        InputError: there is one class, or none, or so many that they are none; or something that is no label.
    """
    if column.dtype.is_temporal() or column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        raise InputError(
            f"{source}: column {quoted(column.name)} holds {column.dtype}; labels are text, whole numbers or truth "
            "values"
        )
    kinds = said(column).drop_nulls().unique().sort()
    if (far := _too_large(kinds)) is not None:
        raise InputError(
            f"{source}: column {quoted(column.name)} holds {far:.15g}, too large to be the number of a class; write "
            "labels as text, or mend the cell"
        )
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
    if kinds.dtype in (pl.String, pl.Categorical, pl.Enum):
        _say_what_is_odd(kinds.to_list(), f"{source}: column {quoted(column.name)}")
    return list(kinds.to_list())


def _say_what_is_odd(words: Sequence[str], where: str) -> None:
    """Words that elsewhere stand for nothing, and such as may be meant as one."""
    if nothing := [word for word in words if word.strip().casefold() in _NOTHING]:
        notice(
            f"{where} holds {listed(nothing)}, taken for a class as any other word; where it stands for no label, "
            f"write nothing or pass missing=[{quoted(nothing[0])}]"
        )
    spelt: dict[str, str] = {}
    for word in words:
        plain = " ".join(unicodedata.normalize("NFKC", word).casefold().split())
        if (twin := spelt.setdefault(plain, word)) != word:
            notice(
                f"{where} holds {twin!a} and {word!a}, which differ by blanks, case or the coding of letters "
                "alone, and are taken for two classes; write them alike if they are one"
            )
            return


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


def categories(saved: Any, classes: Sequence[Any] | None) -> tuple[str, ...] | None:
    """Categories from a saved model.

    Raises:
        InputError: they are no different words, or lack a class.
    """
    if saved is None:
        return None
    words = isinstance(saved, list) and all(isinstance(each, str) for each in saved) and len(set(saved)) == len(saved)
    if not words or (saved and not {*map(str, classes or ())} <= {*saved}):
        raise InputError("categories must be different words, the classes among them")
    return tuple(saved)


def written(name: str, labels: Sequence[Any], categories: Sequence[str] | None) -> pl.Series:
    """Labels as a column of the type that the training's had.

    Args:
        name: of the column.
        labels: of any kind.
        categories: as of `tsrnn.frames.categories`; words alone are written so.
    """
    if categories is None or not all(isinstance(each, str) for each in labels):
        return pl.Series(name, labels)
    return pl.Series(name, labels, pl.Enum(categories) if categories else pl.Categorical())


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


def _too_large(kinds: pl.Series) -> float | int | None:
    """A number that is infinite, that a float cannot tell from the next one, or that 64 bits do not hold."""
    if kinds.dtype.is_float():
        far = kinds.filter(kinds.abs() >= _EXACT)
        return float(far[0]) if len(far) else None
    if not kinds.dtype.is_integer() or not len(kinds):
        return None
    low, high = int(kinds[0]), int(kinds[-1])  # they are sorted
    held = any(least <= low and high < most for least, most in _64_BITS)
    return None if held else high if high >= 2**63 else low
