"""A row shorter than its window is forecast as by a shorter window, alone and among others."""

import numpy as np
import polars as pl
import pytest
import torch
from small import long_frame
from small_models import batch_of, made, small

from tsrnn.forecaster import Forecaster
from tsrnn.shapes import Batch

SHORT = [
    ("lstm", {}),
    ("bilstm", {"num_layers": 2, "centring": "revin"}),
    ("gru", {"shared": False, "learn_initial": True}),
    ("rnn", {"segment": 4, "centring": "mean"}),
    ("seq2seq", {"segment": 4, "attention": True}),
    ("seq2seq", {"segment": 1, "centring": "last"}),
    ("segrnn", {"segment": 4, "centring": "none"}),
    ("segrnn", {"segment": 4, "decoding": "recurrent", "cell": "lstm", "tied": True}),
]


@pytest.mark.parametrize("length", [4, 12, 44])
@pytest.mark.parametrize(("name", "options"), SHORT)
def test_a_short_row_is_a_shorter_window(name, options, length):
    model, batch = made(name, **{"segment": 1, **options}), batch_of()
    batch.lengths = torch.tensor([48, length, length, 48])
    forecast = model(batch)
    shorter, whole = model(Batch(batch.past[:, -length:])), model(Batch(batch.past))
    torch.testing.assert_close(forecast[1:3], shorter[1:3])
    torch.testing.assert_close(forecast[[0, 3]], whole[[0, 3]])
    if length == 4:
        assert not torch.allclose(forecast[1:3], whole[1:3], atol=1e-3)


@pytest.mark.parametrize("name", ["gru", "seq2seq", "segrnn"])
def test_a_short_series_is_forecast_alike_alone_and_among_others(name):
    frame = long_frame((90, 21, 13))
    forecaster = Forecaster(name, input_size=48, horizon=6, pad=True, max_epochs=1, **small(name)).fit(frame)
    together = forecaster.predict()
    for series in "bc":
        alone = forecaster.predict(frame.filter(pl.col("unique_id") == series))
        expected = together.filter(pl.col("unique_id") == series)
        np.testing.assert_allclose(alone["y"], expected["y"], rtol=1e-5)


def test_a_segment_that_is_real_in_part_repeats_the_first_real_step():
    model, batch = made("segrnn", segment=8), batch_of()
    batch.lengths = torch.tensor([11] * 4)
    repeated = batch.past[:, -16:].clone()
    repeated[:, :5] = repeated[:, 5:6]
    shorter = Batch(repeated, lengths=torch.tensor([11] * 4))
    torch.testing.assert_close(model(batch), model(shorter))
