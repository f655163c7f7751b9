"""Boosted trees as a yardstick of labels: how far they are trained, and what a row counts."""

import numpy as np
import polars as pl
import pytest

from tsrnn.errors import InputError, Notice
from tsrnn.tagger import Tagger

pytestmark = pytest.mark.filterwarnings("ignore:no row of the training is:tsrnn.errors.Notice")
READ = {"input_size": 16, "rounds": 60, "least": 5, "progress": False}
PARTS = {"by_series": {"val": ["b"], "test": ["c"]}}


def wells(label):
    """Three wells of one curve, and a label of each row by `label(curve, row)`."""
    draw = np.random.default_rng(0)
    curve = draw.normal(size=(3, 200)).astype(np.float32)
    rows = np.arange(600) % 200
    said = ["yes" if each else "no" for each in label(curve.ravel(), rows)]
    return pl.DataFrame(
        {"well": np.repeat(["a", "b", "c"], 200), "depth": rows * 0.5, "GR": curve.ravel(), "label": said}
    )


def fitted(frame, **options):
    tagger = Tagger("trees", **READ, **options)
    return tagger.fit(frame, target="label", inputs=["GR"], id="well", time="depth", split=PARTS)


def test_rounds_end_where_the_rows_that_validate_gain_nothing():
    noise = np.random.default_rng(1).integers(0, 2, 600)
    learnt, chance = fitted(wells(lambda curve, row: curve > 0.3)), fitted(wells(lambda curve, row: noise))
    assert chance.model_.trees.n_iter_ < 30 < learnt.model_.trees.n_iter_


def test_a_row_counts_by_its_weight():
    """Of rows that read alike, half are yes: what is told is what the heavier ones say."""
    frame = wells(lambda curve, row: row % 2).with_columns(GR=pl.int_range(pl.len()) // 2 % 2 * 1.0)
    sure = frame.with_columns(sure=pl.when(pl.col("label") == "yes").then(4.0).otherwise(1.0))
    unsure = sure.with_columns(sure=5 - pl.col("sure"))
    told = [fitted(each, label_weights="sure", widths=()).predict(each)["label"].to_list() for each in (sure, unsure)]
    assert set(told[0]) == {"yes"}
    assert set(told[1]) == {"no"}


def test_one_class_in_the_training_is_told_everywhere():
    """Another one stands in the rows held out alone, as where wells of one rock are what is left to learn from."""
    frame = wells(lambda curve, row: curve > 0.3).with_columns(
        label=pl.when(pl.col("well") == "a").then(pl.lit("yes")).otherwise("label")
    )
    tagger = fitted(frame, on_unlearnt="note")
    told = tagger.predict(frame)
    assert set(told["label"]) == {"yes"}
    assert told["label_p_yes"].min() > 0.99


def test_a_label_of_the_validation_alone_stops_nothing():
    frame = wells(lambda curve, row: curve > 0.3).with_columns(
        label=pl.when((pl.col("well") == "b") & (pl.col("depth") > 80)).then(pl.lit("coal")).otherwise(pl.col("label"))
    )
    with pytest.warns(Notice, match="coal"):
        assert fitted(frame, on_unlearnt="note").score(frame, split=PARTS).accuracy > 0.9


def test_channels_are_named_by_their_number_or_their_places():
    """The label follows the second of three curves alone."""
    frame = wells(lambda curve, row: curve > 0.3)
    noise = np.random.default_rng(2).normal(size=(2, 600))
    frame = frame.with_columns(SP=pl.Series(noise[0]), CALI=pl.Series(noise[1]))

    def right(channels):
        tagger = Tagger("trees", channels=channels, **READ)
        tagger.fit(frame, target="label", inputs=["SP", "GR", "CALI"], id="well", time="depth", split=PARTS)
        return tagger.score(frame, split=PARTS).accuracy

    assert right(1) < 0.7 < 0.9 < min(right(2), right([1]), right((2, 1)), right(None))


@pytest.mark.parametrize(
    ("channels", "says"),
    [
        (0, "channels=0 of model 'trees', but the past has 1; give 1 to 1"),
        (2, "channels=2 of model 'trees', but the past has 1"),
        ([1], "names places of 1 channel, each once and from 0, not \\[1\\]"),
        ([0, 0], "each once"),
        ([-1], "each once"),
        ([], "takes a whole number or a list of places"),
        ("GR", "takes a whole number or a list of places"),
        (True, "takes a whole number or a list of places"),
        ([0.5], "takes a whole number or a list of places"),
    ],
)
def test_channels_that_are_not_there_are_refused(channels, says):
    with pytest.raises(InputError, match=says):
        fitted(wells(lambda curve, row: curve > 0.3), channels=channels)
