"""Series in one frame: the column that tells them apart, their rows together, each with an id."""

from itertools import combinations

import numpy as np
import polars as pl

from tsrnn import figures
from tsrnn.arrays import Rows
from tsrnn.errors import DUPLICATES, InputError, listed, notice, quoted

_COLUMNS = 12  # columns looked at for one that tells series apart
_BLOCK = 1 << 20  # rows looked at together
_EXACT = 2.0**53  # whole numbers below it are their own in a float64
_ALONE = "give one series at a time, as the training's was one"
_SHARED, _MANY = 1.2, 1.5  # rows per index value from which series, not twins, may or must share them


def check_ids(table: pl.DataFrame, id: str | None, source: str) -> pl.DataFrame:
    """Every row has an id; bytes are read as text.

    Raises:
        InputError: a row has none, or two ids differ by blanks around them alone; names it.
    """
    if id is None:
        return table
    ids = table[id]
    words = ""
    if figures.is_text(ids.dtype):
        blank = figures.text(ids) if ids.dtype == pl.Binary else ids
        table = table.with_columns(blank) if ids.dtype == pl.Binary else table
        missing = blank.is_null()
        names = blank.unique(maintain_order=True).cast(pl.String)
        stripped = names.str.strip_chars()
        if (stripped == "").any():
            missing = missing | (blank.cast(pl.String).str.strip_chars() == "")
        elif stripped.n_unique() < len(stripped):
            twin = int(stripped.is_duplicated().arg_max() or 0)
            alike = names.filter(stripped == stripped[twin])
            raise InputError(
                f"{source}: column {quoted(id)} holds {quoted(alike[0])} and {quoted(alike[1])}, which differ by "
                "blanks alone; write them alike, or give one another name"
            )
        words = " (of a text file, NA, N/A, NaN, null and None count as empty: write another word for them)"
    elif ids.dtype.is_nested() or ids.dtype == pl.Object:
        raise InputError(f"{source}: column {quoted(id)} holds {ids.dtype} and cannot tell series apart; write text")
    else:
        missing = ids.is_null()
    if missing.any():
        row = int(missing.fill_null(True).arg_max() or 0)
        raise InputError(f"{source}: column {quoted(id)}, row {row + 1} has no id; fill it or drop the row{words}")
    return table


def id_text(ids: pl.Series) -> pl.Series:
    """Ids as text, whole numbers alike whatever type holds them: 1 and 1.0 are the series '1'."""
    if ids.dtype.is_float():
        whole = (ids == ids.round()) & (ids.abs() < _EXACT)
        numbers = ids.set(~whole.fill_null(False), None).cast(pl.Int64).cast(pl.String)
        return numbers.zip_with(numbers.is_not_null(), ids.cast(pl.String))
    text = ids.cast(pl.String)
    return text.str.strip_chars() if figures.is_text(ids.dtype) else text


def told_apart(
    table: pl.DataFrame, index: str, targets: tuple[str, ...], source: str, forced: bool, again: bool
) -> None:
    """Without an id: refuse rows whose index repeats or falls where another column makes them series.

    Args:
        table: rows as they came in.
        index: the index.
        targets: columns the user asked to forecast, which tell nothing apart.
        source: how messages call the frame.
        forced: the user asked to drop twins; then numbers are not looked at.
        again: the rows are read as a training's were, which was of one series.

    Raises:
        InputError: names the column to pass as the id.
    """
    at = table[index]
    if at.null_count() or len(at) < 2 or _rises_throughout(at):
        return
    free = [name for name in table.columns if name not in (index, *targets)]
    schema = table.schema
    words = [name for name in free if figures.is_text(schema[name])]
    shared = len(at) / at.n_unique()
    if shared == 1:
        apart = [name for name in words if _rises(table, name, index)]
    elif forced and shared < _SHARED:
        return
    else:
        numbers = [name for name in free if _may_number(table[name], shared >= _MANY)]
        apart = _tellers(table, index, words)
        if not apart:
            counted = _tellers(table, index, numbers)
            if forced and counted:
                notice(
                    f"{source}: column {quoted(index)} repeats, and of rows that share a value one is kept, though "
                    f"column {quoted(counted[0])} tells them apart; pass id={quoted(counted[0])} if they are series"
                )
            apart = [] if forced else counted
        if not apart:
            _refuse_joint(table, index, words, source)
    if apart:
        name = min(apart, key=lambda name: table[name].n_unique())
        mend = f"{_ALONE}, or fit with id={quoted(name)}" if again else f"pass id={quoted(name)}"
        raise InputError(
            f"{source}: column {quoted(index)} {'repeats' if shared > 1 else 'falls'}, and column {quoted(name)} tells "
            f"{table[name].n_unique()} series apart; {mend}"
        )
    clock = next((name for name in free if _is_clock(table[name])), None)
    if clock is not None and not table.select(index, clock).is_duplicated().any():
        raise InputError(
            f"{source}: column {quoted(index)} repeats and column {quoted(clock)} holds the time of day; join the two "
            "into one column, such as 2016-07-01 13:00, and name it as the time"
        )
    if shared >= _MANY and not forced:
        named, dropped = "give them a column of ids and pass its name as id=", f"pass {DUPLICATES}"
        several, one = (_ALONE, "keep one row of each value") if again else (named, dropped)
        raise InputError(
            f"{source}: column {quoted(index)} holds {at.n_unique()} values in {len(at)} rows; if these are several "
            f"series, {several}, if not, {one}"
        )


def one_series_an_id(
    table: pl.DataFrame, id: str, index: str, targets: tuple[str, ...], source: str, again: bool
) -> None:
    """Refuse an id whose series hold index values twice that another column tells apart.

    Raises:
        InputError: names the two columns to join.
    """
    at, ids = table[index], table[id]
    if at.null_count() or (_rises_throughout(at, ids) and ids.n_unique() == len(ids.rle())):
        return
    if not (repeated := table.select(id, index).is_duplicated()).any():
        return
    free = [name for name in table.columns if name not in (id, index, *targets)]
    many = table.height >= _MANY * (
        table.height - int(repeated.sum()) + table.filter(repeated).select(id, index).n_unique()
    )
    schema = table.schema
    words = [name for name in free if figures.is_text(schema[name])]
    for name in [*words[:_COLUMNS], *[name for name in free if many and schema[name].is_integer()][:_COLUMNS]]:
        if table[name].n_unique() <= table.height / 2 and not table.select(id, index, name).is_duplicated().any():
            called = f"called {quoted(id)}" if again else "and pass its name as id="
            raise InputError(
                f"{source}: column {quoted(index)} repeats inside the series of {quoted(id)}, and column "
                f"{quoted(name)} tells them apart; join {listed((id, name))} into one column {called}"
            )


def check_constant(table: pl.DataFrame, id: str | None, static: tuple[str, ...], source: str) -> None:
    """A covariate of whole series has one value in each.

    Raises:
        InputError: it changes inside a series; names the row.
    """
    for name in static:
        column = table[name]
        per_series = pl.col(name).drop_nulls().first() if id is None else pl.col(name).drop_nulls().first().over(id)
        differs = column != table.select(per_series.alias(name))[name] if id else column != column.drop_nulls().first()
        if differs.any():
            row = int(differs.fill_null(False).arg_max() or 0)
            where = f" of series {quoted(table[id][row])}" if id else ""
            raise InputError(
                f"{source}: static covariate {quoted(name)} changes in row {row + 1}{where}; name it as a past or "
                "future covariate"
            )


def in_order(table: pl.DataFrame, id: str | None, index: str, sort: bool) -> tuple[pl.DataFrame, Rows | None]:
    """Rows of one series together, series in the order of their first row; sorted by index only when asked."""
    keys = []
    if id is not None:
        ids = table[id]
        grouped = ids.n_unique() == len(ids.rle())
        if sort or not grouped:
            first = ids.unique(maintain_order=True)
            keys.append(ids.replace_strict(first, np.arange(len(first))).alias("series"))
    if sort:
        keys.append(table[index].alias("index"))
    if not keys:
        return table, None
    names = [key.name for key in keys]
    order = pl.DataFrame(keys).select(pl.arg_sort_by(names, maintain_order=True)).to_series().to_numpy()
    return table[order], order.astype(np.int64)


def _rises_throughout(at: pl.Series, ids: pl.Series | None = None) -> bool:
    """Whether an index rises from row to row, where the id stays the same; looked at some rows at a time."""
    for begin in range(0, len(at) - 1, _BLOCK):
        steps = at[begin : begin + _BLOCK + 1].to_physical()
        rises = steps[1:] > steps[:-1]
        if ids is not None:
            names = ids[begin : begin + _BLOCK + 1]
            rises |= names[1:] != names[:-1]
        if rises.null_count() or not rises.all():
            return False
    return True


def _tellers(table: pl.DataFrame, index: str, names: list[str]) -> list[str]:
    """Columns with which no index value stands twice, and which hold fewer values than there are rows."""
    few = [name for name in names[:_COLUMNS] if 1 < table[name].n_unique() <= table.height / 2]
    return [name for name in few if not table.select(index, name).is_duplicated().any()]


def _refuse_joint(table: pl.DataFrame, index: str, words: list[str], source: str) -> None:
    for pair in combinations(words[:_COLUMNS], 2):
        if not table.select(index, *pair).is_duplicated().any():
            raise InputError(
                f"{source}: column {quoted(index)} repeats, and columns {listed(pair)} together tell series apart; "
                "join them into one column and pass its name as id="
            )


def _rises(table: pl.DataFrame, name: str, index: str) -> bool:
    """Whether the index rises inside each group of a column."""
    groups = table[name]
    if not 1 < groups.n_unique() <= table.height / 2:
        return False
    steps = table.select(pl.col(index).to_physical().diff().over(name))[index].drop_nulls()
    return bool((steps > 0).all())


def _may_number(column: pl.Series, fractions: bool) -> bool:
    """Yes or no, and whole numbers; among `fractions` too, as pandas holds them where a cell is missing."""
    if column.dtype.is_float():
        return fractions and bool((column.drop_nulls() == column.drop_nulls().round()).all())
    return column.dtype.is_integer() or column.dtype == pl.Boolean


def _is_clock(column: pl.Series) -> bool:
    if column.dtype == pl.Time:
        return True
    if column.dtype.is_integer():
        return column.name.lower() in ("hour", "hr", "stunde", "minute")
    return figures.is_text(column.dtype) and bool(figures.text(column).str.contains(r"^\d{1,2}:\d{2}").all())
