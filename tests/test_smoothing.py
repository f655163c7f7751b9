"""Smoothing and seasons of many windows at once are those of one series after the other, written as loops."""

import warnings
from datetime import date

import numpy as np
import polars as pl
import pytest
import torch

from tsrnn import Forecaster, heads, models
from tsrnn.layers import classical
from tsrnn.layers.smoothing import METHODS, say, smooth
from tsrnn.shapes import Batch, Spec


def _windows(lengths, time=40, season=4, seed=0):
    """Rows padded in front with their first value: [row time], and which steps are seen."""
    rng = np.random.default_rng(seed)
    rows, seen = np.zeros((len(lengths), time)), np.zeros((len(lengths), time), bool)
    for k, n in enumerate(lengths):
        t = np.arange(n)
        values = 1 + 0.01 * t + 0.3 * np.sin(2 * np.pi * t / season + k) + 0.05 * rng.normal(size=n)
        rows[k], seen[k, time - n :] = np.concatenate([np.repeat(values[:1], time - n), values]), True
    return torch.from_numpy(rows), torch.from_numpy(seen)


def _indices_by_hand(values, season):
    """Ratios to a 2 x season moving average, averaged by place, the newest step's place first."""
    half = season // 2
    places = [[] for _ in range(season)]
    for t in range(half, len(values) - half):
        around = values[t - half : t + half + 1].copy()
        around[[0, -1]] /= 2
        places[(len(values) - 1 - t) % season].append(values[t] / (around.sum() / season))
    means = np.array([np.mean(each) for each in places])
    return means / means.mean()


def test_seasonal_indices_are_the_classical_decompositions():
    x, seen = _windows([40, 23, 9])
    found = classical.indices(x, seen, 4, torch.ones(3, dtype=torch.bool))[0]
    for row, n in enumerate([40, 23, 9]):
        np.testing.assert_allclose(found[row], _indices_by_hand(x[row, -n:].numpy(), 4), rtol=1e-9)


def test_a_row_of_less_than_two_seasons_has_no_indices_and_noise_no_sure_season():
    x, seen = _windows([6])
    assert classical.indices(x, seen, 4, torch.tensor([True]))[0].eq(1).all()
    noise = torch.from_numpy(np.random.default_rng(1).normal(10, 1, (200, 40)))
    sure = classical.indices(noise, torch.ones_like(noise, dtype=torch.bool), 4, torch.ones(200, dtype=torch.bool))[1]
    assert 0.01 < (sure > classical.SURE).double().mean() < 0.25


@pytest.mark.parametrize("seasons", [2, 3, 4, 6])
def test_a_smooth_season_is_believed_in_four_seasons_of_look_back(seasons):
    """As the guide says: a wave without noise in two or three is none yet, and no method goes on with it."""
    time = 12 * seasons
    x = (1 + 0.3 * torch.sin(2 * np.pi * torch.arange(time, dtype=torch.float64) / 12))[None]
    said = say(x, torch.ones(1, time, dtype=torch.bool), 12, 12)
    waves = np.ptp(said.forecasts[0, METHODS.index("log")].numpy()) > 0.3
    assert waves == (seasons >= 4)


def test_smoothing_of_many_sets_is_the_recursion_of_each():
    x, seen = _windows([40, 17])
    rates, slopes, dampings = torch.tensor([[0.3, 0.8], [0.1, 0.4], [0.9, 1.0]], dtype=torch.float64)
    level, trend, _, squares = smooth(x, seen, torch.zeros(2, 1, dtype=x.dtype), rates, slopes, dampings)
    for row, n in enumerate([40, 17]):
        values = x[row, -n:].numpy()
        along, at = np.polyfit(np.arange(6), values[:6], 1)
        for k, (rate, slope, damping) in enumerate(
            zip(rates.tolist(), slopes.tolist(), dampings.tolist(), strict=True)
        ):
            here, steep, total = at - along, along, 0.0
            for value in values:
                error = value - here - damping * steep
                total += error**2
                here, steep = here + damping * steep + rate * error, damping * steep + rate * slope * error
            assert level[row, k] == pytest.approx(here)
            assert trend[row, k] == pytest.approx(steep)
            assert squares[row, k] == pytest.approx(total)


def test_methods_forecast_what_they_are_made_for():
    steps = torch.arange(40, dtype=torch.float64)
    season = torch.tensor([0.8, 1.2, 1.1, 0.9], dtype=torch.float64).repeat(10)
    x = torch.stack([1 + 0.05 * steps, season * torch.exp(0.01 * (steps - 20))])
    said = say(x, torch.ones_like(x, dtype=torch.bool), 4, 8)
    ahead = torch.arange(40, 48, dtype=torch.float64)
    by_name = dict(zip(METHODS, said.forecasts.unbind(1), strict=True))
    for name in ("holt", "line"):
        np.testing.assert_allclose(by_name[name][0], 1 + 0.05 * ahead, rtol=1e-3)
    np.testing.assert_allclose(by_name["log"][1], season[:8] * torch.exp(0.01 * (ahead - 20)), rtol=0.03)
    np.testing.assert_array_equal(by_name["repeat"][1], torch.cat([x[1, -4:], x[1, -4:]]))
    np.testing.assert_allclose(said.scale, (x[:, 4:] - x[:, :-4]).abs().mean(1))


def test_padding_and_the_other_rows_change_nothing():
    x, seen = _windows([40, 23, 12])
    whole = say(x, seen, 4, 6).forecasts
    x[1, :17], x[2, :28] = 99.0, -5.0
    torch.testing.assert_close(say(x, seen, 4, 6).forecasts, whole)
    torch.testing.assert_close(say(x[1:2], seen[1:2], 4, 6).forecasts, whole[1:2])


def _model(**options):
    spec = Spec(24, 6, 1, 1, params=4, levels=(0.1, 0.5, 0.9), seasonality=4, loss="mae")
    torch.manual_seed(0)
    return models.build("smoothing_gru", models.configure("smoothing_gru", {"segment": 4, **options}), spec).eval()


def test_training_begins_with_the_methods_and_quantiles_as_wide_as_their_errors():
    x, seen = _windows([24, 24], 24)
    batch, model = Batch(x.float().unsqueeze(-1)), _model()
    said = say(x.float() / x.mean(1, keepdim=True).float(), seen, 4, 6)
    weight = model.members[0].weights.softmax(0)
    wanted = (weight * said.forecasts).sum(1) * x.mean(1, keepdim=True).float()
    params = model(batch)
    torch.testing.assert_close(params[:, :, 0, 2], wanted)
    low, high = heads.of(model.spec).quantiles(params, [0.1, 0.9])[:, 0, 0].unbind(-1)
    spread = said.errors.mean(1) * x.mean(1).float()
    torch.testing.assert_close(high - low, 2 * 1.2816 * spread, rtol=1e-3, atol=1e-5)


def test_forecasts_follow_the_unit_and_errors_count_by_the_seasonal_difference():
    x, _ = _windows([24, 24], 24)
    past, target = x.float().unsqueeze(-1), torch.ones(2, 6, 1)
    model, factor = _model(), torch.tensor([1.0, 100.0])[:, None, None]
    head = heads.of(model.spec)
    points = head.point(model(Batch(past)))
    torch.testing.assert_close(head.point(model(Batch(past * factor))), points * factor, rtol=1e-4, atol=1e-4)
    loss = model.loss(Batch(past, target), head)
    torch.testing.assert_close(model.loss(Batch(past * factor, target * factor), head), loss, rtol=1e-3, atol=1e-4)


def test_members_differ_and_the_forecast_is_their_mean():
    x, _ = _windows([24, 24], 24)
    model = _model(members=3)
    with torch.no_grad():
        for member in model.members:
            torch.nn.init.normal_(member.missed.weight)
    answers = model._members(Batch(x.float().unsqueeze(-1)))[0]
    assert not torch.allclose(answers[0], answers[1])
    torch.testing.assert_close(model(Batch(x.float().unsqueeze(-1))), torch.stack(answers).mean(0))


def test_what_is_learnt_does_not_depend_on_the_test():
    frame = pl.DataFrame({"id": np.repeat(["a", "b", "c"], 40), "t": np.tile(np.arange(40), 3)})
    frame = frame.with_columns(y=pl.lit(np.random.default_rng(0).normal(size=120).cumsum() + 50))
    later = frame.with_columns(y=pl.when(pl.col("t") >= 36).then(70.0).otherwise(pl.col("y")))
    options = {"input_size": 12, "horizon": 4, "pad": True, "scaler": "none", "loss": "mae", "quantiles": [0.1, 0.9]}
    fits = [
        Forecaster("smoothing_gru", **options, segment=4, hidden_size=8, max_epochs=1).fit(
            each, id="id", time="t", target="y", split={"last": 4}
        )
        for each in (frame, later)
    ]
    for name, weight in fits[0].model_.state_dict().items():
        torch.testing.assert_close(fits[1].model_.state_dict()[name], weight, rtol=0, atol=0)


@pytest.mark.parametrize(("size", "said"), [(24, True), (36, True), (48, False)])
def test_a_look_back_of_too_few_seasons_is_said(size, said):
    months = pl.DataFrame({"t": pl.date_range(date(2000, 1, 1), date(2009, 12, 1), "1mo", eager=True)})
    frame = months.with_columns(y=100 + 20 * (pl.int_range(pl.len()) * 2 * np.pi / 12).sin())
    forecaster = Forecaster("smoothing_gru", input_size=size, horizon=6, hidden_size=8, max_epochs=1, max_windows=8)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        forecaster.fit(frame, time="t", target="y")
    told = [str(each.message) for each in caught if "a smooth season is seldom plain" in str(each.message)]
    assert len(told) == said
    assert all(f"input_size={size} holds {size // 12} of 12 steps; give 48" in each for each in told)
