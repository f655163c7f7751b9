"""Frame in, frame out: its type, order and units; a forecast does not depend on company; short and gappy histories."""

import math
from datetime import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small import LEVELS, QUICK, TASK, hours, long_frame, waves, wide_frame

from tsrnn.errors import InputError, Notice
from tsrnn.forecaster import Forecaster

# Frames


def test_pandas_in_pandas_out(long, fitted):
    pandas = long.to_pandas()
    forecast = Forecaster("gru", **QUICK, quantiles=LEVELS).fit(pandas).predict()
    assert isinstance(forecast, pd.DataFrame)
    assert list(forecast.columns) == ["unique_id", "ds", "y", "y_q0.1", "y_q0.5", "y_q0.9"]
    assert_frame_equal(pl.from_pandas(forecast), fitted.predict(), check_dtypes=False)
    assert forecast["ds"].dtype.kind == "M"


def test_polars_in_polars_out(long, fitted):
    forecast = fitted.predict()
    assert isinstance(forecast, pl.DataFrame)
    assert forecast["unique_id"].to_list() == [name for name in "abc" for _ in range(6)]
    for name, rows in zip("abc", (150, 130, 140), strict=True):
        ahead = forecast.filter(pl.col("unique_id") == name)["ds"]
        assert ahead.to_list() == hours(rows + 6)[rows:].to_list()


def test_a_pandas_index_comes_back_as_one():
    frame = wide_frame(120).to_pandas().set_index("date")
    forecast = Forecaster("gru", **QUICK).fit(frame).predict()
    assert list(forecast.columns) == ["c0", "c1"]
    assert list(forecast.index) == list(pd.date_range("2020-01-06", periods=6, freq="h"))
    nameless = Forecaster("gru", **QUICK).fit(frame.rename_axis(None))
    pd.testing.assert_frame_equal(nameless.predict(frame.rename_axis(None)), forecast, check_names=False)


def test_several_targets_and_the_order_of_columns(wide):
    forecast = Forecaster("gru", **QUICK, quantiles=[0.9, 0.1]).fit(wide).predict()
    assert forecast.columns == ["date", "c0", "c0_q0.9", "c0_q0.1", "c1", "c1_q0.9", "c1_q0.1"]
    assert (forecast["c0_q0.1"] <= forecast["c0"]).all()
    assert (forecast["c0"] <= forecast["c0_q0.9"]).all()
    one = Forecaster("gru", **QUICK).fit(wide, target="c1").predict()
    assert one.columns == ["date", "c1"]


def test_forecasts_are_in_the_frames_units(long):
    forecast = Forecaster("repeat_last", **TASK).fit(long).predict()
    for name in "abc":
        last = long.filter(pl.col("unique_id") == name)["y"][-1]
        ahead = forecast.filter(pl.col("unique_id") == name)["y"].to_numpy()
        np.testing.assert_allclose(ahead, np.full(6, last), rtol=1e-5)


def test_a_count_and_a_depth_go_on():
    values = waves(100, period=12)[:, 0]
    with pytest.warns(Notice, match="its rows are numbered"):
        counted = Forecaster("repeat_last", **TASK).fit(pl.DataFrame({"y": values}))
    count = counted.predict(pl.DataFrame({"y": values}))  # said once: the history is read as the training's was
    assert count["row"].to_list() == list(range(100, 106))
    depth = pl.DataFrame({"depth": 1000 + 0.5 * np.arange(100), "y": values})
    forecast = Forecaster("repeat_last", **TASK).fit(depth).predict()
    np.testing.assert_allclose(forecast["depth"], 1050 + 0.5 * np.arange(6))


# Forecasts do not depend on company, and start from the frame they are given


@pytest.mark.parametrize("model", ["gru", "segrnn", "seq2seq", "ols"])
@pytest.mark.parametrize("per_series", [False, True])
def test_a_series_is_forecast_alike_alone_and_in_company(long, model, per_series):
    options = {"gru": QUICK, "segrnn": {**QUICK, "segment": 6}, "seq2seq": QUICK, "ols": TASK}[model]
    forecaster = Forecaster(model, **options, scale_per_series=per_series).fit(long)
    together = forecaster.predict()
    for name in "abc":
        alone = forecaster.predict(long.filter(pl.col("unique_id") == name))
        assert_frame_equal(alone, together.filter(pl.col("unique_id") == name), abs_tol=1e-4)
    turned = forecaster.predict(pl.concat([long.filter(pl.col("unique_id") == name) for name in "cab"]))
    assert_frame_equal(turned.sort("unique_id", "ds"), together, abs_tol=1e-4)


def test_predict_from_a_new_frame(long, fitted):
    shorter = long.filter(pl.col("ds") < pl.lit(datetime(2020, 1, 5)))
    forecast = fitted.predict(shorter)
    assert forecast["ds"].min() == datetime(2020, 1, 5)
    assert not np.allclose(forecast["y"], fitted.predict()["y"])
    tail = long.group_by("unique_id", maintain_order=True).tail(24)
    assert_frame_equal(fitted.predict(tail), fitted.predict(), abs_tol=1e-4)
    assert isinstance(fitted.predict(long.to_pandas()), pd.DataFrame)


def test_a_new_frame_is_read_as_the_first_was(wide, tmp_path):
    upside_down = wide.with_columns(hour=hours(200), date=pl.lit("text")).sort("hour", descending=True)
    roles = {"target": ["c1"], "time": "hour", "past_covariates": ["c0"], "sort": True, "duplicates": "last"}
    forecaster = Forecaster("gru", **QUICK).fit(upside_down, **roles)
    forecaster.save(tmp_path / "saved")
    for each in (forecaster, Forecaster.load(tmp_path / "saved")):
        assert_frame_equal(each.predict(pl.concat([upside_down, upside_down])), forecaster.predict())


def test_a_series_not_seen_in_training_is_scaled_by_itself(long):
    forecaster = Forecaster("gru", **QUICK, scale_per_series=True).fit(long)
    stranger = long.filter(pl.col("unique_id") == "a").with_columns(pl.lit("z").alias("unique_id"), pl.col("y") + 5000)
    with pytest.warns(Notice, match="series 'z', scaled by their own history; the model knows 'a', 'b', 'c'"):
        forecast = forecaster.predict(stranger)["y"]
    assert forecast.is_between(4990, 5010).all()


def test_a_missing_column_is_named(fitted, long):
    with pytest.raises(InputError, match="'y'"):
        fitted.predict(long.rename({"y": "other"}))


# Short histories and gaps


def test_padding_lets_short_series_in():
    frame = long_frame((100, 20, 14))
    with pytest.raises(InputError, match=r"2 of 3 series have too few rows to learn from \('c' 8, 'b' 14\)"):
        Forecaster("gru", **QUICK).fit(frame)
    forecaster = Forecaster("gru", **QUICK, pad=True).fit(frame)
    forecast = forecaster.predict()
    assert len(forecast) == 18
    assert forecast["y"].is_finite().all()
    assert forecaster.predict(frame.group_by("unique_id", maintain_order=True).tail(1))["y"].is_finite().all()


def test_too_little_to_forecast_from_is_named(fitted, long):
    few = long.group_by("unique_id", maintain_order=True).tail(23)
    few = pl.concat([few.head(23), long.filter(pl.col("unique_id") != "a")])
    with pytest.raises(
        InputError, match="series 'a' ends with 23 rows without a gap, but a forecast needs input_size=24"
    ):
        fitted.predict(few)


def test_too_little_to_learn_from_is_named(long):
    with pytest.raises(InputError, match="lower input_size or horizon"):
        Forecaster("gru", input_size=140, horizon=6, max_epochs=1).fit(long)


def test_missing_cells_are_lived_with(long):
    holes = long.with_columns(pl.when(pl.int_range(pl.len()) % 7 == 3).then(None).otherwise("y").alias("y"))
    for model in ("gru", "ols", "nlinear"):
        forecaster = Forecaster(model, **(QUICK if model == "gru" else TASK)).fit(holes)
        assert forecaster.predict()["y"].is_finite().all()
        assert math.isfinite(forecaster.score(split={"ratios": [0.6, 0.2, 0.2]}).mse)


def test_a_constant_channel_stays_constant(wide):
    frame = wide.with_columns(pl.lit(7.0).alias("c1"))
    forecast = Forecaster("gru", **QUICK, max_windows=64).fit(frame).predict()
    assert forecast["c0"].is_finite().all()
    np.testing.assert_allclose(forecast["c1"], 7.0, atol=1.0)
    flat = Forecaster("repeat_last", **TASK).fit(frame).predict()
    np.testing.assert_allclose(flat["c1"], 7.0, rtol=1e-6)
