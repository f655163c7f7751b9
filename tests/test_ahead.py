"""What covariates do ahead: nothing at first, the same to the past and the future, and as least squares say."""

import numpy as np
import polars as pl
import pytest
import torch
from small import hours
from small_models import COVARIED, batch_of, covaried_batch, made
from torch import nn

from tsrnn import Forecaster
from tsrnn.layers.ahead import LAGS, Ahead, lagged
from tsrnn.layers.centring import centre
from tsrnn.layers.covariates import Beside
from tsrnn.layers.least_squares import Moments
from tsrnn.rebuild import _WORDS, Unfit, build
from tsrnn.shapes import Spec

KNOWN = Spec(48, 13, channels=2, targets=2, known=2, seasonality=8)


def known_batch():
    batch = batch_of(KNOWN)
    batch.known = torch.randn(4, 61, 2, generator=torch.Generator().manual_seed(6))
    return batch


def wake(ahead):
    """Every weight of the covariates' part set at random."""
    draw = torch.Generator().manual_seed(8)
    for weight in ahead.parameters():
        weight.data = 0.3 * torch.randn(weight.shape, generator=draw)


@pytest.mark.parametrize("name", ["segrnn", "braid", "mlp", "nlinear", "dlinear", "cyclenet", "sparsetsf", "ols"])
def test_covariates_start_at_nothing(name):
    bare, batch = made(name), known_batch()
    assert torch.equal(made(name, KNOWN)(batch), bare(batch))


def test_short_rows_hold_their_first_step_before_it():
    known = torch.arange(5.0).view(1, 5, 1)
    assert lagged(known)[0].tolist() == [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 2], [0, 1, 2, 3], [1, 2, 3, 4]]


@pytest.mark.parametrize("linear", [True, False])
def test_the_response_is_taken_out_of_the_past_and_put_back_ahead(linear):
    ahead, batch = Ahead(COVARIED, linear=linear), covaried_batch()
    wake(ahead)
    without, response = ahead.without(batch)
    assert torch.equal(without.past[..., 2:], batch.past[..., 2:])
    whole = torch.cat([batch.past[..., :2] - without.past[..., :2], response], 1)  # [batch time+horizon target]
    for step in (0, 2, 47, 48, 60):
        read = torch.stack([batch.known[:, max(0, step - lag)] for lag in range(LAGS - 1, -1, -1)], -1).flatten(1)
        if not linear:
            read = ahead.response.hidden(torch.cat([read, batch.static], 1))
        torch.testing.assert_close(whole[:, step], ahead.response.last(read), atol=1e-5, rtol=1e-5)
    params = torch.zeros(4, 13, 2, 3)
    torch.testing.assert_close(ahead.back(params, response), response.unsqueeze(-1).expand(4, 13, 2, 3))


@pytest.mark.parametrize("rows", [4, 8])
def test_a_state_weighs_the_situation_of_its_own_row(rows):
    ahead, batch = Ahead(COVARIED, state=5), covaried_batch()
    wake(ahead)
    state = torch.randn(rows, 5, generator=torch.Generator().manual_seed(9))
    before = ahead(torch.zeros(4, 13, 2, 1), batch, state)
    part = ahead.situation
    step = torch.arange(1, 14) / 13
    others = batch.past[..., 2:]
    stands = torch.cat([batch.static, others[:, -1], others[:, -8:].mean(1)], 1)
    for row, target, at in ((0, 0, 0), (3, 1, 12)):
        known = batch.known[row, 48 + at] - batch.known[row, 40:48].mean(0)
        read = torch.cat([step[at : at + 1], known, stands[row]])
        gate = 1 + part.gate(state[row if rows == 4 else 2 * row + target])
        expected = (gate * part.hidden(read)) @ part.last.weight[target] + part.last.bias[target]
        expected = expected + ahead.effect.weight[target] @ batch.known[row, 48 + at]
        torch.testing.assert_close(before[row, at, target, 0], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["lstm", "segrnn", "selective"])
def test_weights_from_before_there_was_a_response_load_and_forecast_the_same(name):
    now, batch = made(name, COVARIED), covaried_batch()
    younger = set().union(*now.younger())
    assert younger
    kinds = {
        key: (_WORDS[each.dtype], tuple(each.shape)) for key, each in now.state_dict().items() if key not in younger
    }
    again = build(name, now.config, COVARIED, kinds).eval()
    again.set_weights({key: each for key, each in now.weights().items() if key in kinds})
    assert torch.equal(again(batch), now(batch))


def test_weights_that_lack_a_part_of_the_response_are_refused():
    now = made("lstm", COVARIED)
    kinds = {key: (_WORDS[each.dtype], tuple(each.shape)) for key, each in now.state_dict().items()}
    kinds.pop("ahead.response.last.weight")
    with pytest.raises(Unfit, match=r"weight 'ahead.response.last.weight' is not there"):
        build("lstm", now.config, COVARIED, kinds)


def test_beside_adds_to_the_embedding_of_its_own_window():
    beside, batch = Beside(COVARIED, 8, 5), covaried_batch()
    nn.init.normal_(beside.linear.weight)
    added = beside(torch.zeros(8, 6, 5), batch, centre(batch.past, "none", 8))
    read = torch.cat([batch.past[..., 2:], batch.known[:, :48], batch.static[:, None].expand(-1, 48, -1)], -1)
    assert torch.equal(added[::2], added[1::2])
    torch.testing.assert_close(added[2, 4], read[1, 32:40].flatten() @ beside.linear.weight.T, atol=1e-5, rtol=1e-5)


def table(rows=400, series=4):
    """Two targets in one: |x|, and x or -x by the region; x is known ahead."""
    draw, parts = np.random.default_rng(0), []
    for site in range(series):
        x, region = draw.standard_normal(rows), 1.0 if site % 2 else -1.0
        y = np.abs(x) + region * x + 0.01 * draw.standard_normal(rows)
        parts.append(pl.DataFrame({"site": f"s{site}", "ds": hours(rows), "y": y, "x": x, "region": region}))
    return pl.concat(parts)


@pytest.mark.parametrize("name", ["gru", "segrnn", "mlp"])
def test_an_effect_that_bends_and_turns_with_the_region_is_learnt(name):
    frame = table()
    options = {"hidden_size": 8, "learning_rate": 1e-2, "max_epochs": 6, "batch_size": 32, "max_windows": 1_000}
    options |= {} if name == "mlp" else {"segment": 6}
    fitted = Forecaster(name, input_size=12, horizon=6, **options).fit(
        frame, target="y", id="site", future_covariates="x", static_covariates="region"
    )
    straight = np.abs(np.abs(frame["x"].to_numpy()) - frame["x"].abs().mean()).mean()  # the best that lines can do
    scored = fitted.score(frame, split={"ratios": [0.7, 0.2, 0.1]}, measures=("mae",))
    assert scored.mae * fitted.scaling_.scale[0, 0] < straight / 3


def known_effect(rows=300):
    """A season, what x does at its own step and one step later, and no noise."""
    x, hour = np.random.default_rng(1).standard_normal(rows + 1), np.arange(rows)
    y = np.sin(2 * np.pi * hour / 8) + 2 * x[1:] - x[:-1]
    return pl.DataFrame({"ds": hours(rows), "y": y, "x": x[1:]})


def test_least_squares_take_what_is_known_out_of_the_window_and_put_it_back():
    frame = known_effect()
    fitted = Forecaster("ols", input_size=16, horizon=5).fit(frame, target="y", future_covariates="x")
    assert fitted.score(frame, split={"ratios": [0.7, 0.2, 0.1]}).mse < 1e-3
    alone = Forecaster("ols", input_size=16, horizon=5).fit(frame.drop("x"), target="y")
    assert alone.score(frame.drop("x"), split={"ratios": [0.7, 0.2, 0.1]}).mse > 0.1


def test_regressors_of_each_step_are_solved_as_one_regression_would():
    spec, draw = Spec(input_size=3, horizon=2, channels=1, targets=1, known=1), np.random.default_rng(2)
    x, q = draw.standard_normal((40, 3)), draw.standard_normal((20, 2, 2))
    y, window = draw.standard_normal((40, 2)), np.repeat(np.arange(20), 2)
    moments = Moments(spec.input_size, spec.horizon, 2)
    moments.add(*map(torch.from_numpy, (x, y)))
    moments.add_known(*map(torch.from_numpy, (x, y, q, window)))
    (solution,) = moments.solutions((0.0,))
    for step in range(2):
        rows = np.concatenate([x, q[window, step], np.ones((40, 1))], 1)
        expected = np.linalg.lstsq(rows, y[:, step], rcond=None)[0]
        found = np.concatenate([solution.weight[step], solution.known[step], solution.bias[step : step + 1]])
        np.testing.assert_allclose(found, expected, atol=1e-8)
