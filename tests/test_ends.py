"""Ragged ends: a series ends with its last measured target, gaps near it are bridged, short series can be skipped."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small import QUICK, TASK, covaried, hours, long_frame, plans, wide_frame

from tsrnn import ends
from tsrnn.errors import InputError, Notice
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel


def _empty_after(frame, name, rows, columns=("y",)):
    """The frame without targets in the newest rows of a series."""
    last = (pl.col("unique_id") == name) & (
        pl.int_range(pl.len()).over("unique_id") >= pl.len().over("unique_id") - rows
    )
    return frame.with_columns(pl.when(last).then(None).otherwise(pl.col(each)).alias(each) for each in columns)


def _without(frame, name, first, last):
    """The frame without some of a series' rows."""
    place = pl.int_range(pl.len()).over("unique_id")
    return frame.filter(~((pl.col("unique_id") == name) & place.is_between(first, last)))


# Where the target ends


def test_a_forecast_starts_where_the_target_ends(fitted, long):
    shorter = long.filter((pl.col("unique_id") != "b") | (pl.col("ds") < hours(130)[120]))
    assert_frame_equal(fitted.predict(_empty_after(long, "b", 10)), fitted.predict(shorter))


def test_rows_after_the_target_tell_what_is_known_ahead(with_covariates):
    frame = covaried()
    told = plans(frame).with_columns(pl.lit(None, pl.Float64).alias("y"))
    whole = pl.concat([frame, told], how="diagonal").sort("unique_id", "ds", maintain_order=True)
    whole = whole.with_columns(pl.col("height").forward_fill().over("unique_id"))
    expected = with_covariates.predict(frame, future=plans(frame))
    assert_frame_equal(with_covariates.predict(whole), expected)
    half = whole.with_columns(pl.when(pl.col("ds") < hours(163)[-1]).then("plan").alias("plan"))
    half = half.filter(pl.col("y").is_not_null() | pl.col("plan").is_not_null())
    rest = plans(frame).filter(pl.col("ds") >= hours(163)[-1])
    assert_frame_equal(with_covariates.predict(half, future=rest), expected)
    with pytest.raises(InputError, match="future lacks plan at unique_id a, ds 2020-01-07 18:00:00"):
        with_covariates.predict(half)


def test_depths_start_after_the_last_measurement():
    depth = pl.DataFrame({"depth": 1000 + 0.5 * np.arange(100), "y": np.arange(100.0)})
    forecaster = Forecaster("repeat_last", **TASK).fit(depth)
    logged = depth.with_columns(pl.when(pl.col("depth") < 1040).then("y").alias("y"))
    forecast = forecaster.predict(logged)
    np.testing.assert_allclose(forecast["depth"], 1040 + 0.5 * np.arange(6))
    np.testing.assert_allclose(forecast["y"], 79, rtol=1e-6)


def test_empty_rows_at_the_end_are_not_learnt_from(long):
    shorter = long.group_by("unique_id", maintain_order=True).head(110)
    trailing = long.drop("y").join(shorter, on=["unique_id", "ds"], how="left", maintain_order="left")
    one, other = (Forecaster("gru", **QUICK).fit(frame) for frame in (shorter, trailing))
    assert_frame_equal(one.predict(), other.predict())


@pytest.mark.parametrize("split", [None, {"ratios": [0.6, 0.2, 0.2]}])
def test_empty_rows_at_the_end_are_no_part_of_a_split(long, split):
    """A season of weather ahead: as many rows as a part has."""
    shorter = long.group_by("unique_id", maintain_order=True).head(110)
    trailing = long.drop("y").join(shorter, on=["unique_id", "ds"], how="left", maintain_order="left")
    one, other = (Forecaster("gru", **QUICK).fit(frame, split=split) for frame in (shorter, trailing))
    scores = [each.score(frame, split=split, part="val") for each, frame in ((one, shorter), (one, trailing))]
    assert scores[0] == scores[1]
    assert one.update(shorter, split=split).report_.val_loss == other.update(trailing, split=split).report_.val_loss
    assert_frame_equal(*(each.calibrate(levels=[0.5]).predict() for each in (one, other)))


@pytest.mark.parametrize("dated", [True, False])
def test_a_backtest_ends_where_the_targets_do(long, dated):
    if not dated:
        long = long.filter(unique_id="a").drop("ds", "unique_id").with_columns(depth=np.arange(150) * 0.5)
    shorter = long.group_by("unique_id", maintain_order=True).head(110) if dated else long.head(110)
    keys = [name for name in shorter.columns if name != "y"]
    trailing = long.drop("y").join(shorter, on=keys, how="left", maintain_order="left")
    tables = [Forecaster("repeat_last", **TASK).backtest(frame, windows=3) for frame in (shorter, trailing)]
    assert tables[0]["y"].null_count() == 0
    assert_frame_equal(*tables)


# Gaps near the end


def test_what_lies_before_a_gap_near_the_end_is_read(fitted, long):
    gappy = _without(long, "a", 140, 142)
    empty = long.drop("y").join(gappy, on=["unique_id", "ds"], how="left", maintain_order="left")
    assert_frame_equal(fitted.predict(gappy), fitted.predict(empty))
    assert not fitted.predict(gappy).equals(fitted.predict())
    with pytest.raises(InputError, match="series 'a' ends with 7 rows without a gap"):
        fitted.predict(_without(long, "a", 100, 142))


def test_bridged_rows_are_the_missing_steps(long):
    panel = Panel.of(_without(_without(long, "b", 110, 111), "b", 118, 120), target="y")
    bridged = ends.bridged(panel, 24, 0)
    assert bridged.frame.select("unique_id", "ds").equals(long.select("unique_id", "ds"))
    assert bridged.frame["y"].null_count() == 5
    assert ends.bridged(panel, 12, 0).frame["y"].null_count() == 3
    few = Panel.of(long.filter(pl.col("ds") >= hours(130)[107]).pipe(_without, "b", 10, 11), target="y")
    assert ends.bridged(few, 24, 0) is few
    assert ends.bridged(few, 24, 23).frame["y"].null_count() == 2
    assert ends.bridged(Panel.of(long, target="y"), 24, 0).frame.equals(long)


# Short series


def test_one_short_series_does_not_stop_the_others(tmp_path):
    frame = long_frame((150, 130, 11))
    with pytest.raises(InputError, match=r"series 'c' has .* rows to learn from.*on_short='skip'"):
        Forecaster("gru", **QUICK).fit(frame)
    with pytest.warns(Notice, match="nothing is learnt from series 'c'"):
        skipping = Forecaster("gru", **QUICK, on_short="skip").fit(frame)
    assert skipping.skipped_ == {"c": "5 rows to learn from; a window needs 30"}
    plain = Forecaster("gru", **QUICK).fit(frame.filter(pl.col("unique_id") != "c"))
    assert plain.skipped_ == {}
    forecast = skipping.predict()
    assert forecast.columns == ["unique_id", "ds", "y", "status"]
    assert forecast["unique_id"].to_list() == [name for name in "abc" for _ in range(6)]
    assert_frame_equal(forecast.head(12).drop("status"), plain.predict())
    assert forecast.head(12)["status"].to_list() == ["ok"] * 12
    assert forecast.tail(6)["y"].null_count() == 6
    assert forecast["ds"][12] == frame["ds"].max() - dt.timedelta(hours=138)
    assert forecast["status"][-1] == "ends with 11 rows without a gap; 24 are needed"
    skipping.save(tmp_path / "saved")
    again = Forecaster.load(tmp_path / "saved").predict(frame.to_pandas())
    assert isinstance(again, pd.DataFrame)
    assert again["status"].tolist() == forecast["status"].to_list()
    assert "status" not in skipping.predict(frame.filter(pl.col("unique_id") != "c")).columns
    with pytest.raises(InputError, match="no series can be forecast; series 'c': ends with 11 rows"):
        skipping.predict(frame.filter(pl.col("unique_id") == "c"))


@pytest.mark.filterwarnings("ignore:frame. nothing is learnt")
def test_short_series_are_counted_and_three_of_them_named():
    frame = long_frame((150, 13, 11, 150, 12, 10))
    told = (
        r"4 of 6 series have too few rows to learn from \('f' 4, 'c' 5, 'e' 6 and 1 more\), but .* need 30; .*them out"
    )
    with pytest.raises(InputError, match=told):
        Forecaster("repeat_last", **TASK).fit(frame)
    skipping = Forecaster("repeat_last", **TASK, on_short="skip").fit(frame)
    told = (
        r"4 of 6 series end with too few rows without a gap \('f' 10, 'c' 11, 'e' 12 and 1 more\).*leave them out with"
    )
    with pytest.raises(InputError, match=told):
        skipping.clone().set_params(on_short="error").fit(frame.filter(pl.col("unique_id").is_in(["a", "d"]))).predict(
            frame
        )
    alone = Forecaster("repeat_last", **TASK).fit(frame.filter(pl.col("unique_id") == "a"))
    with pytest.raises(InputError, match=r"'c' ends with 11 rows .*; give more history, or fit with pad=True$"):
        alone.predict(frame.filter(pl.col("unique_id") == "c"))


def test_series_that_say_nothing_are_counted(long, fitted):
    blind = _empty_after(_empty_after(long, "a", 150), "c", 140)
    with pytest.raises(
        InputError, match=r"series 'a', 'c' have no measured target among their newest 24 rows.*them out"
    ):
        fitted.predict(blind)


@pytest.mark.filterwarnings("ignore:frame. nothing is learnt")
def test_a_short_series_does_not_stop_a_stream():
    skipping = Forecaster("gru", **QUICK, on_short="skip").fit(long_frame((150, 130, 11)))
    with pytest.warns(Notice, match="the stream leaves out series 'c'"):
        stream = skipping.warm_up()
    assert stream.ids == ("a", "b")


def test_a_target_that_is_called_as_the_mark_of_the_skipped_is_refused_before_training(long):
    with pytest.raises(InputError, match="has a column 'status' of its own"):
        Forecaster("gru", **QUICK, on_short="skip").fit(long.rename({"y": "status"}), target="status")


@pytest.mark.filterwarnings("ignore:frame. nothing is learnt")
def test_a_short_series_does_not_stop_a_backtest_or_a_score():
    frame = long_frame((150, 150, 9))
    skipping = Forecaster("gru", **QUICK, on_short="skip")
    with pytest.warns(Notice, match="series 'c': not forecast from each"):
        table = skipping.backtest(frame, windows=2)
    assert set(table["unique_id"]) == {"a", "b"}
    fitted = skipping.clone().fit(frame, split={"borders": [90, 110, 130]})
    assert list(fitted.skipped_) == ["c"]
    assert fitted.score(split={"borders": [90, 110, 130]}).windows > 0


@pytest.mark.filterwarnings("ignore:frame. nothing is learnt")
def test_a_series_that_was_never_measured_is_skipped_or_refused(long):
    silent = _empty_after(long, "b", 130)
    skipping = Forecaster("gru", **QUICK, on_short="skip").fit(silent)
    assert skipping.skipped_ == {"b": "no target was ever measured"}
    assert skipping.predict()["status"][6] == "no target was measured in its newest 24 rows"
    fitted = Forecaster("gru", **QUICK).fit(long)
    with pytest.raises(
        InputError, match="series 'b' has no measured target among its newest 24 rows, where 'y' is empty"
    ):
        fitted.predict(silent)


def test_nothing_to_learn_from_at_all_is_named():
    with pytest.raises(
        InputError, match="no series can be learnt from; series 'a': 14 rows to learn from; a window needs 30"
    ):
        Forecaster("gru", **QUICK, on_short="skip").fit(long_frame((20, 10)))
    with pytest.raises(InputError, match="on_short"):
        Forecaster("gru", **QUICK, on_short="maybe").fit(long_frame())


# The step


@pytest.mark.parametrize("every", [2, 24])
def test_another_step_is_refused(fitted, long, every):
    for frame in (thinned := long.gather_every(every), Panel.of(thinned, target="y")):
        with pytest.raises(
            InputError, match=rf"rows of series 'a' are {every} steps of the training's apart, which is 1h; give rows"
        ):
            fitted.predict(frame)


def test_a_finer_step_is_refused(fitted, long):
    half = pl.concat([long, long.with_columns(pl.col("ds") + pl.duration(minutes=30))]).sort("unique_id", "ds")
    with pytest.raises(InputError, match=r"rows of series 'a' are 0.5\d* steps of the training's apart"):
        fitted.predict(half)


def test_depths_and_counts_keep_their_step_too(tmp_path):
    depth = pl.DataFrame({"depth": 1000 + 0.1524 * np.arange(100), "y": np.arange(100.0)})
    forecaster = Forecaster("repeat_last", **TASK).fit(depth)
    forecaster.save(tmp_path / "saved")
    loaded = Forecaster.load(tmp_path / "saved")
    assert loaded.preparation_.reading["freq"] == pytest.approx(0.1524)
    assert_frame_equal(loaded.predict(depth), forecaster.predict())
    with pytest.raises(InputError, match=r"rows are 2 steps of the training's apart, which is 0\.1524"):
        loaded.predict(depth.gather_every(2))
    assert len(loaded.predict(depth.tail(24))) == 6


# The frame to fill in


def test_the_future_frame_is_accepted_once_filled(with_covariates):
    frame = covaried()
    future = with_covariates.make_future_frame()
    assert future.columns == ["unique_id", "ds", "plan"]
    assert future["plan"].null_count() == 12
    filled = future.with_columns(plans(frame)["plan"])
    assert_frame_equal(with_covariates.predict(future=filled), with_covariates.predict(future=plans(frame)))
    pandas = with_covariates.make_future_frame(frame.to_pandas())
    assert isinstance(pandas, pd.DataFrame)
    pandas["plan"] = plans(frame)["plan"].to_numpy()
    forecast = with_covariates.predict(frame.to_pandas(), future=pandas)
    np.testing.assert_allclose(forecast["y"], with_covariates.predict(future=plans(frame))["y"])
    with pytest.raises(InputError, match="future lacks plan"):
        with_covariates.predict(future=future)
    assert with_covariates.make_future_frame(_empty_after(frame, "a", 3)).height == 12


def test_without_covariates_it_holds_ids_and_steps(fitted):
    assert_frame_equal(fitted.make_future_frame(), fitted.predict().select("unique_id", "ds"))
    pandas = wide_frame(120).to_pandas().set_index("date")
    future = Forecaster("repeat_last", **TASK).fit(pandas).make_future_frame()
    assert list(future.index) == list(pd.date_range("2020-01-06", periods=6, freq="h"))


def test_the_command_line_skips_what_it_is_told_to(run, tmp_path):
    long_frame((150, 130, 11)).write_csv(tmp_path / "mine.csv")
    words = ("--model", "nlinear", "--input-size", "24", "--horizon", "6", "--set", "max_epochs=1")
    status, _, err = run("fit", "mine.csv", "--out", "saved", *words)
    assert status == 2
    assert "series 'c' has" in err
    assert run("fit", "mine.csv", "--out", "saved", *words, "--on-short", "skip")[0] == 0
    status, out, _ = run("predict", "saved", "mine.csv")
    assert status == 0
    assert out.splitlines()[0] == "unique_id,ds,y,status"
    assert out.splitlines()[-1].endswith(",ends with 11 rows without a gap; 24 are needed")
    status, _, err = run("predict", "saved", "mine.csv", "--on-short", "error")
    assert status == 2
    assert "series 'c' ends with 11 rows" in err
    assert run("predict", "saved", "mine.csv", "--on-short", "perhaps")[0] == 2


def test_a_sensor_that_was_out_throughout_is_said_and_not_refused():
    rng, hours = (
        np.random.default_rng(0),
        pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 6), "1h", eager=True),
    )
    frame = pl.DataFrame({"ds": hours, "y": np.sin(np.arange(len(hours)) / 4), "wind": rng.normal(size=len(hours))})
    fitted = Forecaster("nlinear", input_size=24, horizon=6, max_epochs=1)
    with pytest.raises(InputError, match="'wind' is empty; drop it or leave it out of the covariates"):
        fitted.fit(frame.with_columns(wind=None), target="y", past_covariates="wind")
    fitted = Forecaster("mlp", input_size=24, horizon=6, max_epochs=1).fit(frame, target="y", past_covariates="wind")
    for nothing in (pl.lit(None), pl.lit(None, pl.Float64), pl.lit(None, pl.String)):
        with pytest.warns(Notice, match="'wind' holds no value in any row; it is read as missing throughout"):
            assert np.isfinite(fitted.predict(frame.with_columns(wind=nothing))["y"].to_numpy()).all()
    with pytest.warns(Notice, match="'y'"), pytest.raises(InputError, match="no measured target"):
        fitted.predict(frame.with_columns(y=None))
