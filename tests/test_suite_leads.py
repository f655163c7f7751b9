"""Suites of wells and stations: leads in metres and hours, calibrated intervals, suites that are like another."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tsrnn import InputError, bench, catalog, simulate, suites
from tsrnn.board import beside
from tsrnn.board import rows as results
from tsrnn.reading import Column
from tsrnn.split import folds
from tsrnn.suites.leads import steps

SUITE = """
data = "field.csv"
roles = { id = "well", time = "depth", target = "GR", freq = 0.1524 }
split = { leave_one_out = "well" }
measures = ["physical_rmse", "coverage"]
leads = ["0.15 m", "0.5 m"]
calibrate = 0.8
seeds = [0]
models.repeat_last = { input_size = 12 }
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    simulate.wells(wells=3, rows=150).drop("facies").write_csv(tmp_path / "field.csv")
    path = tmp_path / "ahead.toml"
    path.write_text(SUITE)
    return path


@pytest.mark.parametrize(
    ("leads", "freq", "counted"),
    [
        (("0.15 m", "1 m", "5 m", "10 m", "15 m", "30 m"), 0.152, (1, 7, 33, 66, 99, 197)),
        (("1h", "6 h", "1d"), "10m", (6, 36, 144)),
        (("30 min", 2), "15min", (2,)),
        ((1, 3), None, (1, 3)),
    ],
)
def test_a_lead_is_so_many_steps(leads, freq, counted):
    if len(counted) < len(leads):
        with pytest.raises(InputError, match="'30 min' and 2 are the same 2 steps"):
            steps(leads, freq)
    else:
        assert steps(leads, freq) == counted


@pytest.mark.parametrize(
    ("lead", "freq", "complaint"),
    [
        ("1 m", None, "no step of the data is known; say how far apart rows are"),
        ("0.05 m", 0.152, "less than half a step of 0.152"),
        ("6 h", 0.152, "along a depth write a length"),
        ("5 min", "10m", "no whole number of steps of '10m'"),
        ("1 yard", "10m", "no whole number"),
        ("2d", "1mo", "no whole number"),
    ],
)
def test_a_lead_that_is_no_length_is_refused(lead, freq, complaint):
    with pytest.raises(InputError, match=complaint):
        steps((lead,), freq)


def test_wells_are_left_out_by_the_name_of_their_column():
    assert folds(("A", "B", "C"), {"leave_one_out": "well"}, "well").keys() == {"A", "B", "C"}
    with pytest.raises(InputError, match="leave_one_out takes 'series' or 'well'"):
        folds(("A", "B", "C"), {"leave_one_out": "station"}, "well")


def test_a_board_shows_leads_as_they_were_said_and_its_measure_once(run, suite, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    status, out, _ = run("bench", str(suite), "--workers", "0", "--out", "res")
    assert status == 0
    title, names = out.splitlines()[:2]
    assert title.strip() == "PHYSICAL RMSE by lead"
    assert " 0.15 m" in names
    assert " 0.5 m" in names


def test_what_lies_beside_a_row_is_the_leads_that_the_board_shows(suite, tmp_path):
    jobs = bench.plan(bench.Source(str(suite)), "quick", bench.Wishes())
    bench.run(jobs[:1], tmp_path / "r", workers=0)
    row = results.read(tmp_path / "r").row(0, named=True)
    table = beside.read(tmp_path / "r", "measures", results.stem(row))
    assert set(table["lead"].drop_nulls()) == {1, 3}
    assert results.losses(tmp_path / "r", row) is None, "folds are compared by what they leave out"
    held = table.filter(pl.col("series").is_null() & pl.col("lead").is_not_null() & (pl.col("measure") == "coverage"))
    assert held["value"].is_between(0.5, 1).all()


def test_leads_in_another_unit_than_the_depths_are_refused(suite, monkeypatch):
    panel = replace(catalog.load(suite.with_name("field.csv"), id="well"), columns={"depth": Column("ft")})
    monkeypatch.setattr(catalog, "load", lambda *_, **__: panel)
    with pytest.raises(InputError, match=r"leads are in m, and 'depth' of .* is in ft"):
        bench.plan(bench.Source(str(suite)), "quick", bench.Wishes())


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("calibrate = 0.8", "calibrate = 80", "calibrate takes a share between 0 and 1"),
        ("calibrate = 0.8", "calibrate = 0.9", "gives the quantiles 0.05 and 0.95, and coverage takes others"),
        ('data = "field.csv"', 'like = "ETTh9"', "unknown suite 'ETTh9'"),
        ('data = "field.csv"', 'like = "force2020-ahead-dtc"', "is like 'force2020-ahead' itself"),
    ],
)
def test_words_that_cannot_be_are_refused(suite, old, new, complaint):
    suite.write_text(suite.read_text().replace(old, new))
    with pytest.raises(InputError, match=complaint):
        suites.find(str(suite))


def test_a_suite_that_is_like_another_has_its_words_and_its_own_roles():
    gamma, density = (suites.find(name) for name in ("force2020-ahead", "force2020-ahead-rhob"))
    assert (density.leads, density.split, density.data) == (gamma.leads, gamma.split, "force2020")
    assert density.roles["target"] == "RHOB"
    assert density.presets.keys() == gamma.presets.keys()
