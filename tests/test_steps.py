"""Steps of every kind: named by a word, read from the rows, counted, continued; what is no step is refused or said."""

import calendar
import datetime as dt
import warnings
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsrnn import features
from tsrnn import index as indexing
from tsrnn.errors import InputError, Notice
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel


def panel_of(index, freq=None, **options):
    """A panel of one series, with its row numbers as values."""
    stamps = index if isinstance(index, pl.Series) else pl.Series("ds", index)
    return Panel.of(pl.DataFrame({"ds": stamps, "y": np.arange(float(len(stamps)))}), freq=freq, **options)


def ahead(panel, steps):
    return [str(stamp) for stamp in panel.future(steps)["ds"]]


def dates(text):
    return [dt.date.fromisoformat(day) for day in text.split()]


def kept(start, count, keep):
    """The first `count` days from `start` on that `keep` keeps, looked at one after another."""
    days, day = [], start
    while len(days) < count:
        if keep(day):
            days.append(day)
        day += dt.timedelta(days=1)
    return days


def last_of(day):
    return calendar.monthrange(day.year, day.month)[1]


def on_days(*named, every=1, first=0):
    """Days of the month, every so many months."""

    def keep(day):
        months = 12 * day.year + day.month - 1 - first
        return months % every == 0 and day.day in {min(each, last_of(day)) for each in named}

    return keep


def third_friday(day):
    return day.weekday() == 4 and 15 <= day.day <= 21


def last_working_day(day):
    return day.weekday() < 5 and all(
        (day + dt.timedelta(days=k)).weekday() > 4 for k in range(1, last_of(day) - day.day + 1)
    )


FOUND = {
    "half years": ("2022-01-01 2022-07-01 2023-01-01 2023-07-01", "2024-01-01 2024-07-01"),
    "two months": ("2023-07-01 2023-09-01 2023-11-01 2024-01-01", "2024-03-01 2024-05-01"),
    "four months": ("2022-09-01 2023-01-01 2023-05-01 2023-09-01", "2024-01-01 2024-05-01"),
    "years without a leap day": ("2021-01-01 2022-01-01 2023-01-01 2024-01-01", "2025-01-01 2026-01-01"),
    "five years": ("2005-01-01 2010-01-01 2015-01-01 2020-01-01", "2025-01-01 2030-01-01"),
    "months of one length": ("2023-07-01 2023-08-01 2023-09-01", "2023-10-01 2023-11-01"),
    "the last day of the quarter": ("2022-12-31 2023-03-31 2023-06-30 2023-09-30", "2023-12-31 2024-03-31"),
    "dekads": (
        "2023-11-01 2023-11-11 2023-11-21 2023-12-01 2023-12-11 2023-12-21 2024-01-01 2024-01-11 2024-01-21 2024-02-01",
        "2024-02-11 2024-02-21 2024-03-01",
    ),
    "the 1st and 15th": (
        "2023-11-01 2023-11-15 2023-12-01 2023-12-15 2024-01-01 2024-01-15 2024-02-01",
        "2024-02-15 2024-03-01",
    ),
    "the 15th and the last": (
        "2023-11-15 2023-11-30 2023-12-15 2023-12-31 2024-01-15 2024-01-31 2024-02-15",
        "2024-02-29 2024-03-15",
    ),
    "third Fridays": ("2023-09-15 2023-10-20 2023-11-17 2023-12-15", "2024-01-19 2024-02-16 2024-03-15"),
    "last Fridays": ("2023-09-29 2023-10-27 2023-11-24 2023-12-29", "2024-01-26 2024-02-23 2024-03-29"),
    "last working days": ("2023-09-29 2023-10-31 2023-11-30 2023-12-29", "2024-01-31 2024-02-29 2024-03-29"),
    "first working days": (
        "2023-09-01 2023-10-02 2023-11-01 2023-12-01 2024-01-01",
        "2024-02-01 2024-03-01 2024-04-01",
    ),
    "working days": (
        "2024-02-28 2024-02-29 2024-03-01 2024-03-04 2024-03-05 2024-03-06",
        "2024-03-07 2024-03-08 2024-03-11",
    ),
    "four weeks": ("2023-03-01 2023-03-29 2023-04-26 2023-05-24", "2023-06-21"),
    "a month left out": ("2023-01-15 2023-02-15 2023-04-15 2023-05-15", "2023-06-15"),
}


@pytest.mark.parametrize("clock", [None, "naive", "America/Sao_Paulo"])
@pytest.mark.parametrize("kind", FOUND)
def test_the_step_that_rows_keep_goes_on(kind, clock):
    stamps, following = FOUND[kind]
    index = pl.Series("ds", dates(stamps))
    if clock is not None:
        index = index.cast(pl.Datetime("us")).dt.replace_time_zone(None if clock == "naive" else clock)
    panel = panel_of(index)
    assert [stamp[:10] for stamp in ahead(panel, len(following.split()))] == following.split()
    assert panel.future(2)["ds"].dtype == index.dtype
    assert len(panel.arrays().breaks) == (kind == "a month left out")


@pytest.mark.parametrize(
    ("freq", "stamps", "following"),
    [
        ("B", "2024-03-04 2024-03-05 2024-03-06 2024-03-07 2024-03-08", "2024-03-11 2024-03-12"),
        ("1bd", "2024-03-08", "2024-03-11"),
        (pd.offsets.BDay(), "2024-03-08", "2024-03-11"),
        ("SUN-MON-TUE-WED-THU", "2024-03-07", "2024-03-10 2024-03-11"),
        ("SMS", "2024-02-01", "2024-02-15 2024-03-01"),
        ("SMS-16", "2024-02-01", "2024-02-16 2024-03-01"),
        ("SME", "2024-02-15", "2024-02-29 2024-03-15"),
        ("dekad", "2024-02-21", "2024-03-01 2024-03-11"),
        ("1mo-10-20-31", "2024-02-20", "2024-02-29 2024-03-10"),
        ("WOM-3FRI", "2024-02-16", "2024-03-15 2024-04-19"),
        ("LWOM-FRI", "2024-02-23", "2024-03-29"),
        ("3mo-3FRI", "2024-03-15", "2024-06-21 2024-09-20"),
        ("BME", "2024-02-29", "2024-03-29 2024-04-30"),
        ("BMS", "2024-03-01 2024-04-01", "2024-05-01 2024-06-03"),
        (pd.offsets.WeekOfMonth(week=2, weekday=4), "2024-02-16", "2024-03-15"),
        ("MS", "2024-02-01", "2024-03-01"),
        ("M", "2024-02-01", "2024-03-01"),
        ("ME", "2024-02-29", "2024-03-31 2024-04-30"),
        ("1mo", "2024-01-31 2024-02-29", "2024-03-31"),
        ("1mo-30", "2024-02-29", "2024-03-30"),
        ("2 months", "2024-01-05", "2024-03-05"),
        ("6mo", "2024-01-05", "2024-07-05"),
        ("QS", "2024-01-01", "2024-04-01"),
        ("QS-FEB", "2024-02-01", "2024-05-01"),
        ("QE-NOV", "2024-02-29", "2024-05-31"),
        ("Q", "2024-02-29", "2024-05-31"),
        ("YS-OCT", "2023-10-01", "2024-10-01"),
        ("Y", "2024-02-29", "2025-02-28 2026-02-28"),
        ("YE", "2023-12-31", "2024-12-31"),
        (pd.offsets.MonthBegin(), "2024-02-01", "2024-03-01"),
        (np.timedelta64(2, "M"), "2024-02-01", "2024-04-01"),
        ("D", "2024-02-28", "2024-02-29 2024-03-01"),
        ("7D", "2024-02-28", "2024-03-06"),
        ("2w", "2024-02-28", "2024-03-13"),
        ("W", "2024-02-28", "2024-03-06"),
        ("W-SUN", "2024-03-03", "2024-03-10"),
        (dt.timedelta(days=2), "2024-02-28", "2024-03-01"),
    ],
)
def test_named_days(freq, stamps, following):
    """From one row on, where the step alone says what follows."""
    assert ahead(panel_of(dates(stamps), freq), len(following.split())) == following.split()


@pytest.mark.parametrize(
    "freq",
    [
        *(
            "1h",
            "h",
            "H",
            "60min",
            "60m",
            "60T",
            "3600s",
            "3600S",
            "1 hour",
            "1 Hour",
            "3600000ms",
            "0.5h30m",
            "60 minutes",
        ),
        *(dt.timedelta(hours=1), pd.Timedelta("1h"), np.timedelta64(1, "h"), np.timedelta64(60, "m")),
        *(pl.duration(hours=1), pd.offsets.Hour(), pd.offsets.Minute(60)),
    ],
    ids=str,
)
@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_an_hour_in_every_word(freq, unit):
    index = pl.Series("ds", [dt.datetime(2024, 1, 1, hour) for hour in (21, 22)], dtype=pl.Datetime(unit))
    assert ahead(panel_of(index, freq), 2) == ["2024-01-01 23:00:00", "2024-01-02 00:00:00"]


@pytest.mark.parametrize(
    "freq",
    [
        *(
            "hourly",
            "1x",
            "0h",
            "-1h",
            "MSX",
            "WOM-5FRI",
            "WOM-FRI",
            "B-gap",
            "1mo-0",
            "1mo-32",
            "1mo-30-31",
        ),
        *("2mo-1-15", "FRI-FOO", "W-", "1h-gaps", "5", 5, 0.5, "1h MS"),
    ],
)
def test_a_word_that_names_no_step_is_refused_with_the_list(freq):
    index = pl.Series("ds", [dt.datetime(2024, 1, 1, hour) for hour in (21, 22)])
    with pytest.raises(InputError, match=r"freq .* does not fit index 'ds'.*'15min', '1h'.*'B' \(working days\)"):
        panel_of(index, freq).arrays()


@pytest.mark.parametrize("freq", [True, [1], float("nan"), float("inf"), b"1h"])
def test_a_kind_that_is_no_step_is_refused(freq):
    with pytest.raises(InputError, match="is not known: write '15min'"):
        panel_of([1, 2, 3], freq)


@pytest.mark.parametrize("freq", [-1, 0, dt.timedelta(0), dt.timedelta(hours=-1), np.timedelta64(-1, "h")])
def test_a_step_goes_forward(freq):
    with pytest.raises(InputError, match="freq must be positive"):
        panel_of([1, 2, 3], freq)


@pytest.mark.parametrize(
    ("freq", "stamps", "words"),
    [
        ("B", "2024-03-08 2024-03-09", "2024-03-09, a Sat"),
        ("MS", "2024-01-31 2024-02-29", "2024-01-31"),
        ("ME", "2024-01-31 2024-02-28", "2024-02-28"),
        ("WOM-3FRI", "2024-02-16 2024-03-22", "2024-03-22, a Fri"),
        ("W-MON", "2024-03-04 2024-03-10", "2024-03-10, a Sun"),
        ("QS-FEB", "2024-01-01 2024-04-01", "2024-01-01"),
        ("dekad", "2024-01-01 2024-01-11 2024-01-20", "2024-01-20"),
    ],
)
def test_rows_that_a_word_does_not_fit_are_named(freq, stamps, words):
    with pytest.raises(InputError, match=f"freq '{freq}' does not fit index 'ds': {words}.*leave freq out"):
        panel_of(dates(stamps), freq).arrays()


@pytest.mark.parametrize(
    ("index", "freq", "why"),
    [
        (dates("2024-01-01 2024-01-02"), "1h", "which holds dates without a time of day"),
        ([1, 2, 3], 1.5, "which holds whole numbers"),
        ([1, 2, 3], "1h", "a number for counts and depths"),
    ],
)
def test_lengths_do_not_fit_dates_or_counts(index, freq, why):
    with pytest.raises(InputError, match=f"freq .* does not fit index 'ds'.*{why}"):
        panel_of(index, freq).arrays()


@pytest.mark.parametrize(
    "freq", ["bh", "BH", "2bh", "cbh", "2B", "12b", "C", pd.offsets.BusinessHour(), pd.offsets.BDay(3)]
)
def test_working_time_that_is_no_step_is_refused_by_name_with_a_mend(freq):
    with pytest.raises(InputError, match=r"freq '\w+': .*(count the rows in a column|write 'B')"):
        panel_of(pd.date_range("2024-01-01", periods=20), freq).step  # noqa: B018  it is worked out when asked for


@pytest.mark.parametrize("freq", [None, "B"])
@pytest.mark.parametrize("every", [2, 3])
def test_every_second_working_day_is_refused_and_the_mend_helps(freq, every):
    days = pd.bdate_range("2024-01-01", periods=60)[::every]
    with pytest.raises(InputError, match=rf"{every} working days.*count the rows in a column"):
        panel_of(pl.Series("ds", days), freq).step  # noqa: B018
    frame = pd.DataFrame({"ds": days, "n": range(len(days)), "y": np.arange(float(len(days)))})
    panel = Panel.of(frame, time="n", target="y")
    assert (len(panel.arrays().segments()[0]), panel.future(2)["n"].to_list()) == (1, [len(days), len(days) + 1])


def test_open_hours_are_said():
    hours = pd.DatetimeIndex(
        [day + pd.Timedelta(hours=hour) for day in pd.bdate_range("2024-01-01", periods=8) for hour in range(9, 17)]
    )
    with pytest.warns(Notice, match=r"rows at 8 of the 24 steps of a day \(1 hour each\).*count the rows in a column"):
        panel_of(pl.Series("ds", hours)).step  # noqa: B018
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        panel_of(pl.Series("ds", hours), "1h").step  # noqa: B018
        panel_of(pl.Series("ds", hours[:16])).step  # noqa: B018
        panel_of(pl.Series("ds", pd.date_range("2024-01-01", periods=100, freq="6h"))).step  # noqa: B018


def test_one_row_has_no_step():
    with pytest.raises(InputError, match=r"column 'ds' has one row a series.*name it: freq="):
        panel_of(dates("2024-01-01")).arrays()


# The clock of a zone.


def midnights(zone, start, days, clock=dt.time(0)):
    """Daily stamps by the local clock; where there is no such hour, the next one."""
    local = [dt.datetime.combine(start + dt.timedelta(days=k), clock, ZoneInfo(zone)) for k in range(days)]
    there = [stamp.astimezone(ZoneInfo("UTC")).astimezone(ZoneInfo(zone)) for stamp in local]
    return pl.Series("ds", there).dt.convert_time_zone(zone)


@pytest.mark.parametrize("freq", [None, "1d", "D", dt.timedelta(days=1), pd.offsets.Day()], ids=str)
@pytest.mark.parametrize(
    ("zone", "start"), [("Europe/Berlin", dt.date(2024, 3, 20)), ("America/Sao_Paulo", dt.date(2018, 10, 30))]
)
def test_days_begin_at_the_local_midnight(freq, zone, start):
    whole = midnights(zone, start, 20)
    for rows in range(2, 19):
        panel = panel_of(whole[:rows], freq)
        assert panel.future(20 - rows)["ds"].to_list() == whole[rows:].to_list()
        assert not len(panel.arrays().breaks)


def test_twenty_four_hours_are_no_day():
    index = midnights("Europe/Berlin", dt.date(2024, 3, 25), 6)  # up to the 30th; the 31st has 23 hours
    assert panel_of(index, "24h").future(2)["ds"].dt.hour().to_list() == [0, 1]
    assert panel_of(index, "1w").future(1)["ds"].dt.hour().to_list() == [0]


def test_half_days_by_the_clock_and_by_the_sun():
    zone = "Europe/Berlin"
    clock = [dt.datetime(2024, 3, 29, tzinfo=ZoneInfo(zone)) + k * dt.timedelta(hours=12) for k in range(10)]
    index = pl.Series("ds", [stamp.astimezone(ZoneInfo("UTC")) for stamp in clock]).dt.convert_time_zone(zone)
    panel = panel_of(index)
    assert (panel.step.word, len(panel.arrays().breaks)) == ("12h-local", 0)
    again = panel_of(index, panel.step.word)
    assert again.future(2)["ds"].dt.hour().to_list() == [0, 12]
    assert np.diff(indexing.numbers(index, np.arange(10), again.step)).tolist() == [1] * 9
    sun = panel_of(pl.datetime_range(index[0], index[-1], "12h", eager=True).alias("ds"))
    assert (sun.step.word, sun.future(1)["ds"].dt.hour().to_list()) == ("12h", [13])


# Every kind: cut anywhere and continued, an index is itself.

KINDS = {
    "months": lambda first: on_days(first.day, first=0),
    "months of 31 days and shorter": lambda first: on_days(31),
    "30ths": lambda first: on_days(30),
    "two months": lambda first: on_days(1, every=2, first=first.month - 1),
    "quarter ends": lambda first: on_days(31, every=3, first=first.month - 1),
    "four months": lambda first: on_days(15, every=4, first=first.month - 1),
    "half years": lambda first: on_days(1, every=6, first=first.month - 1),
    "years": lambda first: on_days(first.day, every=12, first=first.month - 1),
    "dekads": lambda first: on_days(1, 11, 21),
    "dekad ends": lambda first: on_days(10, 20, 31),
    "halves": lambda first: on_days(1, 16),
    "the 15th and the 30th": lambda first: on_days(15, 30),
    "the 15th and the last": lambda first: on_days(15, 31),
    "pentads": lambda first: on_days(1, 6, 11, 16, 21, 26),
    "third Fridays": lambda first: third_friday,
    "last working days": lambda first: last_working_day,
    "working days": lambda first: lambda day: day.weekday() < 5,
    "Sunday to Thursday": lambda first: lambda day: day.weekday() not in (4, 5),
    "Monday, Wednesday, Friday": lambda first: lambda day: day.weekday() in (0, 2, 4),
    "days": lambda first: lambda day: True,
    "three days": lambda first: lambda day: (day - first).days % 3 == 0,
    "weeks": lambda first: lambda day: (day - first).days % 7 == 0,
}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.dates(dt.date(1965, 1, 1), dt.date(2015, 1, 1)), st.data())
def test_an_index_that_is_cut_goes_on_as_it_was(kind, first, data):
    whole = pl.Series("ds", kept(first, 40, KINDS[kind](first)))
    zone = data.draw(st.sampled_from(["date", None, "UTC", "Europe/Berlin", "America/Sao_Paulo"]))
    if zone != "date":
        whole = whole.cast(pl.Datetime("ms"))
        ahead_of = whole.dt.replace_time_zone(zone, non_existent="null") if zone else whole
        later = whole.dt.offset_by("1h").dt.replace_time_zone(zone) if zone else whole
        whole = ahead_of.zip_with(ahead_of.is_not_null(), later)
    panel = panel_of(whole)
    rows = data.draw(st.integers(1, 39))
    past = panel.until(np.array([rows]))
    assert past.future(40 - rows)["ds"].to_list() == whole[rows:].to_list()
    named = panel_of(whole[:rows], panel.step.word)
    assert named.future(40 - rows)["ds"].to_list() == whole[rows:].to_list()
    arrays = panel.arrays()
    assert not len(arrays.breaks) + len(arrays.pauses)
    assert np.diff(indexing.numbers(whole, np.arange(40), panel.step)).tolist() == [1] * 39
    known, after = features.calendar(past, 40 - rows)
    np.testing.assert_array_equal(np.concatenate([known, after]), features.calendar(panel, 1)[0])
    gap = data.draw(st.integers(1, 38))
    without = panel_of(whole.gather([row for row in range(40) if row != gap]), panel.step.word)
    holiday = kind in ("working days", "Sunday to Thursday", "Monday, Wednesday, Friday")
    assert (without.arrays().pauses if holiday else without.arrays().breaks).tolist() == [gap]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10**7), st.integers(-(10**13), 10**13), st.sampled_from(["ms", "us", "ns", "count"]), st.data())
def test_a_length_goes_on_from_wherever_it_is_cut(size, first, unit, data):
    numbers = pl.Series("ds", first + size * np.arange(30))
    whole = numbers if unit == "count" else numbers.cast(pl.Datetime(unit))
    counts = {"date_format": "number"} if unit == "count" else {}  # 3211700 may be the 21st of March
    panel = panel_of(whole, **counts)
    rows = data.draw(st.integers(2, 29))
    cut = [panel_of(whole[:rows], step, **counts) for step in (None, panel.step.word)]
    for past in (panel.until(np.array([rows])), *cut):
        assert past.future(30 - rows)["ds"].to_list() == whole[rows:].to_list()
    assert np.diff(indexing.numbers(whole, np.arange(30), panel.step)).tolist() == [1] * 29


# What is not even.


def working_days(*holidays, rows=60):
    """Monday to Friday from 4 March 2024 on, but for the named days."""
    days = kept(dt.date(2024, 3, 4), rows, lambda day: day.weekday() < 5)
    return [day for day in days if day.isoformat() not in holidays]


def test_holidays_are_stepped_over_and_said_once():
    index = working_days("2024-03-29", "2024-04-01", "2024-05-01")
    with pytest.warns(Notice, match=r"no row on 3 days of its step 'B', such as 2024-03-29.*freq='B-gaps'") as said:
        arrays = panel_of(index).arrays()
    assert len(said) == 1
    assert not len(arrays.breaks)
    assert arrays.pauses.tolist() == [19, 40]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not len(panel_of(index, "B").arrays().breaks)
        assert panel_of(index, "B-gaps").arrays().breaks.tolist() == [19, 40]
        forecaster = Forecaster("repeat_last", input_size=25, horizon=2).fit(
            pl.DataFrame({"ds": index, "y": 1.0}), freq="B"
        )
    laid = forecaster.laid()
    phases = laid.numbers_of(np.arange(len(index))).tolist()
    assert phases == indexing.numbers(pl.Series("ds", index), np.arange(len(index)), panel_of(index, "B").step).tolist()
    assert np.diff(phases)[[18, 39]].tolist() == [3, 2]


def test_weeks_without_a_row_are_no_holiday():
    index = [day for day in working_days(rows=60) if not dt.date(2024, 4, 8) <= day < dt.date(2024, 4, 22)]
    assert panel_of(index).arrays().breaks.tolist() == [25]


def jittered(seconds, rows=500, seed=3):
    """Stamps about every 20 minutes."""
    rng = np.random.default_rng(seed)
    at = 1200 * np.arange(rows) + rng.uniform(-seconds, seconds, rows)
    return pl.Series("ds", [dt.datetime(2024, 5, 1) + dt.timedelta(seconds=each) for each in at.tolist()])


@pytest.mark.parametrize("other", [0.2, 0.3, 0.5, 1.0])
def test_a_step_between_those_of_two_series_is_nobodys(other):
    wells = [("a", 1000 + 0.1524 * k) for k in range(60)] + [("b", 1000 + other * k) for k in range(60)]
    frame = pl.DataFrame(wells, ["well", "depth"], orient="row").with_columns(GR=pl.int_range(120).cast(pl.Float64))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Notice)
        panel = Panel.of(frame)
        assert panel.step.size == pytest.approx(0.1524)
        with pytest.raises(InputError, match="'b'"):
            Forecaster("ols", input_size=12, horizon=3).fit(panel).predict()


def test_jitter_takes_the_median_and_says_so():
    index = jittered(200)
    with pytest.warns(Notice, match="uneven: rows are 13.* minutes to 26.* minutes apart where a step is 20.* minutes"):
        step = panel_of(index).step
    assert step.size == round(np.median(np.diff(index.to_physical().to_numpy())))
    assert not len(panel_of(index, step.word).arrays().breaks)
    small = panel_of(jittered(2))
    assert small.step.size == pytest.approx(1200e6, rel=1e-3)
    assert not len(small.arrays().breaks)


def test_more_jitter_than_a_step_bears_is_refused_and_a_name_helps():
    index = jittered(500)
    with pytest.raises(
        InputError, match=r"no even step: its rows are .* apart, 20.* minutes in the middle; bring them"
    ):
        panel_of(index).arrays()
    named = panel_of(index, "20m")
    assert not len(named.arrays().breaks)
    assert named.future(1)["ds"][0] - index[-1] == dt.timedelta(minutes=20)
    missing = index.gather([row for row in range(500) if row not in (100, 101, 102)])
    assert panel_of(missing, "20m").arrays().breaks.tolist() == [100]


def test_days_that_jitter_have_weeks():
    index = [dt.datetime(2024, 5, 1, 9) + dt.timedelta(days=k, seconds=(k * 7) % 13) for k in range(40)]
    panel = panel_of(index)
    assert panel.season == 7
    assert features.calendar(panel, 1)[0].shape == (40, 4)


def test_months_on_changing_days_are_said():
    index = dates("2023-01-03 2023-02-05 2023-03-02 2023-04-04 2023-05-06 2023-06-03")
    with pytest.warns(Notice, match="a row every month, on changing days"):
        after = ahead(panel_of(index), 2)
    assert after == ["2023-07-03", "2023-08-03"]
    assert not len(panel_of(index, "1mo").arrays().breaks)


def test_series_on_days_of_their_own():
    days = [(name, dt.date(2023, month, day)) for name, day in (("a", 1), ("b", 15)) for month in range(1, 6)]
    frame = pl.DataFrame(days, schema=["unique_id", "ds"], orient="row").with_columns(y=pl.lit(1.0))
    panel = Panel.of(frame)
    assert ahead(panel, 2) == ["2023-06-01", "2023-07-01", "2023-06-15", "2023-07-15"]
    assert not len(panel.arrays().breaks)


def test_many_gaps_do_not_hide_the_step():
    rows = np.flatnonzero(np.random.default_rng(0).random(400) < 0.4)
    hours = [dt.datetime(2024, 1, 1) + dt.timedelta(hours=int(row)) for row in rows]
    for index, size in ((hours, 3600e6), (rows * 10, 10), (rows * 0.1524, 0.1524)):
        assert panel_of(index).step.size == pytest.approx(size)


@pytest.mark.parametrize("kind", [pl.UInt8, pl.Int8, pl.UInt16, pl.Int16])
def test_small_counters_widen(kind):
    top = int(pl.select(kind.max()).item())
    ahead = panel_of(pl.Series("ds", np.arange(top - 20, top + 1)).cast(kind)).future(3)["ds"]
    assert (ahead.to_list(), ahead.dtype) == ([top + 1, top + 2, top + 3], pl.Int64)
    assert panel_of(pl.Series("ds", np.arange(20)).cast(kind)).future(3)["ds"].dtype == kind


def test_spans_of_time_are_counted():
    index = pl.Series("ds", [dt.timedelta(minutes=10 * k) for k in range(12)])
    for freq in (None, "10m", dt.timedelta(minutes=10)):
        panel = panel_of(index, freq)
        assert panel.future(1)["ds"].to_list() == [dt.timedelta(minutes=120)]
        np.testing.assert_allclose(features.calendar(panel, 1)[1], 12e-4)


@pytest.mark.parametrize(
    ("stamps", "freq", "season", "cycles"),
    [
        ("2024-01-01 2024-01-02", "B", 5, 2),
        ("2024-01-01 2024-01-02", "D", 7, 2),
        ("2024-01-01 2024-01-08", "W", 52, 1),
        ("2024-01-01 2024-01-11", "dekad", 36, 1),
        ("2024-01-01 2024-01-15", "SMS", 24, 1),
        ("2024-01-01 2024-02-01", "MS", 12, 1),
        ("2024-02-16 2024-03-15", "WOM-3FRI", 12, 1),
        ("2024-01-01 2024-04-01", "QS", 4, 1),
        ("2024-01-01 2024-07-01", "6mo", 2, 1),
        ("2024-01-01 2025-01-01", "YS", 1, 0),
        ("2020-01-01 2025-01-01", "5y", 1, 0),
    ],
)
def test_seasons_and_cycles(stamps, freq, season, cycles):
    panel = panel_of(dates(stamps), freq)
    assert panel.season == season
    assert features.calendar(panel, 1)[0].shape == (2, 2 * cycles)


# From one face to the next.


def test_a_short_history_is_read_by_the_step_of_the_training(tmp_path):
    index = working_days()
    frame = pl.DataFrame({"ds": index, "y": np.arange(60.0)})
    forecaster = Forecaster("repeat_last", input_size=3, horizon=2).fit(frame)
    forecaster.save(tmp_path / "model")
    for each in (forecaster, Forecaster.load(tmp_path / "model")):
        assert [str(day) for day in each.predict(frame[:5])["ds"]] == ["2024-03-11", "2024-03-12"]
    monthly = pl.DataFrame({"ds": dates("2023-01-01 2023-02-01 2023-03-01 2023-04-01 2023-05-01"), "y": 1.0})
    other = pl.DataFrame({"ds": dates("2023-01-15 2023-02-15 2023-03-15"), "y": 1.0})
    ahead = Forecaster("repeat_last", input_size=2, horizon=1).fit(monthly).predict(other)
    assert str(ahead["ds"][0]) == "2023-04-15"


def test_padding_is_advised_for_short_series_and_not_for_gaps():
    even = pl.DataFrame({"ds": np.arange(20), "y": np.arange(20.0)})
    holed = pl.DataFrame({"ds": [k + 5 * (k // 4) for k in range(40)], "y": np.arange(40.0)})
    task = {"input_size": 24, "horizon": 4}
    with pytest.raises(InputError, match=r"has 16 rows to learn from.*or fit with pad=True$"):
        Forecaster("nlinear", **task).fit(even)
    with pytest.raises(InputError, match=r"lower input_size or horizon, or give more history$"):
        Forecaster("nlinear", input_size=24, horizon=14).fit(even)
    with pytest.raises(
        InputError, match=r"fill the rows that are missing in 9 places by its step \(1\), or name another"
    ):
        Forecaster("nlinear", **task).fit(holed)
    with pytest.raises(InputError, match=r"ends with 4 rows without a gap.*fill the rows that are missing"):
        Forecaster("repeat_last", **task).fit(pl.DataFrame({"ds": np.arange(90), "y": np.arange(90.0)})).predict(holed)


def test_depths_ahead_have_the_digits_of_their_step() -> None:
    depths = [0.456 * k for k in range(2300, 2395)]
    panel = Panel.of(pl.DataFrame({"depth": depths, "GR": [1.0] * len(depths)}))
    assert panel.future(3)["depth"].to_list() == [1092.12, 1092.576, 1093.032]
