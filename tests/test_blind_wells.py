"""Wells that lack a curve: forecast with the mask where the model learnt to miss it, else said or refused."""

import numpy as np
import polars as pl
import pytest

from tsrnn import catalog, refine
from tsrnn.errors import InputError, Notice
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel
from tsrnn.reading import Column, Reading

ASKED = {"target": "GR", "past_covariates": "DTC", "time": "depth", "id": "well"}


def well(name, seed=0, rows=120):
    rng = np.random.default_rng(seed)
    gr = 60 + 20 * np.sin(np.arange(rows) / 9) + rng.normal(size=rows)
    depths = 1000 + 0.5 * np.arange(rows)
    return pl.DataFrame({"well": [name] * rows, "depth": depths, "GR": gr, "DTC": 80 + 0.3 * gr})


def fitted(*wells):
    return Forecaster("gru", input_size=16, horizon=4, max_epochs=1, hidden_size=8).fit(pl.concat(wells), **ASKED)


def lacking(frame, name="DTC"):
    return frame.with_columns(pl.lit(None, pl.Float64).alias(name))


@pytest.fixture(scope="module")
def told():
    """A model that saw a well without DTC."""
    return fitted(well("A"), well("B", 1), lacking(well("C", 2)))


@pytest.fixture(scope="module")
def untold():
    return fitted(well("A"), well("B", 1))


def test_a_well_without_a_covariate_is_forecast_with_the_mask(told):
    blind = lacking(well("D", 3))
    with pytest.warns(Notice, match="'DTC' holds no value in any row; it is read as missing throughout"):
        answer = told.predict(blind)
    with pytest.warns(Notice, match="column 'DTC' is not there; it is read as missing throughout"):
        assert told.predict(blind.drop("DTC")).equals(answer)
    assert np.isfinite(answer["GR"].to_numpy()).all()
    together = pl.concat([well("A"), blind])
    assert told.predict(together).filter(well="D").equals(answer)


def test_a_panel_read_in_other_roles_is_read_again_in_the_training_s(untold):
    blind = well("D", 3)
    right = untold.predict(blind)
    place = {"time": "depth", "id": "well"}
    for roles in ({}, {"target": "GR"}, {"target": "DTC"}, {"target": "DTC", "past_covariates": "GR"}):
        assert untold.predict(Panel.of(blind, **place, **roles)).equals(right)
    with pytest.raises(InputError, match=r"unknown column of D\.las 'DTC'"):
        untold.predict(Panel.of(blind.drop("DTC"), **place, source="D.las"))


def test_a_model_that_never_missed_it_says_what_it_reads(untold):
    blind = lacking(well("D", 3))
    words = "series 'D' holds no 'DTC', which no row of the training missed: the model reads the training's mean"
    with pytest.warns(Notice, match=words):
        untold.predict(pl.concat([well("A"), blind]))
    with pytest.warns(Notice, match=words):
        untold.predict(Panel.of(blind, **ASKED))
    with pytest.raises(InputError, match=r"unknown column of frame 'DTC'.*so that the model learns to miss it"):
        untold.predict(blind.drop("DTC"))


def test_a_well_without_a_target_is_a_panel_and_nothing_is_forecast_from_it(told):
    panel = Panel.of(lacking(well("D"), "GR"), **ASKED)
    assert panel.roles.targets == ("GR",)
    with pytest.raises(InputError, match="'GR' is empty"):
        fitted(lacking(well("D"), "GR"))
    with pytest.raises(InputError, match="'D' has no measured target"):
        told.predict(panel)


def test_the_last_measurement_stands_beside_a_forecast_where_rows_follow_it(told):
    short = well("D", 3).with_columns(pl.when(pl.col("depth") < 1050).then("GR").alias("GR"))
    frame = pl.concat([well("A"), short])
    answer = told.predict(frame)
    assert answer["measured_to"].to_list() == [1059.5] * 4 + [1049.5] * 4
    assert answer.filter(well="D")["depth"][0] == 1050
    assert answer.drop("measured_to").filter(well="A").equals(told.predict(well("A")))


def test_a_forecast_is_never_of_a_look_back_without_a_target(told):
    gone = well("D", 3).with_columns(pl.when(pl.col("depth") < 1030).then("GR").alias("GR"))
    answer = told.predict(gone)
    assert answer["depth"][0] == 1030
    assert answer["GR"].to_list() == told.predict(gone.filter(pl.col("depth") < 1030))["GR"].to_list()


def test_rows_that_no_window_reads_are_counted_and_said_where_they_are_many():
    whole = well("A")
    gappy = well("B", 1).filter(pl.int_range(pl.len()) % 15 != 0)
    with pytest.warns(
        Notice, match=r"frame: 101 of \d+ rows to learn from are in no window of 16 \+ 4 rows.* series 'B'"
    ):
        forecaster = Forecaster("ols", input_size=16, horizon=4).fit(
            pl.concat([whole, gappy]), target="GR", time="depth", id="well"
        )
    assert forecaster.unread_ == {"B": 101}
    assert Forecaster("ols", input_size=16, horizon=4).fit(whole, target="GR", time="depth").unread_ == {}


def test_units_are_part_of_what_a_model_was_trained_on(tmp_path):
    columns = {"GR": Column("GAPI"), "DTC": Column("us/ft"), "depth": Column("m")}
    panel = refine.panel(Reading(well("A"), columns), {**ASKED, "source": "A"})
    forecaster = Forecaster("gru", input_size=16, horizon=4, max_epochs=1, hidden_size=8).fit(panel)
    forecaster.save(tmp_path / "model")
    again = Forecaster.load(tmp_path / "model")
    metric = Reading(well("A").with_columns(pl.col("DTC") / 0.3048), {**columns, "DTC": Column("US/M")})
    for frame in (metric, refine.panel(metric, {**ASKED, "source": "A"})):
        with pytest.warns(Notice, match="converted DTC from us/m to us/ft, the training's"):
            answer = again.predict(frame)
        np.testing.assert_allclose(answer["GR"], forecaster.predict()["GR"], rtol=1e-5)
    with pytest.raises(InputError, match="'GR' is in 'CPS' and the training's was in 'gAPI', between which no factor"):
        again.predict(Reading(well("A"), {**columns, "GR": Column("CPS")}))
    assert again.predict(well("A")).equals(forecaster.predict())


def test_a_log_that_writes_a_curve_in_other_letters_is_forecast_as_if_it_did_not(untold, tmp_path):
    def log(name, *curves):
        (tmp_path / name).mkdir()
        rows = [f"{row[0]:.1f} {row[1]:.4f} {row[2]:.4f}" for row in well("D", 3).drop("well").iter_rows()]
        head = (
            "~V\nVERS. 2.0 :\nWRAP. NO :\n~W\nSTRT.M 1000 :\nSTOP.M 1059.5 :\nSTEP.M 0.5 :\nNULL. -999 :\nWELL. D :\n"
        )
        lines = "".join(f"{curve} :\n" for curve in ("DEPT.M", *curves))
        (tmp_path / name / "d.las").write_text(f"{head}~C\n{lines}~A\n" + "\n".join(rows) + "\n")
        return tmp_path / name / "d.las"

    right = untold.predict(catalog.read(log("alike", "GR.gAPI", "DTC.us/ft")))
    other = log("other", "Gr.gAPI", "dtc.us/ft")
    with pytest.warns(Notice, match=r"d\.las: Gr is taken as GR, dtc is taken as DTC"):
        assert untold.predict(catalog.read(other)).equals(right)
    with pytest.warns(Notice, match="Gr is taken as GR"):
        panel = catalog.load(other, **refine.again(untold.preparation_.reading, {"clip": True}))
    assert untold.predict(panel).equals(right)
    with pytest.raises(InputError, match=r"unknown column of .* 'DTC'"):
        untold.predict(catalog.read(log("two", "GR.gAPI", "Dtk.us/ft")))


def test_of_two_curves_that_differ_in_letters_alone_none_is_taken_for_a_third():
    frame = pl.DataFrame({"well": ["D"], "depth": [1.0], "Gr": [1.0], "gr": [2.0], "Dtc": [3.0]})
    columns = {name: Column() for name in ("depth", "Gr", "gr", "Dtc")}
    log = Reading(frame, columns, (), "depth", "well", {"D": columns}, "d.las")
    with pytest.warns(Notice, match="d.las: Dtc is taken as DTC$"):
        assert log.spelt(["GR", "DTC"]).frame.columns == ["well", "depth", "Gr", "gr", "DTC"]
    assert log.spelt(["Gr", "Dtc", "DTC"]) is log
    table = Reading(frame, columns)
    assert table.spelt(["DTC"]) is table
