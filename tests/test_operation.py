"""Training on, and with a Trainer of one's own."""

import math

import numpy as np
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from small import QUICK, TASK, long_frame, wide_frame
from test_streaming import newest, without_last

from tsrnn import fit as training
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster


def weights(forecaster):
    return [each.clone() for each in forecaster.model_.parameters()]


def moved(forecaster, before):
    return any(not torch.equal(one, other) for one, other in zip(weights(forecaster), before, strict=True))


def test_an_update_goes_on_from_the_weights_and_keeps_the_scaler(long):
    forecaster = Forecaster("gru", **QUICK).fit(without_last(long, 40))
    before, scale, report = weights(forecaster), forecaster.scaling_.scale.copy(), forecaster.report_
    forecaster.update(long)
    assert moved(forecaster, before)
    assert (forecaster.scaling_.scale == scale).all()
    assert forecaster.report_.best_epoch >= 1
    assert forecaster.report_ is not report
    assert_frame_equal(forecaster.predict(), forecaster.predict(long))


def test_the_rate_of_an_update(long, monkeypatch):
    rates = []
    forecaster = Forecaster("gru", **QUICK, learning_rate=0.004)
    forecaster.fit(long)
    real = training.fit

    def watched(model, head, train, val, config, on_epoch):
        rates.append(config.learning_rate)
        return real(model, head, train, val, config, on_epoch)

    monkeypatch.setattr(training, "fit", watched)
    forecaster.update(long).update(long, rate=0.5)
    assert rates == pytest.approx([0.0004, 0.002])


def test_an_update_that_makes_nothing_better_changes_nothing(long):
    forecaster = Forecaster("gru", **QUICK).fit(long)
    before = weights(forecaster)
    forecaster.update(long, rate=900.0)
    assert not moved(forecaster, before)
    assert forecaster.report_.best_epoch == 0
    assert math.isfinite(forecaster.report_.val_loss)


def test_a_model_with_a_closed_form_is_solved_anew():
    frame = wide_frame(400)
    forecaster = Forecaster("ols", **TASK).fit(frame.head(200))
    before = weights(forecaster)
    forecaster.update(frame)
    assert moved(forecaster, before)


def test_a_stream_is_warmed_up_again_after_an_update(long):
    forecaster = Forecaster("gru", **QUICK).fit(long)
    state = forecaster.warm_up(without_last(long, 1))
    forecaster.update(long)
    with pytest.raises(InputError, match="is another model's"):
        forecaster.step(newest(long), state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop("y"), "'y'"),
        (lambda frame: frame.gather_every(2), "rows of series 'a' are 2 steps of the training's apart, which is 1h"),
        (lambda frame: frame.group_by("unique_id", maintain_order=True).head(8), "have too few rows to learn from"),
    ],
)
def test_rows_that_cannot_update(change, message, long):
    forecaster = Forecaster("gru", **QUICK).fit(long_frame((150, 130)))
    with pytest.raises(InputError, match=message):
        forecaster.update(change(long))


def test_a_text_is_no_rate_and_none_no_state(fitted, long, tmp_path):
    with pytest.raises(InputError, match="rate is a share of the learning rate and must be a number above 0, not 'a'"):
        fitted.update(long, rate="a")
    with pytest.raises(InputError, match="save_state takes the state that warm_up or step gave, not a NoneType"):
        fitted.save_state(None, tmp_path / "state")
    with pytest.raises(InputError, match="rows is an array of <U1; give one of numbers"):
        fitted.step(np.array([["a"]] * 3), fitted.warm_up())


def test_rates_that_are_none(fitted, long):
    with pytest.raises(InputError, match="rate is a share of the learning rate and must be a number above 0, not 0"):
        fitted.update(long, rate=0)


def trainer(**options):
    import pytorch_lightning as lightning

    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    return lightning.Trainer(max_epochs=2, accelerator="cpu", **{**quiet, **options})


@pytest.mark.filterwarnings("ignore")  # Lightning's, of a Trainer that is not ours
def test_a_trainer_of_ones_own_and_the_way_back(long, tmp_path):
    forecaster = Forecaster("gru", **QUICK)
    module, data = forecaster.modules(long)
    with pytest.raises(InputError, match="not fitted"):
        forecaster.predict()
    trainer().fit(module, datamodule=data)
    assert forecaster.adopt(module) is forecaster
    assert forecaster.report_.epochs == 2
    assert math.isfinite(forecaster.report_.val_loss)
    forecaster.save(tmp_path / "model")
    assert_frame_equal(Forecaster.load(tmp_path / "model").predict(long), forecaster.predict())
    wanted = Forecaster("gru", **QUICK).fit(long)
    assert_frame_equal(forecaster.predict().select("unique_id", "ds"), wanted.predict().select("unique_id", "ds"))


def test_what_cannot_be_adopted(long, fitted):
    module, _ = Forecaster("gru", **QUICK).modules(long)
    with pytest.raises(InputError, match=r"prepared no data; call modules\(frame\)"):
        Forecaster("gru", **QUICK).adopt(module)
    other = Forecaster("gru", **{**QUICK, "horizon": 7})
    other.modules(long)
    with pytest.raises(InputError, match=r"of another task, 24 -> 6 steps of 1 target; adopt what"):
        other.adopt(module)
    with pytest.raises(InputError, match="adopt takes the ForecastModule that a Trainer has trained, not a GRU"):
        other.adopt(torch.nn.GRU(1, 1))
    with torch.no_grad():
        next(module.evaluated.parameters()).fill_(torch.nan)
    with pytest.raises(InputError, match="a weight of that module is not a number"):
        Forecaster("gru", **QUICK).fit(long).adopt(module)


def test_a_model_that_no_trainer_trains(long):
    with pytest.raises(InputError, match="model 'ols' is not trained by steps; call fit instead"):
        Forecaster("ols", **TASK).modules(long)


def test_callbacks_are_called(long):
    from pytorch_lightning.callbacks import Callback

    class Counts(Callback):
        epochs = 0

        def on_train_epoch_end(self, trainer, module):
            self.epochs += 1

    counts = Counts()
    Forecaster("gru", **QUICK).fit(long, callbacks=[counts])
    assert counts.epochs == QUICK["max_epochs"]
    with pytest.raises(InputError, match="callbacks takes Lightning's callbacks, and 'tensorboard' is none"):
        Forecaster("gru", **QUICK).fit(long, callbacks=["tensorboard"])


def test_checkpoints_of_ones_own(long, tmp_path):
    from pytorch_lightning.callbacks import ModelCheckpoint

    Forecaster("gru", **QUICK).fit(long, callbacks=[ModelCheckpoint(tmp_path, monitor="val_loss")])
    assert len(list(tmp_path.glob("*.ckpt"))) == 1


def test_a_logger_gets_both_losses(long, tmp_path):
    from pytorch_lightning.loggers import CSVLogger

    Forecaster("gru", **QUICK).fit(long, logger=CSVLogger(tmp_path, name="run"))
    logged = pl.read_csv(next(tmp_path.rglob("metrics.csv")))
    assert {"train_loss_epoch", "val_loss"} <= set(logged.columns)
    assert logged["train_loss_epoch"].drop_nulls().len() == QUICK["max_epochs"]
