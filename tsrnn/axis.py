"""Which column is the index: pandas' own, one found by its name, its type or its cells; where two will do, it is asked.

In this order: levels of a pandas index that hold dates; columns by name (`ds`, `date`, `depth`... in any case); the one
column of dates, or of text that is dates; a pandas index of numbers; years; whole numbers that are dates; numbers that
may count times from an epoch.
"""

from collections.abc import Sequence

import polars as pl

from tsrnn import dates, epochs, figures
from tsrnn.errors import InputError, listed, quoted
from tsrnn.frames import Origin

_NAMES = ("ds", "timestamp", "date", "datetime", "time", "depth", "dept", "depth_md")
_COUNTERS = (
    "index",
    "level_0",
    "level_1",
    "__index_level_0__",
    "unnamed: 0",
    "row",
    "",
)  # what pandas' index leaves in a file
_YEAR, _PARTS = ("year", "yr", "jahr"), ("month", "quarter", "week", "day", "hour", "monat", "tag")


def find(table: pl.DataFrame, origin: Origin, source: str, free: Sequence[str]) -> str | None:
    """The index among the columns without a role; None where nothing is there but the rows themselves.

    Raises:
        InputError: more than one will do; names them.
    """
    levels = [name for name in free if name in origin]
    own = [name for name in levels if _holds_dates(table[name])]
    named = _by_name(table, free)
    if own:
        if named is not None and named not in own and _holds_dates(table[named]) and not _same(table, own[0], named):
            own = [*own, named]
        return _only(own, source)
    if named:
        return named
    schema = table.schema  # asked for once: it is made anew each time
    temporal = [name for name in free if schema[name] in (pl.Date, pl.Datetime)]
    written = [name for name in free if figures.is_text(schema[name]) and dates.are_dates(table[name])]
    durations = [name for name in free if schema[name] == pl.Duration]
    counted = [name for name in levels if _is_number(table[name]) or _is_written_number(table[name])]
    left = [name for name in free if name.lower() in _COUNTERS and _is_number(table[name])]
    for candidates in ([*temporal, *written], durations, counted, left[:1]):
        if candidates:
            return _only(candidates, source)
    name = _of_years(table, source, free) or _of_whole_numbers(table, source, free)
    name = name or next((each for each in free if epochs.names_one(each) and epochs.readings(table[each])), None)
    wrong = [each for each in free if each.lower() in (*_NAMES, *_COUNTERS) and not _may_be_index(schema[each])]
    if name is None and wrong:
        raise InputError(
            f"{source}: column {quoted(wrong[0])} holds {schema[wrong[0]]} and cannot be the index; "
            "give dates with their times, whole numbers or depths, or name another column as the time"
        )
    return name


def counts_rows(column: pl.Series) -> bool:
    """Whether a column is a row counter that pandas' index left in a file."""
    if column.name.lower() not in _COUNTERS or not column.dtype.is_integer():
        return False
    return column.cast(pl.Int64).equals(pl.int_range(len(column), eager=True).alias(column.name))


def _same(table: pl.DataFrame, one: str, other: str) -> bool:
    """Whether two columns of dates hold the same."""
    kinds = {table.schema[name] == pl.Duration for name in (one, other)}
    if len(kinds) > 1:
        return False
    at = [table[name] for name in (one, other)]
    if kinds == {False}:
        at = [each.cast(pl.Datetime("us") if each.dtype.is_temporal() else pl.String) for each in at]
    return at[0].dtype == at[1].dtype and bool((at[0] == at[1]).all())


def _by_name(table: pl.DataFrame, free: Sequence[str]) -> str | None:
    lowered: dict[str, str] = {}
    for name in free:
        if name.lower() in _NAMES and _may_be_index(table[name].dtype):
            lowered.setdefault(name.lower(), name)
    return next((lowered[name] for name in _NAMES if name in lowered), None)


def _may_be_index(dtype: pl.DataType) -> bool:
    return dtype in (pl.Date, pl.Datetime, pl.Duration) or dtype.is_numeric() or figures.is_text(dtype)


def _is_number(column: pl.Series) -> bool:
    return column.dtype.is_integer() or column.dtype.is_float()


def _is_written_number(column: pl.Series) -> bool:
    if not figures.is_text(column.dtype) or column.null_count() == len(column):
        return False
    return figures.text(column).cast(pl.Float64, strict=False).null_count() == column.null_count()


def _holds_dates(column: pl.Series) -> bool:
    if column.dtype in (pl.Date, pl.Datetime, pl.Duration):
        return True
    return figures.is_text(column.dtype) and dates.are_dates(column)


def _of_years(table: pl.DataFrame, source: str, free: Sequence[str]) -> str | None:
    year = next((name for name in free if name.lower() in _YEAR and table[name].dtype.is_integer()), None)
    if year is None or not table[year].drop_nulls().is_between(1000, 2999).all():
        return None
    parts = [name for name in free if name.lower() in _PARTS]
    if parts:
        raise InputError(
            f"{source}: the date stands in several columns, {listed([year, *parts])}; join them into one, such as "
            "2016-07-01, and name it as the time"
        )
    return year


def _of_whole_numbers(table: pl.DataFrame, source: str, free: Sequence[str]) -> str | None:
    whole = [name for name in free if dates.may_be_dates(table[name])]
    named = [name for name in whole if dates.names_a_date(name)]
    if len(named) == 1:
        return named[0]
    if whole:
        raise InputError(
            f"{source}: column {quoted(whole[0])} holds whole numbers such as {table[whole[0]].drop_nulls()[0]} that "
            f"may be dates; pass time={whole[0]!r}, or turn it into floats if it counts something"
        )
    return None


def _only(names: Sequence[str], source: str) -> str:
    if len(names) > 1:
        raise InputError(
            f"{source}: {listed(names)} could each be the index; name one, such as time={quoted(names[0])}"
        )
    return names[0]
