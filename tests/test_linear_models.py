"""Least squares, linear and naive models are what a few lines by hand say."""

import numpy as np
import pytest
import torch
from small import arrays_of, cut_of, waves
from small_models import batch_of, made

from tsrnn.shapes import Spec


def ridge(x, y, strength):
    """Least squares with an intercept that is not shrunk; `strength` shares of the mean eigenvalue."""
    x_mean, y_mean = x.mean(0), y.mean(0)
    centred = x - x_mean
    unit = np.trace(centred.T @ centred) / x.shape[1]
    tall = np.concatenate([centred, np.sqrt(strength * unit) * np.eye(x.shape[1])])
    weights = np.linalg.lstsq(tall, np.concatenate([y - y_mean, np.zeros((x.shape[1], y.shape[1]))]), rcond=None)[0]
    return weights, y_mean - x_mean @ weights


def solved(values, ridges, spec, val=None, weights="shared"):
    model = made("ols", spec, centring="last", ridges=ridges, weights=weights)
    assert model.solve(cut_of(arrays_of(values), spec.input_size, spec.horizon), val)
    return model


def rows_of(values, input_size, horizon):
    """Centred inputs and targets of every window of every channel, without those that miss a target."""
    x, y = [], []
    for column in values.astype(np.float32).T:
        for at in range(input_size, len(column) - horizon + 1):
            if not np.isnan(column[at : at + horizon]).any():
                x.append(column[at - input_size : at] - column[at - 1])
                y.append(column[at : at + horizon] - column[at - 1])
    return np.array(x, np.float64), np.array(y, np.float64)


@pytest.mark.parametrize("strength", [1e-6, 1e-2])
def test_ols_is_ridge_regression(strength):
    spec, values = Spec(6, 3, 2, 2), waves(80, 2, noise=0.5)
    model = solved(values, (strength,), spec)
    weights, bias = ridge(*rows_of(values, 6, 3), strength)
    np.testing.assert_allclose(model.linear.weight.T.numpy(), weights, atol=2e-4)
    np.testing.assert_allclose(model.linear.bias.numpy(), bias, atol=2e-4)


def test_ols_leaves_out_rows_that_miss_a_target():
    spec, values = Spec(6, 3, 2, 2), waves(80, 2, noise=0.5)
    values[70:75, 1] = np.nan
    whole = values.copy()
    whole[70:75, 1] = whole[69, 1]  # filled from the past, as windows do
    x, y = [], []
    for channel in range(2):
        for at in range(6, 78):
            if np.isnan(values[at : at + 3]).any(0)[channel]:
                continue
            x.append(whole[at - 6 : at, channel] - whole[at - 1, channel])
            y.append(whole[at : at + 3, channel] - whole[at - 1, channel])
    weights, _ = ridge(np.array(x), np.array(y), 1e-2)
    np.testing.assert_allclose(solved(values, (1e-2,), spec).linear.weight.T.numpy(), weights, atol=2e-4)


def test_ols_chooses_the_ridge_on_validation():
    spec, values = Spec(12, 3, 1, 1), waves(60, noise=1.0)
    val = cut_of(arrays_of(waves(60, noise=1.0, seed=5)), 12, 3)
    x, y = rows_of(waves(60, noise=1.0, seed=5), 12, 3)
    errors = {}
    for strength in (1e-6, 1e-3, 1e-1, 1.0):
        weights, bias = ridge(*rows_of(values, 12, 3), strength)
        errors[strength] = np.square(x @ weights + bias - y).mean()
    best = min(errors, key=errors.get)
    assert best != 1e-6
    chosen, alone = solved(values, tuple(errors), spec, val), solved(values, (best,), spec)
    assert torch.equal(chosen.linear.weight, alone.linear.weight)


def alone(values, channel, ridges, val):
    """The model of one channel by itself."""
    return solved(values[:, [channel]], ridges, Spec(6, 3, 1, 1), cut_of(arrays_of(val[:, [channel]]), 6, 3))


@pytest.mark.parametrize("centring", ["none", "last", "season", "mean"])
def test_rows_of_overlapping_windows_give_the_sums_of_the_windows(centring, monkeypatch):
    """Two series, a gap in the second: each stretch is a run; validation's errors come from sums, too."""
    spec = Spec(6, 3, 2, 2, seasonality=4)
    train = cut_of(arrays_of(waves(90, 2, noise=0.5), waves(70, 2, noise=0.5, seed=1), breaks=(120,)), 6, 3)
    val = cut_of(arrays_of(waves(60, 2, noise=0.5, seed=2)), 6, 3)
    assert len(train.runs()) == 3
    forecasts = []  # a direction in which no centred window moves may weigh anything
    for least in (1, 10**6):  # windows in a run from which on its rows are read
        monkeypatch.setattr("tsrnn.layers.chosen_ridge._RUN", least)
        for kind in ("individual", "auto"):
            model = made("ols", spec, centring=centring, weights=kind, ridges=(1e-4, 1e-2, 1.0))
            model.solve(train, val)
            forecasts.append(model(train.gather(torch.arange(len(train)))))
    torch.testing.assert_close(forecasts[:2], forecasts[2:], rtol=0, atol=1e-5)


def test_windows_with_missing_cells_are_no_runs():
    values = waves(60, 1)
    assert cut_of(arrays_of(values), 6, 3).runs() == [slice(0, 60)]
    values[30] = np.nan
    assert cut_of(arrays_of(values), 6, 3).runs() is None


def unlike(seed):
    """Two channels whose next steps follow from the window by other weights."""
    noise = np.random.default_rng(seed).standard_normal((300, 2))
    values = noise.copy()
    for step in range(1, 300):
        values[step] += np.array([0.9, -0.9]) * values[step - 1]
    return values


def test_individual_weights_are_those_of_each_channel_alone_with_its_own_ridge():
    ridges, val = (1e-6, 1e-2, 1.0), waves(60, 2, noise=1.0, seed=4)
    values = waves(80, 2, noise=0.5)
    values[70:75, 1] = np.nan
    spec = Spec(6, 3, 2, 2)
    model = solved(values, ridges, spec, cut_of(arrays_of(val), 6, 3), "individual")
    for channel in range(2):
        by_itself = alone(values, channel, ridges, val)
        torch.testing.assert_close(model.linear.weight[channel], by_itself.linear.weight)
        torch.testing.assert_close(model.linear.bias[channel], by_itself.linear.bias)
    chosen = [
        [
            torch.equal(alone(values, channel, (ridge,), val).linear.weight, model.linear.weight[channel])
            for ridge in ridges
        ]
        for channel in range(2)
    ]
    assert chosen[0] != chosen[1], "each has its own"


def test_individual_weights_forecast_each_channel_by_its_own_map():
    spec = Spec(6, 3, 2, 2)
    model = solved(unlike(0), (1e-6,), spec, weights="individual")
    batch = batch_of(spec)
    for channel in range(2):
        last = batch.past[:, -1:, channel]
        by_hand = (
            (batch.past[:, :, channel] - last) @ model.linear.weight[channel].T + model.linear.bias[channel] + last
        )
        torch.testing.assert_close(model(batch)[:, :, channel, 0], by_hand)


@pytest.mark.parametrize("held", [400_000_000, 1])
def test_auto_takes_what_validation_likes_better(held, monkeypatch):
    monkeypatch.setattr("tsrnn.layers.chosen_ridge._HELD", held)  # of one channel's sums, or of all, at a time
    spec = Spec(6, 3, 2, 2)
    for values, val, likes in (
        (unlike(0), unlike(1), "individual"),
        (unlike(0)[:, [0, 0]], unlike(1)[:, [0, 0]], "shared"),
    ):
        values[:, 1] += np.random.default_rng(3).standard_normal(300) * 0.1
        windows = cut_of(arrays_of(val), 6, 3)
        auto, other = solved(values, (1e-4,), spec, windows, "auto"), solved(values, (1e-4,), spec, windows, likes)
        torch.testing.assert_close(auto.linear.weight, other.linear.weight.expand_as(auto.linear.weight))
        blind, shared = solved(values, (1e-4,), spec, None, "auto"), solved(values, (1e-4,), spec)
        torch.testing.assert_close(blind.linear.weight, shared.linear.weight.expand_as(blind.linear.weight))


@pytest.mark.parametrize("name", ["nlinear", "dlinear"])
def test_linear_models_may_have_individual_weights(name):
    shared, own, batch = made(name), made(name, weights="individual"), batch_of()
    for part, weight in own.state_dict().items():
        weight.copy_(shared.state_dict()[part].expand_as(weight))
    torch.testing.assert_close(own(batch), shared(batch))
    before = own(batch)
    with torch.no_grad():
        for weight in own.parameters():
            weight[1] += 1.0
    moved = (own(batch) - before).abs().amax((0, 1, 3))
    assert moved[0] == 0
    assert moved[1] > 0


def linear_maps(model):
    return {name: each.astype(np.float64) for name, each in model.weights().items()}


def test_nlinear_by_hand():
    model, batch = made("nlinear"), batch_of()
    model.linear.weight.data += torch.randn(13, 48, generator=torch.Generator().manual_seed(0))
    w, past = linear_maps(model), batch.past.double().numpy()
    last = past[:, -1:, :]
    expected = np.einsum("hl,blc->bhc", w["linear.weight"], past - last) + w["linear.bias"][:, None] + last
    np.testing.assert_allclose(model(batch)[..., 0].detach(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kernel", [1, 5, 6, 25])
def test_dlinear_by_hand(kernel):
    model, batch = made("dlinear", kernel=kernel), batch_of()
    for seed, layer in enumerate((model.trend, model.season)):
        layer.weight.data += torch.randn(13, 48, generator=torch.Generator().manual_seed(seed))
    w, past = linear_maps(model), batch.past.double().numpy()
    left = (kernel - 1) // 2
    trend = np.empty_like(past)
    for at in range(48):
        rows = np.clip(np.arange(at - left, at - left + kernel), 0, 47)
        trend[:, at] = past[:, rows].mean(1)
    expected = w["trend.bias"][:, None] + w["season.bias"][:, None]
    expected = expected + np.einsum("hl,blc->bhc", w["trend.weight"], trend)
    expected = expected + np.einsum("hl,blc->bhc", w["season.weight"], past - trend)
    np.testing.assert_allclose(model(batch)[..., 0].detach(), expected, rtol=1e-4, atol=1e-4)


def test_linear_models_start_as_the_mean():
    batch = batch_of()
    for name in ("nlinear", "dlinear"):
        model = made(name)
        for part, weight in model.state_dict().items():
            if part.endswith("bias"):
                weight.zero_()
        torch.testing.assert_close(model(batch)[:, 0, :, 0], batch.past.mean(1))


def test_repeat_last_and_seasonal_naive():
    batch = batch_of()
    assert torch.equal(made("repeat_last")(batch)[..., 0], batch.past[:, -1:].expand(-1, 13, -1))
    seasonal = made("seasonal_naive")(batch)[..., 0]
    for step in range(13):
        assert torch.equal(seasonal[:, step], batch.past[:, 48 - 8 + step % 8])
    weekly = made("seasonal_naive", season=20)(batch)[..., 0]
    assert torch.equal(weekly, batch.past[:, 28:41])
