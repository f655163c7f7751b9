"""Nothing is learnt, scaled or chosen from rows that the split keeps back."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from small import hours, waves

from tsrnn import models
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel

ROWS, TRAIN, VAL = 240, 150, 190
TASK = {"input_size": 24, "horizon": 6}
TRAINED = {"hidden_size": 8, "max_epochs": 3, "batch_size": 64, "patience": 1}
KINDS = {
    "gru": {**TRAINED, "calendar": True},
    "segrnn": {**TRAINED, "segment": 8, "scale_per_series": True, "averaging": 0.9},
    "braid": {**TRAINED, "segment": 8, "skip": "ridge"},
    "ols": {},
    "nlinear": {"max_epochs": 3, "quantiles": [0.1, 0.5, 0.9], "scaler": "robust"},
}


def panel(model, changed_from=None, changed_to=ROWS):
    """Two series with covariates of each kind; some rows of each may hold quite other numbers."""
    parts = []
    for k, name in enumerate("ab"):
        values = waves(ROWS, 3, period=24, noise=0.2, seed=k)
        if changed_from is not None:
            values[changed_from:changed_to] = 50 + 20 * waves(changed_to - changed_from, 3, period=5, seed=9)
        columns = {"y": values[:, 0], "wind": values[:, 1], "plan": values[:, 2]}
        parts.append(pl.DataFrame({"unique_id": [name] * ROWS, "ds": hours(ROWS), **columns}))
    built = Panel.of(pl.concat(parts), target="y", past_covariates=["wind"], future_covariates=["plan"])
    roles = built.roles.reading(models.find(model).kind.reads)
    return replace(built, roles=roles, split={"borders": [TRAIN, VAL, ROWS]})


def fitted(model, data, split="standard"):
    return Forecaster(model, **TASK, **KINDS[model]).fit(data, split=split)


def affines(forecaster):
    learnt = forecaster.preparation_
    return [affine for affine in (learnt.scaling, learnt.known) if affine is not None]


@pytest.mark.parametrize("model", KINDS)
@pytest.mark.parametrize("split", ["standard", {"borders": [TRAIN, VAL, VAL]}])
def test_test_rows_move_nothing(model, split):
    plain, changed = (fitted(model, panel(model, since), split) for since in (None, VAL))
    for name, weight in plain.model_.weights().items():
        assert np.array_equal(weight, changed.model_.weights()[name]), name
    for one, other in zip(affines(plain), affines(changed), strict=True):
        assert np.array_equal(one.loc, other.loc)
        assert np.array_equal(one.scale, other.scale)
    reports = (replace(each.report_, seconds=0.0) for each in (plain, changed))
    assert len({str(report) for report in reports}) == 1
    assert plain.score(panel(model, VAL)) == changed.score(panel(model, VAL))
    assert plain.score(panel(model)) != plain.score(panel(model, VAL))


@pytest.mark.parametrize("model", KINDS)
def test_validation_rows_move_no_scaler(model):
    plain, changed = (fitted(model, data) for data in (panel(model), panel(model, TRAIN, VAL)))
    for one, other in zip(affines(plain), affines(changed), strict=True):
        assert np.array_equal(one.loc, other.loc)
        assert np.array_equal(one.scale, other.scale)


def test_training_rows_do_move_everything():
    plain, changed = (fitted("gru", data) for data in (panel("gru"), panel("gru", 100, TRAIN)))
    assert not np.array_equal(plain.preparation_.scaling.loc, changed.preparation_.scaling.loc)
    assert not np.array_equal(plain.preparation_.known.loc, changed.preparation_.known.loc)
    assert not np.array_equal(plain.model_.weights()["head.weight"], changed.model_.weights()["head.weight"])


@pytest.mark.filterwarnings("ignore:frame. y. 240 cells that hold 99")
def test_a_series_held_out_moves_nothing():
    split = {"by_series": {"val": [], "test": ["b"]}}
    frame = panel("gru").frame
    other = frame.with_columns(pl.when(pl.col("unique_id") == "b").then(99.0).otherwise("y").alias("y"))
    plain, changed = (
        Forecaster("gru", **TASK, **TRAINED, scale_per_series=True).fit(data, split=split, target="y")
        for data in (frame, other)
    )
    assert np.array_equal(plain.preparation_.scaling.loc, changed.preparation_.scaling.loc)
    for name, weight in plain.model_.weights().items():
        assert np.array_equal(weight, changed.model_.weights()[name]), name


def test_the_trained_part_is_what_standard_scaling_means():
    forecaster = fitted("gru", panel("gru"))
    values = np.concatenate([waves(ROWS, 3, period=24, noise=0.2, seed=k)[:TRAIN] for k in range(2)])
    np.testing.assert_allclose(forecaster.preparation_.scaling.loc[0], values[:, :2].mean(0))
    np.testing.assert_allclose(forecaster.preparation_.scaling.scale[1], values[:, :2].std(0))
    assert forecaster.preparation_.known.loc[0] == pytest.approx(values[:, 2].mean(), abs=1e-6)
