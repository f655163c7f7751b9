"""Training: what stops it, what it keeps, how fast it goes, and that it leaves the machine as it found it."""

import logging
import random
import time
import warnings

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from small import arrays_of, cut_of, long_frame, waves
from torch import nn

from tsrnn import fit as training
from tsrnn import infer, models
from tsrnn.errors import InputError
from tsrnn.fit import ForecastModule, WindowsDataModule
from tsrnn.forecaster import Forecaster
from tsrnn.heads import build
from tsrnn.models._base import Model
from tsrnn.parameters import FitConfig
from tsrnn.shapes import Spec
from tsrnn.split import Part

SPEC = Spec(4, 2, 1, 1)


class Level(Model):
    """Forecasts one number, learnt, whatever the past."""

    def __init__(self, config=None, spec=SPEC):
        super().__init__(config, spec)
        self.level = nn.Parameter(torch.zeros(1))

    def forward(self, batch):
        return self.level.expand(len(batch.past), self.spec.horizon, 1, 1)


class Breaks(Level):
    """Forecasts nothing but NaN from some share of the training on."""

    def __init__(self, since):
        super().__init__()
        self.since, self.broken = since, False

    def epoch_starts(self, progress):
        self.broken = progress >= self.since

    def forward(self, batch):
        return super().forward(batch) * (float("nan") if self.broken else 1.0)


def constant_parts(train=1.0, val=0.3):
    """Windows of two stretches at different levels: what is learnt on one suits the other less and less."""
    arrays = arrays_of(np.concatenate([np.full(200, train), np.full(100, val)])[:, None], breaks=[200])
    parts = Part(np.array([0]), np.array([200])), Part(np.array([200]), np.array([300]))
    return tuple(cut_of(arrays, 4, 2, part) for part in parts)


def config(**options):
    plain = {"schedule": "constant", "learning_rate": 0.03, "batch_size": 32, "max_epochs": 12, "averaging": 0.0}
    return FitConfig(**{**plain, **options})


def after_each_batch(monkeypatch, look):
    """Call `look(module)` whenever a batch is done."""
    done = ForecastModule.on_train_batch_end

    def ended(self, *rest):
        done(self, *rest)
        look(self)

    monkeypatch.setattr(ForecastModule, "on_train_batch_end", ended)


def test_the_report_names_the_device_that_batches_were_on(monkeypatch):
    seen = set()
    after_each_batch(monkeypatch, lambda module: seen.add(module.device.type))
    report = training.fit(Level(), build(None, "mse"), *constant_parts(), config(max_epochs=1, accelerator="auto"))
    assert seen == {report.device}


def test_early_stopping_brings_the_best_weights_back():
    train, val = constant_parts()
    model, seen = Level(), []

    def on_epoch(epoch, loss):
        seen.append((epoch, loss, model.level.item()))
        return False

    report = training.fit(model, build(None, "mse"), train, val, config(patience=3), on_epoch)
    losses = [loss for _, loss, _ in seen]
    best = int(np.argmin(losses))
    assert [epoch for epoch, _, _ in seen] == list(range(len(seen)))
    assert 0 < best + 1 < len(losses)
    assert model.level.item() == seen[best][2]
    assert (report.best_epoch, report.epochs) == (best + 1, best + 1 + 3)
    assert report.val_loss == pytest.approx(losses[best]) == pytest.approx((model.level.item() - 0.3) ** 2, rel=1e-4)
    assert infer.score(model, build(None, "mse"), val).mse == pytest.approx(report.val_loss, rel=1e-4)


def test_on_epoch_may_stop_the_training():
    train, val = constant_parts(val=1.0)
    report = training.fit(Level(), build(None, "mse"), train, val, config(), lambda epoch, loss: epoch == 2)
    assert report.epochs == 3


def test_a_training_stops_in_time_and_keeps_what_it_has(monkeypatch):
    """Every batch takes a minute of the test's clock; an epoch has seven."""
    train, val = constant_parts(val=1.0)
    model, clock, losses = Level(), [0.0], []
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    after_each_batch(monkeypatch, lambda module: clock.append(clock.pop() + 60))

    def on_epoch(epoch, loss):
        losses.append(loss)
        return False

    report = training.fit(model, build(None, "mse"), train, val, config(max_minutes=9.5), on_epoch)
    assert clock[0] / 60 == 11
    assert (report.epochs, report.best_epoch, len(losses)) == (2, 2, 2)
    assert report.val_loss == losses[1] == pytest.approx((model.level.item() - 1) ** 2, rel=1e-4)


def test_without_a_validation_part_the_last_weights_stay():
    train, _ = constant_parts()
    model = Level()
    report = training.fit(model, build(None, "mse"), train, None, config(max_epochs=30))
    assert report.epochs == 30
    assert model.level.item() == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("decay", [0.9, 0.3])
def test_averaged_weights_are_the_slow_ones(monkeypatch, decay):
    train, _ = constant_parts()
    path = []
    after_each_batch(monkeypatch, lambda module: path.append(float(module.model.level.detach())))
    model = Level()
    training.fit(model, build(None, "mse"), train, None, config(averaging=decay, max_epochs=4))
    slow = path[0]
    for count, weight in enumerate(path[1:], start=1):
        slow += (1 - min(decay, (1 + count) / (10 + count))) * (weight - slow)
    assert len(path) == 4 * 7
    assert model.level.item() == pytest.approx(slow, rel=1e-5)
    assert model.level.item() != pytest.approx(path[-1], rel=1e-3)


def test_validation_looks_at_the_averaged_weights():
    train, val = constant_parts()
    model = Level()
    report = training.fit(model, build(None, "mse"), train, val, config(averaging=0.9, patience=2))
    assert report.val_loss == pytest.approx((model.level.item() - 0.3) ** 2, rel=1e-3)


def test_gradients_are_clipped_unless_told_otherwise(monkeypatch):
    train, _ = constant_parts(train=1e4)
    norms = []
    after_each_batch(monkeypatch, lambda module: norms.append(float(module.model.level.grad.norm())))
    training.fit(Level(), build(None, "mse"), train, None, config(max_epochs=1))
    assert max(norms) <= 1.0001
    assert FitConfig().gradient_clip == 1.0
    norms.clear()
    training.fit(Level(), build(None, "mse"), train, None, config(max_epochs=1, gradient_clip=0))
    assert min(norms) > 1e4


@pytest.mark.parametrize("schedule", ["constant", "cosine", "exponential"])
def test_the_rate_follows_the_schedule(monkeypatch, schedule):
    train, _ = constant_parts()
    asked = config(schedule=schedule, max_epochs=6, decay=0.5)
    rates = []

    def starts(self, *_):
        rates.append(self.trainer.optimizers[0].param_groups[0]["lr"] / 0.03)

    monkeypatch.setattr(ForecastModule, "on_train_batch_start", starts)
    training.fit(Level(), build(None, "mse"), train, None, asked)
    assert rates == pytest.approx([asked.rate(step, 7) for step in range(42)])


def test_rates_by_hand():
    asked = {name: config(schedule=name, max_epochs=10, decay=0.5) for name in ("constant", "cosine", "exponential")}
    assert [asked["constant"].rate(step, 8) for step in (0, 1, 2, 3, 4, 79)] == [0.25, 0.5, 0.75, 1, 1, 1]
    assert [asked["exponential"].rate(epoch * 8 + 7, 8) for epoch in range(6)] == [1, 1, 1, 0.5, 0.25, 0.125]
    assert asked["cosine"].rate(40, 8) == pytest.approx(0.5)
    assert asked["cosine"].rate(80, 8) == pytest.approx(0)
    assert asked["cosine"].rate(8, 8) == pytest.approx(0.5 * (1 + np.cos(np.pi / 10)))
    assert asked["constant"].rate(0, 1) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": 0}, "learning_rate must be above 0"),
        ({"random_state": 2**64}, "random_state takes a whole number of 64 bits, not 18446744073709551616"),
        ({"random_state": -(2**63) - 1}, "random_state takes a whole number of 64 bits"),
        ({"max_epochs": 0}, "max_epochs must be above 0"),
        ({"max_steps": 0}, "max_steps must be above 0, or None, not 0"),
        ({"max_epochs": 3, "max_steps": 90}, "max_epochs=3 and max_steps=90 both end it; name one of them"),
        ({"max_minutes": 0}, "max_minutes must be above 0, or None, not 0"),
        ({"max_windows": -3}, "max_windows must be above 0, or None, not -3"),
        ({"val_windows": 0}, "val_windows must be above 0"),
        ({"weight_decay": -1}, "weight_decay must be at least 0, not -1"),
        ({"gradient_clip": float("nan")}, "gradient_clip must be at least 0, not nan"),
        ({"max_epochs": "3"}, "max_epochs takes a whole number or None, not '3'"),
        ({"batch_size": 2.5}, "batch_size takes a whole number or None, not 2.5"),
        ({"devices": True}, "devices takes a whole number, not True"),
        ({"learning_rate": None}, "learning_rate takes a number, not None"),
        ({"max_minutes": "long"}, "max_minutes takes a number or None, not 'long'"),
        ({"progress": "yes"}, "progress takes True, False or 'auto', not 'yes'"),
        ({"precision": [32]}, "precision takes a word or a whole number, not"),
        ({"averaging": 1.5}, "averaging must be between 0 and 1"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"weighting": "arctangent"}, "did you mean 'arctan'"),
    ],
)
def test_impossible_recipes_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        FitConfig(**options)


@pytest.mark.parametrize(
    "options",
    [{"accelerator": "tpuu"}, {"accelerator": "mps" if torch.cuda.is_available() else "gpu"}],
)
def test_an_accelerator_that_is_not_here_is_named(options):
    train, val = constant_parts()
    name, value = next(iter(options.items()))
    with pytest.raises(InputError, match=f"{name}='{value}'.* cannot be had here: "):
        training.fit(Level(), build(None, "mse"), train, val, config(**options))


@pytest.mark.parametrize(
    ("weighting", "weigh"),
    [("arctan", lambda i: -np.arctan(i) + np.pi / 4 + 1), ("root", lambda i: 1 / np.sqrt(i)), ("none", np.ones_like)],
)
@pytest.mark.parametrize("holes", [True, False])
def test_nearer_steps_weigh_more_in_training_alone(weighting, weigh, holes):
    values = waves(40)
    values[::7] = np.nan if holes else values[::7]
    batch = cut_of(arrays_of(values), 4, 5).gather(torch.arange(20))
    model = Level(spec=Spec(4, 5, 1, 1))
    module = ForecastModule(model, build(None, "mae"), config(weighting=weighting))
    error = batch.target.abs()[..., 0].numpy()  # the level is 0: [batch horizon]
    weights = np.broadcast_to(weigh(np.arange(1.0, 6.0)), error.shape)
    seen = batch.target_observed[..., 0].numpy() if holes else np.ones_like(error)
    expected = (error * weights * seen).sum() / (weights * seen).sum()
    assert module.training_step(batch, 0).item() == pytest.approx(expected, rel=1e-5)
    module.on_validation_epoch_start()
    with torch.no_grad():
        module.validation_step(batch, 0)
    assert module._val[0] / 20 == pytest.approx((error * seen).sum() / seen.sum(), rel=1e-5)


def test_a_models_own_loss_is_trained_and_validated_on():
    class Own(Level):
        def loss(self, batch, head):
            return (self.level - 2).square().mean()

    train, val = constant_parts()
    model = Own()
    report = training.fit(model, build(None, "mse"), train, val, config(max_epochs=40, learning_rate=0.1))
    assert model.level.item() == pytest.approx(2, abs=0.1)
    assert report.val_loss == pytest.approx((model.level.item() - 2) ** 2, rel=1e-3)


@pytest.mark.parametrize("most", [None, 20, 1000])
def test_an_epoch_draws_as_many_windows_as_asked(most):
    cut = cut_of(arrays_of(np.arange(60.0)[:, None]), 4, 2)
    module = WindowsDataModule(cut, cut, config(batch_size=8, max_windows=most, val_windows=7))
    epochs = [[batch.past[:, 0, 0] for batch in module.train_dataloader()] for _ in range(2)]
    for batches in epochs:
        assert len(torch.cat(batches).unique()) == len(torch.cat(batches)) == min(most or 55, 55)
        assert len(batches) == len(module.train_dataloader())
    assert torch.cat(epochs[0]).tolist() != torch.cat(epochs[1]).tolist()
    assert torch.cat([batch.past[:, 0, 0] for batch in module.val_dataloader()]).tolist() == list(range(0, 55, 9))


@pytest.mark.parametrize("validated", [True, False])
def test_a_loss_that_is_no_number_is_named(validated):
    train, val = constant_parts()
    with pytest.raises(InputError, match=r"stopped being a number in epoch \d+; lower learning_rate=0.03"):
        training.fit(Breaks(0.0), build(None, "mse"), train, val if validated else None, config(max_epochs=1))


def test_what_was_good_before_the_loss_broke_is_kept():
    train, val = constant_parts()
    model = Breaks(0.5)
    report = training.fit(model, build(None, "mse"), train, val, config(max_epochs=6, learning_rate=0.003))
    assert report.best_epoch == 3
    assert torch.isfinite(model.level).all()


@pytest.mark.filterwarnings("ignore:.*LeafSpec", "ignore:.*many workers", "ignore:.*`IterableDataset` has `__len__`")
def test_a_trainer_of_ones_own(tmp_path):
    arrays = arrays_of(waves(200, 2))
    train = cut_of(arrays, 16, 4, Part(np.array([0]), np.array([150])), scaler="standard")
    val = cut_of(arrays, 16, 4, Part(np.array([150]), np.array([200])), scaler="standard")
    asked = FitConfig(batch_size=32, averaging=0.9)
    with training.seeded(0):
        model = models.build("gru", models.configure("gru", {"hidden_size": 8}), Spec(16, 4, 2, 2, seasonality=8))
        module = ForecastModule(model, build(None, "mse"), asked)
        trainer = pl.Trainer(
            max_epochs=2,
            default_root_dir=tmp_path,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, datamodule=WindowsDataModule(train, val, asked))
    assert trainer.global_step == 2 * len(WindowsDataModule(train, val, asked).train_dataloader())
    assert trainer.lr_scheduler_configs[0].scheduler.get_last_lr() == [asked.learning_rate]  # two epochs: no decay yet
    measured = infer.score(module.evaluated, module.head, val).mse
    assert float(trainer.callback_metrics["val_loss"]) == pytest.approx(measured, rel=1e-3)
    (saved,) = tmp_path.rglob("*.ckpt")
    assert "model.head.weight" in torch.load(saved, weights_only=True)["state_dict"]


SMALL = {"input_size": 24, "horizon": 6, "hidden_size": 8, "max_epochs": 2, "batch_size": 64, "dropout": 0.3}


@pytest.fixture(scope="module")
def frame():
    return long_frame((90, 80))


@pytest.mark.parametrize("model", ["gru", "seq2seq", "ols"])
def test_nothing_is_written_said_or_reseeded(model, frame, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    options = SMALL if model != "ols" else {"input_size": 24, "horizon": 6}
    before = (torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate())
    level, filters = logging.getLogger("pytorch_lightning").level, list(warnings.filters)
    Forecaster(model, **options).fit(frame).predict()
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])
    assert random.getstate() == before[2]
    assert logging.getLogger("pytorch_lightning").level == level
    assert warnings.filters == filters
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("model", ["lstm", "seq2seq"])
def test_the_seed_alone_decides_the_weights(model, frame):
    def weights(random_state, noise):
        with torch.random.fork_rng():
            torch.manual_seed(noise)
            return Forecaster(model, random_state=random_state, **SMALL).fit(frame).model_.weights()

    first, again, other = weights(1, 0), weights(1, 99), weights(2, 0)
    for name, weight in first.items():
        assert np.array_equal(weight, again[name]), name
    assert any(not np.array_equal(weight, other[name]) for name, weight in first.items())


def test_a_progress_bar_when_asked(frame, capfd):
    Forecaster("gru", progress=True, **SMALL).fit(frame)
    assert "training" in capfd.readouterr().err


def test_a_closed_form_needs_no_epoch(frame):
    forecaster = Forecaster("ols", input_size=24, horizon=6, max_epochs=50).fit(frame)
    assert forecaster.report_.epochs == 0
    assert not any(weight.requires_grad for weight in forecaster.model_.parameters())
