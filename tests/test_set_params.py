"""A size that is changed behind a fit is refused by whatever is asked, and taken by the next fit."""

import re
import shutil

import numpy as np
import polars as pl
import pytest
from small import hours, waves

from tsrnn import Forecaster, Generator, InputError, Reconstructor, SequenceClassifier, parameters
from tsrnn.detector import Detector
from tsrnn.simulate import sines
from tsrnn.tagger import Tagger

SMALL = {"hidden_size": 4, "max_epochs": 1, "max_windows": 64, "progress": False}
SHAPES = {"hidden_size": 4, "num_layers": 1, "steps": 2, "progress": False}
PARTS = {"ratios": [0.6, 0.2, 0.2]}


def loads():
    values = waves(240, 2, period=8, noise=0.1)
    return pl.DataFrame({"ds": hours(240), "a": values[:, 0], "b": values[:, 1]})


def rocks():
    return loads().with_columns(rock=pl.when(pl.col("a") > 0).then(pl.lit("sand")).otherwise(pl.lit("shale")))


def cases():
    values = np.random.default_rng(0).standard_normal((12, 40)) + np.arange(12)[:, None] % 2
    return values, np.arange(12) % 2


FORECASTER = (Forecaster("ols", input_size=16, horizon=4), lambda face: face.fit(loads(), time="ds", split=PARTS))
TAGGER = (
    Tagger("bigru", input_size=16, num_layers=1, **SMALL),
    lambda face: face.fit(rocks(), target="rock", time="ds", split=PARTS),
)
RECONSTRUCTOR = (
    Reconstructor("gru_autoencoder", input_size=16, code_size=2, **SMALL),
    lambda face: face.fit(loads(), time="ds", split=PARTS),
)
CLASSIFIER = (SequenceClassifier("rocket", input_size=32, views=50), lambda face: face.fit(*cases()))
GENERATOR = (
    Generator("timegan", input_size=16, **SHAPES),
    lambda face: face.fit(sines(0, 20, 16, 2), id="sequence", time="step"),
)
DETECTOR = (Detector("ols", input_size=16, steps=2), lambda face: face.fit(loads(), time="ds", split=PARTS))
TOLD_AGAIN = (
    Detector("gru_autoencoder", input_size=16, code_size=2, **SMALL),
    lambda face: face.fit(loads(), time="ds", split=PARTS),
)
ASKED = [
    (FORECASTER, ("predict", "score", "forecasts", "anomalies", "simulate", "follow", "calibrate", "warm_up", "card")),
    (TAGGER, ("predict", "predict_proba", "score", "card", "drift")),
    (RECONSTRUCTOR, ("predict", "encode", "score", "anomalies", "card", "drift")),
    (CLASSIFIER, ("predict", "predict_proba", "score", "scores", "card")),
    (GENERATOR, ("sample", "draw", "score", "card", "drift")),
    (DETECTOR, ("anomalies", "score", "card", "drift")),
]
READS = {"drift", "predict_proba"}  # what takes rows, whatever they are


@pytest.mark.parametrize(("face", "questions"), ASKED, ids=lambda each: type(each[0]).__name__)
def test_whatever_is_asked_says_what_was_changed(face, questions, tmp_path):
    unfitted, fit = face
    fitted = fit(unfitted.clone())
    learnt = fitted.input_size
    fitted.set_params(input_size=8)
    said = rf"^input_size was set to 8 after a fit with {learnt}; fit again, or set it back$"
    rows = cases()[0] if isinstance(fitted, SequenceClassifier) else rocks()
    for word in questions:
        given = (rows,) if word in READS or isinstance(fitted, Tagger | SequenceClassifier) else ()
        with pytest.raises(InputError, match=said):
            getattr(fitted, word)(*given)
    with pytest.raises(InputError, match=said):
        fitted.save(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()
    fitted.set_params(input_size=learnt).save(tmp_path / "saved")
    with pytest.raises(InputError, match=said):
        type(fitted).load(tmp_path / "saved").set_params(input_size=8).card()
    assert fit(fitted.set_params(input_size=8)).card().json()["model"].keys() & {"looks back", "reads at once"}


@pytest.mark.parametrize(
    ("face", "changed", "learnt"),
    [(FORECASTER, {"horizon": 2}, 4), (DETECTOR, {"steps": 1}, 2)],
    ids=["horizon", "steps"],
)
def test_so_are_the_steps_ahead(face, changed, learnt):
    name, value = next(iter(changed.items()))
    with pytest.raises(InputError, match=f"^{name} was set to {value} after a fit with {learnt}; fit again"):
        face[1](face[0].clone()).set_params(**changed).anomalies(loads())


def test_steps_of_a_detector_that_forecasts_nothing_are_free():
    unfitted, fit = TOLD_AGAIN
    assert fit(unfitted.clone()).set_params(steps=3).anomalies(loads(), alpha=0.1).height == 240


def test_a_classifier_s_size_that_is_open_stays_so():
    unfitted, fit = CLASSIFIER
    fitted = fit(unfitted.clone().set_params(input_size=40))
    told = fitted.predict(cases()[0])
    assert np.array_equal(fitted.set_params(input_size=None).predict(cases()[0]), told)


def test_a_size_that_has_to_be_named_is_not_open():
    unfitted, fit = TAGGER
    with pytest.raises(InputError, match=r"^input_size was set to None after a fit with 16; fit again"):
        fit(unfitted.clone()).set_params(input_size=None).predict(rocks())


def test_probabilities_are_asked_of_a_fitted_tagger_alone():
    with pytest.raises(InputError, match="this Tagger is not fitted; call fit first, or load a saved one"):
        Tagger().predict_proba(rocks())


CHANGED = [
    (FORECASTER, {"model": "repeat_last"}),
    (FORECASTER, {"calendar": True}),
    (FORECASTER, {"centring": "mean"}),
    (TAGGER, {"model": "bilstm_tagger"}),
    (TAGGER, {"hidden_size": 6}),
    (TAGGER, {"loss": "mae"}),
    (TAGGER, {"penalty": [[0, 1], [2, 0]]}),
    (RECONSTRUCTOR, {"scaler": "robust"}),
    (RECONSTRUCTOR, {"code_size": 3}),
    (CLASSIFIER, {"class_weights": "balanced"}),
    (CLASSIFIER, {"views": 60}),
    (GENERATOR, {"hidden_size": 6}),
    (GENERATOR, {"learning_rate": 1e-4}),
    (DETECTOR, {"smooth": 5}),
    (DETECTOR, {"model": "repeat_last"}),
    (TOLD_AGAIN, {"code_size": 3}),
]


@pytest.mark.parametrize(("face", "change"), CHANGED, ids=lambda each: str(each)[:40] if isinstance(each, dict) else "")
def test_what_was_changed_behind_a_fit_is_not_saved(face, change, tmp_path):
    unfitted, fit = face
    fitted, (name, value) = fit(unfitted.clone()), next(iter(change.items()))
    learnt = {**parameters.defaults(fitted.model), **fitted.get_params()}[name]
    said = f"^{name} was set to {re.escape(repr(value))} after a fit with {re.escape(repr(learnt))}; fit again, or"
    fitted.save(tmp_path / "saved")
    for each in (fitted, type(fitted).load(tmp_path / "saved")):
        each.set_params(**change)
        with pytest.raises(InputError, match=said):
            each.save(tmp_path / "changed")
        assert not (tmp_path / "changed").exists()
        each.set_params(**{name: learnt}).save(tmp_path / "changed")
        type(fitted).load(tmp_path / "changed")
        shutil.rmtree(tmp_path / "changed")
    fresh = fit(unfitted.clone()).set_params(**change)
    with pytest.raises(InputError, match=said):
        fresh.card()


def test_what_needs_no_training_may_be_changed(tmp_path):
    unfitted, fit = FORECASTER
    fitted = fit(unfitted.clone()).set_params(on_short="skip", progress=False)
    fitted.save(tmp_path / "saved")
    assert Forecaster.load(tmp_path / "saved").on_short == "skip"
    sure = fit(Forecaster("gru", input_size=16, horizon=4, loss="gaussian", **SMALL)).set_params(quantiles=[0.1, 0.9])
    sure.save(tmp_path / "sure")
    assert {"a_q0.1", "a_q0.9"} <= {*Forecaster.load(tmp_path / "sure").predict(loads()).columns}


def test_how_to_train_on_may_be_changed_and_what_is_trained_not(tmp_path):
    fit = FORECASTER[1]
    forecaster = fit(Forecaster("gru", input_size=16, horizon=4, **SMALL)).set_params(learning_rate=1e-4, max_epochs=2)
    forecaster.update(loads()).save(tmp_path / "saved")
    assert Forecaster.load(tmp_path / "saved").options["max_epochs"] == 2
    with pytest.raises(InputError, match=r"^hidden_size was set to 6 after a fit with 4; fit again, or set it back$"):
        forecaster.set_params(hidden_size=6).update(loads())


def test_a_card_speaks_of_one_row_as_of_one():
    unfitted, fit = DETECTOR
    told = fit(unfitted.clone().set_params(smooth=1)).card().json()["model"]
    assert told["a score is a mean over"] == "1 row, named"
