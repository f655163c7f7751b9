"""Forecasts of every row by a forecaster as it is: one table, of which scores and backtests are groups of rows."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small import LEVELS, QUICK, TASK, covaried, hours, long_frame, wide_frame

from tsrnn import backtest, verify
from tsrnn.errors import InputError, Notice
from tsrnn.forecaster import Forecaster

SPLIT = {"ratios": [0.6, 0.2, 0.2]}
MEASURES = ("mae", "mse", "rmse", "bias", "smape", "nmae", "coverage")


@pytest.fixture(scope="module")
def holed():
    """Three series with a gap, and two targets that miss cells."""
    parts = []
    for k, name in enumerate("abc"):
        part = wide_frame(150 + 10 * k).with_columns(pl.lit(name).alias("id"), pl.col("c1") * 7 + 100)
        place = pl.int_range(pl.len())
        part = part.with_columns(pl.when(place % 11 == k).then(None).otherwise("c1").alias("c1"))
        parts.append(part.filter(~place.is_between(60, 63)) if name == "b" else part)
    return pl.concat(parts)


@pytest.fixture(scope="module")
def on_holes(holed):
    return Forecaster("gru", **QUICK, quantiles=LEVELS, scale_per_series=True).fit(
        holed, split=SPLIT, id="id", target=["c0", "c1"]
    )


def physical(forecaster, frame, part="test"):
    return forecaster.score(frame, split=SPLIT, part=part, measures=[f"physical_{name}" for name in MEASURES])


def test_a_row_per_cutoff_target_and_lead_in_the_panels_units(on_holes, holed):
    table = on_holes.forecasts(holed)
    assert table.columns == ["id", "date", "cutoff", "lead", "target", "y", "forecast", "q0.1", "q0.5", "q0.9"]
    truth = {
        (name, at): {"c0": c0, "c1": c1} for at, c0, c1, name in holed.select("date", "c0", "c1", "id").iter_rows()
    }
    for name, at, cutoff, lead, target, y, *_ in table.iter_rows():
        assert y == truth[name, at][target]
        assert lead == (at - cutoff).total_seconds() / 3600
    windows = {"a": 150 - 29, "b": (60 - 29) + (160 - 64 - 29), "c": 170 - 29}
    assert dict(table.group_by("id").len().rows()) == {name: 12 * count for name, count in windows.items()}
    first = table.head(12)
    assert first["lead"].to_list() == [1, 2, 3, 4, 5, 6] * 2
    assert first["target"].to_list() == ["c0"] * 6 + ["c1"] * 6


def test_each_forecast_is_what_predict_says_of_the_rows_before(on_holes, holed):
    table = on_holes.forecasts(holed, every=17)
    for cutoff in table.filter(id="c")["cutoff"].unique():
        past = holed.filter((pl.col("id") == "c") & (pl.col("date") <= cutoff))
        said = on_holes.predict(past)
        for target in ("c0", "c1"):
            rows = table.filter(id="c", cutoff=cutoff, target=target)
            np.testing.assert_allclose(rows["forecast"], said[target], rtol=1e-5, atol=1e-5)
            np.testing.assert_allclose(rows["q0.9"], said[f"{target}_q0.9"], rtol=1e-5, atol=1e-5)


def test_known_covariates_are_the_frames_own_rows(with_covariates):
    frame = covaried()
    table = with_covariates.forecasts(frame, series="b", every=30)
    assert set(table["unique_id"]) == {"b"}
    cutoff = table["cutoff"].min()
    past, future = (frame.filter((pl.col("ds") <= cutoff) == early) for early in (True, False))
    said = with_covariates.predict(past, future=future).filter(unique_id="b")["y"]
    np.testing.assert_allclose(table.filter(cutoff=cutoff)["forecast"], said, rtol=1e-5)


def test_padded_windows_and_whole_numbers_in_a_pandas_index():
    frame = wide_frame(60).with_columns(pl.col("c0").mul(10).round().cast(pl.Int32)).to_pandas().set_index("date")
    forecaster = Forecaster("gru", **QUICK, pad=True, calendar=True).fit(frame, target=["c0", "c1"])
    table = forecaster.forecasts(frame.copy())
    assert table.index.name == "date"
    assert list(table.columns) == ["cutoff", "lead", "target", "y", "forecast"]
    assert table["cutoff"].nunique() == 60 - 6
    for rows in (1, 10, 40):
        early = frame.head(rows)
        said = forecaster.predict(early)
        here = table[table["cutoff"] == early.index[-1]]
        for name in ("c0", "c1"):
            np.testing.assert_allclose(here[here["target"] == name]["forecast"], said[name], rtol=1e-4, atol=1e-4)


def test_a_bar_is_shown_where_it_is_asked_for(wide, capsys):
    for asked, shown in ((True, True), (False, False)):
        forecaster = Forecaster("ols", **TASK, progress=asked).fit(wide)
        capsys.readouterr()
        forecaster.forecasts(wide.clone())
        assert ("forecasts" in capsys.readouterr().err) is shown


# Groups of rows are scores


def test_measures_of_all_rows_are_the_score(on_holes, holed):
    scored = physical(on_holes, holed)
    found = verify.measured(on_holes.forecasts(holed, part="test", split=SPLIT), measures=MEASURES).row(0, named=True)
    for name in MEASURES:
        assert found[name] == pytest.approx(getattr(scored, f"physical_{name}"), rel=1e-9), name


def test_measures_by_lead_and_series_are_those_of_the_score(on_holes, holed):
    scored = physical(on_holes, holed)
    table = verify.measured(on_holes.forecasts(holed, part="test", split=SPLIT), by=("id", "lead"), measures=MEASURES)
    for row in table.iter_rows(named=True):
        for name in MEASURES:
            margin = scored.by_lead[f"physical_{name}"][scored.series.index(row["id"]), row["lead"] - 1]
            assert row[name] == pytest.approx(margin, rel=1e-9), name


def test_measures_by_window_are_those_of_the_score(on_holes, holed):
    scored = physical(on_holes, holed)
    forecasts = on_holes.forecasts(holed, part="test", split=SPLIT)
    table = verify.measured(forecasts, by=("id", "cutoff"), measures=("mae", "coverage"))
    assert len(table) == scored.windows
    for name in ("mae", "coverage"):
        np.testing.assert_allclose(table[name], scored.by_window[f"physical_{name}"], rtol=1e-6)  # kept in float32


def test_scaled_scores_are_groups_too(on_holes, holed):
    table = on_holes.forecasts(holed, part="test", split=SPLIT)
    scale = on_holes.scaling_.scale[
        ["abc".index(name) for name in table["id"]], (table["target"] == "c1").to_numpy() * 1
    ]
    error = (table["forecast"] - table["y"]).to_numpy() / scale
    assert np.nanmean(error**2) == pytest.approx(on_holes.score(holed, split=SPLIT).mse, rel=1e-5)


def test_coverage_of_every_central_interval_is_counted_by_hand(on_holes, holed):
    table = on_holes.forecasts(holed, every=5)
    seen = table.drop_nulls("y")
    inside = (seen["q0.1"] <= seen["y"]) & (seen["y"] <= seen["q0.9"])
    found = verify.measured(table)
    assert found.columns == ["count", "mae", "rmse", "coverage_80"]
    assert found["count"].item() == len(seen)
    assert found["coverage_80"].item() == pytest.approx(inside.mean())


def test_sums_of_chunks_are_sums_of_the_whole(on_holes, holed, monkeypatch):
    whole = verify.measured(on_holes.forecasts(holed), by="lead")
    monkeypatch.setattr(verify, "_ROWS", 100)
    assert_frame_equal(verify.measured(on_holes.forecasts(holed), by="lead"), whole, rel_tol=1e-12)
    assert verify.measured(on_holes.forecasts(holed).head(0))["count"].to_list() == [0]
    parts = [verify.sums(each, "lead") for each in on_holes.forecasts(holed, chunk=10)]
    assert len(parts) > 10
    assert_frame_equal(verify.of(parts, "lead"), whole, rel_tol=1e-12)


def test_measures_keep_the_frame_type_and_name_what_is_not_there(on_holes, holed):
    table = on_holes.forecasts(holed.to_pandas(), every=50)
    assert isinstance(table, pd.DataFrame)
    assert isinstance(verify.measured(table, by="lead"), pd.DataFrame)
    with pytest.raises(InputError, match="unknown column of forecasts 'leed': did you mean 'lead'"):
        verify.measured(table, by="leed")
    with pytest.raises(InputError, match=r"coverage reads the quantiles 0\.1, 0\.9, which these forecasts have not"):
        verify.measured(table.drop(columns="q0.9"), measures=("coverage",))
    for word in ("mase", "acc"):
        with pytest.raises(InputError, match=f"{word} looks at each forecast's past"):
            verify.measured(table, measures=(word,))


# Choosing rows


def test_chunks_are_the_table_in_pieces(on_holes, holed):
    whole = on_holes.forecasts(holed, every=2)
    chunks = on_holes.forecasts(holed, every=2, chunk=7)
    assert not isinstance(chunks, list)
    pieces = list(chunks)
    assert {len(piece) for piece in pieces[:-1]} == {7 * 12}
    assert_frame_equal(pl.concat(pieces), whole, rel_tol=1e-4, abs_tol=1e-4)


def test_every_counts_back_from_the_newest_row_for_all_series_alike(on_holes, holed):
    whole, some = on_holes.forecasts(holed), on_holes.forecasts(holed, every=24)
    assert some["cutoff"].max() == whole["cutoff"].max()
    assert some["cutoff"].dt.hour().n_unique() == 1
    assert len(some["cutoff"].unique()) == 6
    assert_frame_equal(some, whole.filter(pl.col("cutoff").is_in(some["cutoff"].unique().to_list())), abs_tol=1e-4)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"every": 0}, "every must be at least 1, not 0"),
        ({"chunk": -1}, "chunk must be at least 1"),
        ({"every": "24h"}, "every takes a whole number, not '24h'"),
        ({"chunk": 1.5}, "chunk takes a whole number or None, not 1.5"),
        ({"series": 3}, "unknown series '3'"),
        ({"series": []}, "series names none; name one"),
        ({"series": ["a", "d"]}, "unknown series 'd'"),
        ({"part": "tests", "split": SPLIT}, "unknown part 'tests': did you mean 'test'"),
    ],
)
def test_rows_that_cannot_be_chosen_are_named(on_holes, holed, words, said):
    with pytest.raises(InputError, match=said):
        on_holes.forecasts(holed, **words)


def test_own_rows_and_short_series_are_said(long):
    forecaster = Forecaster("repeat_last", **TASK).fit(long)
    with pytest.warns(Notice, match="trained on, which flatter it"):
        own = forecaster.forecasts()
    assert_frame_equal(own, forecaster.forecasts(long))
    short = long_frame((150, 20))
    with pytest.warns(Notice, match=r"series 'b': no forecast, for lack of 24 \+ 6 rows"):
        assert set(forecaster.forecasts(short)["unique_id"]) == {"a"}
    with pytest.raises(InputError, match="30"):
        forecaster.forecasts(long_frame((20,)))


# A fitted forecaster's backtest


def test_a_fitted_forecaster_says_that_a_backtest_trains_anew(wide):
    forecaster = Forecaster("ols", **TASK).fit(wide.head(100))
    weights = {name: each.copy() for name, each in forecaster.model_.weights().items()}
    with pytest.warns(Notice, match="trains copies of this forecaster.*refit=False asks it as it is"):
        anew = forecaster.backtest(wide, windows=3)
    assert_frame_equal(anew, forecaster.clone().backtest(wide, windows=3))
    for name, each in forecaster.model_.weights().items():
        np.testing.assert_array_equal(each, weights[name])


def test_without_refit_a_fitted_forecaster_is_asked_as_it_is(wide, monkeypatch):
    forecaster = Forecaster("ols", **TASK).fit(wide.head(100))
    monkeypatch.setattr(Forecaster, "fit", lambda *_: pytest.fail("trained"))
    table = forecaster.backtest(wide, windows=3, step=5, refit=False)
    whole = forecaster.forecasts(wide, every=5)
    cutoffs = table["cutoff"].unique().to_list()
    assert cutoffs == whole["cutoff"].unique().sort().to_list()[-3:]
    assert_frame_equal(table, whole.filter(pl.col("cutoff").is_in(cutoffs)), rel_tol=1e-4)
    with pytest.warns(Notice, match="which flatter it"):
        forecaster.backtest(refit=False, windows=1)
    with pytest.raises(InputError, match="leave out 'target'"):
        forecaster.backtest(wide, refit=False, target="c0")


# Backtests by time


@pytest.mark.filterwarnings("ignore:series 'b'")
@pytest.mark.parametrize("refit", [None, True])
def test_a_series_that_ends_early_is_not_forecast_from_what_others_knew_later(refit):
    """Counted from its own end, a cutoff of `b` lies 60 hours before that of `a`, on whose rows the model trains."""
    frame = long_frame((200, 140))
    table = Forecaster("ols", **TASK).backtest(frame, windows=2, step=70, refit=refit)
    first = table["cutoff"].min()
    wild = pl.when(pl.col("ds") > first).then(pl.col("y") + 1e4).otherwise("y").alias("y")
    changed = Forecaster("ols", **TASK).backtest(frame.with_columns(wild), windows=2, step=70, refit=refit)
    assert set(table.filter(cutoff=first)["unique_id"]) == {"a", "b"}
    assert_frame_equal(*(each.filter(cutoff=first).drop("y") for each in (table, changed)))


def test_series_that_begin_late_or_end_early_are_forecast_where_they_can_be():
    frame = long_frame((200, 200, 200))
    late = hours(200)[120]
    early = hours(200)[176]
    frame = frame.filter(
        (pl.col("unique_id") != "b") | (pl.col("ds") >= late), (pl.col("unique_id") != "c") | (pl.col("ds") <= early)
    )
    with pytest.warns(Notice, match="series 'b', 'c': not forecast from each of the 4 cutoffs, for lack of 24 rows"):
        table = Forecaster("repeat_last", **TASK).backtest(frame, windows=4, step=20)
    counts = table.group_by("cutoff").agg(pl.col("unique_id").unique().sort()).sort("cutoff")["unique_id"].to_list()
    assert counts == [["a", "c"], ["a", "b", "c"], ["a", "b", "c"], ["a", "b"]]
    assert table.filter(unique_id="c")["ds"].max() == early
    assert table.filter(unique_id="c").group_by("cutoff").len().sort("cutoff")["len"].to_list() == [6, 6, 3]


def test_depths_are_counted_from_the_end_of_each_well_and_it_is_said():
    wells = [
        pl.DataFrame({"well": name, "depth": 1000.0 * k + 0.5 * np.arange(rows), "gr": np.arange(rows) * 1.0})
        for k, (name, rows) in enumerate({"A": 90, "B": 70}.items())
    ]
    with pytest.warns(Notice, match="index 'depth' is a depth .* cutoffs are rows counted from the end of each series"):
        table = Forecaster("repeat_last", **TASK).backtest(pl.concat(wells), windows=2)
    assert table.group_by("well").len().sort("well").rows() == [("A", 12), ("B", 12)]
    assert table.filter(well="B")["depth"].max() == 1000 + 0.5 * 69


def test_a_gap_ends_a_forecast_and_its_look_back():
    frame = wide_frame(100).filter(~pl.int_range(pl.len()).is_between(90, 91))
    with pytest.warns(Notice, match="not forecast from each of the 3 cutoffs, for lack of 24 rows without a gap"):
        table = Forecaster("repeat_last", **TASK).backtest(frame, windows=3, step=5, target="c0")
    assert table.group_by("cutoff").len().sort("cutoff")["len"].to_list() == [6, 3]
    assert (table["lead"] == (table["date"] - table["cutoff"]).dt.total_hours()).all()


@pytest.mark.parametrize(("refit", "fits"), [(None, 1), (False, 1), (True, 5), (2, 3), (9, 1)])
def test_refit_says_how_often_model_and_scaler_are_learnt(wide, monkeypatch, refit, fits):
    scales, fit = [], Forecaster.fit

    def counted(self, *args, **roles):
        fitted = fit(self, *args, **roles)
        scales.append(fitted.scaling_.loc.tolist())
        return fitted

    monkeypatch.setattr(Forecaster, "fit", counted)
    Forecaster("repeat_last", **TASK).backtest(wide, windows=5, refit=refit)
    assert len(scales) == fits
    assert len({str(each) for each in scales}) == fits


@pytest.mark.parametrize("refit", [0.5, -1, "often"])
def test_refit_of_other_kinds_is_refused(wide, refit):
    with pytest.raises(InputError, match="refit is True, False, or every how many cutoffs"):
        Forecaster("repeat_last", **TASK).backtest(wide, refit=refit)


# Several models


def test_models_side_by_side_are_their_backtests_below_one_another(wide):
    models = {
        "naive": Forecaster("repeat_last", **TASK),
        "sure": Forecaster("ols", input_size=48, horizon=6, quantiles=LEVELS),
    }
    table = backtest.compare(models, wide.to_pandas(), windows=3)
    assert isinstance(table, pd.DataFrame)
    table = pl.from_pandas(table)
    assert table.columns[:3] == ["model", "date", "cutoff"]
    for name, forecaster in models.items():
        alone = forecaster.backtest(wide, windows=3)
        assert_frame_equal(table.filter(model=name).select(alone.columns), alone, check_dtypes=False)
    assert table.filter(model="naive")["q0.1"].is_null().all()
    measured = verify.measured(table, by=("model", "target"))
    assert measured.columns == ["model", "target", "count", "mae", "rmse", "coverage_80"]
    assert measured["count"].to_list() == [18] * 4
    assert measured.filter(model="naive")["coverage_80"].is_null().all()


def test_models_are_compared_on_the_rows_that_all_can_forecast():
    frame = long_frame((120, 60))
    models = {"short": Forecaster("repeat_last", **TASK), "long": Forecaster("repeat_last", input_size=50, horizon=6)}
    frame = frame.with_columns(
        pl.when(pl.col("unique_id") == "b").then(pl.col("ds").dt.offset_by("60h")).otherwise("ds")
    )
    with pytest.warns(Notice, match="series 'b': not forecast from each of the 2 cutoffs, for lack of 50 rows"):
        table = backtest.compare(models, frame, windows=2, step=6)
    assert table.group_by("model", "unique_id").len().sort("model", "unique_id")["len"].to_list() == [12, 6, 12, 6]


def test_models_of_other_horizons_are_not_compared(wide):
    models = {name: Forecaster("repeat_last", input_size=24, horizon=name) for name in (6, 12)}
    with pytest.raises(InputError, match="compared at one horizon, not at 6, 12"):
        backtest.compare(models, wide)
    with pytest.raises(InputError, match="not at no model"):
        backtest.compare({}, wide)


def test_rows_in_which_nothing_was_measured_are_held_against_no_forecast(long):
    with pytest.raises(InputError, match="frame: no row holds a value of 'y', which forecasts could be held against"):
        Forecaster("repeat_last", input_size=24, horizon=6).backtest(long.with_columns(y=None), target="y")
