"""What only a working recurrence and a working training loop can do."""

import numpy as np
import polars as pl
import pytest
import torch
from small import hours
from torch import nn

from tsrnn.forecaster import Forecaster
from tsrnn.recurrence import Recurrent


def recall_error(cell, steps, updates=250):
    """Share of sequences whose first input, a sign, is not recalled after `steps` steps of noise.

    The gate that keeps the state starts open, as is usual where memory is long (Jozefowicz et al. 2015).
    """
    layer, readout = Recurrent(cell, 2, 16), nn.Linear(16, 1)
    layer.cells[0].bias_ih.data[16:32] = 4.0  # an LSTM's forget gate, a GRU's update gate
    optimizer = torch.optim.Adam([*layer.parameters(), *readout.parameters()], lr=1e-2)

    def run(rows):
        sign = torch.randn(rows).sign()
        x = torch.randn(rows, steps, 2)
        x[:, :, 1] = 0.0
        x[:, 0] = torch.stack([sign, torch.ones(rows)], -1)
        return readout(layer(x)[0][:, -1])[:, 0], sign

    for _ in range(updates):
        logit, sign = run(64)
        optimizer.zero_grad()
        nn.functional.softplus(-logit * sign).mean().backward()
        nn.utils.clip_grad_norm_(layer.parameters(), 1.0)
        optimizer.step()
    with torch.no_grad():
        logit, sign = run(1000)
    return float((logit.sign() != sign).float().mean())


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("steps", [40, 60])
def test_recalls_the_first_input(cell, steps):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        assert recall_error(cell, steps) < 0.05


def sine(rows=400):
    return pl.DataFrame({"ds": hours(rows), "y": np.sin(2 * np.pi * np.arange(rows) / 25)})


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("lstm", {"hidden_size": 16, "segment": 5, "dropout": 0.0}),
        ("gru", {"hidden_size": 16, "segment": 5, "dropout": 0.0}),
        ("segrnn", {"hidden_size": 16, "segment": 6, "dropout": 0.0}),
        ("seq2seq", {"hidden_size": 16, "segment": 5, "dropout": 0.0}),
        ("selective", {"hidden_size": 16, "segment": 6, "num_layers": 1, "dropout": 0.0}),
        ("selective", {"kind": "ssd", "hidden_size": 16, "segment": 6, "dropout": 0.0}),
        ("xlstm", {"hidden_size": 16, "segment": 6, "dropout": 0.0}),
        ("mlp", {"hidden_size": 32, "dropout": 0.0}),
        ("nlinear", {}),
        ("dlinear", {}),
    ],
)
@pytest.mark.slow
def test_a_sine_is_forecast_far_better_than_it_is_repeated(model, options):
    task = {"input_size": 30, "horizon": 12}
    split = {"split": {"ratios": [0.6, 0.2, 0.2]}}
    trained = Forecaster(model, **task, **options, max_epochs=25, learning_rate=1e-2, batch_size=32)
    errors = [each.fit(sine(), **split).score(**split).mse for each in (trained, Forecaster("repeat_last", **task))]
    assert errors[0] < 0.02 * errors[1]


def test_least_squares_knows_a_sine():
    split = {"split": {"ratios": [0.6, 0.2, 0.2]}}
    assert Forecaster("ols", input_size=30, horizon=12).fit(sine(), **split).score(**split).mse < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["mse", "gaussian", "student_t"])
def test_quantiles_hold_their_share(loss):
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"ds": hours(900), "y": rng.standard_normal(900)})
    levels = [0.1, 0.5, 0.9]
    forecaster = Forecaster("dlinear", input_size=8, horizon=2, quantiles=levels, loss=loss, kernel=3)
    forecaster.set_params(learning_rate=1e-2, max_epochs=30, batch_size=32)
    table = forecaster.backtest(frame, windows=100, step=2)
    for level in levels:
        share = float((table["y"] <= table[f"q{level}"]).mean())
        assert share == pytest.approx(level, abs=0.08)
