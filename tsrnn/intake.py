"""The door: frames of other libraries come in, columns find their roles, and what is wrong is named."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from tsrnn.arrays import Rows
from tsrnn.errors import InputError, unknown

_ID_NAMES = ("unique_id", "item_id", "series_id", "well", "station")
_INDEX_NAMES = ("ds", "timestamp", "date", "datetime", "time", "depth", "DEPT", "DEPTH", "DEPTH_MD")
_TARGET_NAMES = ("y", "target")
HOLDER = "__index__"  # name given to the nameless index of a pandas frame while it is inside


@dataclass(frozen=True)
class Roles:
    """What each column is for."""

    targets: tuple[str, ...]
    index: str
    id: str | None = None
    past: tuple[str, ...] = ()
    future: tuple[str, ...] = ()
    static: tuple[str, ...] = ()

    @property
    def covariates(self) -> dict[str, tuple[str, ...]]:
        """Their names by the kinds that a model may read (`tsrnn.models.Model.reads`)."""
        return {"past": self.past, "known": self.future, "static": self.static}

    def reading(self, kinds: Collection[str]) -> "Roles":
        """The same without covariates of other kinds."""
        past, known, static = (names if kind in kinds else () for kind, names in self.covariates.items())
        return replace(self, past=past, future=known, static=static)


def to_polars(frame: Any, source: str) -> tuple[pl.DataFrame, Any]:
    """A polars frame with nulls for NaN, and a token of the type that came in (an empty frame of it)."""
    if isinstance(frame, pl.DataFrame):
        table, origin = frame, pl.DataFrame
    else:
        try:
            native = nw.from_native(frame, eager_only=True)
        except TypeError:
            raise InputError(f"{source} is a {type(frame).__name__}; give a pandas, polars or pyarrow frame") from None
        origin = native.head(0).to_native()
        if native.implementation.is_pandas():
            named = origin.index.name is not None
            if named or type(origin.index).__name__ == "DatetimeIndex":
                frame = frame.rename_axis(origin.index.name or HOLDER).reset_index()
                native = nw.from_native(frame, eager_only=True)
        table = native.to_polars()
    floats = [name for name, dtype in table.schema.items() if dtype.is_float() and table[name].is_nan().any()]
    return table.with_columns(pl.col(floats).fill_nan(None)) if floats else table, origin


def find_roles(
    table: pl.DataFrame,
    source: str,
    target: str | Sequence[str] | None,
    time: str | None,
    id: str | None,
    past: str | Sequence[str],
    future: str | Sequence[str],
    static: str | Sequence[str],
) -> Roles:
    """Find the columns the caller did not name; refuse the ones that are not there."""
    targets, past, future, static = (_several(each) for each in (target, past, future, static))
    columns = table.columns
    for name in (*targets, time, id, *past, *future, *static):
        if name is not None and name not in columns:
            raise unknown(f"column of {source}", str(name), columns)
    id = id or next((name for name in _ID_NAMES if name in columns and name not in targets), None)
    free = [name for name in columns if name != id and name not in (*targets, *past, *future, *static)]
    time = time or next((name for name in (*_INDEX_NAMES, HOLDER) if name in free), None)
    time = time or next((name for name in free if table.schema[name].is_temporal()), None)
    if not targets:
        found = next((name for name in _TARGET_NAMES if name in free), None)
        targets = (found,) if found else tuple(name for name in free if name != time and _holds_numbers(table[name]))
    if not targets:
        raise InputError(f"{source} has no column to forecast beside {columns}; name one as the target")
    roles = [*targets, *past, *future, *static, *([time] if time else []), *([id] if id else [])]
    twice = next((name for name in roles if roles.count(name) > 1), None)
    if twice:
        raise InputError(f"{source}: column {twice!r} is given two roles; name it once")
    return Roles(targets, time or "row", id, past, future, static)


def _several(named: Any) -> tuple[Any, ...]:
    """One name, several, or None."""
    if isinstance(named, str) or not isinstance(named, Iterable):
        return () if named is None else (named,)
    return tuple(named)


def _holds_numbers(column: pl.Series) -> bool:
    """Also text with a number in it: one stray word must not make a channel vanish unsaid."""
    if column.dtype == pl.String:
        return column.cast(pl.Float64, strict=False).is_not_null().any()
    return column.dtype.is_numeric()


def numbers(table: pl.DataFrame, roles: Roles, source: str) -> pl.DataFrame:
    """Every column that counts holds finite numbers or nulls, and not nulls alone; text dates become dates."""
    if table.schema[roles.index] == pl.String:
        table = table.with_columns(_times(table[roles.index], source))
    for name in (*roles.targets, *roles.past, *roles.future, *roles.static):
        column = table[name]
        if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
            column = _parsed(column, source)
            table = table.with_columns(column)
        if column.null_count() == len(column):
            raise InputError(f"{source}: column {name!r} is empty; drop it or leave it out of the targets")
        if column.dtype.is_float() and column.is_infinite().any():
            row = int(column.is_infinite().fill_null(False).arg_max() or 0)
            raise InputError(f"{source}: column {name!r}, row {row + 1} is infinite; replace it or leave it empty")
        if column.dtype.is_decimal():
            table = table.with_columns(column.cast(pl.Float64))
    return table


def _parsed(column: pl.Series, source: str) -> pl.Series:
    """Numbers written as text; the first cell that is not one is named."""
    parsed = column.cast(pl.String, strict=False).cast(pl.Float64, strict=False)
    wrong = parsed.is_null() & column.is_not_null()
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        raise InputError(
            f"{source}: column {column.name!r}, row {row + 1} holds {column[row]!r} where a number belongs; "
            "mend the cell, leave it empty, or leave the column out"
        )
    return parsed


def _times(column: pl.Series, source: str) -> pl.Series:
    try:
        return column.str.to_datetime()
    except pl.exceptions.PolarsError:
        try:
            parsed = column.str.to_datetime(strict=False)
            row = int((parsed.is_null() & column.is_not_null()).arg_max() or 0)
        except pl.exceptions.PolarsError:  # not even the first cell looks like a date
            row = int(column.is_not_null().arg_max() or 0)
        raise InputError(
            f"{source}: column {column.name!r}, row {row + 1} holds {column[row]!r} where a date belongs; "
            "write dates as 2016-07-01 00:00:00, or name another column as the time"
        ) from None


def in_order(table: pl.DataFrame, roles: Roles, sort: bool) -> tuple[pl.DataFrame, Rows | None]:
    """Rows of one series together, series in the order of their first row; sorted by index only when asked."""
    keys = []
    if roles.id is not None:
        ids = table[roles.id]
        grouped = ids.n_unique() == len(ids.rle())
        if sort or not grouped:
            first = ids.unique(maintain_order=True)
            keys.append(ids.replace_strict(first, np.arange(len(first))).alias("series"))
    if sort:
        keys.append(table[roles.index].alias("index"))
    if not keys:
        return table, None
    names = [key.name for key in keys]
    order = pl.DataFrame(keys).select(pl.arg_sort_by(names, maintain_order=True)).to_series().to_numpy()
    return table[order], order.astype(np.int64)
