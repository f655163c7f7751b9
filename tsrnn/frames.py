"""Frames of other libraries: what comes in becomes polars, and goes out as the type it was.

A pandas index is data: its levels come in as columns (`index`, or `level_0`, `level_1`... where they have no name) and
go out as an index again. An index that only numbers the rows from 0 is none. Cells of mixed Python objects come in as
text, so that a column nobody reads cannot stop the rest; what a column is used for decides whether they will do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Number
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from tsrnn import forks
from tsrnn.errors import InputError, quoted

NAMELESS = ("index", "__index__")  # a nameless index inside; the latter in models saved by 0.1
_ODD = (
    "object",
    "Sparse",
    "period",
    "interval",
    "complex",
    "category",
    "float128",
    "longdouble",
)  # pandas types that need a look at the cells

_KINDS: dict[str, Any] = {"word": str, "truth value": bool, "number": Number}  # of cells that may be labels, in turn


@dataclass(frozen=True)
class Origin:
    """What is needed to hand a frame back as it came."""

    library: str = "polars"  # or pandas, pyarrow
    levels: tuple[tuple[str, Any], ...] = ()  # columns that were pandas' index, and the names they had there
    labels: tuple[tuple[str, Any], ...] = ()  # columns whose pandas label is no text, and that label
    periods: tuple[tuple[str, str], ...] = ()  # columns that held pandas periods, and their frequency
    alike: tuple[tuple[str, str], ...] = ()  # columns of objects that are one text, 1 and '1', and those objects
    unlike: tuple[tuple[str, str], ...] = ()  # columns of objects of several kinds, words and numbers, and one of each

    def __contains__(self, name: object) -> bool:
        """Whether a column was a level of the index."""
        return any(name == level for level, _ in self.levels)


def to_polars(frame: Any, source: str) -> tuple[pl.DataFrame, Origin]:
    """A polars frame with nulls for NaN, and what is needed to hand one back.

    Raises:
        InputError: no frame, or one whose columns cannot be told apart by name; or this process would hang.
    """
    forks.check()
    if isinstance(frame, pl.DataFrame):
        table, origin = frame, Origin()
    else:
        try:
            native = nw.from_native(frame, eager_only=True)
        except nw.exceptions.DuplicateError:
            raise _twice(
                source, [str(name) for name in getattr(frame, "column_names", getattr(frame, "columns", ()))]
            ) from None
        except TypeError:
            kind = type(frame).__name__
            raise InputError(f"{source} is of type {kind}; give a pandas, polars or pyarrow frame") from None
        if native.implementation.is_pandas():
            table, origin = _from_pandas(frame, source)
        else:
            table, origin = _named(native.to_polars(), native.columns), Origin("pyarrow")
    if "" in table.columns:
        inside = "index" if "index" not in table.columns else "level_0"
        table, origin = table.rename({"": inside}), replace(origin, labels=(*origin.labels, (inside, "")))
    floats = [name for name, dtype in table.schema.items() if dtype.is_float()]
    floats = [name for name in floats if _holds_nan(table[name])]
    return table.with_columns(pl.col(floats).fill_nan(None)) if floats else table, origin


def _holds_nan(column: pl.Series) -> bool:
    return bool((column.is_nan() if column.null_count() else np.isnan(column.to_numpy())).any())


def from_polars(table: pl.DataFrame, origin: Origin, index: str) -> Any:
    """The table as the type that came in; pandas gets its index back where the column called `index` was in it."""
    if origin.library != "pandas":
        if origin.labels:
            table = table.rename({name: str(label) for name, label in origin.labels}, strict=False)
        return table if origin.library == "polars" else table.to_arrow()
    frame = table.to_pandas()
    for name, frequency in origin.periods:
        if name in frame:
            frame[name] = frame[name].dt.to_period(frequency)
    levels = [(level, label) for level, label in origin.levels if level in frame]
    if levels and (index in origin or len(levels) == len(origin.levels)):
        frame = frame.set_index([level for level, _ in levels])
        frame.index.names = [label for _, label in levels]
    return frame.rename(columns=dict(origin.labels)) if origin.labels else frame


def _from_pandas(frame: Any, source: str) -> tuple[pl.DataFrame, Origin]:
    if frame.columns.nlevels > 1:
        raise InputError(
            f"{source} has column names of several levels, such as {tuple(frame.columns[0])}; join each into one name"
        )
    frame, levels = _with_levels(frame, source)
    labels = list(frame.columns)
    names = [str(label) for label in labels]
    if len(set(names)) < len(names):
        raise _twice(source, names)
    odd = [place for place, dtype in enumerate(frame.dtypes) if str(dtype).startswith(_ODD)]
    if odd:
        plain = np.setdiff1d(np.arange(len(names)), odd)
        columns = {names[place]: _cells(frame.iloc[:, place], names[place]) for place in odd}
        plain_names = [names[place] for place in plain]
        if len(plain):
            table = _converted(frame.iloc[:, plain])
            columns |= {name: table.to_series(place) for place, name in enumerate(plain_names)}
        table = pl.DataFrame([columns[name].alias(str(place)) for place, name in enumerate(names)])
    else:
        table = _converted(frame)
    table = _named(table, names)
    renamed = tuple((name, label) for name, label in zip(names, labels, strict=True) if not isinstance(label, str))
    periods = [(names[place], frame.dtypes.iloc[place]) for place in odd]
    frequencies = tuple((name, str(dtype)[7:-1]) for name, dtype in periods if str(dtype).startswith("period"))
    objects = [place for place in odd if table.dtypes[place] == pl.String]
    held = [(names[place], _objects(frame.iloc[:, place])) for place in objects]
    alike, mixed = (tuple((name, pair) for name, cells in held if (pair := of(cells))) for of in (_of_one_text, unlike))
    return table, Origin("pandas", levels, renamed, frequencies, alike, mixed)


def _with_levels(frame: Any, source: str) -> tuple[Any, tuple[tuple[str, Any], ...]]:
    """The frame with the levels of its index as columns in front, and their names inside and outside."""
    index = frame.index
    if index.nlevels == 1 and index.name is None and _counts(index):
        return frame, ()
    columns, levels = {str(label) for label in frame.columns}, []
    for place, label in enumerate(index.names):
        name = str(label) if label is not None else "index" if index.nlevels == 1 else f"level_{place}"
        while label is None and name in columns:
            name += "_"
        if name in columns:
            same = len(index) and (frame.index.get_level_values(place) == frame[label]).all()
            if not same:
                raise InputError(
                    f"{source}: {quoted(name)} names a column and a level of the index, with other values; rename one"
                )
            frame = frame.drop(columns=[label])
        columns.add(name)
        levels.append((name, label))
    frame = frame.set_axis(index.set_names([name for name, _ in levels]), axis=0)
    return frame.reset_index(), tuple(levels)


def categories(frame: Any, name: str) -> tuple[str, ...] | None:
    """The words that a categorical column of a frame may hold, none where its type does not say; None: it is another.

    Args:
        frame: polars, pandas or pyarrow.
        name: the column.
    """
    native = nw.from_native(frame, eager_only=True, pass_through=True)
    if not isinstance(native, nw.DataFrame) or name not in native.columns:
        return None
    dtype = native[name].dtype
    if isinstance(dtype, nw.Enum):
        return tuple(dtype.categories)
    return () if isinstance(dtype, nw.Categorical) else None


def levels(frame: Any) -> set[str]:
    """What `to_polars` calls the levels of a pandas frame's index: times, names of series or numbers of rows."""
    native = nw.from_native(frame, eager_only=True, pass_through=True)
    is_pandas = isinstance(native, nw.DataFrame) and native.implementation.is_pandas()
    return {name for name, _ in _with_levels(frame, "frame")[1]} if is_pandas else set()


def _counts(index: Any) -> bool:
    """Whether a pandas index only numbers the rows from 0."""
    if type(index).__name__ == "RangeIndex":
        return bool(index.start == 0 and index.step == 1)
    return index.dtype.kind in "iu" and bool((index == np.arange(len(index))).all())


def _converted(frame: Any) -> pl.DataFrame:
    table: pl.DataFrame = nw.from_native(frame, eager_only=True).to_polars()
    return table


def _named(table: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Polars gives a column without a name one of its own."""
    if table.columns != names:
        table.columns = names
    return table


def _cells(column: Any, name: str) -> pl.Series:
    """A pandas column whose type says little: periods by their start, the rest by what the cells are, else as text."""
    kind = str(column.dtype)
    if kind in ("float128", "longdouble"):
        column = column.astype("float64")
    elif kind.startswith("Sparse"):
        column = column.sparse.to_dense()
    elif kind.startswith("period"):
        column = column.dt.to_timestamp()
    elif kind == "category" and str(column.cat.categories.dtype).startswith(_ODD):
        column = column.astype("object")
    if not str(column.dtype).startswith(("complex", "interval")):
        try:
            converted = _converted(column.to_frame("cells"))["cells"].alias(name)
        except Exception:  # pyarrow, narwhals and polars each have their own for cells that do not go together
            converted = None
        if converted is not None and _is_what_it_says(converted.dtype, column):
            return converted
    missing = column.isna().to_numpy()
    return pl.Series(
        name, [None if gone else _text(cell) for cell, gone in zip(column, missing, strict=True)], pl.String
    )


def unlike(cells: Sequence[Any]) -> str:
    """Two cells of which one is a word, a truth value or a number and the other is not; empty where there are none.

    >>> unlike([1, "1", 2.5])
    "the word '1' and the number 1"
    """
    first = {kind: next(cell for cell in cells if type(cell) is kind) for kind in dict.fromkeys(map(type, cells))}
    called: dict[str, str] = {}
    for cell in first.values():
        plain = cell.item() if isinstance(cell, np.generic) else cell
        kind = next((word for word, kinds in _KINDS.items() if isinstance(plain, kinds)), "")
        called.setdefault(kind, f"the {kind} {plain!r}" if kind else f"{plain!r}")
    order = [called[kind] for kind in (*_KINDS, "") if kind in called]
    return f"{order[0]} and {order[1]}" if len(order) > 1 else ""


def _objects(column: Any) -> list[Any]:
    """The cells of a pandas column of objects, or its categories that are; none where its type is another."""
    if str(column.dtype) == "category":
        column = column.cat.remove_unused_categories().cat.categories
    return list(column.dropna()) if column.dtype == "object" else []


def _of_one_text(cells: Sequence[Any]) -> str:
    """Two cells that differ and are one text, such as 1 and '1'; empty where there are none."""
    if len(set(map(type, cells))) < 2:
        return ""
    first: dict[str, Any] = {}
    twin = next((cell for cell in cells if first.setdefault(_text(cell), cell) != cell), None)
    return "" if twin is None else f"{first[_text(twin)]!r} and {twin!r}"


def _is_what_it_says(dtype: pl.DataType, column: Any) -> bool:
    """Whether no cell was bent: pyarrow takes whole numbers among dates for dates, and other objects for bytes.

    It also takes times without a zone for UTC's, beside others that name one.
    """
    if dtype != pl.Binary and not dtype.is_temporal():
        return True
    if column.dtype == "object" and getattr(dtype, "time_zone", None) is not None:
        return all(getattr(cell, "tzinfo", None) is not None for cell in column.dropna())
    kinds = {type(cell) for cell in column.dropna()}
    return (
        kinds <= {bytes} if dtype == pl.Binary else not any(issubclass(kind, int | float | np.number) for kind in kinds)
    )


def _text(cell: object) -> str:
    return cell.decode(errors="backslashreplace") if isinstance(cell, bytes) else str(cell)


def _twice(source: str, names: list[str]) -> InputError:
    twin = next((name for k, name in enumerate(names) if name in names[:k]), None)
    which = f" called {quoted(twin)}" if twin is not None else " of the same name"
    return InputError(f"{source} has two columns{which}; rename or drop one")
