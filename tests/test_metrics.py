"""Measures against numbers worked out by hand, and missing cells left out of every one."""

import math

import numpy as np
import pytest

from tsrnn import metrics

Y = np.array([1.0, 2.0, 4.0, 0.0])
F = np.array([2.0, 2.0, 1.0, 0.0])  # errors 1, 0, -3, 0


def test_by_hand():
    assert metrics.mse(Y, F) == pytest.approx(10 / 4)
    assert metrics.rmse(Y, F) == pytest.approx(math.sqrt(2.5))
    assert metrics.mae(Y, F) == pytest.approx(1.0)
    assert metrics.bias(Y, F) == pytest.approx(-0.5)
    assert metrics.smape(Y, F) == pytest.approx(100 * (2 / 3 + 0 + 6 / 5 + 0) / 4)


def test_mase_against_the_seasonal_naive_forecast():
    history = np.array([1.0, 5.0, 2.0, 7.0, 4.0])
    assert metrics.mase(Y, F, history) == pytest.approx(1.0 / ((4 + 3 + 5 + 3) / 4))
    assert metrics.mase(Y, F, history, seasonality=2) == pytest.approx(1.0 / ((1 + 2 + 2) / 3))
    assert math.isnan(metrics.mase(Y, F, np.ones(9)))


def test_pinball_by_hand():
    quantile = np.array([0.0, 3.0, 4.0, -1.0])  # y - q: 1, -1, 0, 1
    assert metrics.pinball(Y, quantile, 0.9) == pytest.approx((0.9 + 0.1 + 0 + 0.9) / 4)
    assert metrics.pinball(Y, quantile, 0.5) == pytest.approx(metrics.mae(Y, quantile) / 2)


def test_wql_by_hand():
    quantiles = np.stack([Y - 1, Y + 2], -1)
    low, high = 2 * 0.1 * 4 * 1, 2 * 0.1 * 4 * 2  # level 0.1 below by 1; level 0.9 above by 2
    assert metrics.wql(Y, quantiles, [0.1, 0.9]) == pytest.approx((low + high) / 2 / 7)
    assert metrics.wql(Y, np.stack([Y, Y], -1), [0.1, 0.9]) == 0


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
    assert metrics.wql(holes, with_hole, [0.1, 0.9]) == pytest.approx(metrics.wql(Y, quantiles, [0.1, 0.9]))
    assert metrics.pinball(holes, with_hole[:, 0], 0.1) == pytest.approx(metrics.pinball(Y, quantiles[:, 0], 0.1))
    assert metrics.mase(Y, F, np.array([1.0, np.nan, 2.0, 7.0])) == pytest.approx(1.0 / 5)


def test_zeros_forecast_as_zeros_cost_nothing():
    assert metrics.smape(np.zeros(3), np.zeros(3)) == 0
    assert metrics.smape(np.zeros(3), np.ones(3)) == pytest.approx(200)
