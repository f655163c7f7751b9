"""Paths of any length: each step from the model's own distribution, and what was drawn is read as if measured."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from small import hours, long_frame

from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster

PULL = 0.8


def world(rows=1200):
    """One channel that remembers 0.8 of itself, with noise of deviation 1."""
    noise = np.random.default_rng(0).normal(size=rows)
    values = np.zeros(rows)
    for t in range(1, rows):
        values[t] = PULL * values[t - 1] + noise[t]
    return pl.DataFrame({"ds": hours(rows), "y": values + 10})


OPTIONS = {"input_size": 4, "max_epochs": 6, "learning_rate": 0.01, "loss": "gaussian", "progress": False}


@pytest.fixture(scope="module")
def ahead():
    """One step ahead."""
    return Forecaster("dlinear", horizon=1, quantiles=[0.1587, 0.8413], **OPTIONS).fit(world())


def drawn(forecaster, n, steps, frame=None, **more):
    """[step sample]."""
    return forecaster.simulate(n, frame, steps=steps, **more)["y"].to_numpy().reshape(steps, n)


def test_the_first_step_has_the_moments_of_the_one_step_distribution(ahead):
    forecast = ahead.predict()
    deviation = (forecast["y_q0.8413"] - forecast["y_q0.1587"])[0] / 2
    for steps in (1, 3):
        first = drawn(ahead, 4000, steps)[0]
        assert first.mean() == pytest.approx(forecast["y"][0], abs=4 * deviation / 4000**0.5)
        assert first.std() == pytest.approx(deviation, rel=0.05)
        assert (first < forecast["y_q0.1587"][0]).mean() == pytest.approx(0.1587, abs=0.02)


def test_later_steps_have_the_moments_of_the_world(ahead):
    paths = drawn(ahead, 3000, 12)
    apart = np.sqrt((1 - PULL ** (2 * np.arange(1, 13))) / (1 - PULL**2))
    np.testing.assert_allclose(paths.std(1), apart, rtol=0.25)
    assert np.corrcoef(paths[10], paths[11])[0, 1] == pytest.approx(PULL, abs=0.08)


def test_what_was_drawn_is_read_as_if_it_had_been_measured(ahead, monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda *shape, **_: torch.full(shape, 0.5))  # the middle of each distribution
    path, frame = drawn(ahead, 1, 5)[:, 0], world()
    for value in path:
        np.testing.assert_allclose(value, ahead.predict(frame)["y"][0], rtol=1e-5)
        following = pl.DataFrame({"ds": hours(len(frame) + 1)[-1:], "y": [value]})
        frame = pl.concat([frame, following.with_columns(pl.col("ds").cast(frame["ds"].dtype))])


def test_paths_go_beyond_the_horizon_in_the_frame_that_came_in():
    frame = long_frame()
    options = {**OPTIONS, "max_epochs": 1, "calendar": True}
    forecaster = Forecaster("lstm", horizon=3, hidden_size=4, **options).fit(frame.to_pandas())
    paths = forecaster.simulate(5, steps=10)
    assert isinstance(paths, pd.DataFrame)
    assert list(paths.columns) == ["unique_id", "ds", "sample", "y"]
    assert len(paths) == 3 * 10 * 5
    assert np.isfinite(paths["y"]).all()
    assert paths["ds"].iloc[0] == forecaster.predict()["ds"].iloc[0]
    with pytest.raises(InputError, match="simulate takes a frame in second place; write steps=10"):
        forecaster.simulate(5, 10)
    assert paths["ds"].is_monotonic_increasing or paths["unique_id"].nunique() == 3


def test_one_random_state_gives_one_set_of_paths(ahead):
    assert_frame_equal(ahead.simulate(4, steps=3), ahead.simulate(4, steps=3))
    assert not ahead.simulate(4, steps=3).equals(ahead.simulate(4, steps=3, random_state=1))


def test_series_do_not_share_their_windows():
    frame = long_frame().with_columns(pl.col("y") + 100 * (pl.col("unique_id") == pl.col("unique_id").last()))
    options = {**OPTIONS, "max_epochs": 1}
    forecaster = Forecaster("nlinear", horizon=1, scale_per_series=True, **options).fit(frame)
    means = forecaster.simulate(50, steps=2).group_by("unique_id", maintain_order=True).agg(pl.col("y").mean())["y"]
    assert means[-1] > 50 > means[0]


def test_a_model_that_draws_paths_itself_goes_on_from_them():
    options = {"input_size": 12, "horizon": 4, "hidden_size": 6, "paths": 10, "max_epochs": 1, "max_windows": 64}
    forecaster = Forecaster("deepar", **options, progress=False).fit(world(300))
    paths = drawn(forecaster, 6, 10)
    assert paths.shape == (10, 6)
    assert np.isfinite(paths).all()
    assert (paths.std(1) > 0).all()


def test_holes_and_masks_move_on_with_the_window():
    frame = world(300).with_columns(y=pl.when(pl.int_range(pl.len()) % 7 != 3).then("y"))
    options = {**OPTIONS, "max_epochs": 1}
    forecaster = Forecaster("lstm", horizon=1, hidden_size=4, **options).fit(frame, target="y")
    assert forecaster.preparation_.groups
    assert np.isfinite(drawn(forecaster, 3, 9)).all()


def test_counts_stay_counts():
    frame = world(200).with_columns(pl.col("y").round().clip(0))
    options = {**OPTIONS, "max_epochs": 1, "loss": "negative_binomial"}
    values = drawn(Forecaster("nlinear", horizon=1, **options).fit(frame), 5, 6)
    assert (values == values.round()).all()
    assert values.min() >= 0


def test_what_cannot_go_on_is_one_sentence(ahead):
    with pytest.raises(InputError, match="steps must be a whole number of steps, from 1 to 1,000,000, not 0"):
        ahead.simulate(3, steps=0)
    with pytest.raises(InputError, match="simulate draws a whole number of paths, at least one, not 0"):
        ahead.simulate(0, steps=2)
    options = {**OPTIONS, "max_epochs": 1}
    point = Forecaster("nlinear", horizon=1, **{**options, "loss": "mse"}).fit(world(200))
    with pytest.raises(
        InputError, match="a distribution of the next step, and this model has none; fit with loss='gau"
    ):
        point.simulate(3, steps=2)
    frame = world(200).with_columns(wind=pl.col("y") * 2)
    told = Forecaster("lstm", horizon=1, hidden_size=4, **options).fit(frame, target="y", past_covariates="wind")
    with pytest.raises(InputError, match="go on from targets alone, and nobody knows 'wind' ahead; fit without past"):
        told.simulate(3, steps=2)
    moved = Forecaster("nlinear", horizon=1, val_size=0.4, **options).fit(world(200)).calibrate(levels=[0.8])
    with pytest.raises(InputError, match="paths of steps= are the model's own, which calibrate has moved"):
        moved.simulate(3, steps=2)
