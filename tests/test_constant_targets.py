"""A value that was one wherever it was learnt is told so, measured in its own unit, and nothing false is said of it."""

import numpy as np
import polars as pl
import pytest
from small import hours, waves

from tsrnn import SequenceClassifier, Tagger
from tsrnn.errors import Notice

SMALL = {"hidden_size": 4, "max_epochs": 1, "progress": False}
ALL = {"by_series": {}}


def rows(value):
    values = waves(60, 1, period=8, noise=0.1)[:, 0]
    return pl.DataFrame({"ds": hours(60), "GR": values, "DTC": np.full(60, 2.5) if value is None else values})


def cases():
    rng = np.random.default_rng(0)
    return [rng.standard_normal((int(rng.integers(5, 9)), 1)) for _ in range(12)]


@pytest.fixture(scope="module")
def tagger():
    made = Tagger("bigru", input_size=8, loss="mse", **SMALL)
    return made.fit(rows(None), target="DTC", inputs=["GR"], time="ds")


@pytest.mark.filterwarnings("error")
def test_rows_without_a_truth_are_told_without_a_word(tagger):
    for frame in (rows(None), rows(None).drop("DTC"), rows("other")):
        assert tagger.predict(frame)["DTC"].to_list() == [2.5] * 60


@pytest.mark.filterwarnings("error")
def test_sequences_without_a_truth_are_told_without_a_word():
    classifier = SequenceClassifier("gru_classifier", loss="mse", **SMALL).fit(cases(), [3.0] * 12)
    assert classifier.predict(cases()).tolist() == [3.0] * 12
    assert classifier.scores(parts=["val"], measures=["mse"])["val"].mse == 0


def test_another_truth_is_said_and_measured_in_its_own_unit(tagger):
    other = rows("other")
    with pytest.warns(Notice, match=r"was 2.5 wherever it was learnt") as said:
        score = tagger.score(other, split=ALL, part="train", measures=["mae", "physical_mae"])
    assert {each.category for each in said} == {Notice}
    assert score.mae == pytest.approx(score.physical_mae)
    assert score.mae == pytest.approx((other["DTC"] - 2.5).abs().mean())
