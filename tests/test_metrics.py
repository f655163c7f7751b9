"""Measures against numbers worked out by hand, and missing cells left out of every one."""

import math

import numpy as np
import polars as pl
import pytest

from tsrnn import infer, metrics
from tsrnn.arrays import Arrays
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster
from tsrnn.yardsticks import SEASONS, clock, seasonal_errors

Y = np.array([1.0, 2.0, 4.0, 0.0])
F = np.array([2.0, 2.0, 1.0, 0.0])  # errors 1, 0, -3, 0


def test_by_hand():
    assert metrics.mse(Y, F) == pytest.approx(10 / 4)
    assert metrics.rmse(Y, F) == pytest.approx(math.sqrt(2.5))
    assert metrics.mae(Y, F) == pytest.approx(1.0)
    assert metrics.bias(Y, F) == pytest.approx(-0.5)
    assert metrics.nmae(Y, F) == pytest.approx(4 / 7)
    assert metrics.smape(Y, F) == pytest.approx(100 * (2 / 3 + 0 + 6 / 5 + 0) / 4)


def _seasonal_error(history, season):
    arrays = Arrays((np.append(history, 0.0),), ("y",), 1, ("a",), np.array([0, len(history) + 1]), np.zeros(0, int))
    return float(seasonal_errors(arrays, np.array([len(history)]), season)[0, 0])


def test_mase_against_the_seasonal_naive_forecast():
    history = np.array([1.0, 5.0, 2.0, 7.0, 4.0])
    for season, scale in ((1, (4 + 3 + 5 + 3) / 4), (2, (1 + 2 + 2) / 3)):
        assert _seasonal_error(history, season) == pytest.approx(scale)
        assert metrics.mase(Y, F, np.full(4, scale)) == pytest.approx(1.0 / scale)
    assert math.isnan(metrics.mase(Y, F, np.zeros(4)))
    assert metrics.mase(Y, F, np.array([0, 1, 2.0, 1])) == pytest.approx((0 + 3 / 2 + 0) / 3)
    assert math.isnan(_seasonal_error(history, 5))


def test_a_forecasts_mase_is_over_all_of_its_own_series_before_it():
    rng = np.random.default_rng(0)
    y = {"a": rng.normal(size=30).cumsum(), "b": 100 * rng.normal(size=24).cumsum()}
    frame = pl.concat([pl.DataFrame({"unique_id": [k] * len(v), "ds": range(len(v)), "y": v}) for k, v in y.items()])
    asked = Forecaster("repeat_last", input_size=4, horizon=3, scale_per_series=True)
    score = asked.fit(frame, split={"last": 3}).score(split={"last": 3}, measures=("mase",))
    wanted = [np.abs(v[-3:] - v[-4]).mean() / np.abs(np.diff(v[:-3])).mean() for v in y.values()]
    assert score.by_lead["mase"][:-1, -1] == pytest.approx(wanted, rel=1e-5)
    assert score.mase == pytest.approx(np.mean(wanted), rel=1e-5)


def test_the_clock_is_the_mean_of_the_newest_seasons_of_the_same_stretch():
    y = np.array([1.0, 2.0, 3.0, np.nan, 5.0, 9.0, 7.0])
    arrays = Arrays((y,), ("y",), 1, ("a",), np.array([0, 7]), np.zeros(0, int))
    assert clock(arrays, np.array([4, 6]), 2, 3)[..., 0] == pytest.approx(np.array([[2, 2, 2], [3, 5.5, 3]]))
    assert np.isnan(clock(arrays, np.array([1]), 2, 3)[0, 0, 0])  # nothing lies a whole season before it
    broken = Arrays((y,), ("y",), 1, ("a",), np.array([0, 7]), np.array([4]))
    assert clock(broken, np.array([6]), 2, 2)[..., 0] == pytest.approx(np.array([[5, 9]]))
    long = np.arange(3.0 * SEASONS)
    arrays = Arrays((long,), ("y",), 1, ("a",), np.array([0, len(long)]), np.zeros(0, int))
    assert clock(arrays, np.array([2 * SEASONS]), 1, 1)[0, 0, 0] == pytest.approx(long[SEASONS : 2 * SEASONS].mean())


def test_anomaly_correlation_by_hand():
    says = np.array([0.0, 1.0, 2.0, 1.0])
    told, came = F - says, Y - says
    wanted = (told * came).sum() / np.sqrt((told**2).sum() * (came**2).sum())
    assert metrics.acc(Y, F, says) == pytest.approx(wanted)
    assert metrics.acc(Y, Y, says) == pytest.approx(1)
    assert metrics.acc(Y, 2 * says - Y, says) == pytest.approx(-1)


def test_the_anomaly_correlation_of_a_score_is_that_of_its_forecasts():
    rows = np.arange(240)
    y = 50 + 9 * np.sin(rows / 24 * 2 * np.pi) + np.random.default_rng(0).normal(size=240).cumsum()
    hours = pl.datetime_range(pl.datetime(2026, 1, 1), pl.datetime(2026, 1, 10, 23), "1h", eager=True)
    frame = pl.DataFrame({"ds": hours, "y": y, "row": rows}).with_columns(y=pl.when(pl.col("row") != 230).then("y"))
    split, model = {"last": 96}, Forecaster("ols", input_size=24, horizon=30)
    score = model.fit(frame, target="y", split=split).score(split=split, measures=("acc",))
    made = model.forecasts(frame, part="test", split=split).drop_nulls("y").join(frame.select("ds", "row"), on="ds")
    ahead, lead = made["row"].to_numpy(), made["lead"].to_numpy()
    newest = np.where(lead <= 24, ahead - 24, ahead - 48)  # a whole season at the least before the first step
    says = np.array([y[at::-24].mean() for at in newest])
    wanted = metrics.acc(made["y"].to_numpy(), made["forecast"].to_numpy(), says)
    assert score.acc == pytest.approx(wanted, rel=1e-6)


def test_pinball_by_hand():
    quantile = np.array([0.0, 3.0, 4.0, -1.0])  # y - q: 1, -1, 0, 1
    assert metrics.quantile_loss(Y, quantile, 0.9) == pytest.approx((0.9 + 0.1 + 0 + 0.9) / 4)
    assert metrics.quantile_loss(Y, quantile, 0.5) == pytest.approx(metrics.mae(Y, quantile) / 2)


def test_wql_by_hand():
    quantiles = np.stack([Y - 1, Y + 2], -1)
    low, high = 2 * 0.1 * 4 * 1, 2 * 0.1 * 4 * 2  # level 0.1 below by 1; level 0.9 above by 2
    assert metrics.weighted_quantile_loss(Y, quantiles, [0.1, 0.9]) == pytest.approx((low + high) / 2 / 7)
    assert metrics.weighted_quantile_loss(Y, np.stack([Y, Y], -1), [0.1, 0.9]) == 0


def test_coverage_counts_both_ends():
    assert metrics.coverage(Y, Y - 1, Y + 1) == 1
    assert metrics.coverage(Y, Y, Y) == 1
    assert metrics.coverage(Y, np.array([0, 0, 5, 1.0]), np.array([1.0, 1.9, 6, 2])) == 0.25


@pytest.mark.parametrize("metric", [metrics.mse, metrics.rmse, metrics.mae, metrics.bias, metrics.smape])
def test_missing_cells_are_left_out(metric):
    holes = np.concatenate([Y, [np.nan, 5.0]])
    assert metric(holes, np.concatenate([F, [3.0, 5.0]])) == pytest.approx(metric(np.append(Y, 5.0), np.append(F, 5.0)))
    assert metric(Y.reshape(2, 2), F.reshape(2, 2)) == pytest.approx(metric(Y, F))


def test_missing_cells_are_left_out_of_intervals_and_quantiles():
    holes, spare = np.append(Y, np.nan), [3.0]
    assert metrics.coverage(holes, np.append(Y - 1, spare), np.append(Y + 1, spare)) == 1
    quantiles = np.stack([Y - 1, Y + 2], -1)
    with_hole = np.concatenate([quantiles, [[3.0, 3.0]]])
    assert metrics.weighted_quantile_loss(holes, with_hole, [0.1, 0.9]) == pytest.approx(
        metrics.weighted_quantile_loss(Y, quantiles, [0.1, 0.9])
    )
    assert metrics.quantile_loss(holes, with_hole[:, 0], 0.1) == pytest.approx(
        metrics.quantile_loss(Y, quantiles[:, 0], 0.1)
    )
    assert _seasonal_error(np.array([1.0, np.nan, 2.0, 7.0]), 1) == pytest.approx(5.0)


def test_zeros_forecast_as_zeros_cost_nothing():
    assert metrics.smape(np.zeros(3), np.zeros(3)) == 0
    assert metrics.smape(np.zeros(3), np.ones(3)) == pytest.approx(200)


def test_a_mask_says_which_cells_count():
    mask = np.array([True, True, False, True])
    assert metrics.mae(Y, F, mask=mask) == pytest.approx(1 / 3)
    assert math.isnan(metrics.mae(Y, F, mask=np.zeros(4, bool)))


def test_a_measure_of_several_sums_is_one_function():
    @metrics.measure(lambda count, error, y, square: 1 - error / (square - y**2 / count))
    def efficiency(y, forecast):
        return (forecast - y) ** 2, y, y**2

    assert efficiency(Y, F) == pytest.approx(1 - 10 / ((Y - Y.mean()) ** 2).sum())


def test_a_measure_is_found_by_its_word_and_others_are_refused():
    assert metrics.named("physical_rmse") is metrics.rmse
    assert metrics.physical("physical_rmse")
    assert not metrics.physical("rmse")
    with pytest.raises(InputError, match="unknown measure 'rmsee': did you mean 'rmse'"):
        metrics.named("rmsee")


@pytest.mark.parametrize("batch", [1, 3, 512])
def test_scores_of_windows_leads_and_series_are_those_of_their_cells(batch, monkeypatch):
    """Two series with missing cells, repeated: every way of grouping is worked out from the frame itself."""
    y = {"a": np.sin(np.arange(60.0)) * 3, "b": np.cos(np.arange(50.0)) + 100}
    y["b"][20:23] = np.nan
    frame = pl.concat([pl.DataFrame({"unique_id": [k] * len(v), "ds": range(len(v)), "y": v}) for k, v in y.items()])
    model = Forecaster("repeat_last", input_size=4, horizon=3).fit(frame, split={"ratios": [0.2, 0.2, 0.6]})
    monkeypatch.setattr(infer, "_CELLS", batch * (3 + 4))
    names = ("mse", "rmse", "physical_rmse", "physical_mae")
    score = model.score(split={"ratios": [0.2, 0.2, 0.6]}, measures=names)
    scale = float(model.preparation_.scaling.scale[0, 0])
    cells = {}  # (series, lead) -> errors in the data's own units
    for k, v in y.items():
        filled = pl.Series(v).fill_nan(None).forward_fill().to_numpy()
        for start in range(len(v) - int(0.6 * len(v)), len(v) - 2):
            seen = ~np.isnan(v[start : start + 3]).all() and ~np.isnan(v[start - 4 : start]).all()
            for lead in range(3 if seen else 0):
                cells.setdefault((k, lead), []).append(filled[start - 1] - v[start + lead])

    def rmse(*keys):
        return np.sqrt(np.nanmean(np.concatenate([cells[key] for key in keys]) ** 2))

    assert score.series == ("a", "b")
    assert score.physical_rmse == pytest.approx(rmse(*cells), rel=1e-5)
    assert score.rmse == pytest.approx(rmse(*cells) / scale, rel=1e-5)
    assert score.mse == pytest.approx(score.rmse**2)
    table = score.by_lead["physical_rmse"]
    assert table.shape == (3, 4)
    assert table[2, 3] == pytest.approx(score.physical_rmse)
    for row, name in enumerate("ab"):
        assert table[row, 3] == pytest.approx(rmse(*(key for key in cells if key[0] == name)), rel=1e-5)
        for lead in range(3):
            assert table[row, lead] == pytest.approx(rmse((name, lead)), rel=1e-5)
    for lead in range(3):
        assert table[2, lead] == pytest.approx(rmse(("a", lead), ("b", lead)), rel=1e-5)


def test_quantiles_are_measured_where_the_head_has_them():
    frame = pl.DataFrame({"ds": range(200), "y": np.sin(np.arange(200) / 3)})
    model = Forecaster("nlinear", input_size=8, horizon=3, quantiles=[0.1, 0.5, 0.9], max_epochs=1)
    score = model.fit(frame, target="y", split={"ratios": [0.6, 0.2, 0.2]}).score(
        split={"ratios": [0.6, 0.2, 0.2]}, measures=["coverage", "physical_coverage"]
    )
    assert 0 <= score.coverage == score.physical_coverage <= 1
    with pytest.raises(AttributeError, match="no measure 'mse' was asked for"):
        _ = score.mse


def test_what_is_best_at_a_value_orders_nothing() -> None:
    for word, value in (("bias", "0"), ("physical_coverage", "0.8")):
        with pytest.raises(InputError, match=f"{word} orders nothing, for it is best at {value} and not"):
            metrics.ordering(word)
    assert metrics.ordering("physical_rmse") is metrics.rmse
