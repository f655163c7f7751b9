"""Dates of text and of whole numbers: one reading is taken, two are told apart by an even step or asked about."""

import datetime as dt

import polars as pl
import pytest

from tsrnn import dates
from tsrnn.errors import InputError, Notice
from tsrnn.panel import Panel

MONTHS = [dt.datetime(year, month, 1) for year in range(2019, 2021) for month in range(1, 13)]
DAYS = [dt.datetime(2019, 1, 1) + dt.timedelta(days=k) for k in range(40)]
HOURS = [dt.datetime(2019, 1, 1) + dt.timedelta(hours=k) for k in range(40)]


def _read(cells, name="date", **options):
    return dates.read(pl.Series(name, cells), "a.csv", **options)


def _as_datetimes(column):
    return column.cast(pl.Datetime("us")).to_list()


@pytest.mark.parametrize(
    ("moments", "pattern"),
    [
        (DAYS, "%Y-%m-%d"),
        (DAYS, "%Y/%m/%d"),
        (DAYS, "%d.%m.%Y"),
        (MONTHS, "%d.%m.%Y"),
        (DAYS, "%d/%m/%Y"),
        (DAYS, "%m/%d/%Y"),
        (DAYS, "%m-%d-%Y"),
        (DAYS, "%d %b %Y"),
        (DAYS, "%d-%B-%Y"),
        (DAYS, "%b %d, %Y"),
        (DAYS, "%Y-%b-%d"),
        (MONTHS, "%Y-%m"),
        (MONTHS, "%m/%Y"),
        (MONTHS, "%b-%y"),
        (MONTHS, "%B %Y"),
        (HOURS, "%Y-%m-%d %H:%M:%S"),
        (HOURS, "%Y-%m-%dT%H:%M"),
        (HOURS, "%Y-%m-%dT%H:%M:%SZ"),
        (HOURS, "%Y-%m-%d %H:%M:%S+00"),
        (HOURS, "%Y-%m-%d %H:%M:%S UTC"),
        (HOURS, "%Y-%m-%d %H:%M:%S.%f"),
        (HOURS, "%d.%m.%Y %H:%M"),
        (HOURS, "%Y/%m/%d %I:%M %p"),
    ],
)
def test_one_reading_is_taken_unsaid(moments, pattern):
    read, _ = _read([moment.strftime(pattern) for moment in moments])
    zone = getattr(read.dtype, "time_zone", None)
    expected = [moment.replace(tzinfo=dt.UTC) for moment in moments] if zone else moments
    assert (read.to_list() if zone else _as_datetimes(read)) == expected


@pytest.mark.parametrize("text", ["2020Q2", "2020-Q2", "Q2 2020", "Q2/2020"])
def test_quarters(text):
    assert _read([text])[0].to_list() == [dt.date(2020, 4, 1)]


def test_weeks():
    assert _read(["2020-W05", "2020-W06"])[0].to_list() == [dt.date(2020, 1, 27), dt.date(2020, 2, 3)]


def test_midnight_without_its_clock():
    read, _ = _read(["2020-01-01", "2020-01-01 12:00", "2020-01-02"])
    assert read.dt.hour().to_list() == [0, 12, 0]


@pytest.mark.parametrize("pattern", ["%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%m/%d/%y"])
def test_an_even_step_tells_the_day_from_the_month_and_is_said(pattern):
    with pytest.warns(Notice, match="which gives an even step") as said:
        read, chosen = _read([moment.strftime(pattern) for moment in MONTHS])
    assert len(said) == 1
    assert chosen == pattern
    assert _as_datetimes(read) == MONTHS


@pytest.mark.parametrize(
    "cells", [["01/02/2020", "02/02/2020", "03/02/2020"], ["01/02/2020"], ["01/02/2020", "05/07/2020", "06/07/2020"]]
)
def test_two_readings_are_asked_about(cells):
    with pytest.raises(InputError, match=r"a.csv: column 'date' holds '01/02/2020'.*date_format='%d/%m/%Y' or"):
        _read(cells)
    read, _ = _read(cells, date_format="%m/%d/%Y")
    assert read[0] == dt.date(2020, 1, 2)


def test_steps_are_taken_inside_a_series():
    cells = [moment.strftime("%m/%d/%Y") for moment in MONTHS] * 2
    with pytest.warns(Notice, match="even step"):
        read, _ = _read(cells, ids=pl.Series(["a"] * len(MONTHS) + ["b"] * len(MONTHS)))
    assert _as_datetimes(read) == MONTHS * 2


@pytest.mark.parametrize(
    ("moments", "pattern"),
    [(DAYS, "%Y%m%d"), (MONTHS, "%Y%m"), (HOURS, "%Y%m%d%H"), (HOURS, "%Y%m%d%H%M"), (HOURS, "%Y%m%d%H%M%S")],
)
@pytest.mark.parametrize("kind", [int, str, float])
def test_whole_numbers_are_dates_under_such_a_name(moments, pattern, kind):
    cells = [kind(moment.strftime(pattern)) for moment in moments]
    if kind is float and pattern != "%Y%m%d":
        return
    column = pl.Series("Datum", cells)
    with pytest.warns(Notice, match=f"read as dates by date_format='{pattern}'"):
        read, chosen = dates.read(column.cast(pl.Int64) if kind is float else column, "a.csv")
    assert _as_datetimes(read) == moments
    assert dates.read(pl.Series("Datum", cells), "a.csv", chosen)[0].equals(read)


def test_whole_numbers_under_another_name():
    even = [int(day.strftime("%Y%m%d")) for day in DAYS]
    with pytest.warns(Notice, match="read as dates"):
        assert _as_datetimes(_read(even, "key")[0]) == DAYS
    counts = list(range(20190101, 20190131))
    with pytest.raises(InputError, match="date_format='%Y%m%d' or date_format='number'"):
        _read(counts, "key")
    assert _read(counts, "key", date_format="number")[0].to_list() == counts
    assert _read(list(range(100_000, 100_050)), "key")[0].to_list() == list(range(100_000, 100_050))
    assert _read(list(range(1960, 2000)), "year")[0].to_list() == list(range(1960, 2000))


@pytest.mark.parametrize(("cells", "kind"), [(["1", "2", "10"], pl.Int64), (["1000.5", "1001.0"], pl.Float64)])
def test_counts_and_depths_of_text(cells, kind):
    assert _read(cells)[0].dtype == kind


@pytest.mark.parametrize(
    ("cells", "row"),
    [
        (["2020-01-01", "2020-01-32"], 2),
        (["2020-01-01", None, "soon"], 3),
        (["2020-01-01", "01/02/2020"], 2),
        (["01/02/2020", "02/03/20"], 2),
        (["13/13/2020"], 1),
        (["2020-01-01 24:00", "2020-01-01 25:00"], 2),
        (["2020-01-01 00:00+00:00", "2020-01-01 01:00"], 2),
    ],
)
def test_a_cell_that_is_no_date_is_named(cells, row):
    with pytest.raises(InputError, match=f"'date', row {row} holds .* where a date belongs"):
        _read(cells)


@pytest.mark.parametrize(
    ("pattern", "words"), [("%d/%m/%Y", "does not fit"), ("%Q", "date_format"), ("day", "date_format")]
)
def test_a_format_that_does_not_fit_is_named(pattern, words):
    with pytest.raises(InputError, match=words):
        _read(["2020-01-01"], date_format=pattern)


def test_a_format_may_leave_the_clock_out():
    read, _ = _read(["01/02/2020 13:00", "01/02/2020 14:00"], date_format="%d/%m/%Y")
    assert read.to_list() == [dt.datetime(2020, 2, 1, 13), dt.datetime(2020, 2, 1, 14)]


def test_what_was_chosen_is_how_the_next_frame_is_read():
    table = pl.DataFrame({"date": [moment.strftime("%m/%d/%Y") for moment in MONTHS], "y": 1.0})
    with pytest.warns(Notice, match="even step"):
        panel = Panel.of(table)
    assert panel.reading["date_format"] == "%m/%d/%Y"
    assert Panel.again(table.tail(2), panel.reading).frame["date"].to_list() == [
        dt.date(2020, 11, 1),
        dt.date(2020, 12, 1),
    ]


@pytest.mark.parametrize("pattern", ["%d%m%Y", "%m%d%Y", "%Y%j"])
@pytest.mark.parametrize("kind", [int, str])
def test_whole_numbers_that_begin_with_the_day_or_end_with_it(pattern, kind):
    with pytest.warns(Notice, match=f"date_format='{pattern}'"):
        read, found = _read([kind(day.strftime(pattern)) for day in DAYS])
    assert (_as_datetimes(read), found) == (DAYS, pattern)


def test_whole_numbers_in_which_day_and_month_can_change_places():
    cells = [int(day.strftime("%d%m%Y")) for day in DAYS[:9]]
    with pytest.raises(InputError, match="date_format='%d%m%Y' or date_format='%m%d%Y'"):
        _read(cells)
    assert _as_datetimes(_read(cells, date_format="%d%m%Y")[0]) == DAYS[:9]


def test_midnight_may_be_the_24th_hour_of_a_day():
    cells = [20200130 * 100 + hour for hour in range(1, 25)] + [2020013101]
    with pytest.warns(Notice, match="%Y%m%d%H"):
        read, _ = _read(cells)
    assert _as_datetimes(read)[-2:] == [dt.datetime(2020, 1, 31), dt.datetime(2020, 1, 31, 1)]


def test_one_that_is_no_date_among_dates_is_named():
    cells = [int(day.strftime("%Y%m%d")) for day in DAYS] * 2
    cells[3] = 20200230
    with pytest.raises(InputError, match=r"row 4 holds 20200230, which is no date as the others are by '%Y%m%d'"):
        _read(cells)
    assert _read(cells, date_format="number")[0].to_list() == cells
