"""Logs written are the logs that were: every number, unit and hole; one well per file."""

import re

import lasio
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tsrnn import las_writer, load
from tsrnn.errors import InputError, Notice
from tsrnn.reading import Column
from tsrnn.simulate import wells

COLUMNS = {"depth": Column("m"), "GR": Column("gAPI", description="gamma ray"), "RDEP": Column("ohm.m")}
CURVES = ["GR", "RHOB", "NPHI", "DTC", "RDEP"]


def one_well(rows=60):
    return wells(seed=3, wells=1, rows=rows).drop("facies").with_columns(pl.col("depth").round(4))


def header(path):
    return lasio.read(str(path))


def test_a_log_is_read_again_as_it_was(tmp_path):
    frame = one_well(400).with_columns(pl.lit(" 31/2-10   A").alias("well"), GR=pl.col("GR").cast(pl.Float32))
    assert sum(frame.null_count().row(0))
    assert las_writer.write(frame, tmp_path / "a.las", columns=COLUMNS) == [tmp_path / "a.las"]
    again = load(tmp_path / "a.las").frame
    assert again["well"].unique().to_list() == ["31/2-10 A"]
    assert again.columns == frame.columns
    assert again["GR"].cast(pl.Float32).equals(frame["GR"])
    assert_frame_equal(again.drop("well", "GR"), frame.drop("well", "GR"), check_exact=True)


def test_the_header_says_what_stands_below_it(tmp_path):
    frame = one_well()
    las_writer.write(frame, tmp_path / "a.las", columns=COLUMNS)
    log = header(tmp_path / "a.las")
    assert str(log.version["VERS"].value) == "2.0"
    assert (log.well["STRT"].value, log.well["STOP"].value) == (frame["depth"][0], frame["depth"][-1])
    assert (log.well["STEP"].value, log.well["STEP"].unit, log.well["NULL"].value) == (0.1524, "m", -999.25)
    assert [curve.mnemonic for curve in log.curves] == ["DEPT", *CURVES]
    assert [curve.unit for curve in log.curves] == ["m", "gAPI", "", "", "", "ohm.m"]
    assert log.curves["GR"].descr == "gamma ray"
    np.testing.assert_array_equal(log["GR"], frame["GR"])


def test_steps_that_were_added_up_leave_no_noise_in_depths_and_depths_that_are_finer_stay(tmp_path):
    noisy = pl.DataFrame({"depth": np.cumsum([1903.1] + 5 * [0.1]), "GR": 1.0})
    assert "1903.4999999999995" in str(noisy["depth"].to_list())
    las_writer.write(noisy, tmp_path / "a.las")
    assert load(tmp_path / "a.las", target="GR").frame["depth"].to_list() == [
        1903.1,
        1903.2,
        1903.3,
        1903.4,
        1903.5,
        1903.6,
    ]
    fine = pl.DataFrame({"depth": 1 / 3 + np.arange(5.0), "GR": 1.0})
    las_writer.write(fine, tmp_path / "a.las")
    assert load(tmp_path / "a.las", target="GR").frame["depth"].equals(fine["depth"])


def test_the_step_of_uneven_depths_is_0_as_the_standard_has_it(tmp_path):
    las_writer.write(one_well().filter(pl.int_range(pl.len()) != 20), tmp_path / "a.las")
    assert header(tmp_path / "a.las").well["STEP"].value == 0
    las_writer.write(one_well(1), tmp_path / "a.las")
    assert header(tmp_path / "a.las").well["STEP"].value == 0


def test_a_quantile_is_a_curve_with_a_name_that_a_header_can_hold(tmp_path):
    frame = one_well(5).select("well", "depth", "GR", pl.col("GR").alias("GR_q0.1"), pl.col("GR").alias("GR_q0.025"))
    las_writer.write(frame, tmp_path / "a.las", columns=COLUMNS)
    curves = header(tmp_path / "a.las").curves
    assert [(curve.mnemonic, curve.unit) for curve in curves[2:]] == [("GR_Q10", "gAPI"), ("GR_Q2_5", "gAPI")]
    assert curves["GR_Q10"].descr == "quantile 0.1 of the forecast of gamma ray"
    assert load(tmp_path / "a.las").frame["GR_Q10"].equals(frame["GR_q0.1"].alias("GR_Q10"))


def test_the_depth_of_the_last_measurement_has_the_depths_unit_and_is_no_target_when_read_again(tmp_path):
    frame = one_well(5).select("well", "depth", "GR", pl.lit(3.5).alias("measured_to"))
    las_writer.write(frame, tmp_path / "a.las", columns=COLUMNS)
    panel = load(tmp_path / "a.las")
    assert panel.columns["measured_to"].unit == panel.columns["depth"].unit == "m"
    assert panel.roles.targets == ("GR",)


def test_a_curve_that_holds_the_null_value_keeps_it(tmp_path):
    frame = one_well(5).with_columns(pl.Series("SP", [-999.25, 1.0, None, 2.0, 3.0]))
    las_writer.write(frame, tmp_path / "a.las")
    assert header(tmp_path / "a.las").well["NULL"].value == -9999.25
    with pytest.warns(Notice, match=r"SP: 1 cell of -999\.25 beside NULL -9999\.25, kept as numbers"):
        assert load(tmp_path / "a.las").frame["SP"].null_count() == 1


def test_wells_are_a_file_each_in_a_folder(tmp_path):
    frame = wells(wells=3, rows=20).drop("facies").with_columns(well=pl.col("well").str.replace("-", "/"))
    places = las_writer.write(frame, tmp_path / "logs")
    assert [place.name for place in places] == ["W_01.las", "W_02.las", "W_03.las"]
    assert load(tmp_path / "logs").frame["RHOB"].equals(frame["RHOB"])
    with pytest.raises(
        InputError, match=r"three\.las would hold 3 wells .* such as --out .*three, for a file per well"
    ):
        las_writer.write(frame, tmp_path / "three.las")
    words = frame.with_columns(rock=pl.lit("shale"))
    with pytest.raises(InputError, match=r"holds one; name a folder, .* for a file per well; 'rock' holds words"):
        las_writer.write(words, tmp_path / "three.las")
    alike = frame.with_columns(well=pl.col("well").replace({"W/01": "W 02"}))
    with pytest.raises(InputError, match=r"wells 'W 02' and 'W/02' would both be .*W_02\.las"):
        las_writer.write(alike, tmp_path / "logs")


def test_what_a_log_cannot_hold_is_said_or_refused(tmp_path):
    with pytest.warns(Notice, match="'facies' holds words, which LAS 2.0 has no place for"):
        las_writer.write(wells(wells=1, rows=9), tmp_path / "a.las")
    hours = pl.DataFrame(
        {"date": pl.datetime_range(pl.datetime(2020, 1, 1), pl.datetime(2020, 1, 2), "1h", eager=True)}
    )
    with pytest.raises(InputError, match=r"indexed by depths and 'date' holds dates"):
        las_writer.write(hours, tmp_path / "a.las", index="date")
    with pytest.raises(InputError, match="no column 'depth' of depths among 'date'; name its index"):
        las_writer.write(hours, tmp_path / "a.las")


def test_tsrnn_predict_writes_a_log(run, tmp_path):
    las_writer.write(one_well(120), tmp_path / "w.las", columns=COLUMNS)
    las_writer.write(wells(wells=2, rows=120).drop("facies"), tmp_path / "two")
    small = ("--model", "repeat_last", "--input-size", "24", "--horizon", "6", "--quantiles", "0.1,0.9")
    assert run("fit", "w.las", "--target", "GR", "--out", "saved", *small)[0] == 0
    assert run("predict", "saved", "w.las", "--out", "forecast.las")[:2] == (0, "")
    log = header(tmp_path / "forecast.las")
    assert [curve.mnemonic for curve in log.curves] == ["DEPT", "GR", "GR_Q10", "GR_Q90"]
    assert log["DEPT"][0] == pytest.approx(one_well(120)["depth"][-1] + 0.1524)
    assert str(log.well["WELL"].value) == "W-01"
    status, _, err = run("predict", "saved", "two", "--out", "forecast.las")
    assert (status, err.count("\n")) == (2, 1)
    assert re.search(r"forecast\.las would hold 2 wells", err)
    assert run("predict", "saved", "two", "--out", "ahead")[0] == 0
    assert sorted(path.name for path in (tmp_path / "ahead").iterdir()) == ["W-01.las", "W-02.las"]


def test_a_forecast_of_dates_is_no_log(run, tmp_path, wide):
    wide.write_csv(tmp_path / "mine.csv")
    assert (
        run("fit", "mine.csv", "--model", "repeat_last", "--input-size", "24", "--horizon", "6", "--out", "saved")[0]
        == 0
    )
    for out, said in {
        "f.las": "indexed by depths and 'date' holds dates",
        "f": "write to a .csv or .parquet file",
    }.items():
        status, _, err = run("predict", "saved", "mine.csv", "--out", out)
        assert (status, err.count("\n")) == (2, 1)
        assert said in err
