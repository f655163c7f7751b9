"""Dates written as text or as whole numbers: read where one reading fits, asked about where two do.

A column has one way of writing. Where the day and the month can change places, the reading that gives an even step is
taken and said; where none or both do, `date_format=` is asked for. Dots put the day first. Whole numbers such as
20221231 are dates under a name that says so, or where only the dates have an even step. Numbers under such a name that
may count times from an epoch (`tsrnn.epochs`) are asked about. 24:00 is the next day's 00:00, which is said.
"""

import re

import polars as pl

from tsrnn import epochs, figures, written
from tsrnn.errors import InputError, listed, notice, quoted

NUMBER = "number"  # the date_format of whole numbers that are none

_NAMES = re.compile(
    r"dat(e|um|o|a)|day|tag\b|month|monat|mois|\bmes\b|time|zeit|stamp|^ds$|jour|fecha|year|jahr|week|quarter|period|yyyy",
    re.IGNORECASE,
)


def names_a_date(name: str) -> bool:
    """Whether a column's name says that it holds dates, in one of several languages."""
    return bool(_NAMES.search(name))


def are_dates(column: pl.Series) -> bool:
    """Whether every cell of a column of text is a date."""
    cells = written.cells_of(column)
    return bool(written.parse(cells))


def may_be_dates(column: pl.Series) -> bool:
    """Whether a column of whole numbers could as well be dates, such as 20221231."""
    return column.dtype.is_integer() and column.n_unique() > 1 and bool(written.whole(column))


def read(
    column: pl.Series, source: str, date_format: str | None = None, ids: pl.Series | None = None, again: bool = False
) -> tuple[pl.Series, str | None]:
    """An index as dates (or as the numbers it holds), and how it was read where the cells alone do not tell.

    Args:
        column: text, whole numbers, or any other type, which is handed back.
        source: how messages call the frame.
        date_format: as of `strptime`, such as "%d/%m/%Y"; "number": numbers are counts; or one of `tsrnn.epochs.WORDS`.
        ids: the series of each row: steps are taken inside a series.
        again: it is read as another was; nothing is asked or said that was settled then.

    Raises:
        InputError: a cell is no date, or two readings fit.
    """
    if date_format in epochs.WORDS:
        return _of_epoch(column, source, str(date_format), again), date_format
    if column.dtype.is_float() and date_format != NUMBER and (date_format or names_a_date(column.name)):
        whole = column.cast(pl.Int64, strict=False)
        column = whole if (whole == column).all() and (date_format or written.whole(whole)) else column
    if figures.is_text(column.dtype):
        cells = written.cells_of(column)
        if date_format not in (None, NUMBER):
            return _by_format(cells, source, str(date_format)), date_format
        numbers = cells.cast(pl.Float64, strict=False)
        if numbers.null_count() > cells.null_count() or numbers.null_count() == len(cells):
            read, pattern = _of_text(cells, source, ids)
            if not again and (late := int(cells.str.contains(written.LATE).sum())):
                notice(f"{source}: column {quoted(column.name)} holds {late} times 24:00, read as the next day's 00:00")
            return read, pattern
        column = numbers.cast(pl.Int64) if (numbers == numbers.round()).all() else numbers
    if date_format is None and not again:
        _ask_about_epochs(column, source)
    if not column.dtype.is_integer() or date_format == NUMBER:
        return column, date_format if date_format == NUMBER else None
    if date_format is not None:
        return _by_format(column.cast(pl.String), source, date_format), date_format
    return _of_numbers(column, source, ids)


def _of_epoch(column: pl.Series, source: str, word: str, again: bool) -> pl.Series:
    """Times counted from an epoch, as they were asked for; what is a time already stays.

    Words are told apart by when they would be: milliseconds that are seconds lie in the first weeks of 1970.

    Raises:
        InputError: a cell is no number, or far from any date.
    """
    if column.dtype.is_temporal():
        return column
    numbers = figures.read(column, source) if figures.is_text(column.dtype) else column
    if (row := epochs.beyond(numbers, word)) is not None:
        raise InputError(
            f"{source}: column {quoted(column.name)}, row {row + 1} holds {numbers[row]:.13g}, which is no time by "
            f"date_format={word!r}; pass another of {listed(epochs.WORDS)}, or mend the cell"
        )
    near = [] if again else epochs.readings(numbers)
    if near and word not in near:
        notice(
            f"{source}: column {quoted(column.name)} is read as {epochs.shown(numbers, word)}, as asked; as "
            f"{epochs.shown(numbers, near[0])}, date_format={near[0]!r}, it would be of our days"
        )
    return epochs.read(numbers, word)


def _ask_about_epochs(column: pl.Series, source: str) -> None:
    """Refuse numbers that may be times counted from an epoch, under a name of times.

    Raises:
        InputError: names both readings.
    """
    named = column.name != "ds" and names_a_date(column.name)  # which names counts as well
    words = epochs.readings(column) if named or epochs.names_one(column.name) else []
    if words and not (column.dtype.is_integer() and written.whole(column)):
        ways = " or ".join(f"{epochs.shown(column, word)}, date_format={word!r}" for word in words)
        raise InputError(
            f"{source}: column {quoted(column.name)} holds {column.drop_nulls()[0]:.13g}, which may be {ways}, or a "
            f"count, date_format={NUMBER!r}; pass the one that is meant"
        )


def _of_text(cells: pl.Series, source: str, ids: pl.Series | None) -> tuple[pl.Series, str | None]:
    parsed = written.parse(cells)
    if not parsed:
        raise _no_date(cells, source)
    if len(parsed) == 1:
        pattern = next(iter(parsed))
        return parsed[pattern], pattern if pattern[:2] in ("%d", "%m", "%y") else None
    values = list(parsed.values())
    if all(other.equals(values[0]) for other in values[1:]):
        return values[0], None
    pattern = next(iter(parsed))
    if "." in pattern:
        return parsed[pattern], pattern
    pattern = _even(parsed, cells, source, ids)
    return parsed[pattern], pattern


def _of_numbers(column: pl.Series, source: str, ids: pl.Series | None) -> tuple[pl.Series, str | None]:
    parsed, named = written.whole(column), names_a_date(column.name)
    if not parsed:
        stray = written.nearly(column) if named else None
        if stray is not None:
            pattern, row = stray
            raise InputError(
                f"{source}: column {quoted(column.name)}, row {row + 1} holds {column[row]}, which is no date as the "
                f"others are by {pattern!r}; mend the cell, or pass date_format='number' if they are counts"
            )
        return column, None
    even = [pattern for pattern, dates in parsed.items() if _is_even(dates, ids)]
    if not named and not even and _is_even(column, ids):
        return column, None
    certain = len(parsed) == 1 if named else len(even) == 1 and not _is_even(column, ids)
    if not certain and not (named and len(even) == 1):
        raise _asked(column, source, [*parsed, NUMBER])
    pattern = even[0] if len(even) == 1 else next(iter(parsed))
    notice(
        f"{source}: column {quoted(column.name)} holds whole numbers such as {column.drop_nulls()[0]}, read as "
        f"dates by date_format={pattern!r}; pass date_format='number' if they are counts"
    )
    return parsed[pattern], pattern


def _even(parsed: written.Parsed, cells: pl.Series, source: str, ids: pl.Series | None) -> str:
    """The one reading that gives an even step."""
    even = [pattern for pattern, dates in parsed.items() if _is_even(dates, ids)]
    if len(even) != 1:
        raise _asked(cells, source, list(parsed))
    others = " or ".join(repr(pattern) for pattern in parsed if pattern != even[0])
    notice(
        f"{source}: column {quoted(cells.name)} holds dates such as {quoted(written.first(cells))}, read by "
        f"date_format={even[0]!r}, which gives an even step; pass date_format= to read them otherwise ({others})"
    )
    return even[0]


def _is_even(index: pl.Series, ids: pl.Series | None) -> bool:
    """Whether the index rises in equal steps, or by equal months on one day, inside every series."""
    temporal = index.dtype.is_temporal()
    at = index.cast(pl.Datetime("us")) if temporal else index
    series = pl.repeat(0, len(at), eager=True) if ids is None else ids
    table = pl.DataFrame({"at": at, "series": series}).drop_nulls().sort("series", maintain_order=True)
    inside = table["series"].shift() == table["series"]
    steps = [table["at"].cast(pl.Int64).diff()]
    if temporal and table["at"].dt.day().n_unique() == 1:
        steps.append(12 * table["at"].dt.year().cast(pl.Int64).diff() + table["at"].dt.month().cast(pl.Int64).diff())
    inner = [step.filter(inside) for step in steps]
    return any(step.n_unique() == 1 and step[0] > 0 for step in inner if len(step))


def _by_format(cells: pl.Series, source: str, pattern: str) -> pl.Series:
    """Dates by the user's pattern, which may be followed by a clock that it does not name."""
    if pattern in [known for patterns in written.DIGITS.values() for known in patterns]:
        dates = written.digits(
            cells.str.zfill(8 if pattern[1] in "dm" else 0) + ("01" if pattern == "%Y%m" else ""),
            pattern + ("%d" if pattern == "%Y%m" else ""),
        )
    else:
        clocks = ["", *(clock for clock in (" %H:%M", " %H:%M:%S%.f", "T%H:%M", "T%H:%M:%S%.f", " %I:%M %p"))]
        timed = bool(re.search("%[HIMSTRpX]", pattern))
        try:
            dates = written.strptime(cells, pattern, ["", " "][: 2 if timed else 1])
            if dates.null_count() > cells.null_count():
                dates = written.strptime(cells, pattern, clocks)
        except pl.exceptions.PolarsError:
            raise InputError(f"date_format {pattern!r} cannot be read; write one such as '%d/%m/%Y %H:%M'") from None
    if dates.null_count() > cells.null_count():
        row = int((dates.is_null() & cells.is_not_null()).arg_max() or 0)
        raise InputError(
            f"{source}: column {quoted(cells.name)}, row {row + 1} holds {quoted(cells[row])}, which date_format "
            f"{pattern!r} does not fit; mend the cell or the format"
        )
    return dates


def _asked(column: pl.Series, source: str, patterns: list[str]) -> InputError:
    ways = " or ".join(f"date_format={pattern!r}" for pattern in patterns)
    return InputError(
        f"{source}: column {quoted(column.name)} holds {quoted(column.drop_nulls()[0])}, which can be read in several "
        f"ways; pass {ways}, or write dates as 2016-07-01"
    )


def _no_date(cells: pl.Series, source: str) -> InputError:
    """Names the first cell that is no date, under the reading that fits most."""
    plain = written.plain(cells)
    shape = written.pattern_of(written.first(plain))
    row = int(cells.is_not_null().arg_max() or 0)
    if shape is not None:
        best = min(
            (written.strptime(plain, reading, [shape[1]]) for reading in shape[0]), key=lambda dates: dates.null_count()
        )
        row = int((best.is_null() & cells.is_not_null()).arg_max() or 0)
    return InputError(
        f"{source}: column {quoted(cells.name)}, row {row + 1} holds {quoted(cells[row])} where a date belongs; "
        "write dates as 2016-07-01 00:00:00, pass date_format=, or name another column as the time"
    )
