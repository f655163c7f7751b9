"""Backtests and scores: every window counts once, and no row after a cutoff moves its forecast."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small import LEVELS, QUICK, ROLES, TASK, covaried, hours

from tsrnn.errors import InputError, Notice
from tsrnn.forecaster import Forecaster

# Backtests


def test_backtest_of_the_naive_forecast(long):
    with pytest.warns(Notice, match="series 'b', 'c': not forecast from each of the 3 cutoffs"):
        table = Forecaster("repeat_last", **TASK).backtest(long, windows=3, step=4)
    assert table.columns == ["unique_id", "ds", "cutoff", "lead", "target", "y", "forecast"]
    truth = {(name, at): y for name, at, y in long.iter_rows()}
    for name, at, cutoff, lead, target, y, forecast in table.iter_rows():
        assert target == "y"
        assert y == truth[name, at]
        assert forecast == pytest.approx(truth[name, cutoff], rel=1e-5)
        assert lead == (at - cutoff).total_seconds() / 3600
    assert table["cutoff"].unique().sort().to_list() == [hours(150)[150 - 1 - 6 - back] for back in (8, 4, 0)]
    assert table.group_by("unique_id").len().sort("unique_id").rows() == [("a", 18), ("c", 4)]  # b has ended by then


def test_backtest_of_several_targets_with_quantiles(wide):
    forecaster = Forecaster("gru", **QUICK, quantiles=LEVELS)
    table = forecaster.backtest(wide.to_pandas(), windows=2)
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == ["date", "cutoff", "lead", "target", "y", "forecast", "q0.1", "q0.5", "q0.9"]
    assert table["target"].value_counts().to_dict() == {"c0": 12, "c1": 12}
    truth = wide.to_pandas().set_index("date")
    for row in table.itertuples():
        assert row.y == truth.loc[row.date, row.target]
    assert (table["q0.1"] <= table["q0.9"]).all()
    assert (table["q0.1"] <= table["q0.5"]).all()
    assert not hasattr(forecaster, "model_")


UNLIKE = {
    "whole and fraction": (pl.Int64, pl.Float64, pl.Float64),
    "small and large": (pl.Int8, pl.Int64, pl.Int64),
    "short and long": (pl.Float32, pl.Float64, pl.Float64),
    "small and short": (pl.Int8, pl.Float32, pl.Float64),
    "yes and fraction": (pl.Boolean, pl.Float64, pl.Float64),
    "yes and whole": (pl.Boolean, pl.UInt8, pl.Int64),
    "unsigned": (pl.UInt64, pl.Int64, pl.Float64),
    "alike": (pl.Int16, pl.Int16, pl.Int16),
}


@pytest.mark.parametrize("kinds", UNLIKE)
def test_backtest_of_targets_of_unlike_types(kinds):
    first, second, common = UNLIKE[kinds]
    steps = pl.Series(range(60))
    columns = {"a": (steps % 2).cast(first), "b": (steps % 3).cast(second)}
    frame = pl.DataFrame({"ds": hours(60), **columns})
    table = Forecaster("repeat_last", **TASK).backtest(frame, windows=2, target=["a", "b"])
    assert table["y"].dtype == common
    for name in "ab":
        rows = table.filter(target=name)
        assert rows["y"].cast(pl.Float64).to_list() == columns[name][48:].cast(pl.Float64).to_list()


@pytest.mark.parametrize(
    "names", [("flow", "flow_quality"), ("rain", "rain_qc"), ("y", "q0.1"), ("cutoff", "forecast"), ("target", "y")]
)
def test_backtest_of_names_like_those_of_its_columns(names):
    frame = pl.DataFrame({"ds": hours(60), names[0]: np.arange(60.0), names[1]: -np.arange(60.0)})
    forecaster = Forecaster("repeat_last", **TASK, quantiles=[0.1, 0.9])
    table = forecaster.backtest(frame, windows=2, target=names)
    assert table.columns == ["ds", "cutoff", "lead", "target", "y", "forecast", "q0.1", "q0.9"]
    for name, sign in zip(names, (1, -1), strict=True):
        rows = table.filter(pl.col("target") == name)
        assert rows["y"].to_list() == [sign * k for k in range(48, 60)]
        for column in ("q0.1", "q0.9"):  # the last value and what it was off by before
            assert rows[column].to_list() == pytest.approx(rows["y"].to_list(), abs=1e-4)
        assert rows["forecast"].to_list() == pytest.approx([sign * k for k in (47, 53) for _ in range(6)])


@pytest.mark.parametrize("name", ["cutoff", "lead", "target", "y", "forecast", "q0.5"])
def test_an_index_or_id_called_as_a_column_of_the_table_is_refused(name):
    forecaster = Forecaster("repeat_last", **TASK, quantiles=[0.5])
    frame = pl.DataFrame({name: hours(60), "load": np.arange(60.0)})
    with pytest.raises(InputError, match=f"the index is called '{name}', as a column of a backtest is; rename it"):
        forecaster.backtest(frame, windows=2, time=name, target="load")
    frame = pl.DataFrame({"ds": hours(60), name: "a", "load": np.arange(60.0)})
    with pytest.raises(InputError, match=f"the id is called '{name}'"):
        forecaster.backtest(frame, windows=2, id=name, target="load")


@pytest.mark.parametrize("clash", ["y_q0.5", "id", "index"])
def test_two_columns_of_one_name_are_refused_before_the_training(clash):
    roles = {"id": "y_q0.5" if clash == "id" else None, "time": "y_q0.5" if clash == "index" else "ds"}
    frame = pl.DataFrame({roles["time"]: np.arange(60), "y": np.arange(60.0), "z": 1.0})
    frame = frame.with_columns(pl.lit(1.0 if clash == "y_q0.5" else "a").alias("y_q0.5")) if clash != "index" else frame
    target = ["y", "y_q0.5"] if clash == "y_q0.5" else ["y", "z"]
    forecaster = Forecaster("gru", **QUICK, quantiles=[0.1, 0.5])
    for act in (forecaster.fit, forecaster.backtest):
        with pytest.raises(
            InputError, match=r"two columns called 'y_q0.5', one of them the quantile 0.5 of 'y'; rename"
        ):
            act(frame, target=target, **roles)


def test_backtest_takes_levels_of_numpy_and_refuses_what_is_none(wide):
    table = Forecaster("repeat_last", **TASK, quantiles=np.array([0.1, 0.9])).backtest(wide, windows=2)
    assert table.columns[-2:] == ["q0.1", "q0.9"]
    for quantiles in (0.5, "0.5", [2.0]):
        with pytest.raises(InputError, match="quantiles must be"):
            Forecaster("repeat_last", **TASK, quantiles=quantiles).backtest(wide, windows=2)


def test_whole_numbers_name_columns():
    frame = pd.DataFrame({0: np.arange(60.0), 1: -np.arange(60.0), 2: hours(60).to_list()})
    for roles in ({"target": [0, 1]}, {"target": 1}, {"target": np.int64(0), "time": 2}):
        forecaster = Forecaster("repeat_last", **TASK)
        assert len(forecaster.backtest(frame, windows=2, **roles)) == 12 * np.size(roles["target"])
        last = forecaster.fit(frame, **roles).predict().iloc[0, 1]
        assert abs(last) == pytest.approx(59)


@pytest.mark.filterwarnings("ignore:.*a hundred deviations away")
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
    with pytest.raises(
        InputError, match="frame has 150 steps; 40 backtest windows of horizon 6 at step 6 need at least 241"
    ):
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


def test_a_measure_is_asked_for_alone_or_in_a_list_and_counts_once(wide):
    forecaster = Forecaster("ols", **TASK).fit(wide)
    asked = {"split": None, "part": "val"}
    alone, twice, once = (
        forecaster.score(**asked, measures=words) for words in ("mae", ["mae", "mse", "mae"], ["mae", "mse"])
    )
    assert {**alone.values} == {"mae": once.mae}
    assert {**twice.values} == {**once.values}


def test_windows_that_mase_leaves_out_are_said():
    """Of one series of three a season before is always the same, another is shorter than a season when it is asked."""
    rng = np.random.default_rng(0)
    values = {"a": rng.normal(size=60), "b": np.full(60, 3.0), "c": rng.normal(size=22)}
    frame = pl.concat(
        [pl.DataFrame({"id": name, "ds": hours(len(y)), "y": y}) for name, y in values.items()]
    )  # by the hour: a season has 24
    split = {"last": 4}
    forecaster = Forecaster("repeat_last", input_size=4, horizon=4).fit(frame, id="id", split=split)
    with pytest.warns(Notice, match="mase leaves out 2 of 3 windows of the part 'test', whose history is shorter than"):
        score = forecaster.score(split=split, measures="mase")
    assert score.by_lead["mase"][:-1, -1] == pytest.approx([score.mase, np.nan, np.nan], nan_ok=True)


def test_targets_that_mase_leaves_out_are_named():
    """One of two never changes: every window is measured, by the other alone."""
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"ds": hours(60), "moves": rng.normal(size=60), "stands": np.full(60, 3.0)})
    asked = {"target": ["moves", "stands"], "split": {"last": 8}}
    forecaster = Forecaster("repeat_last", input_size=4, horizon=4).fit(frame, **asked)
    with pytest.warns(Notice, match="mase leaves out target 'stands' of the part 'test', whose history"):
        both = forecaster.score(split={"last": 8}, measures="mase")
    alone = Forecaster("repeat_last", input_size=4, horizon=4).fit(frame, target="moves", split={"last": 8})
    assert both.mase == pytest.approx(alone.score(split={"last": 8}, measures="mase").mase)


@pytest.mark.parametrize("measures", [5, [5], {"mae": 1, 2: 3}])
def test_measures_that_are_no_words_are_one_sentence(wide, measures):
    forecaster = Forecaster("repeat_last", **TASK).fit(wide)
    with pytest.raises(InputError, match=r"measures takes a word or several, such as \['mse', 'mae'\], not "):
        forecaster.score(split=None, part="val", measures=measures)


def test_a_part_that_is_too_short_to_score_is_named(wide):
    forecaster = Forecaster("repeat_last", **TASK).fit(wide)
    with pytest.raises(
        InputError, match="has 25 rows up to the end of the part 'test', but input_size=24 and horizon=6"
    ):
        forecaster.score(split={"borders": [5, 10, 25]})
    with pytest.raises(InputError, match="series 'frame' has 25 rows, but input_size=24"):
        forecaster.forecasts(wide.head(25))
