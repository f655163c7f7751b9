"""Every model keeps the contract; levels, covariates and both directions are taken along."""

from dataclasses import replace

import pytest
import torch
from small_models import COVARIED, SPEC, batch_of, covaried_batch, made, small
from torch import nn

from tsrnn import models, testing
from tsrnn.registry import names
from tsrnn.scale import Affine

OTHER = [  # settings beside the defaults
    ("lstm", {"shared": False, "num_layers": 2}),
    ("gru", {"learn_initial": True, "centring": "revin"}),
    ("bilstm", {"segment": 7, "num_layers": 2, "centring": "last"}),
    ("seq2seq", {"attention": True, "segment": 5}),
    ("seq2seq", {"shared": False, "cell": "lstm", "segment": 1}),
    ("segrnn", {"cell": "lstm", "channel_embedding": False, "num_layers": 2, "segment": 5}),
    ("segrnn", {"decoding": "recurrent", "centring": "last"}),
    ("segrnn", {"decoding": "recurrent", "cell": "slstm", "tied": True, "num_layers": 2, "centring": "revin"}),
    ("dlinear", {"kernel": 4, "centring": "last"}),
    ("ols", {"centring": "season"}),
    ("mlp", {"num_layers": 2, "centring": "mean"}),
    ("seasonal_naive", {"season": 100}),
    ("cyclenet", {"network": "mlp", "cycle": 100, "centring": "season"}),
    ("sparsetsf", {"network": "mlp", "period": 7}),
]


@pytest.mark.parametrize("name", names("models"))
def test_the_contract(name):
    testing.check_model(name, **small(name))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), OTHER)
def test_the_contract_of_other_settings(name, options):
    testing.check_model(name, **{**small(name), **options})


@pytest.mark.parametrize("name", names("models"))
def test_defaults_build(name):
    model = models.build(name, models.configure(name, {}), replace(SPEC, input_size=96))
    assert model(batch_of(model.spec)).shape == (4, 13, 2, 1)


@pytest.mark.parametrize("name", ["lstm", "mlp", "segrnn", "nlinear", "seq2seq", "selective"])
@pytest.mark.parametrize("kind", ["last", "season", "revin"])
def test_centring_takes_the_level_along(name, kind):
    model, batch = made(name, centring=kind), batch_of()
    before = model(batch)
    batch.past = batch.past + 7
    torch.testing.assert_close(model(batch), before + 7, atol=1e-3, rtol=1e-4)
    if kind == "revin":
        batch.past = batch.past * 10
        torch.testing.assert_close(model(batch), (before + 7) * 10, atol=2e-2, rtol=1e-3)


def test_the_recurrent_head_reads_both_directions():
    model, batch = made("bilstm", centring="none"), batch_of()
    _, final = model.recurrent(batch.past.transpose(1, 2).reshape(8, -1, 8))
    last = torch.cat([final[0][0], final[1][0]], -1)
    expected = model.head(last).view(4, 2, 13).transpose(1, 2)
    torch.testing.assert_close(model(batch)[..., 0], expected)


def test_what_is_known_ahead_moves_its_own_step():
    model, batch = made("lstm", COVARIED), covaried_batch()
    nn.init.ones_(model.ahead.effect.weight)
    before = model(batch)
    batch.known[:, 48 + 5, 0] += 1
    moved = (model(batch) - before)[..., 0]  # [batch horizon target]
    assert torch.allclose(moved[:, 5], torch.ones(4, 2), atol=1e-5)
    assert not moved[:, :5].any()
    assert not moved[:, 6:].any()


def test_the_undo_plays_no_part_in_a_model():
    model, batch = made("lstm"), batch_of()
    before = model(batch)
    batch.undo = Affine(torch.full((1, 1, 2), 5.0), torch.full((1, 1, 2), 3.0))
    assert torch.equal(model(batch), before)
