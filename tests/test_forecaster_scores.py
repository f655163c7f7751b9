"""Backtests and scores: every window counts once, and no row after a cutoff moves its forecast."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small import LEVELS, QUICK, ROLES, TASK, covaried, hours

from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster

# Backtests


def test_backtest_of_the_naive_forecast(long):
    table = Forecaster("repeat_last", **TASK).backtest(long, windows=3, step=4)
    assert table.columns == ["unique_id", "ds", "cutoff", "target", "y", "forecast"]
    assert len(table) == 3 * 3 * 6
    truth = {(name, at): y for name, at, y in long.iter_rows()}
    for name, at, cutoff, target, y, forecast in table.iter_rows():
        assert target == "y"
        assert y == truth[name, at]
        assert forecast == pytest.approx(truth[name, cutoff], rel=1e-5)
        assert 1 <= (at - cutoff).total_seconds() / 3600 <= 6
    for name, rows in zip("abc", (150, 130, 140), strict=True):
        cutoffs = table.filter(pl.col("unique_id") == name)["cutoff"].unique().sort().to_list()
        assert cutoffs == [hours(rows)[rows - 1 - 6 - back] for back in (8, 4, 0)]


def test_backtest_of_several_targets_with_quantiles(wide):
    forecaster = Forecaster("gru", **QUICK, quantiles=LEVELS)
    table = forecaster.backtest(wide.to_pandas(), windows=2)
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == ["date", "cutoff", "target", "y", "forecast", "q0.1", "q0.5", "q0.9"]
    assert table["target"].value_counts().to_dict() == {"c0": 12, "c1": 12}
    truth = wide.to_pandas().set_index("date")
    for row in table.itertuples():
        assert row.y == truth.loc[row.date, row.target]
    assert (table["q0.1"] <= table["q0.9"]).all()
    np.testing.assert_array_equal(table["forecast"], table["q0.5"])
    assert not hasattr(forecaster, "model_")


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("model", ["gru", "ols"])
def test_no_row_after_a_cutoff_moves_its_forecast(refit, model):
    options = {"calendar": True, **QUICK} if model == "gru" else TASK
    frame = covaried()
    unread = ("future_covariates",) if model == "gru" else ("past_covariates", "future_covariates", "static_covariates")
    roles = {name: role for name, role in ROLES.items() if name not in unread}
    last = hours(160)[160 - 1 - 6]
    wild = pl.when(pl.col("ds") > last)
    changed = frame.with_columns(wild.then(pl.lit(1e4)).otherwise(name).alias(name) for name in ("y", "wind"))
    tables = [
        Forecaster(model, **options).backtest(each, windows=3, refit=refit, **roles).sort("unique_id", "ds")
        for each in (frame, changed)
    ]
    assert_frame_equal(*(table.drop("y") for table in tables))
    assert (tables[1].filter(pl.col("cutoff") == last)["y"] == 1e4).all()


def test_refitting_trains_at_each_cutoff(wide):
    once, anew = (Forecaster("ols", **TASK).backtest(wide, windows=3, refit=refit) for refit in (False, True))
    first = once["cutoff"].min()
    by = pl.col("cutoff") == first
    assert_frame_equal(once.filter(by), anew.filter(by))
    assert not np.allclose(once.filter(~by)["forecast"], anew.filter(~by)["forecast"], rtol=1e-6, atol=1e-6)
    for cutoff in anew["cutoff"].unique():
        past = wide.filter(pl.col("date") <= cutoff)
        forecast = Forecaster("ols", **TASK).fit(past).predict()
        found = anew.filter((pl.col("cutoff") == cutoff) & (pl.col("target") == "c1"))
        np.testing.assert_array_equal(found["forecast"], forecast["c1"])


def test_backtest_knows_the_future_covariates():
    table = Forecaster("gru", **QUICK).backtest(covaried(), windows=2, **ROLES)
    assert len(table) == 2 * 2 * 6
    assert table["forecast"].is_finite().all()


def test_too_many_backtest_windows_are_named(long):
    with pytest.raises(InputError, match="series 'b' has 130 rows; 40 backtest windows of horizon 6 at step 6 need"):
        Forecaster("repeat_last", **TASK).backtest(long, windows=40)


# Scores


def test_score_is_the_mean_over_every_window(wide):
    split = {"borders": [120, 150, 200]}
    forecaster = Forecaster("repeat_last", **TASK).fit(wide, split=split)
    scored = forecaster.score(split=split)
    values = wide.select("c0", "c1").to_numpy()
    scaled = (values - values[:120].mean(0)) / values[:120].std(0)
    errors = np.stack([scaled[at : at + 6] - scaled[at - 1] for at in range(150, 195)])
    assert scored.windows == len(errors) == 45
    assert scored.mse == pytest.approx((errors**2).mean(), rel=1e-5)
    assert scored.mae == pytest.approx(np.abs(errors).mean(), rel=1e-5)
    assert forecaster.score(split=split, part="val").windows == 25
    with pytest.raises(InputError, match="unknown part 'tests': did you mean 'test'"):
        forecaster.score(split=split, part="tests")


def test_per_series_scores_use_each_series_own_scale(long):
    split = {"ratios": [0.6, 0.2, 0.2]}
    steep = long.filter(pl.col("unique_id") == "a").with_columns(pl.lit("d").alias("unique_id"), pl.col("y") * 1000)
    table = pl.concat([long, steep])
    forecaster = Forecaster("repeat_last", **TASK, scale_per_series=True).fit(table, split=split)
    errors = []
    for (_,), part in table.group_by("unique_id", maintain_order=True):
        values = part["y"].to_numpy()
        train, test = int(0.6 * len(values)), len(values) - int(0.2 * len(values))
        scaled = (values - values[:train].mean()) / values[:train].std()
        errors += [scaled[at : at + 6] - scaled[at - 1] for at in range(test, len(values) - 5)]
    assert forecaster.score(split=split).mse == pytest.approx(np.square(errors).mean(), rel=1e-4)
    turned = pl.concat([table.filter(pl.col("unique_id") == name) for name in "dbca"])
    assert forecaster.score(turned, split=split).mse == pytest.approx(forecaster.score(split=split).mse, rel=1e-6)
