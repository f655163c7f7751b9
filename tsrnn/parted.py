"""Dates that stand in several columns: YYYY, MM, DD, HH, mm, or a date beside a time of day -> one column of times.

Names are told in any case and in several languages; MM beside mm are months and minutes. The parts leave the table,
unless one of them was given a role.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from tsrnn import dates, epochs, figures
from tsrnn.errors import InputError, listed, quoted
from tsrnn.reading import Note

_PARTS = {
    "year": ("yyyy", "yy", "yr", "year", "jahr", "annee", "ano", "iso_year", "isoyear"),
    "month": ("month", "mo", "mon", "monat", "mois", "mes", "mm"),
    "day": ("dd", "dy", "day", "tag", "jour", "dia", "dom"),
    "quarter": ("quarter", "qtr", "quartal", "trimestre"),
    "week": (
        "week",
        "wk",
        "woche",
        "kw",
        "semaine",
        "semana",
        "iso_week",
        "isoweek",
        "weekno",
        "week_no",
        "week_number",
    ),
    "weekday": ("weekday", "dow", "day_of_week", "wochentag", "iso_weekday", "isoweekday"),
    "ordinal": ("doy", "jday", "dayofyear", "day_of_year", "yday", "jjj"),
    "hour": ("hh", "hr", "hour", "stunde", "heure", "hora", "hhmm", "hrmn", "time"),
    "minute": ("minute", "minuto", "mi", "mn", "mm", "min"),
    "second": ("second", "sekunde", "sec", "ss"),
}
_CLOCKS = ("time", "hour", "hr", "hh", "hhmm", "clock", "zeit", "uhrzeit", "heure", "hora", "time_of_day")
_WHOLE = (  # a date stands in all of these
    ("year", "month", "day"),
    ("year", "ordinal"),
    ("year", "month"),
    ("year", "week", "weekday"),
    ("year", "week"),
    ("year", "quarter"),
)
_FROM_TO = {"quarter": (1, 4), "week": (1, 53), "weekday": (1, 7)}
_SHORTEST = ("month", "week", "quarter")  # no hours follow these
_DATE, _TIME = ("year", "month", "day"), ("hour", "minute", "second")
_NAMES = ("time", "datetime", "date_and_time", "time_of_row")  # the column of times has the first that is free
_TOLD = 0.9  # of all rows have a date and a time of day of their own, where these belong together
_PIVOT = 69  # years of two digits from it on are of the last century, as `strptime` has it


@dataclass(frozen=True)
class Joined:
    """A table whose index stood in several columns, and stands in one now.

    table         it, the index in front
    name          of the index
    date_format   how the dates beside a time of day were read, where their cells do not tell
    note          what was joined
    """

    table: pl.DataFrame
    name: str
    date_format: str | None
    note: Note


def join(
    table: pl.DataFrame, taken: Collection[str], id: str | None, source: str, date_format: str | None
) -> Joined | None:
    """The times that several columns hold, in one; None where no columns do.

    Args:
        table: a frame that came in.
        taken: columns that have roles and stay.
        id: the column that tells series apart.
        source: how messages call the frame.
        date_format: of the dates beside a time of day.

    Raises:
        InputError: a part is empty, or the parts are no date.
    """
    free = [name for name in table.columns if name != id]
    days = [name for name in free if _holds_days(table[name])]
    parts = {} if days else _parts(table, free)
    if parts:
        held, at = list(parts.values()), _of_parts(table, parts, source)
    else:
        pair = _date_and_clock(table, free, days, id)
        if pair is None:
            return None
        held = list(pair)
        day, date_format = dates.read(table[pair[0]], source, date_format)
        at = day.cast(pl.Datetime("us")) + _clock(_plain(table[pair[1]]))
    rest = table.drop([column for column in held if column not in taken])
    name = next(name for name in _NAMES if name not in table.columns)
    note = Note(f"columns, {listed(held, len(held))}, are the times {quoted(name)} together", len(held), loud=False)
    return Joined(pl.DataFrame([at.alias(name), *rest.get_columns()]), name, date_format, note)


def _parts(table: pl.DataFrame, free: Sequence[str]) -> dict[str, str]:
    """Part -> its column, where a date stands in them; minutes only behind hours, and so on."""
    lowered = {name: _named(name) for name in free}
    named: dict[str, str] = {}
    for part, words in _PARTS.items():
        columns = [name for word in words for name in free if lowered[name] == word and _is_whole(table[name])]
        columns = [name for name in columns if name not in named.values()]
        if part in _FROM_TO:
            columns = [name for name in columns if _whole(table[name]).is_between(*_FROM_TO[part]).all()]
        if part in ("minute", "second"):
            columns = [name for name in columns if _is_sixtieth(table, name, lowered)]
        if columns:
            named[part] = min(columns, key=lambda name: lowered[name] == "mm" and name.islower())  # beside MM, minutes
    whole = next((needed for needed in _WHOLE if set(needed) <= {*named}), ())
    parts = {part: named[part] for part in whole}
    for part in ("hour", "minute", "second") if whole and whole[-1] not in _SHORTEST else ():
        if part not in named:
            break
        parts[part] = named[part]
    return parts


def restates(table: pl.DataFrame, index: str | None, name: str) -> bool:
    """Whether a column says again what the index says: its year, month, day or hour, or where a period ends."""
    column, part = _plain(table[name]), next((part for part, words in _PARTS.items() if _named(name) in words), None)
    if dates.names_a_date(name) and dates.may_be_dates(column):
        return True
    dated = index is not None and table.schema[index] in (pl.Date, pl.Datetime)
    if index is None or not dated:
        return False
    if epochs.names_one(name) and epochs.restates(table[index], column):
        return True
    if part is None or not column.dtype.is_integer():
        return False
    at = table[index].cast(pl.Datetime("us")).dt
    told = at.ordinal_day() if part == "ordinal" else getattr(at, part)()
    return bool((told.cast(pl.Int64) == column.cast(pl.Int64)).all())


def _named(name: str) -> str:
    """A name in lower case, without a sign in front and brackets behind."""
    return re.sub(r"\s*[(\[].*", "", name.lstrip("#")).strip().lower()


def _plain(column: pl.Series) -> pl.Series:
    """Digits between blanks as whole numbers, unless zeros stand in front."""
    if not figures.is_text(column.dtype) or column.null_count():
        return column
    cells = figures.text(column)
    return cells.cast(pl.Int64) if cells.str.contains(r"^(0|[1-9]\d{0,8})$").all() else column


def _is_whole(column: pl.Series) -> bool:
    if figures.is_text(column.dtype):  # zeros in front keep a column text
        return bool(figures.text(column).str.contains(r"^\d+$").all())
    return column.dtype.is_integer() or (column.dtype.is_float() and bool((column == column.round()).all()))


def _is_sixtieth(table: pl.DataFrame, name: str, lowered: Mapping[str, str]) -> bool:
    """Whether a column may count minutes or seconds; `min` beside `max` is a lowest value."""
    minimum = lowered[name] == "min" and "max" in lowered.values()
    return not minimum and bool(_whole(table[name]).is_between(0, 60).all())


def _whole(column: pl.Series) -> pl.Series:
    return column.cast(pl.String).str.strip_chars().cast(pl.Float64).cast(pl.Int64)


def _of_parts(table: pl.DataFrame, parts: dict[str, str], source: str) -> pl.Series:
    one = pl.repeat(1, table.height, dtype=pl.Int64, eager=True)
    numbers = {"month": one, "day": one, **dict.fromkeys(("hour", "minute", "second"), one - 1)}
    for part, name in parts.items():
        if table[name].null_count():
            row = int(table[name].is_null().arg_max() or 0) + 1
            raise InputError(f"{source}: column {quoted(name)}, the {part} of a date, is empty in row {row}; fill it")
        numbers[part] = _whole(table[name])
    if "minute" not in parts and (numbers["hour"] > 24).any():  # 1330
        numbers |= {"hour": numbers["hour"] // 100, "minute": numbers["hour"] % 100}
    year, month, day, hour, minute, second = (numbers[part] for part in (*_DATE, *_TIME))
    year = year + (year < 100).cast(pl.Int64) * (1900 + 100 * (year < _PIVOT).cast(pl.Int64))
    if "week" in parts:
        pieces, pattern = (year, numbers["week"], numbers.get("weekday", one)), "%G %V %u"
    else:
        pieces, pattern = (year, 3 * numbers["quarter"] - 2 if "quarter" in parts else month, day), "%Y %m %d"
    written = pl.select(pl.format("{} {} {}", *(pl.lit(number) for number in pieces))).to_series()
    at = written.str.to_date(pattern, strict=False).cast(pl.Datetime("us"))
    if "ordinal" in parts:
        at = at + pl.select(pl.duration(days=pl.lit(numbers["ordinal"] - 1))).to_series()
    fits = hour.is_between(0, 24) & minute.is_between(0, 59) & second.is_between(0, 60)
    fits = fits & (numbers["ordinal"].is_between(1, 366) if "ordinal" in parts else True)
    if (wrong := at.is_null() | ~fits).any():
        row = int(wrong.arg_max() or 0)
        shown = ", ".join(f"{name} {table[name][row]}" for name in parts.values())
        raise InputError(f"{source}: row {row + 1} holds {shown}, which is no date; mend it or drop the row")
    return at + pl.select(pl.duration(hours=pl.lit(hour), minutes=pl.lit(minute), seconds=pl.lit(second))).to_series()


def _date_and_clock(
    table: pl.DataFrame, free: Sequence[str], days: Sequence[str], id: str | None
) -> tuple[str, str] | None:
    """A column of dates that come again and again beside one of times of day that tells them apart."""
    clocks = [name for name in free if _named(name) in _CLOCKS and _is_clock(_plain(table[name]))]
    days = [name for name in days if name not in clocks]
    if len(days) != 1 or len(clocks) != 1:
        return None
    series = [] if id is None else [id]
    seen, told = (table.select(*series, *names).n_unique() for names in (days, [*days, *clocks]))
    return (days[0], clocks[0]) if 2 * seen <= table.height and told > _TOLD * table.height else None


def _holds_days(column: pl.Series) -> bool:
    if column.dtype in (pl.Date, pl.Datetime):
        return True
    if figures.is_text(column.dtype):
        return dates.are_dates(column)
    return dates.names_a_date(column.name) and dates.may_be_dates(column)


def _is_clock(column: pl.Series) -> bool:
    if figures.is_text(column.dtype):
        return bool(figures.text(column).str.contains(r"^([01]?\d|2[0-4]):?[0-5]\d(:[0-5]\d(\.\d+)?)?$").all())
    if column.dtype.is_integer():
        column = column.cast(pl.Int64, strict=False)  # 2400 is no Int8
        return bool((column.is_between(0, 2400) & (column % 100 < 60)).all())
    return column.dtype == pl.Time


def _clock(column: pl.Series) -> pl.Series:
    """Times of day as durations: 13:30, 1330, or hours alone."""
    if column.dtype == pl.Time:
        return column.cast(pl.Duration("us"))
    if column.dtype.is_integer():
        hundreds = bool((column > 24).any())
        hours, minutes = (column // 100, column % 100) if hundreds else (column, 0 * column)
        return pl.select(pl.duration(hours=pl.lit(hours), minutes=pl.lit(minutes))).to_series()
    cells = figures.text(column).str.replace(r"^(\d{1,2})(\d\d)$", "$1:$2")
    pieces = cells.str.split(":")
    hours, minutes, seconds = (pieces.list.get(place, null_on_oob=True).cast(pl.Float64) for place in range(3))
    total = 3600 * hours + 60 * minutes + seconds.fill_null(0)
    return (total * 1e6).round().cast(pl.Int64).cast(pl.Duration("us"))
