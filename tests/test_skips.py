"""Linear skips of `braid` and `segrnn`: whose weights they have, and a ridge regression that training starts from."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from reference import cycle as slow
from small import arrays_of, cut_of, waves
from small_models import SPEC, batch_of, made

from tsrnn import InputError, fit, heads, infer, testing
from tsrnn.layers import shrinking
from tsrnn.layers.skip import Skip, SparseSkip, skip_of
from tsrnn.models.ols import RIDGES
from tsrnn.parameters import FitConfig
from tsrnn.shapes import Spec

CUT = 24, 6
MODELS = ("braid", "segrnn")
SMALL = {"hidden_size": 8, "segment": 8}


def spec_of(channels=2, **more):
    return Spec(*CUT, channels, 2, seasonality=8, **more)


def train_val(holes=False, padding=0, skewed=False):
    """Two channels that follow from their windows by other weights: training and validation."""
    parts = []
    for seed in (0, 1):
        rng = np.random.default_rng(seed)
        noise = rng.exponential(size=(260, 2)) if skewed else rng.standard_normal((260, 2))
        values = noise + waves(260, 2, seed=5)
        for step in range(1, len(values)):
            values[step] += np.array([0.9, -0.9]) * noise[step - 1]
        if holes:
            values[100:110, 1] = np.nan
        parts.append(cut_of(arrays_of(values, first=np.array([0])), *CUT, padding=padding))
    return parts


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("weights", ["shared", "individual", "auto"])
@pytest.mark.parametrize("centring", ["last", "season", "revin"])
@pytest.mark.parametrize("holes", [False, True])
def test_a_model_with_a_ridge_skip_begins_as_that_ridge_regression(name, weights, centring, holes):
    train, val = train_val(holes)
    model = made(name, spec_of(), skip="ridge", skip_weights=weights, centring=centring, **SMALL)
    ridge = made("ols", spec_of(), weights=weights, centring=centring, ridges=RIDGES)
    assert not model.solve(train, val)
    assert ridge.solve(train, val)
    batch = val.gather(torch.arange(20))
    torch.testing.assert_close(model(batch), ridge(batch))


@pytest.mark.parametrize("name", MODELS)
def test_every_number_of_a_head_begins_at_the_ridge(name):
    train, val = train_val()
    model = made(name, spec_of(params=3, levels=(0.1, 0.5, 0.9)), skip="ridge", centring="last", **SMALL)
    ridge = made("ridge", spec_of(), centring="last")
    model.solve(train, val)
    ridge.solve(train, val)
    batch = val.gather(torch.arange(20))
    torch.testing.assert_close(model(batch), ridge(batch).expand(-1, -1, -1, 3))


@pytest.mark.parametrize("name", MODELS)
def test_short_windows_are_solved_with_what_they_have(name):
    """The padding of a window, whatever stands there, is neither learnt from nor read."""
    forecasts = []
    for stuffing in (0.0, 50.0):
        train, val = train_val(padding=20)
        for part in (train, val):
            part.buffer.values[:20] = stuffing
        model = made(name, spec_of(), skip="ridge", centring="season", **SMALL)
        model.solve(train, val)
        forecasts.append(model(val.gather(torch.arange(20))))
    assert forecasts[0].abs().max() > 0.1
    torch.testing.assert_close(*forecasts)


@pytest.mark.parametrize("name", MODELS)
def test_training_moves_the_recurrence_and_leaves_the_ridge(name):
    train, val = train_val()
    model = made(name, spec_of(), skip="ridge", dropout=0.0, **SMALL)
    model.solve(train, val)
    before = {part: weight.clone() for part, weight in model.state_dict().items()}
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.SGD(learning, lr=0.1)
    batch = train.gather(torch.arange(64))
    for _ in range(2):  # the readout begins at nothing: what lies behind it moves in the second step
        optimizer.zero_grad()
        (model(batch)[..., 0] - batch.target).square().mean().backward()
        optimizer.step()
    still = {part for part, weight in model.state_dict().items() if torch.equal(weight, before[part])}
    assert still == {"skip.linear.weight", "skip.linear.bias"}


@pytest.mark.parametrize("name", [*MODELS, "residual"])
@pytest.mark.parametrize(("rate", "kept"), [(10.0, True), (3e-3, False)])
def test_a_training_that_helps_nobody_leaves_the_ridge(name, rate, kept):
    """At an absurd rate every epoch is worse; at another one the mean, which the line is, is moved to the median."""
    train, val = train_val(skewed=True)
    spec, head = spec_of(loss="mae"), heads.build(None, "mae")
    options = {"newest": 8} if name == "residual" else {"skip": "ridge"}
    model, line = (made(name, spec, dropout=0.0, **options, **SMALL) for _ in range(2))
    line.solve(train, val)
    config = FitConfig(learning_rate=rate, max_epochs=4, batch_size=32, averaging=0.0, gradient_clip=0.0)
    seen = []
    report = fit.fit(model, head, train, val, config, on_epoch=lambda epoch, loss: seen.append(epoch))
    begun, ended = (infer.score(each, head, val, ("mae",)).mae for each in (line, model))
    assert seen == [0, 1, 2, 3][: len(seen)]
    assert (report.best_epoch == 0) == kept
    assert (ended == begun) == kept
    assert ended <= begun


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("skip", ["plain", "sparse", "ridge"])
@pytest.mark.parametrize("weights", ["shared", "individual"])
def test_the_contract_with_every_skip(name, skip, weights):
    testing.check_model(name, hidden_size=16, segment=8, skip=skip, skip_weights=weights)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("kind", ["plain", "sparse"])
def test_individual_weights_of_a_skip_move_their_own_channel(name, kind):
    shared, own = (made(name, skip=kind, skip_weights=weights) for weights in ("shared", "individual"))
    batch = batch_of()
    torch.testing.assert_close(own(batch), shared(batch))  # both begin at nothing
    weight = next(weight for weight in own.skip.parameters() if len(weight) == SPEC.targets)
    before = own(batch)
    with torch.no_grad():
        weight[1] += 1.0
    moved = (own(batch) - before).abs().amax((0, 1, 3))
    assert moved[0] == 0
    assert moved[1] > 0


@pytest.mark.parametrize(("time", "period", "horizon"), [(24, 6, 10), (29, 6, 12), (13, 9, 4), (9, 1, 4)])
def test_an_individual_sparse_skip_is_the_slow_one_of_each_channel(time, period, horizon):
    layer = SparseSkip(Spec(time, horizon, 3, 3), period, "random", weights="individual").double()
    x = torch.randn(2, 3, time, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    across = layer.across[0]
    rows = [
        slow.sparsetsf(x[row, channel], layer.aggregate.weight[0, 0], [(weight, bias)], period, horizon)
        for row in range(2)
        for channel, (weight, bias) in enumerate(zip(across.weight, across.bias, strict=True))
    ]
    fast, slowly = layer(x.flatten(0, 1)), torch.stack(rows)
    torch.testing.assert_close(fast, slowly)
    toward = torch.randn(fast.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    gradients = (torch.autograd.grad(each, list(layer.parameters()), toward) for each in (fast, slowly))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_individual_skips_start_as_asked():
    spec, x = replace(SPEC, input_size=12, horizon=7), torch.randn(4, 12)
    for layer in (Skip, lambda *options, **more: SparseSkip(options[0], 4, *options[1:], **more)):
        assert not layer(spec, weights="individual")(x).any()
        torch.testing.assert_close(layer(spec, "mean", weights="individual")(x), layer(spec, "mean")(x))


def test_a_skip_that_learns_is_shared_unless_it_is_asked_not_to_be():
    parts = [skip_of("plain", weights, "last", SPEC) for weights in ("auto", "shared", "individual")]
    assert [part.linear.weight.ndim for part in parts] == [2, 2, 3]
    assert skip_of("none", "auto", "last", SPEC) is None


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("centring", ["mean", "season", "revin"])
@pytest.mark.parametrize("padding", [0, 20])
def test_what_a_ridge_skip_is_solved_with_is_what_it_is_shown(name, centring, padding):
    train, _ = train_val(padding=padding)
    batch = train.gather(torch.arange(len(train)))
    assert (batch.lengths is None) == (padding == 0)
    model, shown = made(name, spec_of(), skip="ridge", centring=centring, **SMALL), []
    model.skip.register_forward_hook(lambda _, inputs, __: shown.append(inputs[0]))
    model(batch)
    torch.testing.assert_close(model.skip._rows(batch).x, shown[0].double())


@pytest.mark.parametrize(("far", "share"), [(0.4, 0.5), (3.0, 1.0), (-1.0, 0.0), (0.85, 0.75)])
def test_what_was_learnt_is_taken_in_the_share_that_does_best(far, share):
    """Weights of 1 and of -2; the truth is so much of them."""
    added = [torch.nn.Parameter(torch.tensor([1.0])), torch.nn.Parameter(torch.tensor([[-2.0]]))]
    _, val = train_val()
    taken = shrinking.shrink(added, lambda batch: (added[0] - far).square().sum(), val)
    assert taken == share
    assert added[0].item() == share
    assert added[1].item() == -2 * share


def test_every_window_counts_alike_in_a_share(monkeypatch):
    """Windows in batches of unlike sizes: what each says is a mean over its own."""
    monkeypatch.setattr(shrinking, "_CHUNK", 200)
    _, val = train_val()
    assert len(val) == 231
    added, told = [torch.nn.Parameter(torch.tensor([1.0]))], []

    def loss(batch):
        told.append(len(batch.past))
        return added[0] if len(batch.past) == 200 else -2 * added[0]  # by batches the second would win

    assert shrinking.shrink(added, loss, val) == 0.0
    assert told == [200, 31] * len(shrinking.SHARES)


@pytest.mark.parametrize("name", [*MODELS, "ensemble"])
def test_a_fit_ends_with_the_share_that_validation_likes(name, monkeypatch):
    """At a rate that throws it beyond the mark; members of an ensemble have shares of their own."""
    shares, shrink = [], shrinking.shrink
    kept = "tsrnn.models._base.kinds.shrink"
    monkeypatch.setattr(kept, lambda *given: shares.append(shrink(*given)) or shares[-1])
    train, val = train_val(skewed=True)
    head, options = heads.build(None, "mae"), {"skip": "ridge", "dropout": 0.0, **SMALL}
    member = {"model": "segrnn", **options}
    options = {"members": ({**member, "input_size": 16}, member)} if name == "ensemble" else options
    model = made(name, spec_of(loss="mae"), **options)
    config = FitConfig(learning_rate=0.05, max_epochs=3, batch_size=32, averaging=0.0)
    fit.fit(model, head, train, val, config)
    parts = list(model.members) if name == "ensemble" else [model]
    assert len(shares) == len(parts)
    for part in parts:
        cut = val.newest(part.spec.input_size)
        ended = infer.score(part, head, cut, ("mae",)).mae
        part.solve(train.newest(part.spec.input_size), cut)
        for weight in [*part.readout[1].parameters(), *([part.cycle.pattern] if name == "braid" else [])]:
            weight.data.zero_()
        assert ended <= infer.score(part, head, cut, ("mae",)).mae + 1e-6  # the line


@pytest.mark.parametrize("name", MODELS)
def test_weights_of_no_skip_are_refused(name):
    with pytest.raises(InputError, match="skip_weights='individual' says whose weights a skip has, and there is none"):
        made(name, skip="none", skip_weights="individual")
