"""The public face by scikit-learn's rules: parameters stay as they were given, and what is wrong is named."""

import numpy as np
import pytest
from polars.testing import assert_frame_equal
from small import QUICK

from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster


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
