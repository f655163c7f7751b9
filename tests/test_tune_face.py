"""Sweeps asked for in one line: samplers and pruners by name, exact resume, two objectives, workers, the dashboard."""

import json
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import optuna
import polars as pl
import pytest
from conftest import Run

import tsrnn
from tsrnn import InputError, page, tune
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel
from tsrnn.tune import fitted, methods

FIXED = {"max_epochs": 1, "max_windows": 64}
ASKED = tune.Sweep("nlinear", 4, (12,), FIXED, split={"ratios": [0.6, 0.2, 0.2]})


@pytest.fixture(scope="module")
def panel() -> Panel:
    t = np.arange(200)
    return Panel.of(pl.DataFrame({"ds": t, "y": np.sin(t / 4)}), source="wave")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial whose error is known without a fit: the learning rate's distance from 0.003."""

    def known(trial: Any, panel: Panel, asked: tune.Sweep, url: str) -> list[float]:
        rate = tune.suggest(trial, asked.model, asked.fixed)["learning_rate"]
        error = abs(np.log(rate / 0.003))
        return [error, rate] if asked.seconds else [error]

    monkeypatch.setattr(fitted, "_objective", known)


def test_one_line_sweeps_and_gives_an_estimator(panel: Panel, tmp_path: Path) -> None:
    swept = tsrnn.sweep(panel, "nlinear", trials=2, horizon=4, input_size=12, **FIXED)
    assert [trial["state"] for trial in swept.trials] == ["complete"] * 2
    estimator = swept.estimator(0, batch_size=32)
    assert estimator.options["learning_rate"] == swept.trials[0]["params"]["learning_rate"]
    assert estimator.options["batch_size"] == 32
    swept.save(tmp_path / "best.toml")
    fitted = Forecaster.from_toml(tmp_path / "best.toml").fit(panel, split={"ratios": [0.7, 0.1, 0.2]})
    assert fitted.score(split={"ratios": [0.7, 0.1, 0.2]}, part="val").mse == pytest.approx(
        swept.best["chosen"]["value"]
    )
    with pytest.raises(InputError, match="has no trial 7; it has 2"):
        swept.estimator(7)


@pytest.mark.usefixtures("quick")
def test_a_frame_and_a_file_do_for_a_sweep(panel: Panel, tmp_path: Path) -> None:
    for trials in (2, 3):
        swept = tsrnn.sweep(panel.frame, "nlinear", trials=trials, storage=tmp_path / "s.sqlite3", input_size=[12, 24])
        assert len(swept.trials) == trials
    assert swept.study.study_name == "frame-nlinear-96"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("sampler", ["tpe:n_startup_trials=3", "random", "gp:n_startup_trials=3", "qmc", "nsgaii"])
def test_a_sweep_that_was_stopped_goes_on_as_if_it_had_not_been(panel: Panel, sampler: str, tmp_path: Path) -> None:
    asked = replace(ASKED, sampler=sampler, seed=3)
    whole = tune.run(panel, asked, 9, "sqlite://", "s")
    url = tune.sqlite(tmp_path / "s.sqlite3")
    for trials, again in ((2, asked), (5, asked), (9, replace(asked, sampler=None))):
        parts = tune.run(panel, again, trials, url, "s")
    assert [trial.params for trial in parts.trials] == [trial.params for trial in whole.trials]
    rates = [trial.params["learning_rate"] for trial in whole.trials]
    assert len({*rates}) == 9
    assert [run["sampler"]["name"] for run in parts.user_attrs["runs"]] == [sampler.partition(":")[0]] * 3


@pytest.mark.usefixtures("quick")
def test_seconds_are_a_second_objective(panel: Panel, tmp_path: Path) -> None:
    asked = replace(ASKED, seconds=True)
    study = tune.run(panel, asked, 8, "sqlite://", "s")
    told = tune.trials(study)
    front = tune.front(told)
    assert front[0]["value"] == min(trial["value"] for trial in told)
    assert front[-1]["fit"] == min(trial["fit"] for trial in told)
    for trial in told:
        beaten = any(each["value"] <= trial["value"] and each["fit"] < trial["fit"] for each in told)
        assert (trial in front) != beaten
    chosen = tune.best(study, asked)["chosen"]
    assert (chosen["value"], chosen["front"]) == (front[0]["value"], [trial["trial"] for trial in front])
    assert "learning_rate" in tune.importances(study)
    made = page.save_sweep(told, tune.importances(study), "mse", tmp_path / "s.toml")
    assert "seconds of the fit" in made[1].read_text(encoding="utf-8")
    url = tune.sqlite(tmp_path / "s.sqlite3")
    tune.run(panel, asked, 1, url, "s")
    with pytest.raises(InputError, match="is a sweep with objectives"):
        tune.run(panel, ASKED, 1, url, "s")


def test_two_objectives_are_measured(panel: Panel) -> None:
    study = tune.run(panel, replace(ASKED, seconds=True), 1, "sqlite://", "s")
    error, seconds = study.trials[0].values
    assert error > 0
    assert 0 < seconds < study.trials[0].duration.total_seconds()


@pytest.mark.usefixtures("quick")
def test_what_was_found_before_is_tried_first(panel: Panel) -> None:
    starts = ({"learning_rate": 0.002}, {"learning_rate": 0.004, "batch_size": 32}, {"learning_rate": 0.002})
    study = tune.run(panel, replace(ASKED, starts=starts), 5, "sqlite://", "s")
    assert [trial.params["learning_rate"] for trial in study.trials[:3]] == [1e-3, 0.002, 0.004]
    assert study.trials[3].params["learning_rate"] not in (1e-3, 0.002, 0.004)


@pytest.mark.usefixtures("quick")
def test_no_trial_begins_after_the_hours(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000, 60))
    for room in ("running", "together"):
        own = SimpleNamespace(time=lambda: float(next(clock)), sleep=time.sleep)
        monkeypatch.setattr(f"tsrnn.tune.{room}.time", own)
    study = tune.run(panel, replace(ASKED, hours=0.1), 50, "sqlite://", "s")
    assert len(study.trials) == 5  # a look at the clock before each of them, and one when it all began
    with pytest.raises(InputError, match="hours must be above 0"):
        replace(ASKED, hours=0)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"sampler": "tpf"}, "unknown sampler 'tpf': did you mean 'tpe'"),
        ({"sampler": "tpe:n_startup=3"}, "unknown argument of sampler 'tpe' 'n_startup': did you mean"),
        ({"sampler": 5}, "sampler takes a name, alone or with arguments, or a mapping with its name, not 5"),
        ({"metric": 3}, "metric takes a word, not 3"),
        ({"sampler": "tpe:20"}, "takes arguments as name=value, not '20'"),
        ({"sampler": {"name": "nsgaii", "population_size": 1}}, "'nsgaii' does not take population_size=1"),
        ({"sampler": "tpe:n_startup_trials=ten"}, "does not take n_startup_trials=ten; .* a whole number"),
        ({"sampler": "tpe:n_startup_trials=-5"}, "does not take n_startup_trials=-5; .* is a whole number, at least 0"),
        ({"sampler": "tpe:n_ei_candidates=0"}, "does not take n_ei_candidates=0; .* is a whole number, at least 1"),
        ({"sampler": "tpe:multivariate=3"}, "does not take multivariate=3; multivariate is true or false"),
        ({"sampler": "nsgaii:crossover_prob=nan"}, "does not take crossover_prob=nan; crossover_prob is a number"),
        ({"pruner": "hyperband:max_resource=-1"}, "does not take max_resource=-1; .* is a whole number, at least 1"),
        ({"pruner": "hyperband:reduction_factor=1"}, "not take reduction_factor=1; .* is a whole number, at least 2"),
        ({"pruner": "median:n_warmup_steps=1.5"}, "does not take n_warmup_steps=1.5"),
        ({"pruner": "median:n_startup_trials=-1"}, "pruner 'median' does not take n_startup_trials=-1"),
    ],
)
def test_a_method_that_cannot_be_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(ASKED, **asked)


@pytest.mark.parametrize(
    ("starts", "message"),
    [
        (({"learning_rate": "fast"},), "learning_rate takes a number, not 'fast'"),
        ({"learning_rate": 0.1}, "starts must be a list of mappings"),
        (5, "starts must be a list of mappings"),
        (({"learning_rat": 0.1},), "unknown option of model 'nlinear' 'learning_rat': did you mean 'learning_rate'"),
        (({"model": "lstm"},), "a start is of model 'lstm', and the sweep of 'nlinear'; leave it out"),
    ],
)
def test_values_to_begin_with_that_cannot_be_are_refused(starts: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(ASKED, starts=starts)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"start": {"learning_rat": 0.1}}, "unknown option of model 'nlinear' 'learning_rat'"),
        ({"alternatives": {"hidden_size": {"wide": 64}}}, "unknown option of model 'nlinear' 'hidden_size'"),
        ({"alternatives": {"learning_rate": [0.1, 0.2]}}, "alternatives of learning_rate must be a mapping, label to"),
    ],
)
def test_what_no_trial_could_take_is_refused_before_any(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(ASKED, **asked)


@pytest.mark.parametrize("asked", [{"hours": "eight"}, {"minutes": "x"}, {"seed": "a"}, {"seed": 1.5}])
def test_words_where_a_sweep_takes_numbers_are_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(asked))):
        replace(ASKED, **asked)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"input_size": []}, r"input_size takes a whole number, or a list of them to try, not \[\]"),
        ({"input_size": [24, "x"]}, "input_size takes a whole number, or a list"),
        ({"workers": "2"}, "workers takes a whole number or None, not '2'"),
        ({"storage": 3}, "storage takes a file of SQLite or an Optuna URL, not 3"),
        ({"study": 3}, "study takes a word.*, not 3"),
    ],
)
def test_a_sweep_of_words_is_refused(panel: Panel, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        tsrnn.sweep(panel, "nlinear", trials=1, horizon=4, **asked)


def test_a_sweep_without_a_best_says_why(panel: Panel) -> None:
    study = tune.run(panel, replace(ASKED, split="nowhere"), 2, "sqlite://", "s")
    with pytest.raises(InputError, match=r"no trial of study 's' succeeded; the last one said: .*nowhere"):
        tune.best(study, ASKED)
    with pytest.raises(InputError, match="study 't' holds no trial, since the time was over before the first"):
        tune.best(tune.run(panel, replace(ASKED, hours=1e-12), 2, "sqlite://", "t"), ASKED)


@pytest.mark.usefixtures("quick")
def test_the_best_of_all_runs_is_told_with_its_own_seed(panel: Panel, tmp_path: Path) -> None:
    url, told = tune.sqlite(tmp_path / "s.sqlite3"), list[float]()
    first = tune.run(panel, replace(ASKED, seed=7), 3, url, "s", lambda *said: told.append(said[2]))
    assert told == [min(trial.values[0] for trial in first.trials[: count + 1]) for count in range(3)]
    asked = replace(ASKED, seed=8)
    last = tune.run(panel, asked, 4, url, "s", lambda *said: told.append(said[2]))
    assert told[3] == min(trial.values[0] for trial in last.trials)
    best = tune.best(last, asked)["chosen"]
    assert best["seed"] == (8 if best["trial"] == 3 else 7)


@pytest.mark.usefixtures("quick")
def test_another_number_of_objectives_is_told_in_words(panel: Panel, tmp_path: Path) -> None:
    url = tune.sqlite(tmp_path / "s.sqlite3")
    tune.run(panel, replace(ASKED, seconds=True), 1, url, "s")
    with pytest.raises(InputError, match=r"a sweep with objectives \['mse', 'seconds'\], not no objectives"):
        tune.run(panel, ASKED, 1, url, "s")


@pytest.mark.parametrize("study", ["../evil", "", "/tmp/evil"])
def test_a_study_whose_file_would_lie_elsewhere_is_refused(study: str, run: Run, tmp_path: Path) -> None:
    pl.DataFrame({"ds": range(200), "y": np.sin(np.arange(200) / 4)}).write_csv(tmp_path / "wave.csv")
    words = ("tune", str(tmp_path / "wave.csv"), "--model", "nlinear", "--horizon", "4", "--input-size", "12")
    status, _, err = run(*words, "--trials", "1", "--out", str(tmp_path / "out"), "--study", study)
    assert status == 2
    assert f"--study {study!r} is the name of a file in" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("trials", [0, -3, 1.5, "x", True])
def test_a_number_of_trials_that_cannot_be_is_refused(panel: Panel, trials: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="trials of a sweep must be a whole number, at least 1, not"):
        tune.run(panel, ASKED, trials, f"sqlite:///{tmp_path}/s.sqlite3", "s")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", methods._PRUNERS)
def test_every_pruner_prunes_a_hopeless_trial_or_says_that_it_does_not(panel: Panel, name: str) -> None:
    arguments = (
        {"min_resource": 1} if name in ("halving", "hyperband") else {"n_startup_trials": 1, "n_warmup_steps": 0}
    )
    chosen = methods.methods(None, {"name": name, **({} if name == "none" else arguments)}, {})
    study = optuna.create_study(study_name="s", pruner=chosen.prune(), sampler=chosen.sample(0, 0))
    stopped = False
    for value in (0.1, 0.1, 0.1, 0.1, 9.0, 9.0, 9.0):
        trial = study.ask()
        for step in range(1, 20):
            trial.report(value, step)
            if trial.should_prune():
                stopped = True
                break
        study.tell(trial, value)
    assert stopped == (name != "none")


@pytest.mark.slow
def test_workers_share_a_sweep(panel: Panel, tmp_path: Path) -> None:
    url = tune.sqlite(tmp_path / "s.sqlite3")
    ended: list[int] = []
    study = tune.run(panel, ASKED, 4, url, "s", on_trial=lambda trial, *_: ended.append(trial.number), workers=2)
    assert sorted(ended) == [0, 1, 2, 3]
    pids = {trial.user_attrs["process"]["pid"] for trial in study.trials}
    assert len(pids) > 1
    alone = tune.run(panel, ASKED, 1, "sqlite://", "s")
    assert study.trials[0].values == alone.trials[0].values


def test_workers_that_cannot_be_are_refused(panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "s.sqlite3"
    for asked, message in (
        ({"workers": -1}, "must be 0 .in this process. or more, not -1"),
        ({"workers": 2}, "a storage in memory is for one process; name a file, or leave the workers out"),
        ({"on": "ray"}, "a storage in memory is for one process; name a file, or leave on='ray' out"),
        ({"on": "ray://127.0.0.1:1", "storage": file}, "nodes of a cluster do not all see a SQLite file"),
        ({"on": "rey", "storage": file}, "unknown place to work in 'rey'"),
        ({"needs": {"gpu": 1}, "storage": file}, "'processes' has no resources to ask for"),
        ({"on": "ray", "needs": 1, "storage": file}, "needs of a job are a mapping"),
    ):
        with pytest.raises(InputError, match=message):
            tsrnn.sweep(panel, "nlinear", trials=1, horizon=4, input_size=12, **asked)
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    with pytest.raises(InputError, match="nodes of a cluster do not all see"):
        tsrnn.sweep(panel, "nlinear", trials=1, horizon=4, input_size=12, on="ray", storage=file)
    assert not file.exists()


@pytest.mark.usefixtures("quick")
def test_a_study_refused_before_its_first_trial_leaves_its_name_to_another_sweep(
    panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    asked: dict[str, Any] = {"horizon": 4, "input_size": 12, "storage": tmp_path / "s.sqlite3", "study": "s"}
    for seen in ((), ("s",)):
        with pytest.raises(InputError, match="needs the package ray"):
            tsrnn.sweep(panel, "nlinear", trials=3, on="ray", batch_size=32 + len(seen), **asked)
        assert tuple(optuna.get_all_study_names(tune.sqlite(tmp_path / "s.sqlite3"))) == seen
        swept = tsrnn.sweep(panel, "nlinear", trials=2, batch_size=33, **asked)
        assert len(swept.trials) == 2


@pytest.mark.usefixtures("quick")
def test_an_estimator_has_the_seed_of_its_trial(panel: Panel) -> None:
    swept = tsrnn.sweep(panel, "nlinear", trials=2, horizon=4, input_size=12, seed=5)
    assert {swept.estimator(trial).options["random_state"] for trial in (None, 0, 1)} == {5}
    fixed = tsrnn.sweep(panel, "nlinear", trials=1, horizon=4, input_size=12, seed=5, random_state=7)
    assert fixed.estimator().options["random_state"] == 7
    assert fixed.estimator(random_state=9).options["random_state"] == 9


@pytest.mark.slow
def test_a_script_that_starts_itself_again_is_told_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "import polars as pl, tsrnn\n"
        "frame = pl.DataFrame({'ds': range(200), 'y': [float(k % 7) for k in range(200)]})\n"
        "tsrnn.sweep(frame, 'nlinear', trials=2, horizon=4, input_size=12, storage='s.sqlite3', workers=2)\n"
    )
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True)
    assert 'under `if __name__ == "__main__":`' in done.stderr.splitlines()[-1]


def test_the_page_of_a_sweep_has_the_best_their_spread_and_every_trial(tmp_path: Path) -> None:
    told = [
        {
            "trial": k,
            "state": "complete",
            "value": 1 + k / 10,
            "seconds": 1.0,
            "params": {"rate": 10.0**-k, "cell": "a<b"},
        }
        for k in range(8)
    ]
    told.append({"trial": 8, "state": "fail", "value": None, "seconds": 0.1, "params": {}, "error": "broken & gone"})
    made = page.save_sweep(told, {"rate": 1.0}, "mse", tmp_path / "s.toml")
    assert [path.name for path in made] == ["s.html", "s.svg"]
    text = made[0].read_text(encoding="utf-8")
    for said in (
        "The best 8 configurations",
        "Their spread",
        "of the best 2",
        "broken &amp; gone",
        "8 complete, 1 fail",
    ):
        assert said in text
    assert "10.00" in text  # the second is so many per cent behind the first
    assert "http" not in text.replace("http-equiv", "")


def test_a_dashboard_shows_the_study_while_it_lasts(panel: Panel, tmp_path: Path) -> None:
    pytest.importorskip("optuna_dashboard")
    url = tune.sqlite(tmp_path / "s.sqlite3")
    tune.run(panel, ASKED, 1, url, "mine")
    with tune.dashboard(url) as address, urllib.request.urlopen(f"{address}/api/studies") as answer:
        (study,) = json.load(answer)["study_summaries"]
    assert study["study_name"] == "mine"
    with pytest.raises(OSError):
        urllib.request.urlopen(f"{address}/api/studies")


def test_the_dashboards_address_is_told_once_there_is_a_study_to_look_at(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("optuna_dashboard")
    pl.DataFrame({"date": range(300), "y": np.sin(np.arange(300) / 4)}).write_csv(tmp_path / "wave.csv")
    task = ("tune", "wave.csv", "--model", "nlinear", "--input-size", "12", "--horizon", "4", "--set", "max_epochs=1")
    status, _, err = run(*task, "--trials", "1", "--study", "s", "--dashboard")
    assert (status, err.splitlines()[0][:28]) == (0, "dashboard: http://127.0.0.1:")
    status, _, err = run(*task[:-4], "--horizon", "5", "--trials", "1", "--study", "s", "--dashboard")
    assert status == 2
    assert "is a sweep with horizon 4, not 5" in err
    assert "dashboard: http" not in err


def test_without_the_dashboard_it_is_refused_before_the_sweep(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    pl.DataFrame({"date": range(300), "y": np.sin(np.arange(300) / 4)}).write_csv(tmp_path / "wave.csv")
    asked = ("tune", "wave.csv", "--model", "nlinear", "--input-size", "12", "--horizon", "4", "--trials", "1")
    status, _, err = run(*asked, "--dashboard")
    assert (status, 'pip install "tsrnn[dashboard]"' in err) == (2, True)


def test_without_psycopg_a_server_is_refused_in_a_sentence(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsrnn.tune.storage.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"needs psycopg: python -m pip install .tsrnn\[postgres\]"):
        tune.run(panel, ASKED, 1, "postgresql://me:s3cret@localhost/base", "s")
