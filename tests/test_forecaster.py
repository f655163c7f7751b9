"""The public face: frame in, frame out, by scikit-learn's rules; what is saved comes back; what is wrong is named."""

import json
import math
import os
from datetime import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small import hours, long_frame, waves, wide_frame

from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel

TASK = {"input_size": 24, "horizon": 6}
QUICK = {**TASK, "hidden_size": 8, "max_epochs": 2, "batch_size": 64}
LEVELS = [0.1, 0.5, 0.9]


@pytest.fixture(scope="module")
def fitted(long):
    return Forecaster("gru", **QUICK, quantiles=LEVELS).fit(long)


def covaried(rows=160, names=("a", "b")):
    """Series with a past covariate, one known ahead and one of the series."""
    parts = []
    for k, name in enumerate(names):
        values = waves(rows, 3, period=24, noise=0.1, seed=k)
        columns = {"y": values[:, 0], "wind": values[:, 1], "plan": values[:, 2], "height": [100.0 * k] * rows}
        parts.append(pl.DataFrame({"unique_id": [name] * rows, "ds": hours(rows), **columns}))
    return pl.concat(parts)


ROLES = {
    "target": "y",
    "past_covariates": ["wind"],
    "future_covariates": ["plan"],
    "static_covariates": ["height"],
}


def plans(frame, horizon=6):
    """The future rows that a model with `plan` known ahead asks for."""
    ahead = Panel.of(frame, **ROLES).future(horizon)
    return ahead.with_columns(pl.Series("plan", np.linspace(-1, 1, len(ahead))))


# scikit-learn's rules


def test_parameters_are_kept_verbatim():
    levels = (0.1, 0.9)
    forecaster = Forecaster("segrnn", input_size=24, horizon=6, quantiles=levels, hidden_size=32, learning_rate=0.5)
    params = forecaster.get_params()
    assert params["quantiles"] is levels
    assert (params["model"], params["hidden_size"], params["learning_rate"], params["pad"]) == (
        "segrnn",
        32,
        0.5,
        False,
    )
    assert vars(Forecaster(**params)) == vars(forecaster)
    assert not [name for name in vars(forecaster) if name.endswith("_")]


def test_set_params_and_clone(long):
    forecaster = Forecaster("gru", **QUICK)
    assert forecaster.set_params(horizon=7, hidden_size=4) is forecaster
    assert (forecaster.horizon, forecaster.get_params()["hidden_size"], forecaster.input_size) == (7, 4, 24)
    assert forecaster.fit(long) is forecaster
    assert len(forecaster.predict()) == 3 * 7
    copy = forecaster.clone()
    assert copy.get_params() == forecaster.get_params()
    with pytest.raises(InputError, match="not fitted"):
        copy.predict()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"horizn": 3}, "'horizn': did you mean 'horizon'"),
        ({"hiden_size": 3}, "unknown option of model 'gru' 'hiden_size': did you mean 'hidden_size'"),
        ({"learning_rat": 1e-3}, "did you mean 'learning_rate'"),
        ({"horizon": 3, "model": "lstn"}, "unknown model 'lstn'"),
        ({"model": "ols", "num_layers": 3}, "unknown option of model 'ols' 'num_layers'"),
        ({"options": {"hidden_size": 3}}, "'options'"),
        ({"model_": None}, "'model_'"),
    ],
)
def test_set_params_refuses_what_is_no_parameter_at_once(params, message):
    forecaster = Forecaster("gru", **QUICK)
    before = forecaster.get_params()
    with pytest.raises(InputError, match=message):
        forecaster.set_params(**params)
    assert forecaster.get_params() == before
    assert forecaster.set_params(model="segrnn", segment=6, horizon=9).get_params()["segment"] == 6


def test_fit_does_not_change_its_parameters_or_the_frame(long):
    forecaster, before = Forecaster("gru", **QUICK), long.clone()
    params = dict(forecaster.get_params())
    forecaster.fit(long)
    assert forecaster.get_params() == params
    assert_frame_equal(long, before)


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
    count = Forecaster("repeat_last", **TASK).fit(pl.DataFrame({"y": values})).predict()
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
    forecast = forecaster.predict(stranger)["y"]
    assert forecast.is_between(4990, 5010).all()


def test_a_missing_column_is_named(fitted, long):
    with pytest.raises(InputError, match="'y'"):
        fitted.predict(long.rename({"y": "other"}))


# Covariates


@pytest.fixture(scope="module")
def with_covariates():
    return Forecaster("gru", **QUICK, calendar=True).fit(covaried(), **ROLES)


def test_covariates_of_each_kind(with_covariates):
    assert with_covariates.spec_.channels == 2
    assert with_covariates.spec_.targets == 1
    assert with_covariates.spec_.known == 1 + 6
    assert with_covariates.spec_.static == 1
    frame = covaried()
    forecast = with_covariates.predict(future=plans(frame))
    assert forecast.columns == ["unique_id", "ds", "y"]
    other = with_covariates.predict(future=plans(frame).with_columns(pl.col("plan") + 3))
    assert not np.allclose(forecast["y"], other["y"])
    changed = frame.with_columns(pl.col("wind") * 3)
    assert not np.allclose(forecast["y"], with_covariates.predict(changed, future=plans(frame))["y"])


def test_the_future_is_matched_by_id_and_time(with_covariates):
    frame = covaried()
    plain = with_covariates.predict(future=plans(frame))
    spare = plans(frame, 8).join(plans(frame), on=["unique_id", "ds"], how="anti")
    shuffled = pl.concat([spare, plans(frame)]).sample(fraction=1.0, shuffle=True, seed=1)
    assert_frame_equal(with_covariates.predict(future=shuffled), plain)
    assert_frame_equal(with_covariates.predict(future=plans(frame).to_pandas()), plain)


def test_what_is_missing_of_the_future_is_named(with_covariates):
    future = plans(covaried())
    with pytest.raises(InputError, match=r"given future covariates \(plan\); pass future="):
        with_covariates.predict()
    with pytest.raises(InputError, match="future has no column 'plan'"):
        with_covariates.predict(future=future.drop("plan"))
    with pytest.raises(InputError, match=r"future lacks plan at unique_id b, ds 2020-01-07 2\d:00:00"):
        with_covariates.predict(future=future.head(-2))


def test_the_calendar_alone_needs_no_future(long):
    forecaster = Forecaster("gru", **QUICK, calendar=True).fit(long)
    assert forecaster.spec_.known == 6
    assert len(forecaster.predict()) == 18
    assert len(forecaster.backtest(long, windows=2)) == 2 * 18


# Short histories and gaps


def test_padding_lets_short_series_in():
    frame = long_frame((100, 20, 14))
    with pytest.raises(InputError, match=r"series '[bc]' has .* rows to learn from"):
        Forecaster("gru", **QUICK).fit(frame)
    forecaster = Forecaster("gru", **QUICK, pad=True).fit(frame)
    forecast = forecaster.predict()
    assert len(forecast) == 18
    assert forecast["y"].is_finite().all()
    assert forecaster.predict(frame.group_by("unique_id", maintain_order=True).tail(1))["y"].is_finite().all()


def test_too_little_to_forecast_from_is_named(fitted, long):
    few = long.group_by("unique_id", maintain_order=True).tail(23)
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


# Messages


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"horizon": 0}, "horizon must be a whole number of steps, at least 1, not 0"),
        ({"input_size": 2.5}, "input_size must be a whole number"),
        ({"val_size": 1.0}, "val_size is a share between 0 and 1"),
        ({"hiden_size": 8}, "unknown option of model 'gru' 'hiden_size': did you mean 'hidden_size'"),
        ({"model": "grru"}, "unknown model 'grru': did you mean 'gru'"),
        ({"scaler": "standart"}, "unknown scaler 'standart': did you mean 'standard'"),
        ({"loss": "mape"}, "unknown loss 'mape'"),
        ({"quantiles": "0.5"}, "quantiles must be .*, not '0.5'"),
        ({"quantiles": 0.5}, "quantiles must be .*, such as .0.1, 0.9., not 0.5"),
        ({"hidden_size": "8"}, "hidden_size of model 'gru' takes a whole number, not '8'"),
        ({"num_layers": 1.5}, "num_layers of model 'gru' takes a whole number, not 1.5"),
        ({"loss": 3}, "loss takes a word, not 3"),
        ({"pad": "yes"}, "pad takes True or False, not 'yes'"),
        ({"val_size": "x"}, "val_size takes a number, not 'x'"),
        ({"quantiles": [0.5, 1.5]}, "quantiles must be different numbers between 0 and 1"),
    ],
)
def test_what_is_wrong_is_named(long, change, message):
    with pytest.raises(InputError, match=message):
        Forecaster(**{"model": "gru", **QUICK, **change}).fit(long)


def test_splits_that_are_none_are_named(long):
    with pytest.raises(InputError, match="has no standard split"):
        Forecaster("gru", **QUICK).fit(long, split="standard")
    for wanted in ("last", [0.7, 0.1, 0.2], np.array([0.7, 0.1, 0.2])):
        with pytest.raises(InputError, match="split is 'standard'"):
            Forecaster("gru", **QUICK).fit(long, split=wanted)


def test_not_fitted_is_said(tmp_path):
    for call in (Forecaster("gru", **QUICK).predict, lambda: Forecaster("gru", **QUICK).save(tmp_path / "m")):
        with pytest.raises(InputError, match="not fitted; call fit first"):
            call()


# Saving


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("gru", {**QUICK, "quantiles": LEVELS}),
        ("segrnn", {**QUICK, "segment": 6, "scale_per_series": True, "averaging": 0.9}),
        ("ols", {**TASK, "centring": "season"}),
        ("seasonal_naive", TASK),
        ("seasonal_naive", {**TASK, "quantiles": LEVELS}),
        ("repeat_last", {**TASK, "loss": "student_t", "quantiles": LEVELS}),
        ("gru", {**QUICK, "loss": "gaussian", "quantiles": LEVELS}),
        ("gru", {**QUICK, "pad": True, "calendar": True, "loss": "huber", "scaler": "robust"}),
    ],
)
def test_what_is_saved_comes_back(long, tmp_path, model, options):
    forecaster = Forecaster(model, **options).fit(long)
    forecaster.save(tmp_path / "saved")
    again = Forecaster.load(tmp_path / "saved")
    assert again.get_params() == forecaster.get_params()
    assert again.spec_ == forecaster.spec_
    assert_frame_equal(again.predict(long), forecaster.predict())
    again.save(tmp_path / "again")
    for name in ("config.json", "weights.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "saved" / name).read_bytes()


def test_covariates_are_saved_too(with_covariates, tmp_path):
    with_covariates.save(tmp_path / "saved")
    frame = covaried()
    expected = with_covariates.predict(future=plans(frame))
    assert_frame_equal(Forecaster.load(tmp_path / "saved").predict(frame, future=plans(frame)), expected)


@pytest.fixture
def saved(fitted, tmp_path):
    folder = tmp_path / "saved"
    fitted.save(folder)
    return folder


def test_a_loaded_forecaster_asks_for_the_history(saved):
    with pytest.raises(InputError, match="holds no data; pass the history"):
        Forecaster.load(saved).predict()


def test_numpy_parameters_can_be_saved(long, tmp_path):
    forecaster = Forecaster("repeat_last", input_size=np.int64(24), horizon=np.int32(6), quantiles=np.array([0.1, 0.9]))
    forecaster.fit(long).save(tmp_path / "saved")
    assert_frame_equal(Forecaster.load(tmp_path / "saved").predict(long), forecaster.predict())


def test_saving_again_replaces_and_leaves_nothing_behind(saved, fitted, long):
    (saved / "notes.txt").write_text("old")
    other = Forecaster("repeat_last", **TASK).fit(long)
    other.save(saved)
    assert Forecaster.load(saved).model == "repeat_last"
    assert sorted(path.name for path in saved.parent.iterdir()) == ["saved"]
    assert sorted(path.name for path in saved.iterdir()) == ["config.json", "weights.safetensors"]


def test_a_folder_of_something_else_is_left_alone(fitted, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").write_text("a picture")
    with pytest.raises(InputError, match="is not a saved model; choose another folder"):
        fitted.save(tmp_path / "photos")
    (tmp_path / "file").write_text("text")
    with pytest.raises(InputError, match="is not a saved model; choose another folder"):
        fitted.save(tmp_path / "file")
    assert (tmp_path / "photos" / "one.jpg").read_text() == "a picture"


@pytest.mark.parametrize("failing", [1, 2])
def test_a_save_that_fails_leaves_what_was_there(saved, fitted, monkeypatch, failing):
    before, calls, rename = {path.name: path.read_bytes() for path in saved.iterdir()}, [], os.replace

    def replace(*names):
        calls.append(names)
        if len(calls) == failing:
            raise OSError(28, "No space left")
        rename(*names)

    monkeypatch.setattr("tsrnn.store.os.replace", replace)
    with pytest.raises(InputError, match=r"cannot save into .*No space left"):
        fitted.save(saved)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
    assert [path.name for path in saved.parent.iterdir()] == ["saved"]


def test_a_parameter_that_cannot_be_saved_is_named(long, tmp_path):
    forecaster = Forecaster("repeat_last", **TASK).fit(long)
    forecaster.set_params(learning_rate=object())
    with pytest.raises(InputError, match="cannot save the parameter <object"):
        forecaster.save(tmp_path / "saved")
    assert not list(tmp_path.iterdir())


def edit_config(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


def test_a_newer_format_is_named(saved):
    edit_config(saved, format=99, version="9.9")
    with pytest.raises(InputError, match=r"format 99 by tsrnn 9\.9; this one reads up to 1: update tsrnn"):
        Forecaster.load(saved)


def test_damage_is_named(saved):
    weights = saved / "weights.safetensors"
    whole = weights.read_bytes()
    for damaged in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[:50], b""):
        weights.write_bytes(damaged)
        with pytest.raises(InputError, match=r"weights.safetensors is damaged"):
            Forecaster.load(saved)
    weights.unlink()
    with pytest.raises(InputError, match=r"not a saved model: weights.safetensors is missing"):
        Forecaster.load(saved)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"format": "x"}', "\xff"])
def test_a_damaged_config_is_named(saved, text):
    (saved / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=r"config.json (cannot be read|is not a saved model)"):
        Forecaster.load(saved)


@pytest.mark.parametrize("params", [{"hidden_size": 9}, {"model": "mlp"}, {"nonsense": 1}])
def test_a_config_that_does_not_fit_its_weights_is_named(saved, params):
    config = json.loads((saved / "config.json").read_text())
    edit_config(saved, params={**config["params"], **params})
    with pytest.raises(InputError):
        Forecaster.load(saved)


def test_nothing_is_there(tmp_path):
    with pytest.raises(InputError, match=r"is not a saved model: config.json is missing"):
        Forecaster.load(tmp_path / "nowhere")


# Backtests


def test_backtest_of_the_naive_forecast(long):
    table = Forecaster("repeat_last", **TASK).backtest(long, windows=3, step=4)
    assert table.columns == ["unique_id", "ds", "cutoff", "target", "y", "forecast"]
    assert len(table) == 3 * 3 * 6
    truth = {(name, at): y for name, at, y in long.iter_rows()}
    for name, at, cutoff, target, y, forecast in table.iter_rows():
        assert target == "y"
        assert y == truth[name, at]
        assert forecast == pytest.approx(truth[name, cutoff], rel=1e-5)
        assert 1 <= (at - cutoff).total_seconds() / 3600 <= 6
    for name, rows in zip("abc", (150, 130, 140), strict=True):
        cutoffs = table.filter(pl.col("unique_id") == name)["cutoff"].unique().sort().to_list()
        assert cutoffs == [hours(rows)[rows - 1 - 6 - back] for back in (8, 4, 0)]


def test_backtest_of_several_targets_with_quantiles(wide):
    forecaster = Forecaster("gru", **QUICK, quantiles=LEVELS)
    table = forecaster.backtest(wide.to_pandas(), windows=2)
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == ["date", "cutoff", "target", "y", "forecast", "q0.1", "q0.5", "q0.9"]
    assert table["target"].value_counts().to_dict() == {"c0": 12, "c1": 12}
    truth = wide.to_pandas().set_index("date")
    for row in table.itertuples():
        assert row.y == truth.loc[row.date, row.target]
    assert (table["q0.1"] <= table["q0.9"]).all()
    np.testing.assert_array_equal(table["forecast"], table["q0.5"])
    assert not hasattr(forecaster, "model_")


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("model", ["gru", "ols"])
def test_no_row_after_a_cutoff_moves_its_forecast(refit, model):
    options = {"calendar": True, **QUICK} if model == "gru" else TASK
    frame = covaried()
    roles = {name: role for name, role in ROLES.items() if name != "future_covariates"}
    last = hours(160)[160 - 1 - 6]
    wild = pl.when(pl.col("ds") > last)
    changed = frame.with_columns(wild.then(pl.lit(1e4)).otherwise(name).alias(name) for name in ("y", "wind"))
    tables = [
        Forecaster(model, **options).backtest(each, windows=3, refit=refit, **roles).sort("unique_id", "ds")
        for each in (frame, changed)
    ]
    assert_frame_equal(*(table.drop("y") for table in tables))
    assert (tables[1].filter(pl.col("cutoff") == last)["y"] == 1e4).all()


def test_refitting_trains_at_each_cutoff(wide):
    once, anew = (Forecaster("ols", **TASK).backtest(wide, windows=3, refit=refit) for refit in (False, True))
    first = once["cutoff"].min()
    by = pl.col("cutoff") == first
    assert_frame_equal(once.filter(by), anew.filter(by))
    assert not np.allclose(once.filter(~by)["forecast"], anew.filter(~by)["forecast"], rtol=1e-6, atol=1e-6)
    for cutoff in anew["cutoff"].unique():
        past = wide.filter(pl.col("date") <= cutoff)
        forecast = Forecaster("ols", **TASK).fit(past).predict()
        found = anew.filter((pl.col("cutoff") == cutoff) & (pl.col("target") == "c1"))
        np.testing.assert_array_equal(found["forecast"], forecast["c1"])


def test_backtest_knows_the_future_covariates():
    table = Forecaster("gru", **QUICK).backtest(covaried(), windows=2, **ROLES)
    assert len(table) == 2 * 2 * 6
    assert table["forecast"].is_finite().all()


def test_too_many_backtest_windows_are_named(long):
    with pytest.raises(InputError, match="series 'b' has 130 rows; 40 backtest windows of horizon 6 at step 6 need"):
        Forecaster("repeat_last", **TASK).backtest(long, windows=40)


# Scores and TOML


def test_score_is_the_mean_over_every_window(wide):
    split = {"borders": [120, 150, 200]}
    forecaster = Forecaster("repeat_last", **TASK).fit(wide, split=split)
    scored = forecaster.score(split=split)
    values = wide.select("c0", "c1").to_numpy()
    scaled = (values - values[:120].mean(0)) / values[:120].std(0)
    errors = np.stack([scaled[at : at + 6] - scaled[at - 1] for at in range(150, 195)])
    assert scored.windows == len(errors) == 45
    assert scored.mse == pytest.approx((errors**2).mean(), rel=1e-5)
    assert scored.mae == pytest.approx(np.abs(errors).mean(), rel=1e-5)
    assert forecaster.score(split=split, part="val").windows == 25
    with pytest.raises(InputError, match="unknown part 'tests': did you mean 'test'"):
        forecaster.score(split=split, part="tests")


def test_per_series_scores_use_each_series_own_scale(long):
    split = {"ratios": [0.6, 0.2, 0.2]}
    steep = long.filter(pl.col("unique_id") == "a").with_columns(pl.lit("d").alias("unique_id"), pl.col("y") * 1000)
    table = pl.concat([long, steep])
    forecaster = Forecaster("repeat_last", **TASK, scale_per_series=True).fit(table, split=split)
    errors = []
    for (_,), part in table.group_by("unique_id", maintain_order=True):
        values = part["y"].to_numpy()
        train, test = int(0.6 * len(values)), len(values) - int(0.2 * len(values))
        scaled = (values - values[:train].mean()) / values[:train].std()
        errors += [scaled[at : at + 6] - scaled[at - 1] for at in range(test, len(values) - 5)]
    assert forecaster.score(split=split).mse == pytest.approx(np.square(errors).mean(), rel=1e-4)
    turned = pl.concat([table.filter(pl.col("unique_id") == name) for name in "dbca"])
    assert forecaster.score(turned, split=split).mse == pytest.approx(forecaster.score(split=split).mse, rel=1e-6)


def test_from_toml(tmp_path, long):
    path = tmp_path / "model.toml"
    path.write_text('model = "gru"\ninput_size = 24\nhorizon = 6\nhidden_size = 8\nmax_epochs = 1\n')
    forecaster = Forecaster.from_toml(path, max_epochs=2)
    assert forecaster.get_params()["hidden_size"] == 8
    assert forecaster.fit(long).report_.epochs == 2
    for text, message in (("model = ", "cannot be read as TOML"), ("horizon = 3", "names no model")):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            Forecaster.from_toml(path)
    with pytest.raises(InputError, match="is not there"):
        Forecaster.from_toml(tmp_path / "none.toml")
