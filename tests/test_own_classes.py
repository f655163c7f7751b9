"""A class stands wherever a word may: as a model, as a cell; only what is registered is saved."""

import json
import subprocess
import sys
import types
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest
import torch
from small import QUICK, TASK, long_frame
from torch import Tensor, nn

from tsrnn import (
    Forecaster,
    InputError,
    Notice,
    bench,
    catalog,
    cells,
    execute,
    models,
    parameters,
    provenance,
    registry,
    tune,
)
from tsrnn.board import rows
from tsrnn.commands.cells import run as list_cells
from tsrnn.commands.models import run as list_models
from tsrnn.models.recurrent import RecurrentForecaster
from tsrnn.options import choice
from tsrnn.panel import Panel
from tsrnn.shapes import Batch, Spec
from tsrnn.testing import check_model


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
    only = frame.filter(unique_id="a")
    assert np.isfinite(forecaster.backtest(only, windows=2, refit=True)["forecast"].to_numpy()).all()
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


def test_classes_of_one_name_are_told_apart_by_what_stands_in_them(tmp_path):
    written = """
from tsrnn import cells
class Leaky(cells.Cell):
    gates, states = ("value",), ("memory",)
    def step(self, x, r, state):
        memory = {share} * state[0] + x[0] + r[0]
        return (memory,), memory
"""
    places = []
    for share in (0.9, 0.9, 0.8):
        for text in (written, None):  # from a file, and typed
            module = types.ModuleType("mine")
            if text:
                module.__file__ = str(tmp_path / f"mine{share}.py")
                (tmp_path / f"mine{share}.py").write_text(text.format(share=share))
            exec(compile(written.format(share=share), module.__file__ if text else "<typed>", "exec"), vars(module))
            places.append(provenance.place(module.Leaky))
    assert all(place.startswith("mine:Leaky ") for place in places)
    assert places[:2] == places[2:4]
    assert len(set(places)) == len({*places[:2], *places[4:]})
    assert places[0] != places[4]


def test_a_row_says_which_class_it_was():
    (job,) = bench.plan(bench.Source("transformer"), "smoke", bench.Wishes(models=[Plain], horizons=[24]))
    assert json.loads(job.task["config"])["class"] == provenance.place(Plain)
    other = type("Plain", (Plain,), {"extra": lambda self: 1})
    assert replace(job, model=other).key != job.key
    (ours,) = bench.plan(bench.Source("transformer"), "smoke", bench.Wishes(models=["ols"], horizons=[24]))
    assert "class" not in ours.task["config"]


SCRIPT = """
import torch
from dataclasses import dataclass
from pathlib import Path
from tsrnn import bench, models

@dataclass(frozen=True)
class Config:
    bias: float = {bias}

class Mine(models.Model):
    Config = Config
    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.level = torch.nn.Parameter(torch.tensor(config.bias))
    def forward(self, batch):
        past = batch.past[:, -1:, : self.spec.targets, None]
        return (past + self.level).expand(-1, self.spec.horizon, -1, self.spec.params)

if __name__ == "__main__":
    jobs = bench.plan(bench.Source("transformer"), "smoke", bench.Wishes(models=[Mine], horizons=[24], input_size=24))
    print(len(bench.run(jobs, Path("rows"), workers=1)))
"""


@pytest.mark.slow
def test_a_script_finds_its_own_rows_again_and_no_others(tmp_path):
    ran = []
    for bias in (0.5, 0.5, 0.25):
        (tmp_path / "mine.py").write_text(SCRIPT.format(bias=bias))
        done = subprocess.run([sys.executable, "mine.py"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        ran.append(done.stdout.strip())
    assert ran == ["1", "0", "1"]
    assert rows.existing(tmp_path / "rows").height == 2


@of_every_kind
def test_it_is_swept(kind, tmp_path):
    model, options = KINDS[kind]
    fixed = {**options, "max_epochs": 1, "batch_size": 64}
    asked = tune.Sweep(model, 6, (24,), fixed, split={"ratios": [0.7, 0.1, 0.2]})
    panel = Panel.of(long_frame())
    study = tune.run(panel, asked, 2, tune.sqlite(tmp_path / "s.sqlite3"), "own")
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


def forget():
    for cache in (registry.names, registry.clashes, cells.get):
        cache.cache_clear()


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
    forget()
    yield points
    monkeypatch.undo()
    forget()


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


def test_a_name_of_ours_that_a_package_takes_too_is_refused_and_no_other(package):
    package["tsrnn.models"].append(("lstm", "otherpackage:Plain"))
    forget()
    with pytest.raises(
        InputError,
        match=r"package otherpackage registers 'lstm' in tsrnn\.models, which tsrnn\.models\.recurrent is",
    ):
        models.find("lstm")
    assert models.find("gru").kind is RecurrentForecaster
    assert models.find(Plain).word in ("plain", "alike")
    assert models.find(RecurrentForecaster).name != "lstm"


FAULTS = {
    "raises ValueError": "raise ValueError('no backend')",
    "does not parse": "def (",
    "holds nothing": "",
    "ends the process": "raise SystemExit(3)",
}


@pytest.mark.parametrize("text", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("shelf", ["models", "cells", "readers"])
def test_a_package_that_is_broken_is_named_and_the_rest_of_the_shelf_works(
    shelf, text, package, tmp_path, monkeypatch, capsys
):
    (tmp_path / "faulty.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "faulty", raising=False)
    package[f"tsrnn.{shelf}"] = [("mine", "faulty")] if shelf == "readers" else [("mine", "faulty"), ("nowhere", "")]
    forget()
    said = r"'mine' is registered as faulty \(.*mend or uninstall"
    if shelf == "readers":
        (tmp_path / "a.csv").write_text("date,y\n2020-01-01,1\n")
        with pytest.warns(Notice, match=said):
            assert catalog.read_file(tmp_path / "a.csv").height == 1
        return
    with pytest.raises(InputError, match=said):
        models.find("mine") if shelf == "models" else cells.get("mine")
    {"models": list_models, "cells": list_cells}[shelf](json_=True)
    rows_by_name = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert "mend or uninstall" in rows_by_name["mine"]["about"]
    assert "mend or uninstall" in rows_by_name["nowhere"]["about"]
    assert "mend" not in rows_by_name["gru"]["about"]


def test_a_registered_class_is_described_by_its_own_docstring(package, capsys):
    list_models(json_=True)
    rows_by_name = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows_by_name["plain"]["about"] == "Two linear maps of a target's own past"


def test_an_ending_that_is_taken_stays_with_its_reader(package, tmp_path, monkeypatch):
    module = types.ModuleType("greedy")
    module.SUFFIXES, module.read = (".CSV",), lambda path: None
    monkeypatch.setitem(sys.modules, "greedy", module)
    package["tsrnn.readers"] = [("greedy", "greedy")]
    forget()
    (tmp_path / "a.csv").write_text("date,y\n2020-01-01,1\n")
    with pytest.warns(Notice, match=r"'greedy' is registered.* claims \.CSV, which tsrnn\.readers\.csv reads"):
        assert catalog.read_file(tmp_path / "a.csv").height == 1


def test_loading_a_word_that_is_gone_says_which_package_to_install(package, tmp_path):
    Forecaster("plain", **QUICK).fit(long_frame()).save(tmp_path / "saved")
    del package["tsrnn.models"]
    forget()
    with pytest.raises(InputError, match=r"unknown model 'plain'.*install the package that registers it"):
        Forecaster.load(tmp_path / "saved")


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


def forecast_by(change):
    """`Plain` with another forecast."""
    return type("Changed", (Plain,), {"forward": lambda self, batch: change(Plain.forward(self, batch))})


SHAPES = {
    "one step": lambda params: params[:, :1],
    "one target": lambda params: params[:, :, :1],
    "one row": lambda params: params.mean(0, keepdim=True),
    "no params": lambda params: params[..., 0],
    "axes swapped": lambda params: params.transpose(0, 1),
    "a tuple": lambda params: (params,),
    "a fault": lambda params: params @ params,
}


@pytest.mark.parametrize("change", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("alone", [True, False])
def test_a_forecast_of_another_shape_is_refused_before_training(change, alone):
    model, options = forecast_by(change), {}
    if not alone:
        model, options = "ensemble", {"members": [{"model": model}, {"model": "ols"}]}
    wanted = rf"\[batch 32, horizon {TASK['horizon']}, target 2, params 1\]"
    with pytest.raises(InputError, match=f"model Changed: forward .* {wanted}"):
        Forecaster(model, **TASK, max_epochs=1, **options).fit(two_targets())


def two_targets():
    frame = long_frame()
    return Panel.of(frame.with_columns(z=-frame["y"]), target=["y", "z"])


def test_the_trial_of_a_model_draws_nothing_and_leaves_it_in_training():
    modes = []

    class Drawing(Plain):
        def forward(self, batch):
            modes.append(self.training)
            return super().forward(batch) + 0 * torch.rand(())

    class Untried(Drawing):
        pass

    Untried.__module__ = "tsrnn.models.untried"
    tried, untried = (Forecaster(model, **QUICK).fit(two_targets()) for model in (Drawing, Untried))
    assert modes[:2] == [False, True]
    for name, weight in untried.model_.weights().items():
        assert np.array_equal(weight, tried.model_.weights()[name])


def test_a_saved_model_whose_class_forecasts_another_shape_now_is_refused(package, tmp_path, monkeypatch):
    Forecaster("plain", **QUICK).fit(long_frame()).save(tmp_path / "saved")
    forward = Plain.forward
    monkeypatch.setattr(Plain, "forward", lambda self, batch: forward(self, batch)[:, :1])
    with pytest.raises(InputError, match=r"model Plain: forward gave \[32, 1, 1, 1\]"):
        Forecaster.load(tmp_path / "saved")


def test_two_classes_of_one_name_are_refused_on_a_board():
    wishes = bench.Wishes(models=[Plain, type("Plain", (Plain,), {})], horizons=[24], input_size=48)
    with pytest.raises(InputError, match="two classes are called Plain"):
        bench.plan(bench.Source("transformer"), "smoke", wishes)


def test_the_contract_of_a_class_takes_its_options():
    check_model(Plain, hidden_size=3)
    with pytest.raises(InputError, match="'hiden_size': did you mean 'hidden_size'"):
        check_model(Plain, hiden_size=3)
    with pytest.raises(InputError, match="a config or options, not both"):
        check_model(Plain, PlainOptions(), hidden_size=3)


@dataclass
class Unfrozen:
    hidden_size: int = 8


def test_a_model_that_is_not_written_as_one_is_refused_in_a_sentence():
    for config in (Unfrozen, PlainOptions(), dict):
        with pytest.raises(InputError, match=r"Wrong\.Config must be a frozen dataclass"):
            models.find(type("Wrong", (Plain,), {"Config": config}))
    for kind in (models.Model, type("Bare", (models.Model,), {})):
        with pytest.raises(InputError, match=f"class {kind.__name__} has no forward"):
            models.find(kind)
    short = type("Short", (Plain,), {"__init__": lambda self, config: None})
    with pytest.raises(InputError, match=r"model Short cannot be built as Short\(config, spec\)"):
        models.build(short, PlainOptions(), Spec(8, 2, 1, 1, seasonality=1))


WRONG_CELLS = {
    "must say its states": {"states": None},
    "has no step": {"step": cells.Cell.step},
    "step gives a Tensor": {"step": lambda self, x, r, state: x[0]},
    "memory of step is": {"step": lambda self, x, r, state: ((x[0][:, :2],), x[0])},
    "a state of 2 parts": {"step": lambda self, x, r, state: ((x[0], x[0]), x[0])},
    "step fails": {"step": lambda self, x, r, state: ((x[5],), x[0])},
    "cannot be built as": {"__init__": lambda self, width: None},
}


@pytest.mark.parametrize("said", WRONG_CELLS)
def test_a_cell_that_breaks_the_contract_is_refused_in_a_sentence(said):
    with pytest.raises(InputError, match=f"cell Wrong.*{said}"):
        Forecaster("segrnn", **TASK, cell=type("Wrong", (Leaky,), WRONG_CELLS[said])).configs()


def test_what_cells_derive_from_is_no_cell():
    for kind in (cells.Cell, cells.LinearCell):
        with pytest.raises(InputError, match=f"{kind.__name__} is what cells derive from"):
            cells.get(kind)


def test_a_class_inside_a_function_cannot_go_to_a_worker():
    class Inside(Plain):
        pass

    (outcome,) = execute.run(repr, [Inside], workers=1)
    assert outcome.error_type == "InputError"
    assert "move it to the top level of a module, or take workers=0" in outcome.error
