"""Every model keeps the contract; each one is also what its paper, or a slow twin, says it is."""

import math
import re
from dataclasses import fields, make_dataclass, replace
from types import SimpleNamespace
from typing import get_type_hints

import numpy as np
import polars as pl
import pytest
import torch
from reference import segrnn as slow_segrnn
from small import arrays_of, cut_of, long_frame, waves
from torch import nn

from tsrnn import models, testing
from tsrnn.cells import Cell
from tsrnn.commands._base import options as options_of
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster
from tsrnn.layers.lengths import settled
from tsrnn.models._base import Model
from tsrnn.parameters import read_toml, sort
from tsrnn.registry import module, names
from tsrnn.scale import Affine
from tsrnn.shapes import Batch, Spec

SMALL = {"hidden_size": 16, "segment": 8, "paths": 12}
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
SPEC = Spec(input_size=48, horizon=13, channels=2, targets=2, seasonality=8)


def small(name):
    own = {each.name for each in fields(module("models", name, "model").Config)}
    return {option: value for option, value in SMALL.items() if option in own}


def made(name, spec=SPEC, seed=0, **options):
    config = models.configure(name, {**small(name), **options})
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return models.build(name, config, spec).eval()


def batch_of(spec=SPEC, rows=4, seed=3, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    past = torch.randn(rows, spec.input_size, spec.channels, generator=generator)
    target = torch.randn(rows, spec.horizon, spec.targets, generator=generator).to(dtype)
    return Batch(past.to(dtype), target, phase=31 * torch.arange(rows) - 5)


@pytest.mark.parametrize("name", names("models"))
def test_the_contract(name):
    testing.check_model(name, **small(name))


@pytest.mark.parametrize(("name", "options"), OTHER)
def test_the_contract_of_other_settings(name, options):
    testing.check_model(name, **{**small(name), **options})


@pytest.mark.parametrize("name", names("models"))
def test_defaults_build(name):
    model = models.build(name, models.configure(name, {}), replace(SPEC, input_size=96))
    assert model(batch_of(model.spec)).shape == (4, 13, 2, 1)


# What the contract would say of models that break it.


class Honest(Model):
    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.linear = nn.Linear(spec.input_size, spec.horizon * spec.params)

    def forward(self, batch):
        x = batch.past[..., : self.spec.targets].transpose(1, 2)
        return self.linear(x).view(len(x), self.spec.targets, self.spec.horizon, -1).transpose(1, 2)


class MixesRows(Honest):
    def forward(self, batch):
        return super().forward(batch) - batch.past.mean()


class MixesTargets(Honest):
    def forward(self, batch):
        rows = super().forward(batch)
        return rows + rows.mean(2, keepdim=True)


class Peeks(Honest):
    def forward(self, batch):
        return super().forward(batch) + (0 if batch.target is None else batch.target.unsqueeze(-1))


class Blind(Honest):
    """What a library does that reads outputs at the last `horizon` positions: only the last step sees everything."""

    def forward(self, batch):
        older = batch.past.clone()
        older[:, -1] = 0
        rows = super().forward(Batch(older))
        rows[:, -1] = super().forward(batch)[:, -1]
        return rows


class ReadsInSecret(Honest):
    """The past of what is known ahead, without a word."""

    def forward(self, batch):
        beside = 0 if batch.known is None else batch.known[:, : self.spec.input_size].mean((1, 2))[:, None, None, None]
        return super().forward(batch) + beside


class ReadsTheFirst(Honest):
    """One past covariate of two."""

    reads = frozenset({"past"})

    def forward(self, batch):
        first = batch.past[:, -1, self.spec.targets : self.spec.targets + 1].sum(1)
        return super().forward(batch) + first[:, None, None, None]


class SaysMore(Honest):
    reads = frozenset({"mask"})


class SaysAnotherWord(Honest):
    reads = frozenset({"future"})


class Forgets(Honest):
    def weights(self):
        return {
            "linear.weight": super().weights()["linear.weight"],
            "linear.bias": np.zeros_like(self.linear.bias.detach()),
        }


class StartsAtNothing(Honest):
    """Two weights in a row, the second zero at first: what lies behind it learns from the second step on."""

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.inner, self.outer = nn.Parameter(torch.ones(())), nn.Parameter(torch.zeros(()))

    def forward(self, batch):
        newest = batch.past[:, -1:, : self.spec.targets, None]
        return super().forward(batch) + self.outer * self.inner * newest


class Idle(Honest):
    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.unused = nn.Parameter(torch.zeros(3))


class Random(Honest):
    def forward(self, batch):
        return super().forward(batch) + torch.rand(())


class InPlace(Honest):
    def forward(self, batch):
        batch.past -= batch.past.mean(1, keepdim=True)
        return super().forward(batch)


class ReadsPadding(Honest):
    reads_lengths = True


class CountsOthers(Honest):
    """Pads to the longest of the batch: a row's forecast hangs on its neighbours."""

    reads_lengths = True

    def forward(self, batch):
        batch = settled(batch)
        if batch.lengths is None:
            return super().forward(batch)
        return super().forward(batch) + (batch.lengths.max() - self.spec.input_size)


class DividesByDeviation(Honest):
    def forward(self, batch):
        return super().forward(batch) / batch.past[..., : self.spec.targets].std(1)[:, None, :, None]


@pytest.mark.parametrize("kind", [Honest, StartsAtNothing])
def test_an_honest_model_passes(kind):
    testing.check_model(kind)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (MixesRows, "know their neighbours"),
        (MixesTargets, "a target reads another"),
        (Peeks, "depends on what is to be forecast"),
        (Blind, "does not see the newest observation"),
        (ReadsInSecret, r"known \(column 0\) is not among `reads` but moves"),
        (ReadsTheFirst, r"past \(column 1\) does not move"),
        (SaysMore, r"mask \(column 0\) does not move"),
        (SaysAnotherWord, r"reads takes .*, not {'future'}"),
        (Forgets, "do not give the same forecasts"),
        (Idle, "the loss does not reach unused"),
        (Random, "forecasts differ"),
        (InPlace, "changes the batch"),
        (ReadsPadding, "the padding is read"),
        (CountsOthers, "know their neighbours"),
        (DividesByDeviation, "missing cells spoil"),
    ],
)
def test_the_contract_catches(kind, message):
    with pytest.raises(AssertionError, match=message):
        testing.check_model(kind)


@pytest.mark.parametrize("name", names("cells"))
def test_the_cells_contract(name):
    testing.check_cell(name)


# Single models.


@pytest.mark.parametrize("cell", ["gru", "lstm", "mgu", "slstm"])
@pytest.mark.parametrize("options", [{}, {"channel_embedding": False}, {"tied": True}, {"decoding": "recurrent"}])
@pytest.mark.parametrize("horizon", [16, 13, 8])
def test_segrnn_is_the_slow_one(cell, options, horizon):
    spec = replace(SPEC, input_size=50, horizon=horizon)
    model = made("segrnn", spec, cell=cell, centring="last", hidden_size=6, **options).double()
    same_as_the_slow_one(model, spec)


def test_segrnn_recurrent_with_the_encoders_weights_is_the_slow_one():
    spec = replace(SPEC, input_size=50)
    same_as_the_slow_one(made("segrnn", spec, decoding="recurrent", tied=True, centring="last").double(), spec)


def same_as_the_slow_one(model, spec):
    batch, cell = batch_of(spec, dtype=torch.float64), model.config.cell
    weights = {name: each.detach().clone().requires_grad_() for name, each in model.state_dict().items()}
    fast = model(batch)[..., 0]
    rows = []
    for row in range(4):
        for target in range(2):
            last = batch.past[row, -1, target]
            x = batch.past[row, :, target] - last
            rows.append(last + slow_segrnn.run(x, weights, cell, 8, spec.horizon, target))
    slow = torch.stack(rows).view(4, 2, spec.horizon).transpose(1, 2)
    torch.testing.assert_close(fast, slow)
    seen = torch.randn(fast.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    (fast * seen).sum().backward()
    (slow * seen).sum().backward()
    for name, weight in model.named_parameters():
        torch.testing.assert_close(weight.grad, weights[name].grad, msg=name)


@pytest.mark.parametrize("decoding", ["parallel", "recurrent"])
@pytest.mark.parametrize("cell", names("cells"))
def test_segrnn_runs_every_cell(cell, decoding):
    model, batch = made("segrnn", cell=cell, decoding=decoding, centring="none"), batch_of()
    assert type(model.decoder) is type(model.encoder.cells[0])
    model(batch).square().sum().backward()
    unreached = {name for name, weight in model.named_parameters() if not weight.grad.any()}
    handed_on = cell != "peephole_only" or decoding == "recurrent"  # whether the encoder's output is: there c alone is
    assert unreached == (set() if handed_on else {"encoder.cells.0.peephole_o"})


def test_segrnn_tied_is_untied_with_equal_weights():
    for decoding in ("parallel", "recurrent"):
        tied, untied = (made("segrnn", decoding=decoding, tied=each) for each in (True, False))
        weights = tied.state_dict()
        cell = {name: each for name, each in weights.items() if name.startswith("encoder.cells.0.")}
        copies = {name.replace("encoder.cells.0", "decoder"): each for name, each in cell.items()}
        untied.load_state_dict(weights | copies)
        torch.testing.assert_close(tied(batch_of()), untied(batch_of()))


def test_a_recurrent_segrnn_feeds_back_the_middle_quantile():
    spec = replace(SPEC, params=3)
    model, batch = made("segrnn", spec, decoding="recurrent", centring="none"), batch_of(spec)
    seen, step = [], model.decoder.forward
    model.decoder.forward = lambda x, state: (seen.append(x), step(x, state))[1]
    forecast = model(batch)  # [batch horizon target params]
    middle = forecast[:, :8, :, 1].transpose(1, 2).reshape(8, 8)
    assert len(seen) == 1
    torch.testing.assert_close(seen[0], model.embed(middle))


def test_a_recurrent_segrnn_of_one_segment_has_no_decoder():
    spec = replace(SPEC, horizon=8)
    assert made("segrnn", spec, decoding="recurrent").decoder is None
    assert made("segrnn", spec, decoding="parallel").decoder is not None


def ridge(x, y, strength):
    """Least squares with an intercept that is not shrunk; `strength` shares of the mean eigenvalue."""
    x_mean, y_mean = x.mean(0), y.mean(0)
    centred = x - x_mean
    unit = np.trace(centred.T @ centred) / x.shape[1]
    tall = np.concatenate([centred, np.sqrt(strength * unit) * np.eye(x.shape[1])])
    weights = np.linalg.lstsq(tall, np.concatenate([y - y_mean, np.zeros((x.shape[1], y.shape[1]))]), rcond=None)[0]
    return weights, y_mean - x_mean @ weights


def solved(values, ridges, spec, val=None):
    model = made("ols", spec, centring="last", ridges=ridges)
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


# Encoder and decoder.


def fed(model, batch):
    """What the decoder was fed at each step: [step row written]."""
    seen = []
    step = model.decoder.step
    model.decoder.step = lambda x, state: (seen.append(x.detach().clone()), step(x, state))[1]
    forecast = model(batch)
    del model.decoder.step
    return torch.stack(seen), forecast


@pytest.mark.parametrize("shared", [True, False])
def test_teacher_forcing_feeds_the_truth(shared):
    model, batch = made("seq2seq", segment=1, shared=shared, centring="last", dropout=0.0).train(), batch_of()
    model.truth = 1.0
    seen, _ = fed(model, batch)
    steps = torch.cat([batch.past[:, -1:], batch.target[:, :-1]], 1) - batch.past[:, -1:]  # [batch horizon target]
    wanted = steps.permute(1, 0, 2) if not shared else steps.permute(1, 0, 2).reshape(13, 8, 1)
    torch.testing.assert_close(seen, wanted)


def test_an_evaluated_decoder_is_fed_its_own_words():
    model, batch = made("seq2seq", segment=1, centring="last"), batch_of()
    model.truth = 1.0
    seen, forecast = fed(model, batch)
    own = (forecast[..., 0] - batch.past[:, -1:]).permute(1, 0, 2).reshape(13, 8, 1)
    torch.testing.assert_close(seen[1:], own[:-1])
    assert not seen[0].any()  # the last value, less itself


def test_scheduled_sampling_feeds_some_of_both():
    model, batch = made("seq2seq", segment=1, centring="last", dropout=0.0).train(), batch_of(rows=200)
    model.truth = 0.3
    seen, _ = fed(model, batch)
    truth = (batch.target - batch.past[:, -1:]).permute(1, 0, 2).reshape(13, 400, 1)
    share = torch.isclose(seen[1:], truth[:-1]).float().mean()
    assert float(share) == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("linear", lambda progress: 1 - progress),
        ("inverse_sigmoid", lambda progress: 1 / (1 + math.exp(10 * (progress - 0.5)))),
        ("always", lambda progress: 1.0),
        ("never", lambda progress: 0.0),
    ],
)
def test_how_often_the_truth_is_fed(schedule, expected):
    model = made("seq2seq", schedule=schedule)
    for progress in (0.0, 0.25, 0.5, 0.95):
        model.epoch_starts(progress)
        assert model.truth == pytest.approx(expected(progress))


def test_attention_changes_the_forecast_and_reads_old_steps():
    model, batch = made("seq2seq", attention=True, segment=1, centring="none"), batch_of()
    batch.past.requires_grad_()
    (slope,) = torch.autograd.grad(model(batch)[:, -1].sum(), batch.past)
    assert slope[:, 0].abs().min() > 0
    plain = made("seq2seq", segment=1, centring="none")
    assert not torch.allclose(plain(batch), model(batch))


# Short rows.

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


# Covariates.

COVARIED = Spec(48, 13, channels=3, targets=2, known=2, static=2, seasonality=8)


def covaried_batch():
    draw = torch.Generator().manual_seed(5)
    return Batch(
        torch.randn(4, 48, 3, generator=draw),
        torch.randn(4, 13, 2, generator=draw),
        known=torch.randn(4, 61, 2, generator=draw),
        static=torch.randn(4, 2, generator=draw),
    )


def test_what_is_known_ahead_moves_its_own_step():
    model, batch = made("lstm", COVARIED), covaried_batch()
    nn.init.ones_(model.ahead.effect.weight)
    before = model(batch)
    batch.known[:, 48 + 5, 0] += 1
    moved = (model(batch) - before)[..., 0]  # [batch horizon target]
    assert torch.allclose(moved[:, 5], torch.ones(4, 2), atol=1e-5)
    assert not moved[:, :5].any()
    assert not moved[:, 6:].any()


# Options.


def test_an_option_of_another_model_is_named():
    with pytest.raises(InputError, match="unknown option of model 'lstm' 'hiden_size': did you mean 'hidden_size'"):
        models.configure("lstm", {"hiden_size": 3})
    with pytest.raises(InputError, match="unknown option of model 'nlinear' 'hidden_size'"):
        models.configure("nlinear", {"hidden_size": 3})
    with pytest.raises(InputError, match="did you mean 'learning_rate'"):
        sort("lstm", {"learning_rat": 1e-3})


def test_options_find_the_object_they_belong_to():
    config, training = sort("gru", {"hidden_size": 7, "max_epochs": 3})
    assert (config.cell, config.hidden_size, training.max_epochs) == ("gru", 7, 3)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("gru", {"centring": "lats"}, "unknown centring of model 'gru' 'lats': did you mean 'last'"),
        ("ols", {"ridges": 0.1}, "ridges takes numbers of at least 0, such as [1e-4, 1e-2], not 0.1"),
        ("ols", {"ridges": [0.1, -1]}, "not [0.1, -1]"),
        ("ols", {"ridges": []}, "not []"),
        ("segrnn", {"decoding": 3}, "unknown decoding of model 'segrnn' '3': Known: parallel, recurrent"),
        ("seq2seq", {"cell": "grv"}, "unknown cell 'grv': did you mean 'gru'"),
        ("lstm", {"cell_options": 2}, "cell_options takes names and values, such as {forget_bias = 2.0}, not 2"),
        ("lstm", {"cell_options": {"forget_bia": 2}}, "option of cell 'lstm' 'forget_bia': did you mean 'forget_bias'"),
        ("gru", {"cell_options": {"backend": "stock"}}, "unknown option of cell 'gru' 'backend': Known: none"),
        ("lstm", {"cell_options": {"forget_bias": "two"}}, "takes a value such as 1.0, not 'two'"),
        ("rnn", {"cell_options": {"nonlinearity": 1}}, "takes a value such as 'tanh', not 1"),
    ],
)
def test_a_word_that_an_option_does_not_know_is_named(name, options, message):
    with pytest.raises(InputError, match=re.escape(message)):
        models.configure(name, options)


@pytest.mark.parametrize("name", names("models"))
def test_sizes_that_are_none_are_refused(name):
    """Every whole number is at least 1, or 0 where that is the default; every number and word is one."""
    config = module("models", name, "model").Config
    kinds = get_type_hints(config)
    for each in fields(config):
        kind = kinds[each.name]
        if kind is int:
            wrong = [-1 if each.default == 0 else 0, "8", 1.5, True, None]
        elif kind is float:
            wrong = ["0.5", None, float("nan") if each.name == "dropout" else True]
        elif kind is bool:
            wrong = ["yes", 1]
        else:
            wrong = [-1, "8"] if kind == int | None else []
        for value in wrong:
            with pytest.raises(InputError, match=each.name):
                models.build(name, models.configure(name, {each.name: value}), Spec(48, 6, 2, 2, seasonality=24))


def test_an_option_without_a_default_must_be_given(monkeypatch):
    bare = SimpleNamespace(Config=make_dataclass("Config", [("width", int)], frozen=True))
    monkeypatch.setattr(models.registry, "module", lambda *_: bare)
    assert models.configure("bare", {"width": 3}).width == 3
    with pytest.raises(InputError, match=r"model 'bare': .*missing.*'width'"):
        models.configure("bare", {})
    with pytest.raises(InputError, match="width of model 'bare' must be at least 1, not 0"):
        models.configure("bare", {"width": 0})


def test_dropout_is_a_probability():
    for value in (-0.1, 1, 2.0):
        with pytest.raises(InputError, match=f"dropout of model 'mlp' must be at least 0 and below 1, not {value}"):
            models.configure("mlp", {"dropout": value})


@pytest.mark.parametrize("text", ["cell_options={forget_bias = 3.0}", "cell_options={'forget_bias' = 3}"])
@pytest.mark.parametrize("name", ["bilstm", "seq2seq", "segrnn", "braid", "deepar"])
def test_a_cells_own_options_come_from_the_command_line(name, text):
    model = made(name, cell="lstm", **options_of(["num_layers=2", text]))
    forget = [each.bias_ih[16:32] for each in model.modules() if isinstance(each, Cell)]
    assert len(forget) == {"bilstm": 4, "seq2seq": 4, "segrnn": 3, "braid": 3, "deepar": 2}[name]
    assert all(torch.equal(each, torch.full((16,), 3.0)) for each in forget)


def test_a_cells_own_options_come_from_a_file_and_are_saved(tmp_path):
    (tmp_path / "a.toml").write_text('model = "segrnn"\ncell = "elman"\ncell_options.nonlinearity = "relu"\n')
    params = {"input_size": 48, "horizon": 6, "max_epochs": 1, **small("segrnn"), **read_toml(tmp_path / "a.toml")}
    forecaster = Forecaster(**params).fit(long_frame((90, 80)))
    assert forecaster.model_.encoder.cells[0].nonlinearity == "relu"
    forecaster.save(tmp_path / "saved")
    loaded = Forecaster.load(tmp_path / "saved")
    assert loaded.model_.decoder.nonlinearity == "relu"
    assert loaded.get_params() == forecaster.get_params()


def test_an_unknown_model_is_named_with_the_nearest():
    with pytest.raises(InputError, match="unknown model 'lstn': did you mean"):
        models.configure("lstn", {})


@pytest.mark.parametrize("name", ["lstm", "segrnn", "seq2seq", "selective"])
def test_a_segment_longer_than_the_window_is_refused(name):
    with pytest.raises(InputError, match="segment=49 is longer than input_size=48"):
        made(name, segment=49)


def test_the_undo_plays_no_part_in_a_model():
    model, batch = made("lstm"), batch_of()
    before = model(batch)
    batch.undo = Affine(torch.full((1, 1, 2), 5.0), torch.full((1, 1, 2), 3.0))
    assert torch.equal(model(batch), before)
