"""SequenceClassifier is an estimator as scikit-learn means it: its own checks, those that apply."""

import warnings

import numpy as np
import pytest

from tsrnn.classifier import SequenceClassifier

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import estimator_checks_generator

NOT_OURS = {
    "check_no_attributes_set_in_init": "what is left over for the model and its training is kept in `options`",
    "check_do_not_raise_errors_in_init_or_set_params": "a name that is no model's is refused where it is given",
    "check_estimators_unfitted": "InputError says so: scikit-learn, which may be missing, is not imported for its own",
    "check_dtype_object": "cells that are no numbers are an InputError, and no TypeError",
    "check_supervised_y_2d": "labels in one column of an array are labels, and no warning is due",
    "check_methods_subset_invariance": "numbers have 32 bits, and the check asks for the seventh digit",
    "check_array_api_input": "asks for an environment of its own",
}
QUICK = SequenceClassifier("rocket", views=200)
with warnings.catch_warnings(action="ignore", category=UserWarning):  # that it is derived from no class of theirs
    ALL = {check.func.__name__: check for _, check in estimator_checks_generator(QUICK)}
CHECKS = [check for name, check in ALL.items() if name not in NOT_OURS]


@pytest.mark.filterwarnings("ignore:InputError occurred during set_params")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.func.__name__)
def test_scikit_learn_s_own_check(check):
    check(clone(QUICK))


def test_every_check_that_does_not_apply_is_one_of_theirs():
    assert {*NOT_OURS} <= {*ALL}


def test_it_is_searched_over_as_any_other():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((24, 12)), np.repeat(["a", "b"], 12)
    X[12:, 4] += 6
    search = GridSearchCV(SequenceClassifier("rocket"), {"views": [100, 200], "differences": [True, False]}, cv=2)
    assert search.fit(X, y).best_score_ > 0.8
    assert is_classifier(search.best_estimator_)
