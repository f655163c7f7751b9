"""Calibrated forecasters: their columns, how often they hold, what they know, and what is refused."""

import json

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal, assert_series_equal
from small import LEVELS, TASK, covaried, hours, long_frame

from tsrnn import calibration, store, windows
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster


def noisy(rows=900, seed=0, names=("a",), deviation=lambda hour: 1.0):
    """Hourly waves of a day under independent noise, whose deviation may change."""
    rng, parts = np.random.default_rng(seed), []
    for k, name in enumerate(names):
        hour = np.arange(rows)
        y = 10 * (k + 1) + 3 * np.sin(2 * np.pi * hour / 24) + np.vectorize(deviation)(hour) * rng.standard_normal(rows)
        parts.append(pl.DataFrame({"unique_id": [name] * rows, "ds": hours(rows), "y": y}))
    return pl.concat(parts)


@pytest.fixture(scope="module")
def naive():
    return Forecaster("seasonal_naive", **TASK, val_size=0.4).fit(noisy())


def test_a_point_forecast_gets_an_interval(naive):
    forecast = naive.clone().fit(noisy()).calibrate(levels=[0.5, 0.8]).predict()
    assert forecast.columns == ["unique_id", "ds", "y", "y_q0.1", "y_q0.25", "y_q0.75", "y_q0.9"]
    spread = (forecast["y_q0.9"] - forecast["y_q0.1"]).to_numpy()
    np.testing.assert_allclose(spread, 2 * 1.2816 * np.sqrt(2), rtol=0.12)  # of a difference of two noises
    inner = (forecast["y_q0.75"] - forecast["y_q0.25"]).to_numpy()
    np.testing.assert_allclose(inner, 2 * 0.6745 * np.sqrt(2), rtol=0.15)
    assert_frame_equal(forecast.select("y"), naive.predict().select("y"))


def test_offsets_are_those_of_the_residuals_in_the_units_of_the_data(naive):
    made = naive.clone().fit(noisy()).calibrate(levels=[0.8])
    frame, forecast = noisy(), made.predict()
    y, held = frame["y"].to_numpy(), 360
    starts = np.arange(900 - held, 900 - 6 + 1)
    for step in range(6):
        errors = y[starts + step] - y[starts + step - 24]
        k = int(np.ceil((len(errors) + 1) * 0.9)) - 1
        high, low = np.sort(errors)[k], np.sort(-errors)[k]
        assert forecast["y_q0.9"][step] - forecast["y"][step] == pytest.approx(high, abs=1e-4)
        assert forecast["y"][step] - forecast["y_q0.1"][step] == pytest.approx(low, abs=1e-4)


@pytest.mark.parametrize("options", [{}, {"quantiles": [0.3, 0.7]}, {"loss": "laplace"}, {"quantiles": LEVELS}])
def test_unseen_windows_are_covered_as_often_as_was_said(options):
    names = ("a", "b", "c")
    rule = {"ratios": [0.3, 0.35, 0.35]}
    forecaster = Forecaster("repeat_last", **TASK, scale_per_series=True, **options)
    forecaster.fit(noisy(1000, names=names), split=rule).calibrate(levels=[0.8])
    score = forecaster.score(split=rule, measures=["coverage", "width"])
    assert score.coverage == pytest.approx(0.8, abs=0.03)
    np.testing.assert_allclose(score.by_lead["coverage"][-1, :-1], 0.8, atol=0.06)


def test_residuals_are_normalised_where_series_are_scaled_by_themselves():
    quiet, loud = noisy(800, names=("a",)), noisy(800, seed=1, names=("b",))
    loud = loud.with_columns(pl.col("y") * 100)
    frame = pl.concat([quiet, loud])
    forecast = (
        Forecaster("seasonal_naive", **TASK, scale_per_series=True, val_size=0.4).fit(frame).calibrate().predict()
    )
    spread = (forecast["y_q0.9"] - forecast["y_q0.1"]).to_numpy().reshape(2, 6)
    np.testing.assert_allclose(spread[1] / spread[0], 100, rtol=0.1)


def test_quantiles_that_calibration_moves_do_not_cross_others():
    frame = noisy(400)
    model = Forecaster("repeat_last", **TASK, quantiles=[0.45, 0.5, 0.05]).fit(frame).calibrate(levels=[0.5, 0.9])
    forecast = model.predict()
    assert forecast.columns[3:] == ["y_q0.45", "y_q0.5", "y_q0.05", "y_q0.25", "y_q0.75", "y_q0.95"]
    rising = forecast.select(f"y_q{level:g}" for level in (0.05, 0.25, 0.45, 0.5, 0.75, 0.95)).to_numpy()
    assert (np.diff(rising, axis=1) >= 0).all()


@pytest.mark.parametrize("adaptive", [False, True])
def test_what_is_saved_comes_back(tmp_path, adaptive):
    frame = long_frame((150, 130))
    forecaster = Forecaster("repeat_last", **TASK, val_size=0.4, pad=True).fit(frame)
    forecaster.calibrate(levels=[0.5, 0.8], adaptive=adaptive).save(tmp_path / "saved")
    again = Forecaster.load(tmp_path / "saved")
    assert_frame_equal(again.predict(frame), forecaster.predict())
    assert again.calibration_.table() == forecaster.calibration_.table()
    assert again.fit(frame).predict().columns == ["unique_id", "ds", "y"]  # a new fit knows no residuals


@pytest.mark.parametrize(
    "change",
    [{"coverages": [0.5]}, {"coverages": [1.5, 0.8]}, {"memory": -1}, {"memory": "all"}, {"residuals": None}, {"x": 1}],
)
def test_a_saved_calibration_that_does_not_fit_is_refused(tmp_path, change):
    forecaster = Forecaster("repeat_last", **TASK, val_size=0.4).fit(long_frame((150, 130)))
    forecaster.calibrate(levels=[0.5, 0.8]).save(tmp_path / "saved")
    path = tmp_path / "saved" / "config.json"
    config = json.loads(path.read_text())
    config["calibration"] |= change
    path.write_text(json.dumps(store.signed(config)))
    with pytest.raises(InputError, match="holds no model that this tsrnn can use"):
        Forecaster.load(tmp_path / "saved")


def test_an_adaptive_forecast_is_wider_after_rows_that_went_wrong():
    calm = noisy(1000)
    forecaster = Forecaster("seasonal_naive", **TASK, val_size=0.5).fit(calm).calibrate(adaptive=True)
    storm = noisy(1000, deviation=lambda hour: 3.0 if hour >= 900 else 1.0)
    widths = [
        (forecast["y_q0.9"] - forecast["y_q0.1"]).mean()
        for forecast in (forecaster.predict(frame) for frame in (calm, storm))
    ]
    assert widths[1] > 1.6 * widths[0]
    constant = forecaster.calibrate().predict(storm)
    width = constant["y_q0.9"] - constant["y_q0.1"]
    before = forecaster.predict(calm)
    assert_series_equal(width, before["y_q0.9"] - before["y_q0.1"], rel_tol=1e-4)


def test_the_offsets_ahead_are_those_of_a_window_that_starts_there():
    """What `predict` adds after row 700 is what `score` adds to the window whose targets begin there."""
    frame = noisy(760, names=("a", "b"))
    forecaster = Forecaster("seasonal_naive", **TASK, val_size=0.5).fit(frame).calibrate(adaptive=True)
    model, head, made = forecaster.model_, forecaster.head_, forecaster.calibration_
    early = frame.filter(pl.col("ds") < hours(701)[-1])
    ahead = calibration.newest(model, head, made, forecaster.laid(early))
    laid = forecaster.laid(frame)
    at = np.array([700, 760 + 700])
    behind = calibration.issued(model, head, made, windows.Windows(laid, at, 24, 6))
    np.testing.assert_allclose(ahead, behind, rtol=1e-5)
    assert not np.allclose(ahead, made.offsets)


def test_covariates_known_ahead_and_gaps_are_no_hindrance():
    frame = covaried(200)
    roles = {"target": "y", "past_covariates": ["wind"], "future_covariates": ["plan"], "static_covariates": ["height"]}
    options = {**TASK, "hidden_size": 4, "max_epochs": 1, "val_size": 0.4}
    forecaster = Forecaster("gru", **options).fit(frame, **roles).calibrate(adaptive=True)
    made = calibration.newest(forecaster.model_, forecaster.head_, forecaster.calibration_, forecaster.laid(frame))
    assert made.shape == (2, 1, 2, 6, 1)
    assert np.isfinite(made).all()
    holes = noisy(600).with_columns(pl.when(pl.col("ds").dt.day() % 5 > 0).then("y").alias("y"))
    forecast = Forecaster("repeat_last", **TASK, val_size=0.5).fit(holes).calibrate(adaptive=True).predict()
    assert np.isfinite(forecast["y_q0.9"].to_numpy()).all()


def test_what_cannot_be_calibrated_is_refused(naive):
    model = naive.clone()
    with pytest.raises(InputError, match="not fitted"):
        model.calibrate()
    model.fit(noisy(60))
    with pytest.raises(InputError, match=r"needs at least 100 residuals, and step 1 of target 1 has \d+"):
        model.calibrate(levels=[0.99])
    with pytest.raises(InputError, match="needs at least 5 residuals, and step 1 of target 1 has 0"):
        model.calibrate(part="test")
    assert model.calibration_ is None
    with pytest.raises(InputError, match=r"must be different numbers between 0 and 1, such as \[0.8\], not \[0\]"):
        model.calibrate(levels=[0])
    with pytest.raises(InputError, match=r"calibrated quantiles 0.1, 0.9; to be measured at 0.2, 0.3"):
        model.calibrate().score(split={"ratios": [0.4, 0.3, 0.3]}, measures=["pinball"])
    clash = noisy(300).with_columns(pl.lit("x").alias("y_q0.1")).drop("unique_id")
    named = Forecaster("seasonal_naive", **TASK).fit(clash, target="y", id="y_q0.1")
    with pytest.raises(InputError, match=r"two columns called 'y_q0.1'"):
        named.calibrate()


def test_many_series_share_what_an_adaptive_forecast_may_look_at(monkeypatch):
    frame = noisy(300, names=("a", "b", "c"))
    forecaster = Forecaster("repeat_last", **TASK, val_size=0.6).fit(frame).calibrate(adaptive=True)
    monkeypatch.setattr(calibration, "_WINDOWS", 90)
    looked = []

    def counted(model, head, cut, level):
        looked.append(len(cut))
        return np.zeros((len(cut), 2, 6, 1))

    monkeypatch.setattr(calibration, "residuals", counted)
    calibration.newest(forecaster.model_, forecaster.head_, forecaster.calibration_, forecaster.laid(frame))
    assert looked == [90]


def test_a_part_without_rows_has_too_few_residuals_for_every_model():
    forecaster = Forecaster("lstm", **TASK, hidden_size=4, max_epochs=1).fit(noisy())
    with pytest.raises(InputError, match="needs at least 5 residuals, and step 1 of target 1 has 0"):
        forecaster.calibrate(part="test")
