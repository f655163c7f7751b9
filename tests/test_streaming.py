"""A step forecasts what predict does on the grown history, of every model, whatever the rows look like."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small import LEVELS, QUICK, ROLES, TASK, covaried, hours, plans, wide_frame
from small_models import small

from tsrnn.forecaster import Forecaster
from tsrnn.registry import names

STEPS = 3


def without_last(frame, rows, id="unique_id"):
    """All but the newest rows of each series."""
    if id not in frame.columns:
        return frame.head(frame.height - rows)
    return frame.group_by(id, maintain_order=True).map_groups(lambda each: each.head(each.height - rows))


def newest(frame, id="unique_id"):
    return frame.tail(1) if id not in frame.columns else frame.group_by(id, maintain_order=True).tail(1)


def check_steps(forecaster, frame, ahead=None, id="unique_id"):
    """Walk through the newest rows and compare each forecast with one of the frame as it stands."""
    state = forecaster.warm_up(without_last(frame, STEPS, id))
    for left in reversed(range(STEPS)):
        grown = without_last(frame, left, id)
        future = None if ahead is None else ahead(grown)
        forecast, state = forecaster.step(newest(grown, id), state, future=future)
        whole = forecaster.forecast(forecaster.preparation_.read(grown), future)
        assert_frame_equal(forecast, whole, rel_tol=1e-6, abs_tol=1e-6)


@pytest.mark.parametrize("name", names("models"))
def test_a_step_of_each_model_forecasts_what_predict_does(name, long):
    options = {**small(name), "segment": 6} if "segment" in small(name) else small(name)
    forecaster = Forecaster(name, **TASK, max_epochs=1, max_windows=64, **options).fit(long)
    check_steps(forecaster, long)


@pytest.mark.parametrize("calendar", [False, True])
def test_covariates_of_each_kind(calendar):
    frame = covaried()
    forecaster = Forecaster("gru", **QUICK, calendar=calendar, quantiles=LEVELS).fit(frame, **ROLES)
    check_steps(forecaster, frame, plans)


def test_missing_cells_before_and_during_the_stream(long):
    holes = pl.int_range(pl.len()).over("unique_id") - pl.len().over("unique_id")
    frame = long.with_columns(pl.when(holes.is_in([-30, -5, -2, -1])).then(None).otherwise("y").alias("y"))
    check_steps(Forecaster("gru", **QUICK).fit(frame), frame)
    check_steps(Forecaster("gru", **QUICK).fit(long), frame)


def test_short_series_with_padding_grow(long):
    forecaster = Forecaster("gru", **QUICK, pad=True).fit(long)
    check_steps(forecaster, long.group_by("unique_id", maintain_order=True).head(STEPS + 2))
    check_steps(forecaster, long.group_by("unique_id", maintain_order=True).head(TASK["input_size"] + 1))


def test_a_scale_for_each_series(long):
    check_steps(Forecaster("gru", **QUICK, scale_per_series=True).fit(long), long)


def test_several_channels_without_an_id():
    check_steps(Forecaster("gru", **QUICK).fit(wide_frame(), target=["c1", "c0"]), wide_frame())


def depths(rows=120):
    return pl.DataFrame({"depth": 900 + 0.1524 * np.arange(rows), "y": np.sin(np.arange(rows) / 4)})


def counted(rows=120):
    return pl.DataFrame({"ds": np.arange(rows, dtype=np.int16) + 7, "y": np.sin(np.arange(rows) / 4)})


def months(rows=120):
    ends = pl.date_range(date(2010, 1, 1), interval="1mo", end=date(2030, 1, 1), eager=True).dt.month_end()[:rows]
    return pl.DataFrame({"ds": ends, "y": np.sin(np.arange(rows) / 4)})


def working_days(rows=120):
    days = pl.date_range(date(2020, 1, 1), date(2021, 1, 1), eager=True)
    kept = days.filter(days.dt.weekday() < 6).gather(np.delete(np.arange(rows + 2), [60, rows]))
    return pl.DataFrame({"ds": kept, "y": np.sin(np.arange(rows) / 4)})


def zoned(rows=700):
    times = hours(rows).dt.offset_by("84d").dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Madrid")
    return pl.DataFrame({"ds": times, "y": np.sin(np.arange(rows) / 4)})


@pytest.mark.filterwarnings("ignore:.*taken for holidays:tsrnn.errors.Notice")
@pytest.mark.parametrize("world", [depths, counted, months, working_days, zoned])
@pytest.mark.parametrize("model", ["gru", "cyclenet"])
def test_indexes_of_each_kind(world, model):
    frame = world()
    reads_known = model == "gru"
    options = {"cycle": 7} if model == "cyclenet" else {}
    forecaster = Forecaster(model, **TASK, hidden_size=8, max_epochs=1, calendar=reads_known, **options)
    check_steps(forecaster.fit(frame, target="y"), frame)


def test_a_month_that_is_too_short_for_the_day_of_a_series():
    own = [pl.date_range(date(2010, 1, day), interval="1mo", end=date(2018, 12, 31), eager=True) for day in (5, 17)]
    frame = pl.concat(
        pl.DataFrame({"unique_id": str(k), "ds": days, "y": np.sin(np.arange(len(days)))}) for k, days in enumerate(own)
    )
    check_steps(Forecaster("gru", **QUICK).fit(frame, freq="1mo"), frame)


@pytest.mark.filterwarnings("ignore::tsrnn.errors.Notice")
def test_rows_that_are_numbered():
    frame = pl.DataFrame({"y": np.sin(np.arange(120) / 4)})
    check_steps(Forecaster("gru", **QUICK).fit(frame), frame)


def test_a_pandas_frame_comes_back_as_it_came(long, fitted):
    history = long.to_pandas().set_index(["unique_id", "ds"])
    last = history.groupby("unique_id").tail(1)
    state = fitted.warm_up(history.drop(last.index))
    forecast, _ = fitted.step(last, state)
    assert forecast.equals(fitted.predict(history))


def test_series_in_any_order_and_some_of_them(long, fitted):
    state, last = fitted.warm_up(without_last(long, 1)), newest(long)
    whole, after = fitted.step(last[[2, 0, 1]], state)
    assert_frame_equal(whole, fitted.predict(long))
    some, between = fitted.step(last[[1]], state)
    others, end = fitted.step(last[[2, 0]], between)
    assert_frame_equal(some, whole.filter(pl.col("unique_id") == "b"))
    assert_frame_equal(others, whole.filter(pl.col("unique_id") != "b"))
    assert np.array_equal(end.batch.past, after.batch.past)


def test_arrays_are_the_next_rows_of_all_series(long, fitted):
    state, last = fitted.warm_up(without_last(long, 1)), newest(long)
    forecast, after = fitted.step(last.select("y").to_numpy(), state)
    wanted = fitted.predict(long)
    assert forecast.shape == (3, 6, 4)
    np.testing.assert_array_equal(forecast.reshape(-1, 4), wanted.drop("unique_id", "ds").to_numpy())
    assert after.tail.panel.frame["ds"].max() == long["ds"].max()


def test_a_step_leaves_the_state_as_it_was(long, fitted):
    state, last = fitted.warm_up(without_last(long, 1)), newest(long)
    first, _ = fitted.step(last, state)
    again, _ = fitted.step(last, state)
    assert_frame_equal(first, again)
