"""Numbers that count time from an epoch: asked about under a name of times, read where `date_format=` says which."""

from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from conftest import Run

import tsrnn
from tsrnn import epochs
from tsrnn.errors import InputError, Notice
from tsrnn.panel import Panel

FROM = 1_577_836_800  # 2020-01-01, in seconds since 1970
HOURS = [FROM + 3600 * k for k in range(60)]
COUNTED = {
    "epoch_s": HOURS,
    "epoch_ms": [1000 * second for second in HOURS],
    "epoch_us": [1_000_000 * second for second in HOURS],
    "epoch_ns": [1_000_000_000 * second for second in HOURS],
    "excel": [43_831 + k / 24 for k in range(60)],
}


def frame(numbers: list[float], name: str = "time") -> pl.DataFrame:
    return pl.DataFrame({name: numbers, "T": np.sin(np.arange(len(numbers)))})


@pytest.mark.parametrize("word", COUNTED)
def test_what_counts_from_an_epoch_is_asked_about_and_read_as_asked(word: str) -> None:
    table = frame(COUNTED[word])
    with pytest.raises(InputError) as caught:
        Panel.of(table)
    for part in ("column 'time'", "2020-01-01 00:00:00", f"date_format={word!r}", "date_format='number'"):
        assert part in str(caught.value)
    panel = Panel.of(table, date_format=word)
    assert (panel.step.word, panel.frame["time"][25]) == ("1h", datetime(2020, 1, 2, 1))
    counted = Panel.of(table, date_format="number")
    assert counted.frame["time"].to_list() == COUNTED[word]


@pytest.mark.parametrize("name", ["ts", "epoch", "unix_time", "timestamp", "Date", "decimal_date"])
def test_names_of_times_are_known(name: str) -> None:
    with pytest.raises(InputError, match="seconds since 1970"):
        Panel.of(frame(HOURS, name))


@pytest.mark.parametrize("numbers", [list(range(60)), [0.5 * k for k in range(60)], [100 + 7 * k for k in range(60)]])
def test_counts_under_a_name_of_times_are_counts(numbers: list[float]) -> None:
    assert Panel.of(frame(numbers)).frame["time"].to_list() == numbers


def test_seconds_that_are_called_milliseconds_are_read_as_asked_with_a_word() -> None:
    with pytest.warns(
        Notice, match=r"milliseconds since 1970 \(1970-01-19 .*seconds since 1970 \(2020-01-01 00:00:00\)"
    ):
        panel = Panel.of(frame(HOURS), date_format="epoch_ms")
    assert panel.frame["time"][0] == datetime(1970, 1, 19, 6, 17, 16, 800_000)


def test_years_and_fractions_stand_at_their_months_or_days() -> None:
    months = Panel.of(frame([2000 + (k + 0.5) / 12 for k in range(40)], "year"), date_format="decimal_year")
    assert (months.step.word, months.frame["year"][13]) == ("1mo-1", datetime(2001, 2, 1))
    days = Panel.of(frame([2019 + round(k / 365, 5) for k in range(365)], "year"), date_format="decimal_year")
    assert (days.step.word, days.frame["year"][364]) == ("1d", datetime(2019, 12, 31))


@pytest.mark.parametrize(("word", "wrong"), [("epoch_s", 1_577_836_800_000), ("excel", 1e7), ("decimal_year", 2e4)])
def test_numbers_that_no_calendar_has_are_refused_by_their_row(word: str, wrong: float) -> None:
    good = {"epoch_s": HOURS, "excel": COUNTED["excel"], "decimal_year": [2000 + k / 12 for k in range(60)]}[word]
    said = rf"column 'time', row 4 holds {wrong:.13g}, which is no time by date_format='{word}'; pass another"
    with pytest.raises(InputError, match=said):
        Panel.of(frame([*good[:3], wrong, *good[4:]]), date_format=word)
    with pytest.raises(InputError, match="row 1 holds"):
        Panel.of(frame([wrong + k for k in range(60)]), date_format=word)


def test_a_column_that_counts_the_times_of_the_index_is_no_target() -> None:
    months = [(2000 + k // 12, 1 + k % 12) for k in range(40)]
    table = pl.DataFrame({"year": [y for y, _ in months], "month": [m for _, m in months]}).with_columns(
        pl.Series("decimal date", [y + (m - 0.5) / 12 for y, m in months]), pl.Series("average", np.arange(40.0))
    )
    assert Panel.of(table).roles.targets == ("average",)
    assert not epochs.restates(Panel.of(table).frame["time"], pl.Series("time_to_failure", np.arange(30_000, 30_040)))


def test_a_saved_model_reads_its_epochs_again(run: Run, tmp_path: Path) -> None:
    frame(HOURS).write_csv(tmp_path / "e.csv")
    task = ("--model", "ols", "--input-size", "6", "--horizon", "2", "--target", "T")
    status, _, err = run("fit", "e.csv", "--out", "saved", *task)
    assert (status, "pass the one that is meant" in err) == (2, True)
    status, _, err = run("fit", "e.csv", "--out", "saved", *task, "--date-format", "epoch_s")
    assert status == 0, err
    status, out, err = run("predict", "saved", "e.csv")
    assert (status, out.splitlines()[1].split(".")[0]) == (0, "2020-01-03T12:00:00"), out


def test_seconds_of_a_log_are_what_its_format_says(tmp_path: Path) -> None:
    from small_logs import HEADER, write

    pytest.importorskip("lasio")
    rows = "".join(f"{43_200 + 5 * k} {50 + k % 7}\n" for k in range(30))
    head = HEADER.replace("DEPT.M", "TIME.S").replace(".M ", ".S ")
    panel = tsrnn.load(write(tmp_path, "t.las", head + rows))
    assert panel.roles.index == "time"
    assert panel.frame["time"].dtype != pl.Datetime


@pytest.mark.parametrize(("join", "zero"), [(" ", ""), ("T", ":00"), (" ", ":00.000")])
def test_midnight_at_the_end_of_a_day_is_said(join: str, zero: str) -> None:
    times = [f"2020-02-{27 + (k // 24)}{join}{1 + k % 24:02}:00{zero}" for k in range(48)]
    with pytest.warns(Notice, match="column 'date' holds 2 times 24:00, read as the next day's 00:00"):
        panel = Panel.of(pl.DataFrame({"date": times, "T": np.arange(48.0)}))
    assert (panel.step.word, panel.frame["date"][-1]) == ("1h", datetime(2020, 2, 29))


def test_years_and_weeks_are_those_of_the_calendar_of_iso() -> None:
    days = pl.date_range(datetime(2019, 10, 7), datetime(2021, 3, 1), "7d", eager=True)
    table = pl.DataFrame({"Jahr": days.dt.iso_year(), "KW": days.dt.week(), "T": np.arange(float(len(days)))})
    panel = Panel.of(table)
    assert (panel.step.word, panel.roles.targets) == ("7d", ("T",))
    assert panel.frame["time"].dt.date().to_list() == days.to_list()
    wrong = table.with_columns(pl.when(pl.col("KW") == 53).then(2021).otherwise("Jahr").alias("Jahr"))
    with pytest.raises(InputError, match="row 65 holds Jahr 2021, KW 53, which is no date"):
        Panel.of(wrong)


@pytest.mark.parametrize(
    "cells",
    [["2020-W52", "2020-W53", "2021-W53"], ["2020Q3", "2020Q4", "2020Q12"], ["June 2020", "July 2020", "x 2020"]],
)
def test_the_cell_that_is_no_week_quarter_or_month_is_named(cells: list[str]) -> None:
    with pytest.raises(InputError, match=rf"column 'date', row 3 holds '{cells[2]}' where a date belongs"):
        Panel.of(pl.DataFrame({"date": cells, "T": [1.0, 2.0, 3.0]}))


def test_days_of_weeks_and_quarters_are_parts_of_a_date() -> None:
    days = pl.date_range(datetime(2020, 1, 1), datetime(2020, 3, 1), "1d", eager=True)
    table = pl.DataFrame({"year": days.dt.iso_year(), "week": days.dt.week(), "weekday": days.dt.weekday()})
    panel = Panel.of(table.with_columns(T=pl.int_range(pl.len()).cast(pl.Float64)))
    assert panel.frame["time"].dt.date().to_list() == days.to_list()
    quarters = pl.DataFrame({"year": [2018 + k // 4 for k in range(16)], "quarter": [1 + k % 4 for k in range(16)]})
    panel = Panel.of(quarters.with_columns(T=pl.int_range(pl.len()).cast(pl.Float64)))
    assert (panel.frame["time"][5], panel.step.word) == (datetime(2019, 4, 1), "3mo-1")


@pytest.mark.parametrize("text", ["# the sensor was changed", "# changed, by us", "#, changed"])
def test_a_remark_among_the_rows_is_refused_by_its_line(tmp_path: Path, text: str) -> None:
    rows = [f"2020-01-{1 + k:02},{k}" for k in range(30)]
    rows.insert(15, text)
    path = tmp_path / "r.csv"
    path.write_text("date,T\n" + "\n".join(rows) + "\n")
    with pytest.raises(InputError, match=r"r.csv: line 17 is a remark, .* drop the line"):
        tsrnn.load(path)


def test_names_that_begin_with_a_number_sign_are_no_remarks(tmp_path: Path) -> None:
    rows = [f"#{shop},2020-01-{1 + k:02},{k}" for shop in (1, 2) for k in range(20)]
    (tmp_path / "shops.csv").write_text("shop,date,T\n" + "\n".join(rows) + "\n")
    assert tsrnn.load(tmp_path / "shops.csv", id="shop").ids == ("#1", "#2")
