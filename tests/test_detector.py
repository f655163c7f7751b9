"""A detector learns what is usual, chooses by faults that it put in itself, and reads no label."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from small import hours, waves

from tsrnn import faces, faults, tasks
from tsrnn.detector import Detector
from tsrnn.errors import InputError, Notice
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel
from tsrnn.reconstructor import Reconstructor

SPLIT = {"borders": [300, 450, 700]}
OLS = {"model": "ols", "input_size": 16, "steps": 2}
SMALL = {
    "model": "gru_autoencoder",
    "input_size": 16,
    "hidden_size": 8,
    "code_size": 4,
    "max_epochs": 2,
    "max_windows": 256,
    "progress": False,
}


def world(labels=True):
    values = waves(700, 2, period=8, noise=0.1)
    table = pl.DataFrame({"ds": hours(700), "a": values[:, 0], "b": values[:, 1]})
    table = faults.inject(table, ["a", "b"], 8, 460, count=6)
    panel = Panel.of(table, target=["a", "b"], time="ds")
    if not labels:
        panel = replace(panel, frame=panel.frame.drop(faults.LABEL))
    return replace(panel, seasonality=8)


@pytest.fixture(scope="module")
def fitted():
    return Detector(**OLS).fit(world(), split=SPLIT)


@pytest.mark.parametrize("options", [OLS, SMALL])
def test_no_label_is_ever_read(options):
    plain = Detector(**options).fit(world(), split=SPLIT)
    nothing = Detector(**options).fit(world(labels=False), split=SPLIT)
    moved = world()
    shuffled = moved.frame.with_columns(pl.col(faults.LABEL).shuffle(seed=1))
    other = Detector(**options).fit(replace(moved, frame=shuffled), split=SPLIT)
    for name, weight in plain.model_.weights().items():
        assert np.array_equal(weight, nothing.model_.weights()[name])
        assert np.array_equal(weight, other.model_.weights()[name])
    assert plain.found_ == nothing.found_ == other.found_
    assert plain.smooth_ == nothing.smooth_ == other.smooth_
    told = plain.anomalies(world(), alpha=0.1)
    assert told.equals(nothing.anomalies(world(labels=False), alpha=0.1))
    assert faults.LABEL not in told.columns
    with pytest.raises(InputError, match="unknown column of labels 'is_anomaly'"):
        nothing.scores(None, SPLIT, ("test",), ("vus_pr",))


@pytest.mark.parametrize("options", [OLS, SMALL])
def test_the_test_part_moves_nothing_but_its_own_score(options):
    plain = Detector(**options).fit(world(), split=SPLIT)
    table = world().frame.with_columns(a=pl.when(pl.int_range(pl.len()) >= 450).then(50.0).otherwise("a"))
    changed = Detector(**options).fit(replace(world(), frame=table), split=SPLIT)
    assert plain.found_ == changed.found_
    words = ("missed", "vus_pr")
    (val, test), (same, other) = (
        each.scores(None, SPLIT, ("val", "test"), words).values() for each in (plain, changed)
    )
    assert val.values == same.values
    assert test.values != other.values


def test_scores_are_held_to_the_labels_of_the_part(fitted):
    scores = fitted.scores(None, SPLIT, ("val", "test"), ("missed", "vus_pr"))
    test = scores["test"]
    assert test.vus_pr > 0.4
    assert test.missed == pytest.approx(1 - test.vus_pr)
    assert test.windows == 250
    assert test.by_lead["vus_pr"].shape == (len(test.series) + 1, 1)
    assert scores["val"].vus_pr == fitted.found_[fitted.smooth_] == max(fitted.found_.values())
    elsewhere = world().frame.with_columns(pl.Series(faults.LABEL, np.roll(world().frame[faults.LABEL], 20)))
    chance = fitted.scores(replace(world(), frame=elsewhere), SPLIT, ("test",), ("vus_pr",))["test"]
    assert chance.vus_pr < 0.8 * test.vus_pr


def test_the_face_is_the_task_s_and_what_is_inside_is_saved(fitted, tmp_path):
    assert faces.of("detect") is Detector
    assert {"gru", "ols", "lstm_autoencoder"} <= {*tasks.models_of("detect")}
    with pytest.warns(Notice, match="holds the Forecaster inside the detector"):
        fitted.save(tmp_path / "saved")
    assert isinstance(faces.load(tmp_path / "saved"), Forecaster)
    assert isinstance(Detector(**SMALL).inner, Reconstructor)


def test_a_width_that_is_named_is_taken():
    detector = Detector(**OLS, smooth=3).fit(world(), split=SPLIT)
    assert detector.smooth_ == 3
    assert [*detector.found_] == [3]


def test_a_frame_with_labels_is_taken_without_them():
    table = world().frame
    detector = Detector(**OLS).fit(table, time="ds", split=SPLIT)
    assert detector.lesson_.roles.targets == ("a", "b")
    assert detector.scores(None, SPLIT, ("test",), ("vus_pr",))["test"].vus_pr > 0.3


@pytest.mark.parametrize(
    ("options", "roles", "said"),
    [
        ({"smooth": 0}, {}, "smooth is a whole number of rows, at least 1, or None, not 0"),
        ({"model": "bigru"}, {}, "model 'bigru' is for the task 'along', not for 'ahead'"),
        ({}, {"target": ["a", "is_anomaly"]}, "column 'is_anomaly' holds the labels, which no model may read"),
    ],
)
def test_what_cannot_be_detected_is_one_sentence(options, roles, said):
    with pytest.raises(InputError, match=said):
        Detector(**{**OLS, **options}).fit(world().frame, time="ds", split=SPLIT, **roles)


def test_what_cannot_be_scored_is_one_sentence(fitted):
    with pytest.raises(InputError, match="unknown measure of a detector 'mse'"):
        fitted.scores(None, SPLIT, ("test",), ("mse",))
    sound = world().frame.with_columns(pl.lit(0).alias(faults.LABEL))
    with pytest.raises(InputError, match="no row of the part is labelled as an anomaly"):
        fitted.scores(replace(world(), frame=sound), SPLIT, ("test",), ("vus_pr",))


def test_labels_are_ones_and_zeros(fitted):
    panel, label = world(), pl.col(faults.LABEL)
    truth = fitted.scores(panel, None, ("test",), ("vus_pr",))["test"].vus_pr
    as_truth = replace(panel, frame=panel.frame.with_columns(label.cast(pl.Boolean)))
    assert fitted.scores(as_truth, None, ("test",), ("vus_pr",))["test"].vus_pr == truth
    for strange, said in (
        (pl.when(label == 1).then(pl.lit("yes")).otherwise(pl.lit("no")), "no"),
        (label + 0.5, "0.5"),
    ):
        other = replace(panel, frame=panel.frame.with_columns(strange.alias(faults.LABEL)))
        with pytest.raises(InputError, match=rf"column 'is_anomaly' holds '{said}'; an anomaly is 1 or true"):
            fitted.scores(other, None, ("test",), ("vus_pr",))
