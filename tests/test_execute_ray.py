"""Jobs on a Ray cluster: the same outcomes as in worker processes, the same rows, and sweeps."""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jobs
import polars as pl
import pytest
from small import wide_frame
from test_own_classes import Plain, PlainOptions

import tsrnn
from tsrnn import InputError, bench, clusters, execute
from tsrnn.shapes import Spec

pytest.importorskip("ray")
pytestmark = pytest.mark.slow
MEASURED = ("mse", "mae", "windows", "parameters", "val_mse", "val_mae", "epochs", "threads", "config", "sha256")


@dataclass(frozen=True)
class Mortal(PlainOptions):
    file: str = ""


class DiesOnce(Plain):
    """A model with which the process ends that makes it first."""

    Config = Mortal

    def __init__(self, config: Mortal, spec: Spec) -> None:
        super().__init__(config, spec)
        if not Path(config.file).exists():
            Path(config.file).touch()
            os._exit(11)


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """One for all of these tests; Ray gives itself half a minute to start, which a busy machine may not have."""
    with ExitStack() as stack:
        try:
            stack.enter_context(clusters.cluster())
        except InputError as refused:
            pytest.skip(f"no Ray came up here: {refused}")
        yield


def test_a_death_stays_with_its_job(tmp_path: Path) -> None:
    actions = ["fine", "die once", "die", "raise", "mend", "exit", "fine"]
    files = [tmp_path / str(number) for number in range(len(actions))]
    seen: list[execute.Outcome] = []
    done = execute.run(jobs.act, list(zip(actions, files, strict=True)), execute.at("ray"), seen.append)
    assert [len(file.read_text().splitlines()) for file in files] == [1, 2, 3, 1, 1, 1, 1]
    assert [each.result for each in done] == ["fine", "die once", None, None, None, None, "fine"]
    assert [each.error_type for each in done] == [
        None, None, "WorkerDied", "ZeroDivisionError", "InputError", "SystemExit", None,
    ]  # fmt: skip
    assert "died 3 times" in str(done[2].error)
    assert done[4].error == "column 'OT' is missing: name another"
    assert [each.job[0] for each in done] == actions
    assert sorted(map(id, seen)) == sorted(map(id, done))


def test_a_job_has_its_threads_and_what_cannot_be_sent_is_said() -> None:
    done = execute.run(jobs.threads, [0], execute.at("ray", threads=1))
    assert done[0].result == (1, "1", "1")
    lock, good = execute.run(jobs.echo, [threading.Lock(), 2], execute.at("ray", workers=1))
    assert str(lock.error).startswith("cannot pickle '_thread.lock' object, so it cannot be sent")
    assert good.result == 2
    (back,) = execute.run(jobs.locked, [0], execute.at("ray"))
    assert "pickle" in str(back.error)
    assert "\n" not in str(back.error)


def test_what_no_node_has_is_refused_before_a_job_begins() -> None:
    begun: list[int] = []
    for needs, said in {
        (("gpu", 3),): r"a job needs GPU=3, and no node of the Ray cluster has more than 0; ask for less",
        (("TPU-v9", 1),): r"a job needs TPU-v9=1, and no node",
        (("memory", 1e15),): r"a job needs memory=1e\+15, and no node",
        (("gpu", 1e-5),): r"a job cannot need GPU=1e-05; Ray gives out shares of at least 0.0001",
        (("object_store_memory", 1e6),): r"a job cannot need object_store_memory, which is the nodes' own",
        (("gpu", 1.5),): r"a job cannot need GPU=1.5; Ray gives out whole ones, or shares of one",
    }.items():
        with pytest.raises(InputError, match=said):
            execute.run(jobs.echo, [1], execute.at("ray", needs=dict(needs)), begins=lambda job: not begun.append(job))
    assert not begun


def test_a_sweep_on_a_cluster_has_the_trials_asked_and_survives_a_death(tmp_path: Path) -> None:
    frame = wide_frame(400)
    place: dict[str, Any] = {"on": "ray", "storage": tmp_path / "s.sqlite3", "horizon": 6, "input_size": 24}
    swept = tsrnn.sweep(frame, "nlinear", trials=3, max_epochs=1, study="s", **place)
    assert [trial["state"] for trial in swept.trials] == ["complete"] * 3
    assert os.getpid() not in {trial.user_attrs["process"]["pid"] for trial in swept.study.trials}
    alone = tsrnn.sweep(frame, "nlinear", trials=1, max_epochs=1, study="s", horizon=6, input_size=24)
    assert swept.trials[0]["value"] == alone.trials[0]["value"]
    stopped = tsrnn.sweep(frame, DiesOnce, trials=2, study="d", file=str(tmp_path / "died"), max_epochs=1, **place)
    states = [trial["state"] for trial in stopped.trials]
    assert sorted(states) == ["complete", "complete", "fail"]
    assert (tmp_path / "died").exists()


def test_the_same_fits_give_the_same_rows_everywhere(tmp_path: Path) -> None:
    wide_frame(400).write_csv(tmp_path / "w.csv")
    wishes = bench.Wishes(models=("nlinear", "ols", "gru"), horizons=(6,), seeds=(0,), input_size=24)
    fits = bench.plan(bench.Source(str(tmp_path / "w.csv")), "smoke", wishes)
    rows = {}
    for name, place in {
        "here": execute.at("here"),
        "processes": execute.at(workers=2),
        "ray": execute.at("ray"),
    }.items():
        outcomes = bench.run(fits, tmp_path / name, place)
        assert [outcome.error for outcome in outcomes] == [None] * 3
        rows[name] = pl.DataFrame([outcome.result for outcome in outcomes]).select(MEASURED)
    assert rows["here"].equals(rows["processes"])
    assert rows["here"].equals(rows["ray"])
