"""A part of a split is named alone or among others, and what a classifier is given that is no sequence is refused."""

import numpy as np
import pytest
from test_set_params import CLASSIFIER, DETECTOR, FORECASTER, GENERATOR, RECONSTRUCTOR, TAGGER

from tsrnn import InputError, SequenceClassifier
from tsrnn.detector import Detector
from tsrnn.forecaster import Forecaster
from tsrnn.generator import Generator


@pytest.mark.parametrize(
    "face",
    [FORECASTER, TAGGER, RECONSTRUCTOR, CLASSIFIER, GENERATOR, DETECTOR],
    ids=lambda each: type(each[0]).__name__,
)
def test_one_part_may_stand_alone(face):
    unfitted, fit = face
    fitted, part = fit(unfitted.clone()), "train" if isinstance(unfitted, Generator) else "val"
    word = {Generator: "correlational", Forecaster: "mse", Detector: "missed"}.get(type(fitted))
    measures = fitted.task.measures[:1] if word is None else (word,)
    split = None if isinstance(fitted, Detector) else "standard"
    if isinstance(fitted, Forecaster):
        split = {"ratios": [0.6, 0.2, 0.2]}
    one, several = (fitted.scores(None, split, each, measures) for each in (part, (part,)))
    assert [*one] == [part]
    assert one[part].values == several[part].values


@pytest.mark.parametrize(
    "cells", [np.ones((4, 1)) + 1j, np.array([["2020-01-01"]], "datetime64[D]"), np.array([[1]], "timedelta64[s]")]
)
def test_cells_that_are_no_numbers_are_refused(cells):
    X, y = cases()
    classifier = SequenceClassifier("rocket", views=50).fit(X, y)
    with pytest.raises(InputError, match=r"^X: case 0 holds cells that are no numbers \((complex|datetime|timedelta)"):
        classifier.predict([cells])


def cases():
    return [np.arange(12.0) * (k % 2) for k in range(8)], ["a", "b"] * 4


def test_a_word_that_no_fit_takes_is_no_column():
    with pytest.raises(InputError, match=r"^unknown argument 'sample_weight': did you mean 'split'"):
        SequenceClassifier("rocket").fit(*cases(), sample_weight=np.ones(8))
    with pytest.raises(InputError, match=r"^'time' names columns of a frame, and X is arrays"):
        SequenceClassifier("rocket").fit(*cases(), time="t")


def test_a_share_of_nothing_is_a_share():
    assert SequenceClassifier("rocket", views=50, val_size=0).fit(*cases()).score(*cases()) == 1
    with pytest.raises(InputError, match=r"^val_size is a share of at least 0 and below 1, not True"):
        SequenceClassifier("rocket", views=50, val_size=True).fit(*cases())
