"""One study and many processes: exactly the trials asked, dead ones tried again, secrets kept, options of any kind."""

import json
import os
import signal
import subprocess
import sys
import warnings
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import polars as pl
import pytest
from jobs import wait_for
from optuna.trial import TrialState

from tsrnn import InputError, alive, tune
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel
from tsrnn.parameters import read_toml, write_toml
from tsrnn.tune import storage as storages
from tsrnn.tune import study as studies
from tsrnn.tune.turns import turn

ASKED = tune.Sweep("nlinear", 4, (12,), {"max_epochs": 1}, split={"ratios": [0.6, 0.2, 0.2]})
posix = pytest.mark.skipif(os.name != "posix", reason="processes of POSIX systems")


@pytest.fixture(scope="module")
def panel() -> Panel:
    t = np.arange(200)
    return Panel.of(pl.DataFrame({"ds": t, "y": np.sin(t / 4)}), source="wave")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return tune.sqlite(tmp_path / "sweeps.sqlite3")


def states(study: optuna.Study) -> list[str]:
    return [trial.state.name for trial in study.get_trials(deepcopy=False)]


def dead(**changes: Any) -> dict[str, Any]:
    """A process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return {**asdict(alive.this()), "pid": process.pid, **changes}


def one_of(study: optuna.Study) -> optuna.Trial:
    """A running trial of a process that gives no signs of life."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return study.ask()


def begun(panel: Panel, url: str) -> tuple[studies.Kept, optuna.Trial]:
    """A study in which a trial runs."""
    kept = studies.study_of(ASKED, panel, url, "s")
    trial = studies.begin(kept, ASKED, 3)
    assert trial is not None
    return kept, trial


@posix
def test_a_trial_whose_process_died_is_tried_again_and_counted_once(panel: Panel, url: str) -> None:
    _, trial = begun(panel, url)
    first = tune.suggest(trial, "nlinear", ASKED.fixed)
    trial.set_user_attr("process", dead())
    study = tune.run(panel, ASKED, 3, url, "s")
    assert states(study) == ["FAIL", "COMPLETE", "COMPLETE", "COMPLETE"]
    assert studies.counted(study) == 3
    assert study.trials[1].params == first
    assert tune.best(study, ASKED)["chosen"]["trials"] == 3


@posix
def test_a_trial_that_kills_its_process_is_given_up_after_the_third(panel: Panel, url: str) -> None:
    kept, trial = begun(panel, url)
    for deaths in (1, 2, 3):
        trial.set_user_attr("process", dead())
        studies.reap(kept)
        assert studies.counted(kept.study) == (deaths == 3)
        following = studies.begin(kept, ASKED, 3)
        assert following is not None
        trial = following
    assert [each.system_attrs.get("retry_history", []) for each in kept.study.trials] == [[], [0], [0, 1], []]


def test_a_trial_without_a_sign_of_life_ends_after_a_while(
    panel: Panel, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, trial = begun(panel, url)
    study = kept.study
    trial.set_user_attr("process", dead(host="elsewhere"))
    studies.reap(kept)
    assert states(study) == ["RUNNING"]
    monkeypatch.setattr(storages, "GRACE", -1)
    kept.storage.record_heartbeat(trial._trial_id)
    studies.reap(kept)
    assert states(study) == ["RUNNING"]
    one_of(study)
    studies.reap(kept)
    assert states(study) == ["RUNNING", "FAIL"]


def test_others_running_trials_are_left_alone_and_waited_for(
    panel: Panel, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, trial = begun(panel, url)
    study = kept.study
    trial.set_user_attr("process", dead(host="elsewhere"))
    waits: list[float] = []

    def end(seconds: float) -> None:
        waits.append(seconds)
        study.tell(trial, 0.5)

    monkeypatch.setattr("tsrnn.tune.running.time.sleep", end)
    swept = tune.run(panel, ASKED, 2, url, "s")
    assert len(waits) == 1
    assert states(swept) == ["COMPLETE", "COMPLETE"]


def test_what_an_interrupted_process_had_queued_is_used_or_ended(panel: Panel, url: str) -> None:
    study = studies.study_of(ASKED, panel, url, "s").study
    for rate in (0.002, 0.003):
        study.enqueue_trial({"learning_rate": rate})
    swept = tune.run(panel, ASKED, 1, url, "s")
    assert states(swept) == ["COMPLETE", "FAIL"]
    assert swept.trials[0].params["learning_rate"] == 0.002
    assert studies.counted(swept) == 1
    assert studies.counted(tune.run(panel, ASKED, 2, url, "s")) == 2


def test_no_trial_waits_where_there_are_more_alternatives_than_trials(panel: Panel, url: str) -> None:
    line_ups = {label: [{"model": "nlinear"}] for label in "abc"}
    asked = replace(ASKED, model="ensemble", alternatives={"members": line_ups})
    for trials in (1, 2, 4):
        study = tune.run(panel, asked, trials, url, "s")
        assert states(study) == ["COMPLETE"] * trials
    assert [trial.params["members"] for trial in study.trials[:3]] == ["a", "b", "c"]


def test_ctrl_c_is_no_end_of_a_trial(panel: Panel, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Forecaster, "fit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            tune.run(panel, ASKED, 2, url, "s")
    study = tune.run(panel, ASKED, 2, url, "s")
    assert states(study) == ["FAIL", "COMPLETE", "COMPLETE"]
    assert studies.counted(study) == 2


def test_a_trial_that_others_took_for_dead_does_not_end_the_sweep(
    panel: Panel, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit, calls = Forecaster.fit, []

    def suspended(self: Forecaster, *given: Any, **named: Any) -> Forecaster:
        calls.append(self)
        if len(calls) == 1:
            study = optuna.load_study(study_name="s", storage=url)
            study.tell(0, state=TrialState.FAIL)
        return fit(self, *given, **named)

    monkeypatch.setattr(Forecaster, "fit", suspended)
    study = tune.run(panel, ASKED, 2, url, "s")
    assert states(study) == ["FAIL", "COMPLETE", "COMPLETE"]


@pytest.mark.parametrize(
    "secret",
    [
        "postgresql://me:s3cr%40t@localhost:1/db",
        "postgresql:///db?user=me&password=s3cr%40t",
        "mysql+pymysql://me:s3cr%40t@h/db",
        "nonsense://me:s3cr%40t@h/db",
    ],
)
def test_a_password_is_never_told(panel: Panel, secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path))
    with pytest.raises(InputError, match="cannot open the storage") as refused:
        tune.run(panel, ASKED, 1, secret, "s")
    said = str(refused.value) + storages.masked(f"no route to {secret}, password s3cr@t", secret)
    assert "s3cr" not in said
    assert "***" in said


def test_a_password_is_not_stored(panel: Panel, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = f"{url}?password=s3cret"
    monkeypatch.setattr(storages, "opened", lambda _: optuna.storages.RDBStorage(url))

    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"lost {secret}")

    monkeypatch.setattr(Forecaster, "fit", fails)
    study = tune.run(panel, ASKED, 1, secret, "s")
    assert tune.trials(study)[0]["error"] == f"lost {url}?password=***"
    with pytest.raises(InputError) as refused:
        tune.run(panel, replace(ASKED, horizon=5), 1, secret, "s")
    assert "s3cret" not in str(refused.value) + json.dumps(study.user_attrs)


@pytest.mark.parametrize(
    ("fixed", "plain"),
    [
        ({"quantiles": np.array([0.1, 0.9])}, {"quantiles": [0.1, 0.9]}),
        ({"quantiles": (0.1, 0.9)}, {"quantiles": [0.1, 0.9]}),
        ({"max_windows": np.int64(64)}, {"max_windows": 64}),
        ({"max_epochs": np.int64(1)}, {"max_epochs": 1}),
        ({"weight_decay": np.float32(0.5)}, {"weight_decay": 0.5}),
    ],
)
def test_options_of_numpy_and_tuples_resume_and_are_written(
    panel: Panel, url: str, tmp_path: Path, fixed: dict[str, Any], plain: dict[str, Any]
) -> None:
    asked = replace(ASKED, fixed={**ASKED.fixed, **fixed})
    for trials in (1, 2):
        study = tune.run(panel, asked, trials, url, "s")
    write_toml(tune.best(study, asked), tmp_path / "best.toml")
    kept = read_toml(tmp_path / "best.toml")
    assert {name: kept[name] for name in plain} == plain
    tune.run(panel, replace(asked, fixed={**ASKED.fixed, **plain}), 3, url, "s")


def test_alternatives_of_tuples_resume(panel: Panel, url: str) -> None:
    asked = replace(ASKED, model="ensemble", alternatives={"members": {"one": ({"model": "nlinear"},)}})
    for trials in (1, 2):
        assert len(tune.run(panel, asked, trials, url, "s").trials) == trials


def command(folder: Path, trials: int) -> list[str]:
    task = ("--model", "nlinear", "--input-size", "12,24", "--horizon", "4", "--set", "max_epochs=2")
    words = ("--trials", str(trials), "--study", "s", "--out", str(folder), "--json")
    return [sys.executable, "-m", "tsrnn.cli", "tune", "wave.csv", *task, *words]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    t = pd.date_range("2024-01-01", periods=300, freq="h")
    pd.DataFrame({"date": t, "y": np.sin(np.arange(300) / 4)}).to_csv(tmp_path / "wave.csv", index=False)
    return tmp_path


@pytest.mark.slow
def test_four_commands_at_once_run_exactly_the_trials_asked(folder: Path) -> None:
    pipe, environment = subprocess.PIPE, {**os.environ, "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(command(folder, 10), cwd=folder, stdout=pipe, stderr=pipe, text=True, env=environment)
        for _ in range(4)
    ]
    said = [each.communicate() for each in started]
    assert [each.returncode for each in started] == [0] * 4, said
    study = optuna.load_study(study_name="s", storage=f"sqlite:///{folder / 'sweeps.sqlite3'}")
    assert len(study.trials) == 10
    assert set(states(study)) <= {"COMPLETE", "PRUNED"}
    chosen = [json.loads(out)["chosen"] for out, _ in said]
    assert {each["trials"] for each in chosen} == {10}
    assert len({each["value"] for each in chosen}) == 1
    assert len(study.user_attrs["runs"]) == 4
    assert sum("planned" in trial.user_attrs for trial in study.trials) == 1


@posix
@pytest.mark.slow
def test_a_killed_command_leaves_a_trial_that_the_next_one_takes_up(folder: Path) -> None:
    url = f"sqlite:///{folder / 'sweeps.sqlite3'}"
    slow = [*command(folder, 3), "--set", "max_epochs=100000", "--set", "patience=100000"]
    first = subprocess.Popen(slow, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def learning() -> bool:
        if not (folder / "sweeps.sqlite3.lock").exists():
            return False
        with turn(url):  # else this process and that one would make the tables together
            try:
                return bool(optuna.load_study(study_name="s", storage=url).trials[0].intermediate_values)
            except (KeyError, IndexError):
                return False

    wait_for(learning, first)
    first.send_signal(signal.SIGKILL)
    first.wait()
    again = [*command(folder, 3)]
    study = optuna.load_study(study_name="s", storage=url)
    assert states(study)[-1] == "RUNNING"
    identity = {**study.user_attrs["sweep"], "fixed": {"max_epochs": 2}}
    study.set_user_attr("sweep", identity)
    done = subprocess.run(again, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["chosen"]["trials"] == 3
    study = optuna.load_study(study_name="s", storage=url)
    assert states(study)[0] == "FAIL"
    assert len(study.trials) == 4
