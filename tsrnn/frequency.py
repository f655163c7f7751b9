"""The word for a step: polars' and pandas' words, timedeltas and numbers -> a `Step`.

Lengths: `15min`, `1h30m`, `1d`, `1w`. Months: `1mo`, `MS`, `ME`, `QS-FEB`, `1y`, and `1mo-15` on the 15th, `1mo-1-16`
on the 1st and 16th, `1mo-3FRI` on third Fridays, `1mo-BE` on the last working day. Weeks: `W-SUN`, `B`, `SUN-MON-TUE`.
"""

import re
from dataclasses import replace
from datetime import timedelta
from numbers import Real
from typing import Any

import numpy as np
import polars as pl

from tsrnn.errors import InputError
from tsrnn.steps import WEEKDAYS, Months, Rule, Step, Weekdays, day_of, unit_of, zone_of

_NS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86_400 * 10**9}
_NS["w"] = 7 * _NS["d"]
_SHORT = {"N": "ns", "U": "us", "µs": "us", "L": "ms", "S": "s", "T": "m", "min": "m", "H": "h", "D": "d", "W": "w"}
_LONG = {"sec": "s", "min": "m", "hr": "h", "day": "d"} | {
    f"{name}{many}": unit
    for name, unit in zip(
        ("nanosecond", "microsecond", "millisecond", "second", "minute", "hour", "day", "week"), _NS, strict=True
    )
    for many in ("", "s")
}
_MONTHS = {"mo": 1, "M": 1, "q": 3, "Q": 3, "y": 12, "Y": 12, "A": 12} | {
    f"{name}{many}": count for name, count in (("month", 1), ("quarter", 3), ("year", 12)) for many in ("", "s")
}
_DAYS: dict[str, Rule | None] = {"": None, "S": (1,), "E": (31,)}
_CALENDAR = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_ROUND = {
    "dekad": Months(1, (1, 11, 21)),
    "SM": Months(1, (15, 31)),
    "SME": Months(1, (15, 31)),
    "SMS": Months(1, (1, 15)),
}
ROWS = "count the rows in a column of whole numbers, 0, 1, 2..., and name it as the time"  # the mend of odd steps
_KNOWN = (
    "'15min', '1h', '1d', '1w', 'W-SUN', 'B' (working days), '1mo', 'MS', 'ME', '1q', '1y', 'SMS' (half months), "
    "'dekad', 'WOM-3FRI' (third Fridays) or a timedelta for dates and times, a number for counts and depths"
)


def plain(freq: Any) -> str | float | None:
    """A `freq` of any kind as a word or a number, which a saved model can hold.

    Raises:
        InputError: it is of another kind, or not above 0.
    """
    if isinstance(freq, pl.Expr):
        freq = pl.select(freq).item()
    if isinstance(freq, np.timedelta64):
        unit, count = np.datetime_data(freq.dtype)
        if unit in ("Y", "M"):
            return f"{count * int(freq.astype(np.int64))}{'y' if unit == 'Y' else 'mo'}"
        freq = int(freq.astype("timedelta64[ns]").astype(np.int64))
        return _positive(freq, length(freq))
    if isinstance(freq, timedelta):
        nanoseconds = 1000 * (freq // timedelta(microseconds=1)) + getattr(freq, "nanoseconds", 0)
        return _positive(nanoseconds, length(nanoseconds))
    if isinstance(getattr(freq, "freqstr", None), str):  # pandas' offsets
        freq = freq.freqstr
    if freq is None or isinstance(freq, str):
        return freq.strip() if freq else None
    if not isinstance(freq, Real) or isinstance(freq, bool | np.bool_) or not np.isfinite(float(freq)):
        raise InputError(f"freq {freq!r} is not known: write {_KNOWN}")
    number = float(freq)
    return _positive(number, number if number % 1 else int(number))


def named(index: pl.Series, freq: str | float) -> Step:
    """The step of the index that a word or number names.

    Raises:
        InputError: the word is not known, or does not fit the type of the index.
    """
    unfit = InputError(f"freq {freq!r} does not fit index {index.name!r} of type {index.dtype}: write {_KNOWN}")
    dated = index.dtype.is_temporal()
    if not isinstance(freq, str):
        if dated:
            raise unfit
        if index.dtype.is_integer() and freq % 1:
            raise _too_fine(index, freq, "whole numbers")
        return Step(float(freq), word=freq)
    if not dated:
        raise unfit
    if uncounted := _uncounted(freq):
        raise InputError(f"freq {freq!r}: {uncounted}")
    calendar = _calendar(freq)
    if calendar is not None:
        if not day_of(index):
            raise unfit
        return replace(Step.of(calendar, index), word=freq)
    nanoseconds, days = _length(freq)
    if not nanoseconds:
        raise unfit
    if nanoseconds % unit_of(index):
        bare = index.dtype == pl.Date
        raise _too_fine(index, freq, "dates without a time of day" if bare else f"times of type {index.dtype}")
    local = zone_of(index) is not None and (days or freq.endswith("-local"))
    return Step(float(nanoseconds // unit_of(index)), local=local, word=freq)


def _too_fine(index: pl.Series, freq: str | float, held: str) -> InputError:
    return InputError(
        f"freq {freq!r} does not fit index {index.name!r}, which holds {held} and cannot tell such steps apart; give "
        "rows at that step, or another freq"
    )


def length(nanoseconds: int) -> str:
    """A length of time in the largest unit that it is a whole number of: "90s"."""
    unit = next(unit for unit in ("d", "h", "m", "s", "ms", "us", "ns") if nanoseconds % _NS[unit] == 0)
    return f"{nanoseconds // _NS[unit]}{unit}"


def weekday(freq: str | float | None) -> int | None:
    """The day of the week that a word such as W-SUN names."""
    anchored = re.fullmatch(rf"\d*\s*W-({'|'.join(WEEKDAYS)})", str(freq))
    return WEEKDAYS.index(anchored[1]) if anchored else None


def steps_of(word: str, freq: str) -> float:
    """How many steps of `freq` a length of time is; 0 where one of them is no length, or a month."""
    if _calendar(freq) is not None:
        return 0.0
    step = _length(freq)[0]
    return _length(word)[0] / step if step else 0.0


def _length(word: str) -> tuple[int, bool]:
    """Nanoseconds (0: no such length), and whether the word speaks of days or weeks."""
    word = word.removesuffix("-local")
    if weekday(word) is not None:
        word = word.split("-")[0]
    if not re.fullmatch(r"([A-Za-zµ]+|(\d+(\.\d+)?\s*[A-Za-zµ]+\s*)+)", word):
        return 0, False
    total, units = 0.0, set()
    for count, name in re.findall(r"(\d+(?:\.\d+)?)?\s*([A-Za-zµ]+)", word):
        unit = name if name in _NS else _SHORT.get(name) or _LONG.get(name.lower())
        if unit is None:
            return 0, False
        units.add(unit)
        total += float(count or 1) * _NS[unit]
    return int(total), units <= {"d", "w"}


def _calendar(word: str) -> Months | Weekdays | None:
    """Working days, weekdays, and whatever counts months."""
    strict = word.endswith("-gaps")
    days = word.removesuffix("-gaps")
    if re.fullmatch(r"1?\s*(B|bd)", days):
        return Weekdays(gaps=strict)
    kept = [WEEKDAYS.index(day) for day in days.split("-") if day in WEEKDAYS]
    if kept and len(kept) == days.count("-") + 1:
        return Weekdays(tuple(sorted(set(kept))), strict)
    return None if strict else _months(word)


def _uncounted(word: str) -> str:
    """What pandas counts and is no step here, with the mend: open hours, several working days, own holidays."""
    if re.fullmatch(r"\d*\s*c?bh", word, re.IGNORECASE):
        return f"hours in which something is open are no step here; {ROWS}"
    if re.fullmatch(r"\d*[2-9]\d*\s*(b|c|bd)|1\d+\s*(b|c|bd)", word, re.IGNORECASE):
        return f"several working days are no step here; {ROWS}"
    if re.fullmatch(r"1?\s*(C|cbd)", word):
        return "write 'B': holidays, which have no rows, are stepped over"
    return ""


def _months(word: str) -> Months | None:
    count, name, rest = re.fullmatch(r"(\d*)\s*([A-Za-z]*)(.*)", word, re.DOTALL).groups()  # type: ignore[union-attr]
    times = int(count or 1)
    if not times:
        return None
    if name in _ROUND and times == 1 and re.fullmatch(r"(-\d+)?", rest):
        middle = int(rest[1:]) if rest else 15
        whole = _ROUND[name]
        return whole if name == "dekad" or not 1 < middle < 28 else _half(whole, middle)
    week = re.fullmatch(rf"(WOM|LWOM)-([1-4]?)({'|'.join(WEEKDAYS)})", name + rest)
    if week and bool(week[2]) == (week[1] == "WOM"):
        return Months(times, f"{week[2] or 'L'}{week[3]}")
    if name in _MONTHS or name.lower() in ("month", "months", "quarter", "quarters", "year", "years"):
        months = _MONTHS.get(name) or _MONTHS[name.lower()]
        anchor = _anchor(rest)
        return Months(times * months, anchor=anchor) if anchor or not rest else _ruled(times * months, rest)
    pandas = re.fullmatch(r"(B?)([MQYA])(S|E|)", name)
    if not pandas or (rest and not _anchor(rest)):
        return None
    rule = f"B{pandas[3] or 'E'}" if pandas[1] else _DAYS[pandas[3]]
    return Months(times * _MONTHS[pandas[2]], rule, _anchor(rest))


def _half(whole: Months, middle: int) -> Months:
    assert isinstance(whole.rule, tuple)
    return Months(1, (1, middle) if whole.rule[0] == 1 else (middle, 31))


def _anchor(rest: str) -> int | None:
    return _CALENDAR.index(rest[1:]) + 1 if rest[1:] in _CALENDAR and rest[0] == "-" else None


def _ruled(count: int, rest: str) -> Months | None:
    """-15, -1-16, -3FRI, -LFRI, -BS, -BE after a number of months."""
    if re.fullmatch(r"(-\d+)+", rest):
        days = tuple(sorted({int(day) for day in rest[1:].split("-")}))
        fits = days[0] >= 1 and days[-1] <= 31 and all(day < 28 for day in days[:-1])
        return Months(count, days) if fits and (len(days) == 1 or count == 1) else None
    named = re.fullmatch(rf"-([1-4L](?:{'|'.join(WEEKDAYS)})|BS|BE)", rest)
    return Months(count, named[1]) if named else None


def _positive(freq: Any, word: str | float) -> str | float:
    if not freq > 0:
        raise InputError(f"freq must be positive, not {freq}")
    return word
