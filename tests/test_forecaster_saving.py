"""What is saved comes back; a save that fails changes nothing; what is damaged is named."""

import json
import os

import numpy as np
import pytest
from polars.testing import assert_frame_equal
from small import LEVELS, QUICK, TASK, covaried, plans

from tsrnn import store
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster


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
    other = Forecaster("repeat_last", **TASK).fit(long)
    other.save(saved)
    assert Forecaster.load(saved).model == "repeat_last"
    assert sorted(path.name for path in saved.parent.iterdir()) == ["saved"]
    files = ["config.json", "drift.safetensors", "weights.safetensors"]
    assert sorted(path.name for path in saved.iterdir()) == files


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

    monkeypatch.setattr("tsrnn.files.os.replace", replace)
    with pytest.raises(InputError, match=r"cannot write .*No space left.*; choose another folder"):
        fitted.save(saved)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
    assert [path.name for path in saved.parent.iterdir()] == ["saved"]


def test_a_parameter_that_cannot_be_saved_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot save the parameter <object"):
        store.write(tmp_path / "saved", {"params": {"learning_rate": object()}}, {})
    assert not list(tmp_path.iterdir())


def test_a_parameter_that_was_changed_behind_the_fit_is_named_whatever_it_is(long, tmp_path):
    forecaster = Forecaster("repeat_last", **TASK).fit(long)
    forecaster.set_params(learning_rate=object())
    with pytest.raises(InputError, match=r"^learning_rate was set to <object.* after a fit with 0.001; fit again"):
        forecaster.save(tmp_path / "saved")
    assert not list(tmp_path.iterdir())


def edit_config(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


def test_a_newer_format_is_named(saved):
    edit_config(saved, format=99, version="9.9")
    with pytest.raises(InputError, match=r"format 99 by tsrnn 9\.9; this one reads up to 2: update tsrnn"):
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


def test_a_folder_that_holds_more_than_a_saved_model_is_left_alone(saved, fitted, tmp_path):
    (saved / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds more than a saved model .'notes.txt'.; choose another folder"):
        fitted.save(saved)
    assert (saved / "notes.txt").read_text() == "mine"
    project = tmp_path / "project"
    project.mkdir()
    (project / "config.json").write_text("{}")
    with pytest.raises(InputError, match="project exists and is not a saved model"):
        fitted.save(project)
    assert (project / "config.json").read_text() == "{}"
