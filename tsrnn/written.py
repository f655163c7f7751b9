"""Dates as people write them: the pattern of a cell, and every reading of it that fits a whole column.

"01/02/2020 13:00" --`pattern_of`--> readings ("%d/%m/%Y", "%m/%d/%Y"), clock " %H:%M"
"""

import re

import polars as pl

from tsrnn import figures

_MONTH = "[A-Za-zäéû]{3,9}"
_WRITTEN: tuple[tuple[str, tuple[str, ...]], ...] = (  # the date's own text, its readings; S: the separator it has
    (r"\d{4}([-/.])\d{1,2}\1\d{1,2}", ("%YS%mS%d",)),
    (r"\d{4}([-/])\d{1,2}", ("%YS%m",)),
    (r"\d{1,2}([-/. ])\d{1,2}\1\d{4}", ("%dS%mS%Y", "%mS%dS%Y")),
    (r"\d{1,2}([-/.])\d{1,2}\1\d{2}", ("%dS%mS%y", "%mS%dS%y", "%yS%mS%d")),
    (r"\d{1,2}([-/])\d{4}", ("%mS%Y",)),
    (rf"\d{{1,2}}([-/ ]){_MONTH}\1\d{{4}}", ("%dS%bS%Y",)),
    (rf"\d{{1,2}}([-/ ]){_MONTH}\1\d{{2}}", ("%dS%bS%y",)),
    (rf"{_MONTH}( )\d{{1,2}}, \d{{4}}", ("%b %d, %Y",)),
    (rf"{_MONTH}([-/ ])\d{{1,2}}\1\d{{4}}", ("%bS%dS%Y",)),
    (rf"{_MONTH}([-/ ])\d{{4}}", ("%bS%Y",)),
    (rf"{_MONTH}([-/])\d{{2}}", ("%bS%y",)),
    (rf"\d{{4}}([-/ ]){_MONTH}\1\d{{1,2}}", ("%YS%bS%d",)),
    (rf"\d{{4}}([-/ ]){_MONTH}", ("%YS%b",)),
    (r"\d{4}(-)W\d{2}-[1-7]", ("%G-W%V-%u",)),
)
_CLOCK = re.compile(
    r"(?P<lead>T| +)(?P<hour>\d{1,2}):\d{2}(?P<second>:\d{2}(?P<part>\.\d+)?)?(?P<half> ?[AaPp][Mm])?"
    r"(?P<zone> ?[+-]\d{2}:?\d{2})?"
)
_QUARTER = re.compile(r"\d{4}[- ]?[Qq][1-4]|[Qq][1-4][-/ ]?\d{4}")
_WEEK = re.compile(r"\d{4}-?W\d{2}")
DIGITS = {
    6: ("%Y%m", "%y%m%d"),
    7: ("%Y%j",),
    8: ("%Y%m%d", "%d%m%Y", "%m%d%Y"),
    10: ("%Y%m%d%H",),
    12: ("%Y%m%d%H%M",),
    14: ("%Y%m%d%H%M%S",),
}
_YEARS = (1700, 2200)  # whole numbers are dates between these alone
LATE = r"(T| )24:00(:00(\.0+)?)?( ?[+-]\d{2}:?\d{2})?$"  # midnight at the end of a day
_STRAY = 0.1  # of whole numbers that are dates otherwise
_SHAPES = 40  # ways of writing in one column that are looked at

Parsed = dict[str, pl.Series]


def parse(cells: pl.Series) -> Parsed:
    """Each reading that fits every cell, with the dates it gives."""
    cells = plain(cells)
    shape = pattern_of(first(cells))
    if shape is None:
        return {}
    parsed = _fitting(cells, shape[0], [shape[1]])
    if parsed:
        return parsed
    shapes = cells.str.replace_all(r"\d", "9").str.replace_all("[A-Za-z]+", "a")
    examples = pl.DataFrame({"shape": shapes, "cell": cells}).drop_nulls().unique("shape", maintain_order=True)["cell"]
    patterns = [pattern_of(cell) for cell in examples.head(_SHAPES)]
    if len(examples) > _SHAPES or any(pattern is None or pattern[0] != shape[0] for pattern in patterns):
        return {}
    return _fitting(cells, shape[0], list(dict.fromkeys(pattern[1] for pattern in patterns if pattern)))


def _fitting(cells: pl.Series, readings: tuple[str, ...], clocks: list[str]) -> Parsed:
    results = {reading: strptime(cells, reading, clocks) for reading in readings}
    return {reading: dates for reading, dates in results.items() if dates.null_count() == cells.null_count()}


def strptime(cells: pl.Series, pattern: str, clocks: list[str]) -> pl.Series:
    """Dates by a pattern followed by one of the clocks ("": none); null where none fits."""
    if clocks == [""]:
        dates = cells.str.to_date(pattern, strict=False)
    elif (late := cells.str.contains(LATE).fill_null(False)).any():
        early = strptime(cells.str.replace("24:00", "00:00", literal=True), pattern, clocks)
        return (early + pl.select(pl.duration(days=pl.lit(late.cast(pl.Int64)))).to_series()).alias(cells.name)
    else:
        tried = [cells.str.to_datetime(pattern + clock, strict=False, time_unit="us") for clock in clocks]
        if len({column.dtype for column in tried}) > 1:  # some cells name a zone and some do not
            return pl.Series(cells.name, [None] * len(cells), pl.Datetime("us"))
        dates = pl.select(pl.coalesce(tried)).to_series().alias(cells.name)
    short = dates.dt.year() < 1000 if "%Y" in pattern else None  # two digits where the others have four
    return dates if short is None or not short.any() else dates.set(short.fill_null(False), None)


def plain(cells: pl.Series) -> pl.Series:
    """Quarters by their first month, months by three letters, weeks by their Monday, where the first cell is one."""
    example = first(cells)
    if _QUARTER.fullmatch(example):
        return _quarters(cells)
    if re.search("[A-Za-z]{4}", example):  # a month's name, written out
        return cells.str.replace("([A-Za-z]{3})[a-z]+", "$1")
    return cells.str.replace(r"^(\d{4})-?W(\d{2})$", "$1-W$2-1") if _WEEK.fullmatch(example) else cells


def pattern_of(example: str) -> tuple[tuple[str, ...], str] | None:
    """The readings of a cell's date and the pattern of its clock; None: not a date."""
    for shape, readings in _WRITTEN:
        date = re.match(shape, example)
        if date is None:
            continue
        clock = _clock(example[date.end() :])
        if clock is not None:
            return tuple(reading.replace("S", date[1]) for reading in readings), clock
    return None


def _clock(text: str) -> str | None:
    if not text:
        return ""
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        return None
    seconds = "" if clock["second"] is None else ":%S%.f"
    half = "" if clock["half"] is None else clock["half"][:-2] + "%p"
    zone = "" if clock["zone"] is None else clock["zone"][: clock["zone"].index(clock["zone"].strip())] + "%z"
    return f"{clock['lead']}{'%I' if half else '%H'}:%M{seconds}{half}{zone}"


def whole(column: pl.Series) -> Parsed:
    """Each reading of whole numbers as dates that fits every one of them."""
    low, high = column.min(), column.max()
    if low is None or high is None or int(low) <= 0:  # type: ignore[arg-type]  # whole numbers
        return {}
    width, results = len(str(high)), {}
    for pattern in (*DIGITS.get(width, ()), *(DIGITS[8][1:] if width == 7 else ())):
        led = pattern[1] in "dm"  # the zero in front of a day or a month is lost
        if len(str(low)) < width - led:
            continue
        padded = column.cast(pl.String).str.zfill(8 if led else 0) + ("01" if pattern == "%Y%m" else "")
        dates = digits(padded, pattern + ("%d" if pattern == "%Y%m" else ""))
        if dates.null_count() == column.null_count() and dates.dt.year().is_between(*_YEARS).all():
            results[pattern] = dates
    return results


def nearly(column: pl.Series) -> tuple[str, int] | None:
    """The reading that fits nearly every whole number, and the first row that it does not fit; None: none does."""
    width = int(column.cast(pl.String).str.len_chars().median() or 0)  # type: ignore[arg-type]  # lengths
    text = column.cast(pl.String)
    for pattern in DIGITS.get(width, ()):
        dates = digits(text + ("01" if pattern == "%Y%m" else ""), pattern + ("%d" if pattern == "%Y%m" else ""))
        wrong = ~dates.dt.year().is_between(*_YEARS).fill_null(False) & column.is_not_null()
        if 0 < wrong.sum() <= _STRAY * len(column):
            return pattern, int(wrong.arg_max() or 0)
    return None


def digits(cells: pl.Series, pattern: str) -> pl.Series:
    if "%H" not in pattern:
        return cells.str.to_date(pattern, strict=False)
    clock = pattern.partition("%H")[2]
    rest = {"": "0000", "%M": "00"}.get(clock, "")
    late = cells.str.contains(r"^\d{8}240*$")  # midnight at the end of a day
    at = pl.select(pl.when(late).then(cells.str.slice(0, 8) + "0" * (6 - len(rest))).otherwise(cells)).to_series()
    dates = (at + rest).str.to_datetime("%Y%m%d%H%M%S", strict=False, time_unit="us")
    return (dates + pl.select(pl.duration(days=pl.lit(late.cast(pl.Int64)))).to_series()).alias(cells.name)


def cells_of(column: pl.Series) -> pl.Series:
    """Text without blanks around it; UTC and whole hours of an offset written out."""
    cells = figures.text(column)
    if re.search(r":\d{2}(\.\d+)? ?(Z|UTC|GMT|[+-]\d{2})$", first(cells)):
        cells = cells.str.replace(r"(:\d{2}(?:\.\d+)?) ?(?:Z|UTC|GMT)$", "$1+00:00")
        cells = cells.str.replace(r"(:\d{2}(?:\.\d+)? ?[+-]\d{2})$", "$1:00")
    return cells


def first(cells: pl.Series) -> str:
    kept = cells.drop_nulls() if cells.null_count() else cells
    return str(kept[0]) if len(kept) else ""


def _quarters(cells: pl.Series) -> pl.Series:
    """Quarters as the first month they hold: 2020Q2, Q2 2020 -> 2020-04; other cells as they are."""
    year, quarter = cells.str.extract(r"(\d{4})"), cells.str.extract(r"[Qq]([1-4])").cast(pl.Int64)
    month = (3 * quarter - 2).cast(pl.String).str.zfill(2)
    months = pl.select(pl.format("{}-{}", year, month)).to_series()
    return months.zip_with(cells.str.contains(f"^(?:{_QUARTER.pattern})$").fill_null(False), cells).alias(cells.name)
