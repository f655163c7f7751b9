"""Naive forecasts know how wrong they are: their quantiles hold their share of a world that they have not seen."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from small import arrays_of, cut_of, hours, waves

from tsrnn import heads, models
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster
from tsrnn.shapes import Spec

LEVELS = (0.1, 0.5, 0.9)
SPEC = Spec(input_size=16, horizon=5, channels=2, targets=2, params=4, levels=LEVELS, seasonality=8)


def test_the_mean_of_the_newest_steps_stays():
    model = models.build(
        "window_mean", models.configure("window_mean", {"steps": 3}), replace(SPEC, params=1, levels=())
    )
    values = np.arange(40.0)[:, None] * [1, -2]
    forecast = model(cut_of(arrays_of(values), 16, 5).gather(torch.tensor([0, 4])))[..., 0]
    torch.testing.assert_close(forecast[:, :, 0], torch.tensor([14.0, 18.0])[:, None].expand(2, 5))
    torch.testing.assert_close(forecast[:, :, 1], -2 * forecast[:, :, 0])
    with pytest.raises(InputError, match="steps=17 reach behind input_size=16"):
        models.build("window_mean", models.configure("window_mean", {"steps": 17}), SPEC)


def test_a_departure_from_the_clock_is_damped_as_the_training_shows():
    """A day of eight steps and a departure that keeps 0.9 of itself from step to step."""
    rng, keep, days = np.random.default_rng(0), 0.9, 60
    departure, noise = np.zeros(16_000), rng.standard_normal(16_000)
    for step in range(1, len(departure)):
        departure[step] = keep * departure[step - 1] + noise[step]
    clock = np.tile(20 * np.sin(2 * np.pi * np.arange(8) / 8), len(departure) // 8)
    windows = cut_of(arrays_of((clock + departure)[:, None]), 8 * days, 5)
    spec = Spec(8 * days, 5, 1, 1, seasonality=8)
    model = built("damped", spec)
    assert model.solve(windows, None)
    np.testing.assert_allclose(model.damping[:, 0], keep ** np.arange(1, 6), atol=0.05)
    batch = windows.gather(torch.tensor([100, 777]))
    mean = batch.past[..., 0].unflatten(1, (days, 8)).mean(1)
    expected = mean[:, :5] + model.damping[:, 0] * (batch.past[:, -1] - mean[:, 7:])
    torch.testing.assert_close(model(batch)[:, :, 0, 0], expected)
    with pytest.raises(InputError, match="61 seasons of 8 steps reach behind input_size=480"):
        models.build("damped", models.configure("damped", {"seasons": 61}), spec)


def built(name, spec=SPEC):
    return models.build(name, models.configure(name, {}), spec)


def walk(rows, seed, drift=0.0):
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.standard_normal(rows) + drift)[:, None]


def drifting(rows, seed):
    return walk(rows, seed, 0.5)


def seasons(rows, seed):
    """A day of 24 hours under heavy-tailed noise."""
    rng = np.random.default_rng(seed)
    return (5 * np.sin(2 * np.pi * np.arange(rows) / 24) + rng.standard_t(4, rows))[:, None]


def frame_of(values):
    return pl.DataFrame({"ds": hours(len(values)), "y": values[:, 0]})


@pytest.mark.parametrize(("levels", "loss", "params"), [(LEVELS, "mse", 4), ((), "gaussian", 2), ((), "student_t", 3)])
@pytest.mark.parametrize(
    ("name", "world"), [("repeat_last", walk), ("repeat_last", drifting), ("seasonal_naive", seasons)]
)
def test_quantiles_hold_their_share_at_every_step(name, world, levels, loss, params):
    model = built(name, Spec(24, 12, 1, 1, params=params, levels=levels, loss=loss, seasonality=24))
    model.solve(cut_of(arrays_of(world(20_000, 0)), 24, 12), None)
    unseen = cut_of(arrays_of(world(60_000, 1)), 24, 12)
    batch = unseen.gather(torch.arange(0, len(unseen), 12))
    forecast = heads.build(levels, loss).quantiles(model(batch), LEVELS)  # [batch horizon target quantile]
    shares = (batch.target.unsqueeze(-1) <= forecast).double().mean((0, 2))  # [horizon quantile]
    np.testing.assert_allclose(shares.mean(0), LEVELS, atol=0.025)
    np.testing.assert_allclose(shares, np.broadcast_to(LEVELS, (12, 3)), atol=0.04)


def test_a_random_walk_is_the_less_certain_the_farther():
    forecast = (
        Forecaster("repeat_last", input_size=4, horizon=9, quantiles=LEVELS).fit(frame_of(walk(20_000, 0))).predict()
    )
    width = (forecast["y_q0.9"] - forecast["y_q0.1"]).to_numpy()
    np.testing.assert_allclose(width, 2 * 1.2816 * np.sqrt(np.arange(1, 10)), rtol=0.06)


@pytest.mark.parametrize("name", ["repeat_last", "seasonal_naive"])
def test_offsets_are_the_quantiles_of_the_errors(name):
    values = np.random.default_rng(0).standard_normal((200, 2))
    values[60:70, 0] = values[100:130, 1] = np.nan
    windows = cut_of(arrays_of(values), 16, 5)
    model = built(name)
    assert model.solve(windows, None)
    batch = windows.gather(torch.arange(len(windows)))
    errors = (batch.target - built(name, replace(SPEC, params=1, levels=()))(batch)[..., 0]).numpy()
    seen = batch.target_observed.numpy()
    for step in range(5):
        for target in range(2):
            these = errors[seen[:, step, target], step, target]
            wanted = np.quantile(these, LEVELS, method="weibull")
            shown = heads.of(model.spec).quantiles(model.offsets[step, target], LEVELS)
            np.testing.assert_allclose(shown, wanted, atol=1e-5)
    torch.testing.assert_close(model(batch)[..., 1], built(name)(batch)[..., 1] + model.offsets[..., 1])
    assert not model.offsets[..., 2].any()  # the point stays the plain forecast


def test_a_target_never_measured_has_no_errors():
    values = waves(100, 2)
    values[:, 1] = np.nan
    model = built("repeat_last")
    model.solve(cut_of(arrays_of(values), 16, 5), None)
    shown = heads.of(model.spec).quantiles(model.offsets, LEVELS)
    assert shown[:, 0].any()
    assert shown[:, 1].abs().max() < 1e-5


def test_many_windows_are_looked_at_in_part(monkeypatch):
    windows = cut_of(arrays_of(np.random.default_rng(0).standard_normal((4000, 2))), 16, 5)
    whole, part = built("repeat_last"), built("repeat_last")
    whole.solve(windows, None)
    monkeypatch.setattr("tsrnn.models._base.kinds._ERRORS", 10_000)  # 1000 windows
    part.solve(windows, None)
    assert not torch.equal(part.offsets, whole.offsets)
    torch.testing.assert_close(part.offsets, whole.offsets, atol=0.25, rtol=0)


def test_a_point_stays_the_plain_forecast():
    frame = frame_of(walk(300, 0, drift=1.0))
    forecaster = Forecaster("repeat_last", input_size=24, horizon=6).fit(frame)
    np.testing.assert_allclose(forecaster.predict()["y"], frame["y"][-1], rtol=1e-6)
    assert not forecaster.model_.weights()


def test_one_quantile_alone_is_moved_too():
    frame = frame_of(walk(3000, 0))
    high = Forecaster("repeat_last", input_size=4, horizon=1, quantiles=[0.9]).fit(frame).predict()
    assert high["y_q0.9"][0] - frame["y"][-1] == pytest.approx(1.2816, abs=0.1)
