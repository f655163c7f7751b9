"""Measures against scoringrules' and utilsforecast's, on the same numbers."""

import numpy as np
import polars as pl
import pytest
import scoringrules
from scipy import stats
from utilsforecast import losses

from tsrnn import metrics

RNG = np.random.default_rng(0)
Y = RNG.gamma(2, 1, (40, 6)) + 0.1
DECILES = metrics.pinball.levels
QUANTILES = np.sort(RNG.gamma(2, 1, (40, 6, 9)), -1)
LOW, HIGH = QUANTILES[..., 0], QUANTILES[..., -1]


def test_pinball_interval_score_and_crps_are_scoringrules():
    own = metrics.pinball(Y, *np.moveaxis(QUANTILES, -1, 0))
    theirs = [scoringrules.quantile_score(Y, QUANTILES[..., k], level).mean() for k, level in enumerate(DECILES)]
    assert own == pytest.approx(np.mean(theirs))
    assert metrics.interval_score(Y, LOW, HIGH) == pytest.approx(scoringrules.interval_score(Y, LOW, HIGH, 0.2).mean())
    levels = np.array(metrics.crps.levels)
    quantiles = np.sort(RNG.gamma(2, 1, (40, 6, 10)), -1)
    wanted = scoringrules.crps_quantile(Y, quantiles, levels).mean()
    assert metrics.crps(Y, *np.moveaxis(quantiles, -1, 0)) == pytest.approx(wanted)


def test_crps_by_midpoints_is_near_the_distributions_own():
    mean, deviation = RNG.normal(0, 1, Y.shape), RNG.uniform(0.5, 2, Y.shape)
    quantiles = [stats.norm(mean, deviation).ppf(level) for level in metrics.crps.levels]
    assert metrics.crps(Y, *quantiles) == pytest.approx(scoringrules.crps_normal(Y, mean, deviation).mean(), rel=0.02)


def test_scores_of_samples_are_scoringrules():
    samples = RNG.gamma(2, 1, (40, 6, 15))
    assert metrics.sampled_crps(Y, samples) == pytest.approx(
        scoringrules.crps_ensemble(Y, samples, estimator="fair").mean()
    )
    paths = np.moveaxis(samples, -1, 1)  # [series sample step]
    biased = scoringrules.es_ensemble(Y, paths).mean()
    apart = np.linalg.norm(paths[:, :, None] - paths[:, None], axis=-1).sum((1, 2)).mean()
    assert metrics.energy_score(Y, paths) == pytest.approx(biased + apart / 2 * (1 / 15**2 - 1 / (15 * 14)))


def test_points_widths_and_weights_are_utilsforecasts():
    frame = pl.DataFrame(
        {
            "unique_id": np.repeat(np.arange(40), 6),
            "y": Y.ravel(),
            "m": QUANTILES[..., 4].ravel(),
            "m-lo-80": LOW.ravel(),
            "m-hi-80": HIGH.ravel(),
            "ds": np.tile(np.arange(50, 56), 40),
            "cutoff": 49,
        }
    )
    smape = losses.smape(frame, models=["m"])["m"].mean()
    assert metrics.smape(Y, QUANTILES[..., 4]) == pytest.approx(200 * smape)
    history = RNG.gamma(2, 1, (40, 50))
    past = pl.DataFrame(
        {"unique_id": np.repeat(np.arange(40), 50), "ds": np.tile(np.arange(50), 40), "y": history.ravel()}
    )
    scales = np.abs(history[:, 7:] - history[:, :-7]).mean(1, keepdims=True)

    def rmsse(k):
        return metrics.rmsse(Y[k], QUANTILES[k, :, 4], history[k], 7)

    def mase(k):
        return metrics.mase(Y[k], QUANTILES[k, :, 4], np.broadcast_to(scales[k], 6))

    for own, theirs in ((mase, losses.mase), (rmsse, losses.rmsse)):
        mine = [own(k) for k in range(40)]
        wanted = theirs(frame, models=["m"], seasonality=7, train_df=past).sort("unique_id")["m"].to_numpy()
        np.testing.assert_allclose(mine, wanted)
    inside = losses.coverage(frame, models=["m"], level=80)["m"].mean()
    assert metrics.coverage(Y, LOW, HIGH) == pytest.approx(inside)
    named = {f"q{k}": QUANTILES[..., k].ravel() for k in range(9)}
    wide = frame.with_columns([pl.Series(name, column) for name, column in named.items()])
    by_level = [
        losses.quantile_loss(wide, models={"m": f"q{k}"}, q=level)["m"].mean() for k, level in enumerate(DECILES)
    ]
    assert metrics.wql(Y, *np.moveaxis(QUANTILES, -1, 0)) == pytest.approx(2 * np.mean(by_level) / np.abs(Y).mean())
    assert metrics.weighted_quantile_loss(Y, QUANTILES, DECILES) == pytest.approx(
        metrics.wql(Y, *np.moveaxis(QUANTILES, -1, 0))
    )
