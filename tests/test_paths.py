"""Sample paths: their columns, their marginals, and how they hang together over steps and channels."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from scipy import stats
from small import LEVELS, TASK, hours, long_frame

from tsrnn import split, windows
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster

PULL = 0.8


def world(rows=1500, seed=0):
    """Two channels that remember 0.8 of themselves, their noise alike at 0.7."""
    rng = np.random.default_rng(seed)
    noise = rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], rows)
    values = np.zeros((rows, 2))
    for t in range(1, rows):
        values[t] = PULL * values[t - 1] + noise[t]
    return pl.DataFrame({"ds": hours(rows), "y": values[:, 0], "z": values[:, 1]})


@pytest.fixture(scope="module")
def direct():
    options = {"input_size": 4, "horizon": 6, "max_epochs": 4, "learning_rate": 0.01}
    return Forecaster("nlinear", **options, loss="gaussian").fit(world(), target=["y", "z"])


def cube(frame, columns=("y", "z"), horizon=6):
    """[step sample column]."""
    return frame.select(columns).to_numpy().reshape(horizon, -1, len(columns))


def test_a_frame_of_paths(direct):
    frame = long_frame()
    forecaster = Forecaster("repeat_last", **TASK, quantiles=LEVELS).fit(frame.to_pandas())
    paths = forecaster.simulate(7)
    assert isinstance(paths, pd.DataFrame)
    assert list(paths.columns) == ["unique_id", "ds", "sample", "y"]
    assert len(paths) == 3 * 6 * 7
    assert paths["sample"].tolist() == [*range(7)] * 18
    point = forecaster.predict()
    assert paths["ds"].tolist() == point["ds"].repeat(7).tolist()
    assert direct.simulate(3).columns == ["ds", "sample", "y", "z"]


def test_one_random_state_gives_one_set_of_paths(direct):
    assert_frame_equal(direct.simulate(20), direct.simulate(20))
    assert not direct.simulate(20).equals(direct.simulate(20, random_state=1))


def test_marginals_are_the_forecasts(direct):
    paths = cube(direct.simulate(400))
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    forecast = direct.clone().set_params(quantiles=levels).fit(world(), target=["y", "z"]).predict()
    for k, name in enumerate(("y", "z")):
        for level in levels:
            drawn = np.quantile(paths[:, :, k], level, axis=1)
            np.testing.assert_allclose(drawn, forecast[f"{name}_q{level:g}"], atol=0.12)


def test_paths_hang_together_as_the_models_errors_do_over_steps_and_channels(direct):
    drawn = cube(direct.simulate(1000))
    unseen = direct.laid(world(4000, seed=1))
    cut = windows.cut(unseen, split.whole(unseen.arrays), 4, 6)
    batch = cut.gather(torch.arange(len(cut)))
    with torch.inference_mode():
        errors = (batch.target - direct.head_.point(direct.model_(batch))).numpy()  # [window step channel]
    there, here = (np.corrcoef(each.reshape(len(each), -1).T) for each in (errors, drawn.transpose(1, 0, 2)))
    np.testing.assert_allclose(here, there, atol=0.12)
    assert there[0, 1] > 0.5  # the channels at one step, and a step later
    assert there[6, 8] > 0.6


def test_a_few_quantiles_are_met_and_tails_go_on_beyond_them():
    frame = pl.DataFrame({"ds": hours(1000), "y": stats.laplace(0, 1).rvs(1000, random_state=0)})
    forecaster = Forecaster("window_mean", **TASK, quantiles=[0.1, 0.5, 0.9]).fit(frame)
    forecast, paths = forecaster.predict(), forecaster.simulate(500)
    drawn = paths["y"].to_numpy().reshape(6, 500)
    for level in LEVELS:
        np.testing.assert_allclose(np.quantile(drawn, level, axis=1), forecast[f"y_q{level:g}"], atol=0.05)
    offset = np.quantile(drawn, 0.98, axis=1) - forecast["y_q0.5"].to_numpy()
    np.testing.assert_allclose(offset, -np.log(0.04), rtol=0.25)  # a Laplace distribution's own


def test_a_calibrated_point_forecast_has_paths_too():
    frame = world().drop("z")
    forecaster = Forecaster("repeat_last", input_size=4, horizon=6, val_size=0.4).fit(frame)
    with pytest.raises(InputError, match="paths need to know what is likely on both sides of the forecast"):
        forecaster.simulate(10)
    forecaster.calibrate(levels=[0.5, 0.8])
    drawn = cube(forecaster.simulate(400), ("y",))[..., 0]
    forecast = forecaster.predict()
    for level in (0.1, 0.25, 0.75, 0.9):
        np.testing.assert_allclose(np.quantile(drawn, level, axis=1), forecast[f"y_q{level:g}"], atol=0.12)


def test_quantiles_on_one_side_are_no_ground_for_paths():
    forecaster = Forecaster("repeat_last", **TASK, quantiles=[0.8, 0.9]).fit(long_frame())
    with pytest.raises(InputError, match="on both sides of the forecast"):
        forecaster.simulate(5)


@pytest.mark.slow
def test_deepar_draws_paths_from_itself():
    options = {"input_size": 12, "horizon": 6, "hidden_size": 16, "num_layers": 1, "season_lag": False, "dropout": 0.0}
    options["paths"] = 400  # of its own forecast, whose quantiles are as noisy as those are few
    training = {"max_epochs": 8, "learning_rate": 1e-2, "centring": "none"}
    frame = world(2500).drop("z")
    forecaster = Forecaster("deepar", **options, **training, quantiles=LEVELS).fit(frame)
    drawn, forecast = cube(forecaster.simulate(600), ("y",))[..., 0], forecaster.predict()
    for level in LEVELS:
        np.testing.assert_allclose(np.quantile(drawn, level, axis=1), forecast[f"y_q{level:g}"], atol=0.35)
    errors = drawn - drawn.mean(1, keepdims=True)
    deviation = np.sqrt((1 - PULL ** (2 * np.arange(1, 7))) / (1 - PULL**2))
    for step in range(5):
        true = PULL * deviation[step] / deviation[step + 1]
        assert np.corrcoef(errors[step], errors[step + 1])[0, 1] == pytest.approx(true, abs=0.12)
    assert_frame_equal(forecaster.simulate(5), forecaster.simulate(5))
    assert not forecaster.simulate(5).equals(forecaster.simulate(5, random_state=1))


def test_what_cannot_be_simulated_is_refused(direct):
    with pytest.raises(InputError, match="simulate draws a whole number of paths, at least one, not 0"):
        direct.simulate(0)
    with pytest.raises(InputError, match="past errors to hang together by: a series of at least 10 rows"):
        direct.simulate(5, world().tail(9))
    frame = world().rename({"z": "sample"})
    named = Forecaster("repeat_last", **TASK, quantiles=LEVELS).fit(frame, target=["y", "sample"])
    with pytest.raises(InputError, match="a column is called 'sample'"):
        named.simulate(5)


@pytest.mark.parametrize("model", ["repeat_last", "deepar"])
def test_paths_are_as_likely_as_calibrated_quantiles_say_also_where_those_follow_the_newest_errors(model):
    frame = long_frame((300, 280))
    storm = np.random.default_rng(0).choice([-9.0, 9.0], frame.height) * (np.arange(frame.height) % 300 > 230)
    stormy = frame.with_columns(pl.col("y") + pl.Series(storm))
    options = {} if model == "repeat_last" else {"hidden_size": 4, "max_epochs": 1}
    forecaster = Forecaster(model, **TASK, **options, val_size=0.4).fit(stormy).calibrate(adaptive=True)
    forecast = forecaster.predict()
    drawn = forecaster.simulate(1000)["y"].to_numpy().reshape(-1, 1000)
    for level in (0.1, 0.9):
        np.testing.assert_allclose(np.quantile(drawn, level, axis=1), forecast[f"y_q{level:g}"], atol=0.15)


def test_paths_of_counts_are_counts_whatever_likelihood_a_model_draws_by():
    counts = long_frame().with_columns(pl.col("y").round().clip(0))
    options = {"hidden_size": 4, "max_epochs": 1, "quantiles": [0.1, 0.9]}
    forecaster = Forecaster("deepar", **TASK, **options, loss="negative_binomial").fit(counts)
    forecast, drawn = forecaster.predict(), forecaster.simulate(500)["y"].to_numpy().reshape(-1, 500)
    assert (drawn == drawn.round()).all()
    assert drawn.min() >= 0
    for level in (0.1, 0.9):
        np.testing.assert_allclose(np.quantile(drawn, level, axis=1), forecast[f"y_q{level:g}"], atol=1)


@pytest.mark.parametrize(("count", "state"), [(0, 0), (1.5, 0), ("a", 0), (3, -1), (3, None)])
def test_what_is_no_number_of_paths_or_no_seed_is_refused(direct, count, state):
    with pytest.raises(InputError, match=r"simulate draws a whole number of paths|random_state must be a whole number"):
        direct.simulate(count, random_state=state)
