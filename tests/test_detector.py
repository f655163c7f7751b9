"""A detector learns what is usual, chooses by faults that it put in itself, and reads no label."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from small import hours, waves

from tsrnn import faces, faults, tasks
from tsrnn.detector import Detector
from tsrnn.errors import InputError
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
    with pytest.raises(InputError, match=r"unknown column of .* 'is_anomaly': .*name the column of them with label="):
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
    assert fitted.score() == test
    assert fitted.score(part="val", measures="vus_pr").vus_pr == scores["val"].vus_pr
    assert scores["val"].vus_pr == fitted.found_[fitted.smooth_] == max(fitted.found_.values())
    elsewhere = world().frame.with_columns(pl.Series(faults.LABEL, np.roll(world().frame[faults.LABEL], 20)))
    chance = fitted.scores(replace(world(), frame=elsewhere), SPLIT, ("test",), ("vus_pr",))["test"]
    assert chance.vus_pr < 0.8 * test.vus_pr


def test_the_face_is_the_task_s():
    assert faces.of("detect") is Detector
    assert {"gru", "ols", "lstm_autoencoder"} <= {*tasks.models_of("detect")}
    assert isinstance(Detector(**SMALL).inner, Reconstructor)


@pytest.mark.parametrize("options", [OLS, SMALL])
def test_a_saved_detector_tells_the_same(options, tmp_path):
    detector = Detector(**options).fit(world(), split=SPLIT)
    detector.save(tmp_path / "saved")
    again = faces.load(tmp_path / "saved")
    assert isinstance(again, Detector)
    rows = world(labels=False).frame[450:]
    assert again.anomalies(rows).equals(detector.anomalies(rows))
    assert (again.smooth_, again.found_) == (detector.smooth_, detector.found_)
    assert again.get_params() == detector.get_params()
    scores = again.scores(world(), SPLIT, ("test",), ("vus_pr",))["test"]
    assert scores.vus_pr == detector.scores(None, SPLIT, ("test",), ("vus_pr",))["test"].vus_pr
    again.face_.save(tmp_path / "alone")
    detector.save(tmp_path / "saved")  # over itself
    assert type(detector.face_).load(tmp_path / "saved").get_params() == detector.face_.get_params()


def test_what_a_loaded_detector_cannot_do_is_one_sentence(fitted, tmp_path):
    fitted.save(tmp_path / "saved")
    again = Detector.load(tmp_path / "saved")
    with pytest.raises(InputError, match="knows what is usual over smooth="):
        again.anomalies(world(), smooth=fitted.smooth_ + 1)
    with pytest.raises(InputError, match="a loaded Detector holds no data; pass rows with labels, and split="):
        again.scores(None, None, ("test",), ("vus_pr",))
    Forecaster("ols", input_size=8, horizon=2).fit(world()).save(tmp_path / "other")
    with pytest.raises(InputError, match="holds no Detector, but a saved Forecaster"):
        Detector.load(tmp_path / "other")


def test_a_damaged_detector_is_refused(fitted, tmp_path):
    fitted.save(tmp_path / "saved")
    path = tmp_path / "saved" / "detector.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InputError, match=r"detector.safetensors"):
        Detector.load(tmp_path / "saved")


def test_a_detector_saved_before_tells_the_same():
    """What an older version kept: tests/golden/detector."""
    golden = Path(__file__).with_name("golden") / "detector"
    then = pl.read_csv(golden / "ols.csv", try_parse_dates=True)
    rows = pl.DataFrame({"ds": hours(60), "a": [float((7 * k) % 12) for k in range(60)]})
    now = Detector.load(golden / "ols").anomalies(rows, alpha=0.1)
    assert now["anomaly"].to_list() == then["anomaly"].to_list()
    np.testing.assert_allclose(now["score"].to_numpy(), then["score"].to_numpy(), rtol=1e-4)


def test_other_rows_are_parted_as_the_training_was_by_the_split_and_not_by_its_rows():
    ratios = {"ratios": [0.4, 0.2, 0.4]}
    detector = Detector(**OLS).fit(world(), split=ratios)
    table = world().frame
    longer = pl.concat([table, table.with_columns(pl.col("ds").dt.offset_by("700h"))])
    assert detector.score(longer) == detector.score(longer, split=ratios)
    assert detector.score(longer).windows == 560
    assert detector.score(table) == detector.score()
    detector = Detector(**OLS).fit(world(), split=SPLIT)
    mend = r"pass a split= of these rows, such as split=\{'by_series': \{'test': \['frame'\]\}\}, or call card\(frame\)"
    said = rf"^the split that fit got does not fit frame \(series 'frame' has 600 rows, but .* row 700\); {mend}"
    with pytest.raises(InputError, match=said):
        detector.score(table.head(600))
    with pytest.raises(InputError, match=rf"no row in the part 'test', for fit got no split= that makes one; {mend}"):
        Detector(**OLS).fit(world()).score(table)


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
    with pytest.raises(InputError, match=r"such as \['missed', 'vus_pr'\], not 3"):
        fitted.score(measures=3)
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
