"""What a forecast is worth as a number: levels, units, constants, and what no number can be."""

import warnings

import numpy as np
import polars as pl
import pytest
from small import QUICK, TASK, hours, long_frame, waves

from tsrnn import Forecaster, InputError, load, models
from tsrnn.errors import Notice
from tsrnn.panel import Panel
from tsrnn.registry import names


def frame(y, **others):
    return pl.DataFrame({"ds": hours(len(y)), "y": y, **others})


@pytest.mark.parametrize(("level", "spread"), [(0, 1), (1e6, 1), (1e9, 20), (1e12, 1e3), (1e12, 10), (-1e9, 1e-3)])
def test_a_naive_forecast_repeats_what_was_read(level, spread):
    y = np.round(level + spread * np.random.default_rng(0).normal(size=300), 3)
    said = Forecaster("seasonal_naive", input_size=24, horizon=24).fit(frame(y)).predict()["y"]
    assert said.dtype == pl.Float64
    np.testing.assert_allclose(said.to_numpy(), y[-24:], rtol=2e-16 * 2, atol=0)


@pytest.mark.parametrize("scaler", ["mean_abs", "none"])
def test_small_numbers_of_which_nothing_was_taken_away_keep_their_digits(scaler):
    y = 1e-15 * np.random.default_rng(0).normal(size=300)
    said = Forecaster("seasonal_naive", input_size=24, horizon=24, scaler=scaler).fit(frame(y)).predict()["y"]
    np.testing.assert_allclose(said.to_numpy(), y[-24:], rtol=1e-6)


@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e-15, 1e-30, 1e9, 1e30])
@pytest.mark.parametrize("model", ["ols", "gru"])
def test_the_unit_moves_no_relative_error(unit, model):
    y = 5 + waves(400, period=24, noise=0.05)[:, 0]
    options = {} if model == "ols" else QUICK
    plain, scaled = (
        Forecaster(model, **{**TASK, **options}).fit(frame(y * factor)).predict()["y"].to_numpy()
        for factor in (1, unit)
    )
    np.testing.assert_allclose(scaled / unit, plain, rtol=1e-5)


def test_the_answer_has_the_targets_type_where_that_holds_fractions():
    for given, answered in [(pl.Float32, pl.Float32), (pl.Float64, pl.Float64), (pl.Int16, pl.Float64)]:
        table = frame(np.arange(60) % 24).with_columns(pl.col("y").cast(given))
        assert Forecaster("seasonal_naive", **TASK).fit(table).predict().schema["y"] == answered


@pytest.mark.parametrize("model", [name for name in names("models") if name != "ensemble"])
@pytest.mark.parametrize("value", [0.1, -1e9, 1e-12])
def test_a_constant_channel_is_forecast_as_constant(model, value):
    own = set(models.find(model).config.__dataclass_fields__)
    small = {"hidden_size": 4, "segment": 6, "paths": 4}
    options = {name: width for name, width in small.items() if name in own}
    table = frame(np.full(160, value), moving=waves(160, period=24)[:, 0])
    forecaster = Forecaster(model, input_size=48, horizon=6, max_epochs=1, max_windows=64, **options)
    said = forecaster.fit(table, target=["y", "moving"]).predict()
    assert (said["y"] == value).all()
    assert said["moving"].n_unique() > 1 or model in ("repeat_last", "window_mean")


def test_a_constant_that_moves_later_is_said():
    table = frame(np.full(160, 5.0), moving=waves(160, period=24)[:, 0])
    forecaster = Forecaster("ols", **TASK).fit(table, target=["y", "moving"])
    later = table.with_columns(y=pl.int_range(160).cast(float))
    with pytest.warns(Notice, match=r"'y' of series 'frame' was 5 wherever it was learnt.*fit again"):
        said = forecaster.predict(later)
    assert (said["y"] == 5).all()


@pytest.mark.parametrize("value", [1e300, -1e45])
def test_a_value_beyond_float32_is_refused_by_row(value):
    y = waves(120, period=24)[:, 0]
    forecaster = Forecaster("ols", **TASK).fit(frame(y))
    y[101] = value
    with pytest.raises(InputError, match=r"column 'y', row 102 of series 'frame' holds .*e\+.*mend the cell"):
        forecaster.predict(frame(y))


def test_a_forecast_that_is_no_number_is_an_error():
    forecaster = Forecaster("nlinear", **TASK, max_epochs=1).fit(frame(waves(120, period=24)[:, 0]))
    for weight in forecaster.model_.parameters():
        weight.data.fill_(np.inf)
    with pytest.raises(InputError, match=r"forecast is not a number.*fit it again"):
        forecaster.predict()


def test_many_series_are_forecast_a_few_at_a_time(monkeypatch):
    table = long_frame()
    forecaster = Forecaster("gru", **QUICK, quantiles=[0.1, 0.9]).fit(table)
    at_once = forecaster.predict()
    monkeypatch.setattr("tsrnn.infer._CELLS", 1)
    np.testing.assert_allclose(forecaster.predict()["y"], at_once["y"], rtol=1e-5)
    assert forecaster.predict().columns == at_once.columns


@pytest.mark.parametrize("model", [name for name in names("models") if name != "ensemble"])
@pytest.mark.parametrize("kind", ["past", "known", "static"])
def test_covariates_that_a_model_cannot_read_are_refused_at_fit(model, kind):
    roles = {"past": "past_covariates", "known": "future_covariates", "static": "static_covariates"}
    table = frame(waves(160, period=24)[:, 0], rain=np.arange(160) % 7 if kind != "static" else np.full(160, 2.0))
    forecaster = Forecaster(model, input_size=48, horizon=6, max_epochs=1, max_windows=16)
    if kind in models.reads(model, models.configure(model, {})):
        return
    with pytest.raises(InputError, match=rf"model '{model}' cannot read rain; leave it out"):
        forecaster.fit(table, target="y", **{roles[kind]: "rain"})
    assert not hasattr(forecaster, "model_")


def test_the_calendar_is_a_covariate_known_ahead():
    with pytest.raises(InputError, match="model 'repeat_last' cannot read calendar=True"):
        Forecaster("repeat_last", **TASK, calendar=True).fit(long_frame())


def test_a_quiet_fit_says_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Forecaster("ols", **TASK).fit(Panel.of(long_frame())).predict()


def test_covariates_that_a_data_set_offers_are_left_out_where_a_model_cannot_read_them():
    station = load("station")
    with pytest.warns(Notice, match="station offers wind_direction, rain, which model 'ols' cannot read: left out"):
        fitted = Forecaster("ols", **TASK).fit(station)
    assert fitted.spec_.channels == fitted.spec_.targets == 6
    assert fitted.predict(station).equals(fitted.predict())
    with pytest.raises(InputError, match="calendar=True"), pytest.warns(Notice):
        Forecaster("repeat_last", **TASK, calendar=True).fit(station)
    with pytest.raises(InputError, match="model 'ols' cannot read rain"):
        Forecaster("ols", **TASK).fit(load("station", past_covariates="rain"))
