"""Covariates of each kind move a forecast; rows of the future are matched by id and time, and missed by name."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small import QUICK, covaried, plans

from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster


def test_covariates_of_each_kind(with_covariates):
    assert with_covariates.spec_.channels == 2
    assert with_covariates.spec_.targets == 1
    assert with_covariates.spec_.known == 1 + 6
    assert with_covariates.spec_.static == 1
    frame = covaried()
    forecast = with_covariates.predict(future=plans(frame))
    assert forecast.columns == ["unique_id", "ds", "y"]
    other = with_covariates.predict(future=plans(frame).with_columns(pl.col("plan") + 3))
    assert not np.allclose(forecast["y"], other["y"])
    changed = frame.with_columns(pl.col("wind") * 3)
    assert not np.allclose(forecast["y"], with_covariates.predict(changed, future=plans(frame))["y"])


def test_the_future_is_matched_by_id_and_time(with_covariates):
    frame = covaried()
    plain = with_covariates.predict(future=plans(frame))
    spare = plans(frame, 8).join(plans(frame), on=["unique_id", "ds"], how="anti")
    shuffled = pl.concat([spare, plans(frame)]).sample(fraction=1.0, shuffle=True, seed=1)
    assert_frame_equal(with_covariates.predict(future=shuffled), plain)
    assert_frame_equal(with_covariates.predict(future=plans(frame).to_pandas()), plain)


def test_what_is_missing_of_the_future_is_named(with_covariates):
    future = plans(covaried())
    with pytest.raises(InputError, match=r"given future covariates \(plan\); pass future="):
        with_covariates.predict()
    with pytest.raises(InputError, match="future has no column 'plan'"):
        with_covariates.predict(future=future.drop("plan"))
    with pytest.raises(InputError, match=r"future lacks plan at unique_id b, ds 2020-01-07 2\d:00:00"):
        with_covariates.predict(future=future.head(-2))


def test_the_calendar_alone_needs_no_future(long):
    forecaster = Forecaster("gru", **QUICK, calendar=True).fit(long)
    assert forecaster.spec_.known == 6
    assert len(forecaster.predict()) == 18
    only = long.filter(pl.col("unique_id") == "a")
    assert len(forecaster.backtest(only, windows=2, refit=False)) == 2 * 6
