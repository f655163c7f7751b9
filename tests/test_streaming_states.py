"""States: carried where the model allows it, saved and read, and refused with what does not belong to them."""

import json

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small import LEVELS, QUICK, ROLES, covaried, plans
from test_streaming import depths, months, newest, without_last, zoned

from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster

CARRIED = {"rnn": {}, "lstm": {"num_layers": 2}, "gru": {}, "seq2seq": {}}


def unbounded(forecaster, history):
    """The same weights with a look-back as long as the history."""
    params = {**forecaster.get_params(), "input_size": len(history), "max_epochs": 1, "max_windows": 1, "pad": True}
    longer = Forecaster(**params).fit(forecaster.panel_)
    longer.model_.set_weights(forecaster.model_.weights())
    longer.preparation_.scaling = forecaster.preparation_.scaling
    return longer.predict(history)


@pytest.fixture(scope="module")
def carrying(long):
    return Forecaster("gru", **QUICK, centring="none", segment=1).fit(long)


@pytest.mark.parametrize("name", CARRIED)
def test_a_carried_state_remembers_all_of_the_history(name, long):
    forecaster = Forecaster(name, **QUICK, **CARRIED[name], centring="none", segment=1).fit(long)
    state = forecaster.warm_up(without_last(long, 3), carry=True)
    for left in (2, 1, 0):
        forecast, state = forecaster.step(newest(without_last(long, left)), state)
    for _, history in long.group_by("unique_id", maintain_order=True):
        own = forecast.filter(pl.col("unique_id") == history["unique_id"][0])
        assert_frame_equal(own, unbounded(forecaster, history), rel_tol=1e-5, abs_tol=1e-5)


def test_covariates_that_act_over_several_steps_are_not_carried():
    forecaster = Forecaster("gru", **QUICK, centring="none", segment=1).fit(covaried(names=("a",)), **ROLES)
    with pytest.raises(InputError, match="no past or known covariates"):
        forecaster.warm_up(carry=True)


def test_some_series_of_a_carried_state(long, carrying):
    state, last = carrying.warm_up(without_last(long, 1), carry=True), newest(long)
    whole, after = carrying.step(last, state)
    some, between = carrying.step(last[[1]], state)
    others, end = carrying.step(last[[0, 2]], between)
    assert_frame_equal(pl.concat([some, others]).sort("unique_id", "ds"), whole, rel_tol=1e-6, abs_tol=1e-6)
    assert np.allclose(end.hidden[0][0], after.hidden[0][0], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gru", {}),
        ("gru", {"segment": 6, "centring": "none"}),
        ("bilstm", {"centring": "none", "segment": 1}),
        ("segrnn", {"segment": 6}),
    ],
)
def test_what_cannot_be_carried(name, options, long):
    forecaster = Forecaster(name, **QUICK, **options).fit(long)
    with pytest.raises(InputError, match="cannot be carried, since every window is read anew"):
        forecaster.warm_up(carry=True)


@pytest.mark.parametrize("carry", [False, True])
def test_a_saved_state_goes_on(carry, long, carrying, tmp_path):
    state = carrying.warm_up(without_last(long, 1), carry=carry)
    carrying.save_state(state, tmp_path / "state")
    carrying.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    again = loaded.resume(tmp_path / "state")
    assert repr(again) == repr(state)
    assert_frame_equal(loaded.step(newest(long), again)[0], carrying.step(newest(long), state)[0])


@pytest.mark.parametrize("world", [depths, months, zoned])
def test_a_saved_state_keeps_its_index(world, tmp_path):
    frame = world().with_columns(pl.col("y").cast(pl.Float32))
    forecaster = Forecaster("gru", **QUICK, calendar=True).fit(frame, target="y")
    forecaster.save_state(forecaster.warm_up(without_last(frame, 1)), tmp_path / "state")
    assert_frame_equal(
        forecaster.step(newest(frame), forecaster.resume(tmp_path / "state"))[0], forecaster.predict(frame)
    )


def test_a_saved_state_with_covariates_and_holes(tmp_path):
    frame = covaried().with_columns(pl.when(pl.int_range(pl.len()) % 7 == 3).then(None).otherwise("y").alias("y"))
    forecaster = Forecaster("gru", **QUICK, quantiles=LEVELS).fit(frame, **ROLES)
    forecaster.save_state(forecaster.warm_up(without_last(frame, 1)), tmp_path / "state")
    forecast, _ = forecaster.step(newest(frame), forecaster.resume(tmp_path / "state"), future=plans(frame))
    assert_frame_equal(forecast, forecaster.predict(frame, future=plans(frame)))


def test_a_state_of_another_model(long, fitted, carrying, tmp_path):
    state = carrying.warm_up(long)
    carrying.save_state(state, tmp_path / "state")
    with pytest.raises(InputError, match=r"this state of 'a', 'b', 'c' is another model's \(fingerprint \w{12}"):
        fitted.step(newest(long), state)
    with pytest.raises(InputError, match=r"the state in .*state is another model's .*; read it with the model"):
        fitted.resume(tmp_path / "state")
    with pytest.raises(InputError, match="step takes the state that warm_up"):
        fitted.step(newest(long), {"hidden": 0})


def test_a_state_and_a_model_are_not_taken_for_each_other(long, fitted, tmp_path):
    fitted.save(tmp_path / "model")
    with pytest.raises(InputError, match="holds a saved Forecaster, which would be lost; choose another folder"):
        fitted.save_state(fitted.warm_up(), tmp_path / "model")
    with pytest.raises(InputError, match="holds a saved model, and no state"):
        fitted.resume(tmp_path / "model")
    fitted.save_state(fitted.warm_up(), tmp_path / "state")
    with pytest.raises(InputError, match="holds a saved 'state', which would be lost; choose another folder"):
        fitted.save(tmp_path / "state")
    with pytest.raises(InputError, match="holds no Forecaster, but a saved 'state'; give the model's folder"):
        Forecaster.load(tmp_path / "state")


def test_a_damaged_state(fitted, tmp_path):
    fitted.save_state(fitted.warm_up(), tmp_path / "state")
    config = json.loads((tmp_path / "state" / "config.json").read_text())
    (tmp_path / "state" / "config.json").write_text(json.dumps({**config, "ids": ["a"]}))
    with pytest.raises(InputError, match="was changed: its checksum"):
        fitted.resume(tmp_path / "state")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda rows: rows.with_columns(unique_id=pl.lit("z")),
            "row 1 is of series 'z', which this state does not know",
        ),
        (lambda rows: pl.concat([rows, rows[:1]]), "row 4 is a second one of series 'a'"),
        (
            lambda rows: rows.with_columns(pl.col("ds").dt.offset_by("-1h")),
            "'a' does not come after 2020-01-07 05:00:00",
        ),
        (
            lambda rows: rows.with_columns(pl.col("ds").dt.offset_by("1h")),
            "07:00:00 of series 'a' is not one step after",
        ),
        (lambda rows: rows.with_columns(pl.col("ds").dt.offset_by("10m")).tail(0), "rows holds no row"),
        (lambda rows: rows.drop("y"), "rows has no column 'y'; it needs unique_id, ds, y"),
        (lambda rows: rows.with_columns(y=pl.lit(np.inf)), "column 'y', row 1 is infinite"),
        (lambda rows: rows.with_columns(y=pl.lit("much")), "column 'y'"),
        (lambda rows: rows.with_columns(y=pl.lit(1e200)), "column 'y' of series 'a' holds 1e[+]200, too far"),
        (lambda rows: rows.with_columns(pl.col("ds").dt.replace_time_zone("UTC")), "time zones too"),
        (lambda rows: np.zeros((2, 1)), r"an array of shape \[2, 1\]; give \[series channel\] = \[3, 1\]"),
        (lambda rows: np.full((3, 1), np.inf), "rows holds an infinite number"),
        (lambda rows: [1.0], "rows is of type list; give a pandas, polars or pyarrow frame"),
    ],
)
def test_rows_that_cannot_be_a_step(change, message, long, fitted):
    rows = newest(long).with_columns(pl.col("ds").dt.offset_by("1h"))
    with pytest.raises(InputError, match=message) as refused:
        fitted.step(change(rows), fitted.warm_up(long))
    assert "\n" not in str(refused.value)


def test_covariates_that_an_array_cannot_give():
    forecaster = Forecaster("gru", **QUICK).fit(covaried(), **ROLES)
    with pytest.raises(InputError, match="holds no plan; give a frame with those columns"):
        forecaster.step(np.zeros((2, 2)), forecaster.warm_up())
    rows = newest(covaried()).with_columns(pl.col("ds").dt.offset_by("1h"))
    with pytest.raises(InputError, match="pass future="):
        forecaster.step(rows, forecaster.warm_up())


def test_nothing_is_forecast_from_nothing(long, fitted):
    state = fitted.warm_up(long)
    for _ in range(23):
        _, state = fitted.step(np.full((3, 1), np.nan), state)
    with pytest.raises(InputError, match="series 'a', 'b', 'c' have no measured target among their newest 24 rows"):
        fitted.step(np.full((3, 1), np.nan), state)
