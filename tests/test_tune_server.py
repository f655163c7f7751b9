"""Sweeps in a PostgreSQL server: restarts, deaths and several processes leave exactly the trials asked."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import polars as pl
import pytest
import server as servers
from jobs import wait_for
from optuna.trial import TrialState
from sqlalchemy import text

from tsrnn import InputError, alive, tune
from tsrnn.panel import Panel
from tsrnn.tune import patience, turns
from tsrnn.tune import storage as storages
from tsrnn.tune import study as studies

psycopg = pytest.importorskip("psycopg")
pytestmark = pytest.mark.skipif(servers.missing() is not None, reason=str(servers.missing()))
ASKED = tune.Sweep("nlinear", 4, (12,), {"max_epochs": 1}, split={"ratios": [0.6, 0.2, 0.2]})


@pytest.fixture(scope="module")
def server() -> Iterator[servers.Server]:
    with servers.Server() as running:
        yield running


@pytest.fixture
def url(server: servers.Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of the test's own, to which no connection is left open after it."""
    yield server.create(request.node.name[:60])
    gc.collect()


@pytest.fixture(scope="module")
def panel() -> Panel:
    t = np.arange(200)
    return Panel.of(pl.DataFrame({"ds": t, "y": np.sin(t / 4)}), source="wave")


def restarted(server: servers.Server, seconds: float) -> threading.Thread:
    """A server that is away, from now on, for so long."""
    server.stop("immediate")

    def later() -> None:
        time.sleep(seconds)
        server.start()

    thread = threading.Thread(target=later)
    thread.start()
    return thread


def numbers(study: optuna.Study) -> list[int]:
    return [trial.number for trial in study.get_trials(deepcopy=False)]


def test_a_sweep_in_a_server_goes_on_where_it_stopped(panel: Panel, url: str) -> None:
    first = tune.run(panel, ASKED, 2, url, "s")
    plain = url.replace("postgresql://", "postgres://")
    study = tune.run(panel, ASKED, 3, plain, "s")
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 3
    assert study.trials[1].params == first.trials[1].params
    assert url.rpartition("/")[2] == study._storage._backend.engine.url.database
    assert study._storage._backend.engine.pool.size() == 2


def test_every_call_waits_for_a_server_that_restarts(server: servers.Server, panel: Panel, url: str) -> None:
    with turns.turn(url):
        kept = studies.study_of(ASKED, panel, url, "s")
        trial = studies.begin(kept, ASKED, 9)
    assert trial is not None
    thread = restarted(server, 1.0)
    trial.report(0.5, 1)
    rate = trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True)
    kept.study.tell(trial, 0.25)
    thread.join()
    (told,) = optuna.load_study(study_name="s", storage=storages.connected(url)).trials
    assert (told.state, told.value, told.params["learning_rate"]) == (TrialState.COMPLETE, 0.25, rate)
    assert told.intermediate_values == {1: 0.5}


def test_who_waits_for_a_first_turn_waits_for_a_server_that_restarts(server: servers.Server, url: str) -> None:
    inside = threading.Event()

    def second() -> None:
        with turns.turn(url, patient=False):
            inside.set()

    def waits() -> bool:
        with turns._engine(url).connect() as connection:
            return bool(connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar())

    thread = threading.Thread(target=second)
    with turns.turn(url):
        thread.start()
        wait_for(waits)
        restarted(server, 1.0).join()
    thread.join()
    assert inside.is_set()


def test_a_server_that_leaves_as_a_sweep_begins_is_waited_for(
    server: servers.Server, panel: Panel, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected, away = storages.connected, list[threading.Thread]()

    def left(url: str, tables: bool = False) -> optuna.storages.RDBStorage:
        if not away:
            away.append(restarted(server, 1.0))
        return connected(url, tables)

    monkeypatch.setattr(storages, "connected", left)
    assert len(tune.run(panel, ASKED, 1, url, "s").trials) == 1
    away[0].join()


@pytest.mark.parametrize("state", [TrialState.COMPLETE, TrialState.RUNNING])
def test_an_answer_that_was_lost_counts_once(
    state: TrialState, panel: Panel, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server does what it is told, and the connection breaks before it says so."""
    with turns.turn(url):
        kept = studies.study_of(ASKED, panel, url, "s")
        trial = studies.begin(kept, ASKED, 9) if state is TrialState.COMPLETE else None
    losses = iter([True])
    session = kept.storage.scoped_session
    commit = session.session_factory.class_.commit

    def committed(self: object) -> None:
        commit(self)
        if next(losses, False):
            raise patience.exc.OperationalError("COMMIT", {}, Exception("the connection broke"))

    monkeypatch.setattr(session.session_factory.class_, "commit", committed)
    monkeypatch.setattr("optuna.storages._rdb.storage.time.sleep", lambda _: None)
    if trial is not None:
        kept.storage.set_trial_state_values(trial._trial_id, state, [0.5])
        assert kept.study.trials[0].value == 0.5
    else:
        kept.storage.create_new_trial(kept.study._study_id)
    assert next(losses, "none left") == "none left"
    assert [each.state for each in kept.study.get_trials()] == [state]


def test_a_call_that_is_wrong_or_waits_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    away = patience.exc.OperationalError("SELECT", {}, Exception("away"))
    wrong = patience.exc.ProgrammingError("SELEC", {}, Exception("syntax"))
    clock = iter(np.arange(0.0, 1000, 100))
    monkeypatch.setattr(patience.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(patience.time, "sleep", lambda _: None)
    calls: list[Exception] = []

    def call(error: Exception) -> None:
        calls.append(error)
        raise error

    for error, times in ((wrong, 1), (away, 4)):
        calls.clear()
        with pytest.raises(type(error)):
            patience.patiently(lambda error=error: call(error), lambda: None)  # type: ignore[misc]
        assert len(calls) == times


def test_one_process_at_a_time_is_inside_and_a_lost_turn_is_told(server: servers.Server, url: str) -> None:
    inside: list[str] = []

    def other() -> None:
        with turns.turn(url, "s"):
            inside.append("other")

    with turns.turn(url, "s") as leave, turns.turn(url, "another study"):
        thread = threading.Thread(target=other)
        thread.start()
        time.sleep(0.2)
        inside.append("first")
        assert leave()
    thread.join()
    assert inside == ["first", "other"]
    with turns.turn(url, "s") as leave:
        restarted(server, 0.0).join()
        assert not leave()


def test_a_trial_begun_twice_while_the_server_was_away_is_taken_back(panel: Panel, url: str) -> None:
    with turns.turn(url):
        kept = studies.study_of(ASKED, panel, url, "s")
    twice = [studies.begin(kept, ASKED, 1 + place) for place in range(2)]
    assert studies.too_many(kept.study, 1)
    assert twice[1] is not None
    studies.withdraw(kept, twice[1])
    assert not studies.too_many(kept.study, 1)


def test_a_dead_machines_trial_is_reaped_after_the_grace(
    panel: Panel, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one whose process died before its first sign of life."""
    with turns.turn(url):
        kept = studies.study_of(ASKED, panel, url, "s")
        for heard in (True, False):
            trial = studies.begin(kept, ASKED, 9)
            assert trial is not None
            trial.set_user_attr("process", {**asdict(alive.this()), "host": "elsewhere"})
            if heard:
                kept.storage.record_heartbeat(trial._trial_id)
        studies.reap(kept)
        assert [each.state.name for each in kept.study.trials] == ["RUNNING"] * 2
        monkeypatch.setattr(storages, "GRACE", -1)
        kept.storage.grace_period = -1
        studies.reap(kept)
    assert [each.state.name for each in kept.study.trials] == ["FAIL"] * 2
    assert studies.counted(kept.study) == 0


@pytest.fixture
def wave(tmp_path: Path) -> Path:
    t = pd.date_range("2024-01-01", periods=300, freq="h")
    pd.DataFrame({"date": t, "y": np.sin(np.arange(300) / 4)}).to_csv(tmp_path / "wave.csv", index=False)
    return tmp_path


def holds_trials(url: str) -> bool:
    """Whether a sweep has begun in that database, asked of the server alone."""
    with psycopg.connect(url) as connection:
        (table,) = connection.execute("SELECT to_regclass('trials')").fetchone() or (None,)
        return table is not None and connection.execute("SELECT 1 FROM trials LIMIT 1").fetchone() is not None


@pytest.mark.slow
def test_two_commands_and_a_restart_run_exactly_the_trials_asked(server: servers.Server, url: str, wave: Path) -> None:
    """One of them with workers, one of which is killed in a trial."""
    words = ["wave.csv", "--model", "nlinear", "--input-size", "12", "--horizon", "4", "--set", "max_epochs=2"]
    command = [sys.executable, "-m", "tsrnn.cli", "tune", *words, "--trials", "12", "--study", "s", "--storage", url]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen([*command, *more], cwd=wave, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for more in (["--workers", "2", "--out", "a"], ["--out", "b"])
    ]
    kept: list[studies.Kept] = []

    def of_workers() -> list[int]:
        """Processes in whose trials there is something to die."""
        if not kept:
            if not holds_trials(url):  # looked at from outside while its tables are made, a study is none
                return []
            kept.append(studies.found(url, "s"))
        running = kept[0].study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        mains = {each.pid for each in started}
        return [pid for each in running if (pid := each.user_attrs["process"]["pid"]) not in mains]

    wait_for(of_workers, *started)
    os.kill(of_workers()[0], signal.SIGKILL)
    restarted(server, 2.0).join()
    said = [each.communicate()[0].decode() for each in started]
    assert [each.returncode for each in started] == [0, 0], said
    study = optuna.load_study(study_name="s", storage=storages.connected(url))
    assert studies.counted(study) == 12
    assert numbers(study) == list(range(len(numbers(study))))
    states = [trial.state.name for trial in study.trials]
    assert {*states} <= {"COMPLETE", "PRUNED", "FAIL"}
    assert len(states) - states.count("FAIL") == 12


def test_a_server_that_is_not_there_is_refused_at_once(panel: Panel, server: servers.Server, url: str) -> None:
    with server_less_port() as port:
        gone = f"postgresql://me:s3cret@127.0.0.1:{port}/sweeps"
        with pytest.raises(InputError, match=r"cannot open the storage .*; check the address") as refused:
            tune.run(panel, ASKED, 1, gone, "s")
        assert "s3cret" not in str(refused.value)
    with pytest.raises(InputError, match='database "nowhere" does not exist; check the address'):
        tune.run(panel, ASKED, 1, server.url("nowhere"), "s")


class server_less_port:
    """A port on which nobody answers."""

    def __enter__(self) -> int:
        import socket

        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        port: int = self.socket.getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def test_a_storage_of_another_version_is_refused(panel: Panel, url: str) -> None:
    kept = storages.opened(url)
    with kept.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'v9.9.9'"))
    with pytest.raises(InputError, match="made by another version of Optuna, and its tables differ"):
        tune.run(panel, ASKED, 1, url, "s")


def test_a_user_who_may_not_make_tables_is_told(panel: Panel, server: servers.Server, url: str) -> None:
    kept = storages.opened(server.url())
    with kept.engine.begin() as connection:
        connection.execute(text("CREATE ROLE guest LOGIN"))
    with pytest.raises(InputError, match="its user must be allowed to make tables in it"):
        tune.run(panel, ASKED, 1, url.replace("postgres@", "guest@"), "s")
