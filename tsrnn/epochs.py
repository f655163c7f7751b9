"""Times counted from an epoch: seconds since 1970, thousandths and finer, a spreadsheet's days, years and fractions.

    1577836800, 1577836800000 -> 2020-01-01     43831.25 -> 2020-01-01 06:00     2020.0417 -> 2020-01

Such numbers may as well be counts, so that nothing is read so unless `date_format=` names it (`WORDS`). Clocks are
UTC's where the epoch is 1970. Sources: POSIX.1-2017, 4.16; ECMA-376-1, 18.17.4.1 (dates from March 1900 on).
"""

import re
from datetime import datetime, timedelta

import polars as pl

_UNITS = {"epoch_s": 1_000_000, "epoch_ms": 1000, "epoch_us": 1, "epoch_ns": 0.001}  # microseconds of each
EXCEL, YEARS = "excel", "decimal_year"
WORDS = (*_UNITS, EXCEL, YEARS)
_SAID = {
    "epoch_s": "seconds since 1970",
    "epoch_ms": "milliseconds since 1970",
    "epoch_us": "microseconds since 1970",
    "epoch_ns": "nanoseconds since 1970",
    EXCEL: "days of a spreadsheet",
    YEARS: "years and their fractions",
}
_DAY = 86_400_000_000
_ZERO = -25_569  # days from 1970 to the spreadsheet's epoch, 1899-12-30
_SINCE, _CELLS, _TO = 3652, -7305, 47_482  # days since 1970: such numbers are times from 1980, of cells 1950, to 2100
_DATES = (-719_162, 2_932_897)  # days from 1970 to 0001-01-01 and to 10000-01-01
_SPAN = (1800, 2101)  # of years
_NAMES = re.compile(
    r"(ts|epoch|unix|posix|time|date|datetime|year|jahr|dec(imal)?|frac(tional)?|serial)"
    r"([ _-]?(ts|time|date|stamp|year|epoch|utc|gmt|s|sec|seconds|ms|us|ns))*(\s*[(\[].*)?",
    re.IGNORECASE,
)


def names_one(name: str) -> bool:
    """Whether a column's name is one that times counted from an epoch have."""
    return bool(_NAMES.fullmatch(name.strip()))


def readings(column: pl.Series) -> list[str]:
    """The words of `WORDS` by which every number of a column is a time of our days; of years, fractions among them."""
    if not column.dtype.is_numeric() or column.n_unique() < 2 or column.null_count() > len(column) - 2:
        return []
    low, high = column.min(), column.max()
    ends = float(low), float(high)  # type: ignore[arg-type]  # numbers
    days = {word: [end * unit / _DAY for end in ends] for word, unit in _UNITS.items()}
    fitting = [word for word, (begin, end) in days.items() if begin >= _SINCE and end <= _TO]
    if ends[0] + _ZERO >= _CELLS and ends[1] + _ZERO <= _TO:
        fitting.append(EXCEL)
    if _SPAN[0] <= ends[0] and ends[1] < _SPAN[1] and column.dtype.is_float() and (column % 1 != 0).any():
        fitting.append(YEARS)
    return fitting


def beyond(column: pl.Series, word: str) -> int | None:
    """The first row whose number is no time by that word, for its year has not four digits; None: all are."""
    numbers = column.cast(pl.Float64)
    days = numbers * _UNITS[word] / _DAY if word in _UNITS else numbers + _ZERO
    right = numbers.is_between(1, 10_000, "left") if word == YEARS else days.is_between(*_DATES, "left")
    wrong = ~right & numbers.is_not_null()
    return int(wrong.arg_max() or 0) if wrong.any() else None


def read(column: pl.Series, word: str) -> pl.Series:
    """The times that numbers count, null where they are; of a spreadsheet to the second.

    Years whose steps are a twelfth stand at the month they lie in, those whose steps are a day's at the day.
    """
    numbers = column.cast(pl.Float64)
    if word in _UNITS:
        whole = column.dtype.is_integer() and _UNITS[word] >= 1
        at = column.cast(pl.Int64) * int(_UNITS[word]) if whole else (numbers * _UNITS[word]).round()
    elif word == EXCEL:
        at = ((numbers + _ZERO) * 86_400).round() * 1_000_000
    else:
        return _of_years(numbers)
    return at.cast(pl.Int64).cast(pl.Datetime("us")).alias(column.name)


def shown(column: pl.Series, word: str) -> str:
    """What the first number of a column may be: seconds since 1970 (2020-01-01 00:00:00)."""
    at: datetime = read(column.drop_nulls().head(1), word)[0]
    return f"{_SAID[word]} ({at:%Y-%m-%d %H:%M:%S})"


def restates(index: pl.Series, column: pl.Series) -> bool:
    """Whether a column counts the times of the index, to a month or so, from an epoch."""
    if not column.dtype.is_numeric() or column.null_count() or index.null_count():
        return False
    at = index.cast(pl.Datetime("us"))
    return any(((read(column, word) - at).abs() < timedelta(days=32)).all() for word in readings(column))


def _of_years(numbers: pl.Series) -> pl.Series:
    year = numbers.floor()
    part, apart = numbers - year, abs(float(numbers.diff().drop_nulls().median() or 0))  # type: ignore[arg-type]  # numbers
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    days = part * (365 + leap.cast(pl.Float64))
    first = pl.DataFrame({"y": year.cast(pl.Int32)}).select(pl.datetime(pl.col("y"), 1, 1, time_unit="us"))
    start = first.to_series()
    if 0.8 < 12 * apart < 1.2:  # rows of a month
        months = (12 * part + 0.02).floor().clip(0, 11).cast(pl.Int64)
        at = pl.DataFrame({"y": year.cast(pl.Int32), "m": 1 + months}).select(pl.datetime("y", "m", 1, time_unit="us"))
        return at.to_series().alias(numbers.name)
    seconds = (days + 0.02).floor() * 86_400 if 0.8 < 365.25 * apart < 1.2 else (days * 1440).round() * 60
    return (start + (seconds * 1_000_000).cast(pl.Int64).cast(pl.Duration("us"))).alias(numbers.name)
