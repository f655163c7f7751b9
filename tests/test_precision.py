"""Precisions of a training: each of Lightning's words works from fit to load, or is refused by name at once."""

from typing import get_args

import pytest
import torch
from polars.testing import assert_frame_equal
from pytorch_lightning.trainer.connectors import accelerator_connector
from small import ROLES, covaried, hours, plans, wide_frame
from small_models import small
from torch import nn

from tsrnn import models, registry
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster
from tsrnn.models._base import Model
from tsrnn.parameters import FitConfig

WORDS = [word for kind in get_args(accelerator_connector._PRECISION_INPUT) for word in get_args(kind)]
SINGLE, DOUBLE, MIXED = ("32-true", "32", 32), ("64-true", "64", 64), ("bf16-mixed", "bf16")
ON_A_GPU = ("16-mixed", "16", 16)
TASK = {"input_size": 48, "horizon": 6, "max_epochs": 1, "max_windows": 64}


class Watched(Model):
    """Forecasts a learnt level, and notes in which precision it is asked to."""

    seen: set[tuple[torch.dtype, torch.dtype, bool]]

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.level = nn.Parameter(torch.zeros(1))
        Watched.seen = set()

    def forward(self, batch):
        if self.training:
            Watched.seen.add((batch.past.dtype, self.level.dtype, torch.is_autocast_enabled("cpu")))
        return self.level.expand(len(batch.past), self.spec.horizon, 1, 1)


@pytest.mark.parametrize("precision", [*SINGLE, *DOUBLE, *MIXED])
@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_a_training_is_in_the_precision_that_is_asked_for(precision, averaging):
    frame = wide_frame(channels=1)
    forecaster = Forecaster(Watched, **TASK, precision=precision, averaging=averaging).fit(frame)
    kind = torch.float64 if precision in DOUBLE else torch.float32
    assert Watched.seen == {(kind, kind, precision in MIXED)}
    assert forecaster.model_.level.dtype == torch.float32
    assert forecaster.predict()["c0"].is_finite().all()


@pytest.mark.parametrize("word", [*WORDS, "8", "half", "", 8, 1])
def test_every_other_word_is_refused_by_name_at_once(word):
    if word in (*SINGLE, *DOUBLE, *MIXED):
        assert FitConfig(precision=word).arithmetic in ("32-true", "64-true", "bf16-mixed")
        return
    mend = (
        "needs a GPU; write bf16-mixed or 32-true" if word in ON_A_GPU else "write one of 32-true, 64-true, bf16-mixed"
    )
    with pytest.raises(InputError, match=f"precision {word!r} .*{mend}"):
        FitConfig(precision=word)


@pytest.mark.parametrize("word", [True, 32.0, None])
def test_what_is_no_word_is_none(word):
    with pytest.raises(InputError, match="precision takes a word or a whole number, not"):
        FitConfig(precision=word)


@pytest.mark.parametrize("word", ON_A_GPU)
def test_half_precision_is_for_gpus(word):
    assert FitConfig(precision=word, accelerator="gpu").arithmetic == "16-mixed"
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(InputError, match="needs a GPU"):
        Forecaster("nlinear", **TASK, precision=word, accelerator="auto").fit(wide_frame())


@pytest.mark.parametrize("precision", ["64-true", "bf16-mixed"])
@pytest.mark.parametrize("name", registry.names("models"))
def test_every_model_trains_predicts_scores_saves_and_loads(name, precision, tmp_path):
    frame, split = covaried(), {"ratios": [0.6, 0.2, 0.2]}
    reads = models.reads(name, models.configure(name, small(name)))
    kinds = {"past_covariates": "past", "future_covariates": "known", "static_covariates": "static"}
    roles = {role: names for role, names in ROLES.items() if kinds.get(role, "target") in {"target", *reads}}
    forecaster = Forecaster(name, **TASK, **small(name), precision=precision).fit(frame, split=split, **roles)
    forecaster.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    forecasts = [each.predict(frame, future=plans(frame)) for each in (forecaster, loaded)]
    assert_frame_equal(*forecasts, check_exact=True)
    assert forecasts[0]["y"].is_finite().all()
    assert forecasts[0]["ds"][0] == hours(161)[160]
    single = Forecaster(name, **TASK, **small(name)).fit(frame, split=split, **roles)
    scores = [each.score(frame, split=split).mse for each in (forecaster, loaded, single)]
    assert scores[0] == scores[1] == pytest.approx(scores[2], rel=0.05)
