"""A class stands wherever a word may: as a model, as a cell; only what is registered is saved."""

import sys
import types
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest
import torch
from small import QUICK, TASK, long_frame
from torch import Tensor, nn

from tsrnn import Forecaster, InputError, bench, cells, models, parameters, registry, tune
from tsrnn.board import rows
from tsrnn.models.recurrent import RecurrentForecaster
from tsrnn.options import choice
from tsrnn.panel import Panel
from tsrnn.shapes import Batch, Spec


@dataclass(frozen=True)
class PlainOptions:
    hidden_size: int = choice(8, 4, 8)
    dropout: float = 0.0


class Plain(models.Model):
    """Two linear maps of a target's own past."""

    Config = PlainOptions

    def __init__(self, config: PlainOptions, spec: Spec) -> None:
        super().__init__(config, spec)
        self.layers = nn.Sequential(
            nn.Linear(spec.input_size, config.hidden_size), nn.Linear(config.hidden_size, spec.horizon * spec.params)
        )

    def forward(self, batch: Batch) -> Tensor:
        past = batch.past[..., : self.spec.targets].transpose(1, 2)  # [batch target time]
        made = self.layers(past).unflatten(-1, (self.spec.horizon, self.spec.params))  # [batch target horizon params]
        return made.transpose(1, 2)


class Leaky(cells.Cell):
    gates = ("value",)
    states = ("memory",)

    def step(self, x, r, state):
        memory = 0.9 * state[0] + 0.1 * torch.tanh(x[0] + r[0])
        return (memory,), memory


class NoModel(nn.Module):
    pass


KINDS = {"model": (Plain, {}), "cell": ("segrnn", {"cell": Leaky, "segment": 6})}
of_every_kind = pytest.mark.parametrize("kind", KINDS)


@of_every_kind
def test_it_is_fitted_forecast_with_and_backtested(kind):
    model, options = KINDS[kind]
    frame = long_frame()
    forecaster = Forecaster(model, **QUICK, **options).fit(frame)
    assert forecaster.predict().height == 3 * TASK["horizon"]
    assert np.isfinite(forecaster.backtest(frame, windows=2)["forecast"].to_numpy()).all()
    assert forecaster.get_params()["model"] is model


@of_every_kind
def test_it_runs_on_a_board(kind, tmp_path):
    model, options = KINDS[kind]
    source = bench.Source("transformer")
    wishes = bench.Wishes(models=[model], horizons=[24], input_size=48)
    jobs = [
        replace(job, options={**options, "max_epochs": 1, "max_windows": 64})
        for job in bench.plan(source, "smoke", wishes)
    ]
    (outcome,) = bench.run(jobs, tmp_path, workers=1)
    assert outcome.error is None
    row = rows.existing(tmp_path).to_dicts()[0]
    assert row["model"] == ("Plain" if kind == "model" else "segrnn")
    assert kind == "model" or "Leaky" in row["config"]
    assert not bench.pending(jobs, tmp_path)


@of_every_kind
def test_it_is_swept(kind, tmp_path):
    model, options = KINDS[kind]
    fixed = {**options, "max_epochs": 1, "batch_size": 64}
    asked = tune.Sweep(model, 6, (24,), fixed, split={"ratios": [0.7, 0.1, 0.2]})
    panel = Panel.of(long_frame())
    study = tune.sweep(panel, asked, 2, tune.sqlite(tmp_path / "s.sqlite3"), "own")
    best = tune.best(study, asked)
    assert best["model"] is model
    with pytest.raises(InputError, match=r"class (Plain|Leaky) is not registered.*'tsrnn\.(models|cells)'"):
        parameters.write_toml(best, tmp_path / "best.toml")


@of_every_kind
def test_saving_what_is_not_registered_is_refused_by_name(kind, tmp_path):
    model, options = KINDS[kind]
    forecaster = Forecaster(model, **QUICK, **options).fit(long_frame())
    with pytest.raises(InputError, match=r"class (Plain|Leaky) is not registered"):
        forecaster.save(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


def test_a_class_of_ours_is_saved_by_its_word(tmp_path):
    fitted = Forecaster(RecurrentForecaster, **QUICK, cell=cells.get("gru")).fit(long_frame())
    fitted.save(tmp_path / "saved")
    again = Forecaster.load(tmp_path / "saved")
    assert (again.model, again.options["cell"]) == ("lstm", "gru")
    assert again.predict(long_frame()).equals(fitted.predict())


@pytest.fixture
def package(monkeypatch):
    """Another package that registers a model, a cell and a module written like a file of the shelf."""
    module = types.ModuleType("otherpackage")
    for kind in (Plain, Leaky):
        monkeypatch.setattr(kind, "__module__", "otherpackage")
        setattr(module, kind.__name__, kind)
    alike = types.ModuleType("otherpackage.alike")
    alike.Config, alike.MODEL = PlainOptions, Plain
    monkeypatch.setitem(sys.modules, "otherpackage", module)
    monkeypatch.setitem(sys.modules, "otherpackage.alike", alike)
    points = {
        "tsrnn.models": [
            ("plain", "otherpackage:Plain"),
            ("broken", "otherpackage:Missing"),
            ("alike", "otherpackage.alike"),
        ],
        "tsrnn.cells": [("leaky", "otherpackage:Leaky")],
    }
    monkeypatch.setattr(
        registry,
        "entry_points",
        lambda group: EntryPoints(EntryPoint(name, value, group) for name, value in points.get(group, ())),
    )
    for cache in (registry.names, cells.get):
        cache.cache_clear()
    yield points
    monkeypatch.undo()
    for cache in (registry.names, cells.get):
        cache.cache_clear()


def test_what_a_package_registers_has_a_word_and_is_saved(package, tmp_path):
    assert {"plain", "alike", "lstm"} <= set(registry.names("models"))
    frame = long_frame()
    by_class, by_word = (Forecaster(model, **QUICK).fit(frame) for model in (Plain, "plain"))
    assert by_class.predict().equals(by_word.predict())
    by_class.save(tmp_path / "saved")
    assert Forecaster.load(tmp_path / "saved").model in ("plain", "alike")
    assert Forecaster("alike", **QUICK).fit(frame).predict().equals(by_word.predict())
    forecaster = Forecaster("gru", **QUICK, cell=Leaky).fit(frame)
    forecaster.save(tmp_path / "cell")
    assert Forecaster.load(tmp_path / "cell").options["cell"] == "leaky"


def test_a_registered_class_that_is_not_there_is_named(package):
    with pytest.raises(InputError, match=r"model 'broken' is registered as otherpackage:Missing.*mend or uninstall"):
        Forecaster("broken", **TASK).configs()


def test_a_package_may_not_take_a_name_of_ours(package):
    package["tsrnn.models"].append(("lstm", "otherpackage:Plain"))
    registry.names.cache_clear()
    with pytest.raises(
        InputError, match=r"registers 'lstm' in tsrnn\.models, which tsrnn\.models\.recurrent is known by"
    ):
        registry.names("models")


def test_what_is_no_model_or_no_cell_is_refused():
    with pytest.raises(InputError, match="NoModel is no model"):
        Forecaster(NoModel, **TASK).configs()
    with pytest.raises(InputError, match="NoModel is no cell"):
        Forecaster("segrnn", **TASK, cell=NoModel).configs()
    with pytest.raises(InputError, match="cell of model 'segrnn' takes a word or a class, not 3"):
        Forecaster("segrnn", **TASK, cell=3).configs()
    with pytest.raises(InputError, match="model takes a word or a class, not 3"):
        Forecaster(3, **TASK).configs()
    with pytest.raises(InputError, match="option of model 'Plain' 'hiden_size': did you mean 'hidden_size'"):
        Forecaster(Plain, **TASK, hiden_size=3).configs()


def test_a_class_named_as_a_model_of_ours_is_refused():
    namesake = type("lstm", (Plain,), {"__module__": "elsewhere"})
    with pytest.raises(InputError, match="class lstm is named as a model of tsrnn is"):
        models.find(namesake)
