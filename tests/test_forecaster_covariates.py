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


def test_the_calendar_is_read_by_the_training_clock_whatever_zone_moments_are_written_in(long, tmp_path):
    berlin, tokyo = (
        long.with_columns(pl.col("ds").dt.replace_time_zone("UTC").dt.convert_time_zone(zone))
        for zone in ("Europe/Berlin", "Asia/Tokyo")
    )
    forecaster = Forecaster("gru", **QUICK, calendar=True).fit(berlin)
    forecaster.save(tmp_path / "saved")
    said = forecaster.predict()
    for asked in (forecaster, Forecaster.load(tmp_path / "saved")):
        elsewhere = asked.predict(tokyo)
        assert elsewhere["ds"].dtype == tokyo["ds"].dtype
        assert_frame_equal(elsewhere.with_columns(pl.col("ds").dt.convert_time_zone("Europe/Berlin")), said)
    early = tokyo.filter(pl.int_range(pl.len()).over("unique_id") < pl.len().over("unique_id") - 1)
    newest = tokyo.group_by("unique_id", maintain_order=True).tail(1)
    stepped = forecaster.step(newest, forecaster.warm_up(early))[0]
    assert_frame_equal(stepped, elsewhere, rel_tol=1e-5)
    with pytest.raises(InputError, match="'ds' has no time zone where the training's had the time zone Europe/Berlin"):
        forecaster.predict(long)
    with pytest.raises(InputError, match="'ds' has the time zone Asia/Tokyo where the training's had no time zone"):
        Forecaster("gru", **QUICK, calendar=True).fit(long).predict(tokyo)
