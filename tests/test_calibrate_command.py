"""tsrnn calibrate: intervals for a saved model; tsrnn forecasts of one part."""

import polars as pl
import pytest
from small import QUICK
from test_drift import hourly

from tsrnn import Forecaster, load
from tsrnn.simulate import transformer


@pytest.fixture
def folder(tmp_path):
    hourly(400).write_csv(tmp_path / "my.csv")
    Forecaster("gru", **QUICK).fit(hourly(300), target="y").save(tmp_path / "saved")
    return tmp_path


def test_a_saved_model_gets_intervals(folder, run):
    status, _, err = run("calibrate", "saved", "my.csv", "--levels", "0.5,0.8", "--out", "sure")
    assert (status, err.count("\n")) == (0, 1)
    assert "quantiles 0.1, 0.25, 0.75, 0.9 from " in err
    assert run("predict", "sure", "my.csv", "--out", "f.csv")[0] == 0
    assert pl.read_csv(folder / "f.csv").columns == ["ds", "y", "y_q0.1", "y_q0.25", "y_q0.75", "y_q0.9"]
    assert Forecaster.load(folder / "saved").calibration_ is None
    assert run("calibrate", "saved", "my.csv", "--adaptive")[0] == 0
    made = Forecaster.load(folder / "saved").calibration_
    assert made is not None
    assert made.memory > 0


def test_what_cannot_be_calibrated_is_one_sentence(folder, run):
    for words, said in (
        (["--levels", "80"], "levels to calibrate must be different numbers between 0 and 1"),
        (["--levels", "a"], "--levels takes numbers between 0 and 1 separated by commas, not 'a'"),
        (["--levels", "0.9999"], "needs at least 10000 residuals"),
    ):
        status, _, err = run("calibrate", "saved", "my.csv", *words)
        assert (status, err.count("\n")) == (2, 1)
        assert said in err


def test_forecasts_of_the_part_that_a_data_set_calls_its_test(folder, run):
    Forecaster("nlinear", input_size=24, horizon=6, max_epochs=1).fit(load("transformer"), split="standard").save(
        folder / "t"
    )
    status, _, err = run("forecasts", "t", "transformer", "--part", "test", "--every", "500", "--out", "f.csv")
    assert status == 0, err
    rows = pl.read_csv(folder / "f.csv", try_parse_dates=True)
    assert rows["date"].min() > transformer()["date"][int(transformer().height * 0.6)]
    status, _, err = run("forecasts", "t", "transformer", "--part", "tes")
    assert (status, err.count("\n")) == (2, 1)
