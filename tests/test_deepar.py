"""DeepAR: its likelihood and its paths are the slow ones, and what it says of an autoregressive world is true."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from small import hours, long_frame
from torch.distributions import Normal, StudentT
from torch.nn import functional as F

from tsrnn import heads, models, testing
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster
from tsrnn.shapes import Batch, Spec

SPEC = Spec(input_size=20, horizon=5, channels=2, targets=2, seasonality=4)
COVARIED = Spec(input_size=20, horizon=5, channels=3, targets=2, known=2, static=1, seasonality=4)
HEAD = heads.build(None, "mse")


def made(spec=SPEC, **options):
    config = models.configure("deepar", {"hidden_size": 6, "paths": 7, "dropout": 0.0, **options})
    return testing.build("deepar", config, spec).double()


def batch_of(spec=SPEC, rows=3, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    batch = Batch(2 * draw(rows, spec.input_size, spec.channels) + 1, 2 * draw(rows, spec.horizon, spec.targets) + 1)
    batch.known = draw(rows, spec.input_size + spec.horizon, spec.known) if spec.known else None
    batch.static = draw(rows, spec.static) if spec.static else None
    return batch


def centred(model, past):
    """Location and scale of one target's past, by hand."""
    if model.config.centring == "revin":
        return past.mean(), (past.var(correction=0) + 1e-5).sqrt()
    return past[-4:].mean(), past.new_ones(())  # the last season's mean


def read(model, batch, row, target, values, steps):
    """Inputs of steps 1, 2... of one series, from `values` on: [1 step read]."""
    spec, time, inputs = model.spec, batch.past.shape[1], []
    for step in range(1, steps + 1):
        now = [values[step - 1]]
        if model.lag:
            now.append(values[max(0, step - 4)])
        for channel in range(spec.targets, spec.channels):
            now.append(batch.past[row, min(step - 1, time - 1), channel])  # not centred: its level is read
        if spec.known:
            now.extend(batch.known[row, step])
        if spec.static:
            now.extend(batch.static[row])
        now.extend(model.embedding.weight[target])
        inputs.append(torch.stack(now))
    return torch.stack(inputs)[None]


def distribution(model, raw, loc, scale):
    """What the readout says of values in scaled units."""
    if model.config.likelihood == "gaussian":
        return Normal(raw[1] * scale + loc, (F.softplus(raw[0] - raw[1]) + 1e-3) * scale)
    freedom = 2 + F.softplus(raw[2] - raw[1]) + 1e-3
    return StudentT(freedom, raw[1] * scale + loc, (F.softplus(raw[0] - raw[1]) + 1e-3) * scale)


def slow_losses(model, batch):
    """Negative log-likelihood of every value but the first: [row target step]."""
    rows, time = batch.past.shape[:2]
    found = torch.zeros(rows, model.spec.targets, time + model.spec.horizon - 1, dtype=torch.float64)
    for row in range(rows):
        for target in range(model.spec.targets):
            loc, scale = centred(model, batch.past[row, :, target])
            values = torch.cat([batch.past[row, :, target], batch.target[row, :, target]])
            steps = len(values) - 1
            x = read(model, batch, row, target, (values - loc) / scale, steps)
            for step, raw in enumerate(model.readout(model.recurrent(x)[0][0])):
                found[row, target, step] = -distribution(model, raw, loc, scale).log_prob(values[step + 1])
    return found


@pytest.mark.parametrize("spec", [SPEC, COVARIED])
@pytest.mark.parametrize(
    "options",
    [{}, {"likelihood": "student_t", "centring": "revin"}, {"season_lag": False, "num_layers": 1, "cell": "gru"}],
)
def test_the_loss_is_the_likelihood_of_every_value(spec, options):
    model, batch = made(spec, **options), batch_of(spec)
    slow = slow_losses(model, batch)
    torch.testing.assert_close(model.train().loss(batch, HEAD), slow.mean())
    torch.testing.assert_close(model.eval().loss(batch, HEAD), slow[..., -5:].mean())
    model.train().loss(batch, HEAD).backward()
    for name, weight in model.named_parameters():
        assert weight.grad.abs().sum() > 0, name


def test_what_was_not_measured_is_not_in_the_loss():
    model, batch = made().train(), batch_of()
    batch.observed = torch.rand(3, 20, 2, generator=torch.Generator().manual_seed(1)) > 0.3
    batch.target_observed = torch.rand(3, 5, 2, generator=torch.Generator().manual_seed(2)) > 0.3
    seen = torch.cat([batch.observed[:, 1:], batch.target_observed], 1).transpose(1, 2)
    torch.testing.assert_close(model.loss(batch, HEAD), slow_losses(model, batch)[seen].mean())


def test_weights_of_the_horizon_weigh_its_likelihoods():
    model, batch = made().eval(), batch_of()
    weights = torch.tensor([2.0, 1.0, 0.5, 0.25, 0.0], dtype=torch.float64)
    batch.target_observed = weights[:, None].expand(3, 5, 2)
    slow = (slow_losses(model, batch)[..., -5:] * weights).sum() / (weights.sum() * 6)
    torch.testing.assert_close(model.loss(batch, HEAD), slow)


@pytest.mark.parametrize("length", [1, 2, 9])
def test_a_short_row_is_a_shorter_window(length):
    model, batch = made(COVARIED), batch_of(COVARIED)
    batch.lengths = torch.tensor([20, length, length])
    short = Batch(
        batch.past[1:, -length:], batch.target[1:], known=batch.known[1:, -length - 5 :], static=batch.static[1:]
    )
    whole = Batch(batch.past[:1], batch.target[:1], known=batch.known[:1], static=batch.static[:1])
    losses = slow_losses(model, short), slow_losses(model, whole)
    mean = torch.cat([each.flatten() for each in losses]).mean()
    torch.testing.assert_close(model.train().loss(batch, HEAD), mean)
    for noise in (1e3, -1e3):
        batch.past[1:, :-length] = noise
        batch.known[1:, : -length - 5] = noise
        torch.testing.assert_close(model.train().loss(batch, HEAD), mean)
    model.eval()
    torch.testing.assert_close(model(batch), torch.cat([model(whole), model(short)]))


@pytest.mark.parametrize("spec", [SPEC, COVARIED, replace(SPEC, input_size=1, seasonality=1)])
@pytest.mark.parametrize("likelihood", ["gaussian", "student_t"])
def test_each_path_is_fed_its_own_values(spec, likelihood):
    model, batch = made(spec, likelihood=likelihood).eval(), batch_of(spec)
    shown = []
    model.head.of_samples = lambda samples: (shown.append(samples), samples.mean(-1, keepdim=True))[1]
    forecast = model(batch)
    paths = torch.cat(shown).view(3, 2, 5, 7)
    torch.testing.assert_close(forecast[..., 0], paths.mean(-1).transpose(1, 2))
    time = spec.input_size
    for row in range(3):
        for target in range(2):
            for path in range(7):
                loc = centred(model, batch.past[row, :, target])[0]
                values = list(batch.past[row, :, target] - loc)
                for step in range(5):
                    x = read(model, batch, row, target, values, len(values))
                    raw = model.readout(model.recurrent(x)[0][0, -1])
                    values.append(model.likelihood.draw(raw, model.noise[:, path, step]))
                torch.testing.assert_close(paths[row, target, :, path], torch.stack(values[time:]) + loc)


def test_paths_do_not_depend_on_how_many_are_drawn_together(monkeypatch):
    model, batch = made().eval(), batch_of(rows=5)
    together = model(batch)
    monkeypatch.setattr("tsrnn.models.deepar._ROWS", 21)
    torch.testing.assert_close(model(batch), together)


def test_noise_is_even_at_every_step():
    noise = made(paths=50).noise
    assert noise.shape == (2, 50, 5)
    parts = (noise * 50).floor().sort(1).values
    assert torch.equal(parts, torch.arange(50.0, dtype=noise.dtype)[:, None].expand(2, 50, 5))
    assert not torch.equal(noise[0, :, 0], noise[0, :, 1])
    assert "noise" not in made().weights()


GAUSSIAN = replace(SPEC, params=2, loss="gaussian")


@pytest.mark.parametrize(
    ("options", "tasks"),
    [
        ({"likelihood": "student_t"}, testing.TASKS),
        ({"season_lag": False, "centring": "revin", "num_layers": 1}, testing.TASKS),
        ({"cell": "gru"}, [GAUSSIAN, replace(SPEC, params=3, loss="student_t"), replace(SPEC, loss="mae")]),
    ],
)
@pytest.mark.slow
def test_the_contract(options, tasks):
    testing.check_model("deepar", tasks=tasks, **{"hidden_size": 8, "paths": 6, **options})


# An autoregressive world: y(t) = 0.8 y(t-1) + noise. Its forecasts have known means and deviations.

PULL = 0.8


def world(rows=2500, seed=0, tails=None):
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(rows) if tails is None else rng.standard_t(tails, rows)
    y = np.zeros(rows)
    for t in range(1, rows):
        y[t] = PULL * y[t - 1] + noise[t]
    return pl.DataFrame({"ds": hours(rows), "y": y})


TASK = {"input_size": 12, "horizon": 6, "hidden_size": 16, "num_layers": 1, "season_lag": False, "dropout": 0.0}
TRAINING = {"max_epochs": 8, "learning_rate": 1e-2, "batch_size": 64, "centring": "none", "averaging": 0.0}
LEVELS = [0.1, 0.5, 0.9]


@pytest.fixture(scope="module")
def trained():
    return Forecaster("deepar", **TASK, **TRAINING, quantiles=LEVELS).fit(world())


@pytest.mark.slow
def test_quantiles_are_those_of_the_world(trained):
    frame = world(3700, seed=1)
    table = trained.clone().backtest(frame, windows=200)  # trained on the first 2500 rows
    step = np.arange(len(table)) % 6 + 1
    last = np.repeat(frame["y"].to_numpy()[2499:-1:6], 6)
    spread = np.sqrt((1 - PULL ** (2 * step)) / (1 - PULL**2))
    for level, standard in zip(LEVELS, (-1.2816, 0.0, 1.2816), strict=True):
        error = table[f"q{level}"].to_numpy() - (PULL**step * last + standard * spread)
        assert np.sqrt(np.mean(error**2)) < 0.3, level
        share = (table["y"] <= table[f"q{level}"]).to_numpy().reshape(-1, 6)
        assert share.mean() == pytest.approx(level, abs=0.05)
        assert share[:, 0].mean() == pytest.approx(level, abs=0.09)
        assert share[:, 5].mean() == pytest.approx(level, abs=0.09)


@pytest.mark.slow
def test_the_validation_loss_is_near_the_entropy_of_the_worlds_noise(trained):
    scale = float(trained.preparation_.scaling.scale[0, 0])
    assert trained.report_.val_loss == pytest.approx(0.5 * np.log(2 * np.pi * np.e) - np.log(scale), abs=0.1)


@pytest.mark.slow
def test_heavy_tails_are_more_likely_under_students_t():
    losses = [
        Forecaster("deepar", **TASK, **TRAINING, likelihood=each).fit(world(tails=2.5)).report_.val_loss
        for each in ("gaussian", "student_t")
    ]
    assert losses[1] < losses[0] - 0.05


@pytest.mark.slow
def test_every_head_reads_the_paths(trained):
    frame = world(200, seed=2)
    quantiles = trained.predict(frame)
    point = trained.clone().set_params(quantiles=None)
    for loss, column in (("mse", None), ("gaussian", "y_q0.9"), ("student_t", "y_q0.9")):
        other = point.clone().set_params(loss=loss, quantiles=LEVELS if column else None).fit(world())
        forecast = other.predict(frame)
        np.testing.assert_allclose(forecast["y"], quantiles["y"], atol=0.4)
        if column:
            np.testing.assert_allclose(forecast[column], quantiles[column], atol=0.5)


def test_what_is_saved_comes_back(tmp_path):
    frame = long_frame((90, 80))
    options = {"input_size": 24, "horizon": 6, "hidden_size": 8, "max_epochs": 1, "paths": 20, "calendar": True}
    forecaster = Forecaster("deepar", **options, quantiles=LEVELS, pad=True).fit(frame)
    forecaster.save(tmp_path / "saved")
    again = Forecaster.load(tmp_path / "saved")
    assert again.spec_ == forecaster.spec_
    assert_frame_equal(again.predict(frame), forecaster.predict())
    forecast = forecaster.predict()
    assert (forecast["y_q0.1"] < forecast["y_q0.5"]).all()
    assert (forecast["y_q0.5"] < forecast["y_q0.9"]).all()


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="unknown likelihood 'gausian': did you mean 'gaussian'"):
        made(likelihood="gausian")
    with pytest.raises(InputError, match="unknown likelihood 'mse'"):
        made(likelihood="mse")
    with pytest.raises(InputError, match="paths must be at least 2, not 1"):
        made(paths=1)
