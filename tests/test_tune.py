"""Sweeps: ranges as declared, scored on validation, resumable, not ended by a failed trial."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import polars as pl
import pytest

from tsrnn import InputError, load, metrics, models, tune, usual
from tsrnn.forecaster import Forecaster
from tsrnn.infer import Score
from tsrnn.panel import Panel
from tsrnn.parameters import read_toml, write_toml
from tsrnn.registry import names
from tsrnn.shapes import Spec
from tsrnn.tune import fitted

ASKED = tune.Sweep(
    "nlinear", horizon=4, input_sizes=(12, 24), fixed={"max_epochs": 2}, split={"ratios": [0.6, 0.2, 0.2]}
)


@pytest.fixture(scope="module")
def panel() -> Panel:
    t = np.arange(300)
    wave = np.sin(t / 4) + 0.1 * np.random.default_rng(0).standard_normal(300)
    return Panel.of(pl.DataFrame({"ds": t, "y": wave}), source="wave")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return tune.sqlite(tmp_path / "sweeps.sqlite3")


@pytest.mark.parametrize("model", names("models"))
def test_every_range_holds_its_default(model: str) -> None:
    trial = optuna.create_study().ask()
    for name, found in tune.ranges(model).items():
        if "low" in found:
            assert found["low"] < found["high"], name
    options = tune.suggest(trial, model)
    assert set(options) == set(tune.ranges(model))


def test_a_sweep_ends_at_the_trials_asked_and_goes_on_from_there(panel: Panel, url: str) -> None:
    first = tune.run(panel, ASKED, 3, url, "s")
    assert len(first.trials) == 3
    again = tune.run(panel, ASKED, 5, url, "s")
    assert len(again.trials) == 5
    assert again.trials[0].params == first.trials[0].params


@pytest.mark.parametrize("metric", ["pinball", "crps"])
def test_a_sweep_by_a_metric_of_quantiles_gives_its_model_some(metric: str, panel: Panel, url: str) -> None:
    asked = replace(ASKED, metric=metric, fixed={"max_epochs": 1})
    study = tune.run(panel, asked, 2, url, metric)
    best = tune.best(study, asked)
    assert best["quantiles"] == list(metrics.named(metric).levels)
    assert best["chosen"]["by"] == f"validation {metric}"
    params = {name: value for name, value in best.items() if name != "chosen"}
    forecaster = Forecaster(**params).fit(panel, split=asked.split)
    value = forecaster.score(split=asked.split, part="val", measures=[metric]).values[metric]
    assert value == pytest.approx(best["chosen"]["value"], rel=1e-4)
    own = replace(asked, fixed={"quantiles": [0.2, 0.8]})
    assert own.fixed == {"quantiles": [0.2, 0.8]}
    assert "quantiles" not in replace(asked, fixed={"loss": "laplace"}).fixed


def test_the_first_trial_is_the_model_as_it_comes(panel: Panel, url: str) -> None:
    asked = replace(ASKED, start={"input_size": 24, "batch_size": 32, "learning_rate": 5.0, "max_windows": 3})
    study = tune.run(panel, asked, 2, url, "s")
    said = tune.trials(study)
    assert said[0]["params"] == {
        "input_size": 24,
        "centring": "last",
        "learning_rate": 1e-3,  # 5.0 lies outside its range
        "batch_size": 32,
        "averaging": usual.AVERAGING,
    }
    assert [each["state"] for each in said] == ["complete", "complete"]
    assert tune.best(study, asked)["chosen"]["ranges"]["batch_size"] == [32, 64, 128]


def test_alternatives_are_tried_once_each_and_the_recipe_holds_the_value(
    panel: Panel, url: str, tmp_path: Path
) -> None:
    line_ups = {"one": [{"model": "nlinear"}], "two": [{"model": "nlinear"}, {"model": "ols", "input_size": 6}]}
    asked = replace(ASKED, model="ensemble", input_sizes=(12,), alternatives={"members": line_ups})
    study = tune.run(panel, asked, 3, url, "s")
    labels = [each["params"]["members"] for each in tune.trials(study)]
    assert labels[:2] == ["one", "two"]
    assert labels[2] in line_ups
    best = tune.best(study, asked)
    write_toml(best, tmp_path / "best.toml")
    assert read_toml(tmp_path / "best.toml")["members"] == line_ups[study.best_trial.params["members"]]
    assert best["chosen"]["ranges"]["members"] == ["one", "two"]
    with pytest.raises(InputError, match="is a sweep with alternatives"):
        tune.run(panel, replace(asked, alternatives={"members": {"one": line_ups["one"]}}), 4, url, "s")


def test_a_resumed_sweep_does_not_repeat_its_first_trials(panel: Panel, url: str) -> None:
    for trials in (3, 6):
        study = tune.run(panel, ASKED, trials, url, "s")
    rates = [trial.params["learning_rate"] for trial in study.trials]
    assert len(set(rates)) == 6
    assert [run["sampler"]["n_startup_trials"] for run in study.user_attrs["runs"]] == [10, 10]


def test_the_best_is_what_validation_says_and_the_forecaster_takes_it(panel: Panel, url: str, tmp_path: Path) -> None:
    study = tune.run(panel, ASKED, 4, url, "s")
    best = tune.best(study, ASKED)
    path = tmp_path / "best.toml"
    write_toml(best, path)
    params = read_toml(path)
    assert "chosen" not in params
    fitted = Forecaster.from_toml(path, random_state=ASKED.seed).fit(panel, split=ASKED.split)
    assert fitted.score(split=ASKED.split, part="val").mse == pytest.approx(study.best_value, rel=1e-6)
    assert best["chosen"]["value"] == study.best_value
    assert best["chosen"]["trials"] == 4


def test_failed_and_nan_trials_do_not_end_the_study(panel: Panel, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = {"n": 0}
    scores = Forecaster.scores

    def sometimes(self: Forecaster, *args: Any, **kwargs: Any) -> dict[str, Score]:
        calls["n"] += 1
        if calls["n"] == 1:
            raise RuntimeError("broken on purpose")
        if calls["n"] == 2:
            return {"val": Score({"mse": math.nan}, 1)}
        return scores(self, *args, **kwargs)

    monkeypatch.setattr(Forecaster, "scores", sometimes)
    states = [trial.state.name for trial in tune.run(panel, ASKED, 4, url, "s").trials]
    assert states == ["FAIL", "PRUNED", "COMPLETE", "COMPLETE"]


@pytest.mark.filterwarnings("ignore:wave. y. 60 values a hundred deviations away")
def test_the_test_part_is_never_read(panel: Panel, url: str) -> None:
    changed = panel.frame.with_columns(
        y=pl.when(pl.col("ds") < 240).then(pl.col("y")).otherwise(1e6)  # the last fifth is the test
    )
    one = tune.run(panel, ASKED, 2, url, "one")
    other = tune.run(Panel.of(changed, source="wave"), ASKED, 2, url, "other")
    assert [trial.value for trial in one.trials] == [trial.value for trial in other.trials]


def test_another_sweep_under_the_same_name_is_refused(panel: Panel, url: str) -> None:
    tune.run(panel, ASKED, 1, url, "s")
    other = tune.Sweep("ols", 4, (12,), {}, split=ASKED.split)
    with pytest.raises(InputError, match=r"study 's'.*'nlinear', not 'ols'"):
        tune.run(panel, other, 1, url, "s")


def test_the_same_file_by_another_path_is_the_same_sweep(url: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    frame = pl.DataFrame({"ds": range(200), "y": np.sin(np.arange(200) / 4)})
    frame.write_csv("wave.csv")
    for trials, path in enumerate(("wave.csv", "./wave.csv", str(tmp_path / "wave.csv")), start=1):
        assert len(tune.run(load(path, target="y"), ASKED, trials, url, "s").trials) == trials
    frame.head(190).write_csv("wave.csv")
    with pytest.raises(InputError, match=r"is a sweep with sha256 '\w+', not"):
        tune.run(load(tmp_path / "wave.csv", target="y"), ASKED, 4, url, "s")


@pytest.mark.parametrize("model", sorted({*names("models")} - {"trees"}))
def test_a_model_that_takes_no_steps_is_tried_with_no_option_of_them(model: str) -> None:
    spec = Spec(input_size=48, horizon=12, channels=2, targets=2, seasonality=12)
    kind = models.find(model).kind
    assert ("learning_rate" in tune.ranges(model)) == kind.by_steps
    if "ahead" in kind.tasks:
        built = models.build(model, models.configure(model, {}), spec)
        assert any(weight.requires_grad for weight in built.parameters()) == kind.by_steps


def test_a_model_that_learns_nothing_is_refused_unless_sizes_are_tried() -> None:
    with pytest.raises(InputError, match="'repeat_last' learns nothing that an option would change; fit it as it is"):
        tune.Sweep("repeat_last", 4, (12,), {})
    assert tune.Sweep("window_mean", 4, (12, 24), {}).planned() == [{"input_size": 12}]


def test_a_file_of_something_else_is_no_storage_and_gets_no_lock(panel: Panel, tmp_path: Path) -> None:
    table = tmp_path / "small.csv"
    table.write_text("ds,y\n0,1\n")
    with pytest.raises(InputError, match=r"cannot open the storage sqlite:///.*small\.csv: the file is no SQLite data"):
        tune.run(panel, ASKED, 1, tune.sqlite(table), "s")
    assert [path.name for path in tmp_path.iterdir()] == ["small.csv"]
    (tmp_path / "empty.sqlite3").touch()
    assert len(tune.run(panel, ASKED, 1, tune.sqlite(tmp_path / "empty.sqlite3"), "s").trials) == 1


def test_a_storage_that_cannot_be_opened_is_one_sentence(panel: Panel) -> None:
    with pytest.raises(InputError, match="cannot open the storage"):
        tune.run(panel, ASKED, 1, "sqlite:////nowhere/at/all/x.sqlite3", "s")


def test_a_hopeless_trial_is_pruned(panel: Panel, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fixed = {"max_epochs": 6, "batch_size": 32, "averaging": 0.0}
    pruner = "median:n_startup_trials=1,n_warmup_steps=0"
    asked = tune.Sweep("nlinear", 4, (24,), fixed, split=ASKED.split, pruner=pruner)
    rates = iter([1e-2, 1e-5])

    def drawn(*_: Any) -> dict[str, Any]:
        return {"learning_rate": next(rates)}

    monkeypatch.setattr("tsrnn.tune.fitted.suggest", drawn)
    first, second = tune.run(panel, asked, 2, url, "s").trials
    assert first.state.name == "COMPLETE"
    assert second.state.name == "PRUNED"
    assert len(second.intermediate_values) < 6


@pytest.mark.slow
def test_a_trial_that_takes_too_long_is_stopped_and_never_the_best(
    panel: Panel, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of the test passes a second at every reading."""
    asked = replace(ASKED, fixed={"max_epochs": 80}, minutes=3)
    ticks = iter(range(100_000))
    monkeypatch.setattr(fitted.time, "monotonic", lambda: next(ticks))
    study = tune.run(panel, asked, 1, url, "s")
    monkeypatch.undo()
    assert [trial.state.name for trial in study.trials] == ["PRUNED"]
    assert 1 < len(study.trials[0].intermediate_values) < 80
    assert tune.trials(study)[0]["error"] == "stopped: it took longer than 3 minutes"
    with pytest.raises(InputError, match="no trial of study 's' succeeded"):
        tune.best(study, asked)
    tune.run(panel, asked, 2, url, "s")
    chosen = tune.best(study, asked)["chosen"]
    assert (chosen["trial"], chosen["minutes"]) == (1, 3)
    assert "minutes" not in tune.best(study, ASKED)["chosen"]
    with pytest.raises(InputError, match="no trial of study 's' succeeded within 1e-06 minutes"):
        tune.best(study, replace(asked, minutes=1e-6))


def test_a_fixed_option_that_cannot_be_is_refused_before_any_trial() -> None:
    for fixed, message in (
        ({"max_epochs": "many"}, "max_epochs takes a whole number or None, not 'many'"),
        ({"kernel": 3}, "unknown option of model 'nlinear' 'kernel'"),
        ({"input_size": 3}, "input_size is the sweep's own"),
        ({"scaler": 2}, "scaler takes a word, not 2"),
    ):
        with pytest.raises(InputError, match=message):
            replace(ASKED, fixed=fixed)


def test_a_seed_has_64_bits() -> None:
    for seed in (-1, 2**64):
        with pytest.raises(InputError, match=f"seed takes a whole number of 64 bits, at least 0, not {seed}"):
            replace(ASKED, seed=seed)


def test_the_minutes_of_a_trial_are_above_zero() -> None:
    for minutes in (0, float("nan")):
        with pytest.raises(InputError, match=f"minutes must be above 0, not {minutes}"):
            replace(ASKED, minutes=minutes)
