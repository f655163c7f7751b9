"""Executors: order, failures that stay with their job, shares of cores, and no process left behind."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import jobs
import pytest
from filelock import FileLock, Timeout

from tsrnn.errors import InputError
from tsrnn.execute import Outcome, at, cores, run
from tsrnn.workers import THREAD_VARIABLES

two_cores = pytest.mark.skipif(cores() < 2, reason="one core has one worker")
posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_outcomes_come_back_in_the_order_of_the_jobs(workers: int) -> None:
    seen: list[Outcome] = []
    done = run(jobs.echo, [3, None, "x", {"a": 1}], workers, seen.append)
    assert [each.result for each in done] == [3, None, "x", {"a": 1}]
    assert [each.job for each in done] == [3, None, "x", {"a": 1}]
    assert all(each.error is None and each.seconds >= 0 for each in done)
    assert sorted(map(id, seen)) == sorted(map(id, done))
    assert run(jobs.echo, [], workers) == []


@pytest.mark.parametrize("workers", [0, 2])
def test_a_job_that_does_not_begin_is_left_out(workers: int) -> None:
    asked: list[tuple[int, int]] = []

    def begins(job: int) -> bool:
        asked.append((job, os.getpid()))
        return job % 2 == 0

    done = run(jobs.echo, range(5), workers, begins=begins)
    assert [each.result for each in done] == [0, 2, 4]
    assert sorted(asked) == [(job, os.getpid()) for job in range(5)]
    assert run(jobs.echo, range(5), workers, begins=lambda job: False) == []


@pytest.mark.parametrize("workers", [0, 2])
def test_what_hinders_a_job_from_beginning_reaches_the_caller(workers: int) -> None:
    def full(job: int) -> bool:
        raise InputError("no space")

    with pytest.raises(InputError, match="no space"):
        run(jobs.echo, range(3), workers, begins=full)


def test_processes_are_other_processes_and_are_kept() -> None:
    assert {each.result for each in run(jobs.pid, range(3), workers=0)} == {os.getpid()}
    (worker,) = {each.result for each in run(jobs.pid, range(5), workers=1)}
    assert worker != os.getpid()


@two_cores
def test_two_workers_work_at_the_same_time(tmp_path: Path) -> None:
    done = run(jobs.meet, [(0, tmp_path), (1, tmp_path)], workers=2)
    assert [each.result for each in done] == [0, 1]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_death_stays_with_its_job(tmp_path: Path, workers: int) -> None:
    actions = ["fine", "die once", "fine", "die", "raise", "mend", "exit", "fine"]
    files = [tmp_path / str(number) for number in range(len(actions))]
    done = run(jobs.act, list(zip(actions, files, strict=True)), workers)
    starts = [len(file.read_text().splitlines()) for file in files]
    assert starts == [1, 2, 1, 3, 1, 1, 1, 1]
    assert [each.result for each in done] == ["fine", "die once", "fine", None, None, None, None, "fine"]
    types = [None, None, None, "WorkerDied", "ZeroDivisionError", "InputError", "SystemExit", None]
    assert [each.error_type for each in done] == types
    assert "died 3 times" in str(done[3].error)
    assert done[4].error == "ZeroDivisionError: no such number"
    assert done[5].error == "column 'OT' is missing: name another"
    assert "in act" in str(done[4].traceback)


@posix
@pytest.mark.parametrize("workers", [1, 2])
def test_the_death_of_the_fork_server_fails_no_job(tmp_path: Path, workers: int) -> None:
    work = [(number in (1, 4), tmp_path / str(number)) for number in range(6)]
    done = run(jobs.fell, work, workers)
    assert [each.error for each in done] == [None] * 6
    starts = [done[number].result for number in (1, 4)]
    assert starts == [2, 2] or (workers == 2 and sorted(starts) == [2, 3])  # a death may hit both


@posix
def test_a_process_that_cannot_be_started_is_the_jobs_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("tsrnn.execute.processes.ProcessPoolExecutor.submit", refused)
    monkeypatch.setattr("tsrnn.execute.processes._PAUSE", 0)
    (done,) = run(jobs.echo, [1], workers=1)
    assert done.error_type == "WorkerDied"
    assert done.error == "no worker process can be started: [Errno 11] Resource temporarily unavailable"


@posix
def test_temporary_files_may_lie_deep(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["folder" * 8] * 4)
    deep.mkdir(parents=True)
    code = "import tempfile, jobs; from tsrnn.execute import run; "
    code += "print([each.error or each.result for each in run(jobs.echo, [1, 2], workers=1)], tempfile.gettempdir())"
    environment = {**os.environ, "TMPDIR": str(deep), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout == f"[1, 2] {deep}\n", done.stderr
    assert not list(deep.iterdir())


def test_in_this_process_a_job_that_raises_is_an_outcome(tmp_path: Path) -> None:
    done = run(jobs.act, [("raise", tmp_path / "a"), ("mend", tmp_path / "b"), ("fine", tmp_path / "c")], workers=0)
    assert [each.error_type for each in done] == ["ZeroDivisionError", "InputError", None]
    assert done[2].result == "fine"


def test_what_cannot_be_pickled_is_reported() -> None:
    result, job, good = (
        run(jobs.unpicklable, [1])[0],
        run(jobs.echo, [threading.Lock()])[0],
        run(jobs.echo, [1])[0],
    )
    assert "pickle" in str(result.error)
    assert "pickle" in str(job.error)
    assert good.result == 1


def test_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsrnn.execute.processes.cores", lambda: 6)
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.delenv("POLARS_MAX_THREADS", raising=False)
    for workers, share in [(1, 6), (2, 3)]:
        assert {each.result for each in run(jobs.threads, range(2), workers)} == {(share, str(share), str(share))}
    assert os.environ["OMP_NUM_THREADS"] == "5"
    assert "POLARS_MAX_THREADS" not in os.environ
    assert "OMP_NUM_THREADS" in THREAD_VARIABLES


@pytest.mark.slow
def test_spawned_processes_serve_where_there_is_no_fork_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    monkeypatch.setattr("tsrnn.execute.processes.cores", lambda: 3)
    assert run(jobs.threads, [0], workers=1)[0].result == (3, "3", "3")
    done = run(jobs.act, [("die", tmp_path / "a"), ("fine", tmp_path / "b")], workers=1)
    assert [each.error_type for each in done] == ["WorkerDied", None]


def test_never_more_workers_than_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsrnn.execute.processes.cores", lambda: 1)
    assert len({each.result for each in run(jobs.pid, range(6), workers=4)}) == 1


def test_an_exception_of_the_listener_stops_the_work(tmp_path: Path) -> None:
    def listen(outcome: Outcome) -> None:
        raise LookupError("listener")

    work = [("fine", tmp_path / "first"), ("stay", tmp_path / "second"), ("stay", tmp_path / "third")]
    with pytest.raises(LookupError, match="listener"):
        run(jobs.act, work, 1, listen)
    assert not (tmp_path / "third").exists()
    assert not [each for each in threading.enumerate() if each.name == "tsrnn-worker"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"on": "rai"}, "unknown place to work in 'rai': did you mean 'ray'"),
        ({"on": "ray://"}, "'ray://' is no place to work in"),
        ({"on": "processes://here:1"}, "'processes://here:1' is no place to work in; name one of here, processes, ray"),
        ({"on": "here", "needs": {"gpu": 1}}, "'here' has no resources to ask for, such as 'gpu'; work on ray"),
        ({"on": "ray", "needs": {"gpu": -1}}, "a job cannot need gpu=-1; give a number"),
        ({"on": "ray", "needs": {"gpu": "half"}}, "a job cannot need gpu=half; give a number"),
    ],
)
def test_a_place_that_is_none_is_refused(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        at(**asked)


def test_negative_workers_are_refused() -> None:
    with pytest.raises(InputError, match="not -1"):
        run(jobs.echo, [1], workers=-1)


def _started(tmp_path: Path) -> tuple["subprocess.Popen[str]", list[Path]]:
    """A program in a session of its own whose workers hold locks, once they hold them."""
    locks = [tmp_path / f"{number}.lock" for number in range(min(2, cores()))]
    command = [sys.executable, str(Path(jobs.__file__)), *map(str, locks)]
    pipe = subprocess.PIPE
    program = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    jobs.wait_for(lambda: all(lock.with_suffix(".held").exists() for lock in locks), program)
    for lock in locks:
        with pytest.raises(Timeout):
            FileLock(lock).acquire(timeout=0)
    return program, locks


def _freed(locks: list[Path]) -> None:
    for lock in locks:
        FileLock(lock).acquire(timeout=jobs.PATIENCE).lock.release()


@posix
def test_no_worker_outlives_a_killed_parent(tmp_path: Path) -> None:
    program, locks = _started(tmp_path)
    program.kill()
    program.communicate()
    assert program.returncode == -signal.SIGKILL
    _freed(locks)


@posix
@pytest.mark.parametrize("everyone", [True, False])
def test_ctrl_c_stops_the_workers_and_reaches_the_caller(tmp_path: Path, everyone: bool) -> None:
    program, locks = _started(tmp_path)
    if everyone:  # as a terminal does
        os.killpg(program.pid, signal.SIGINT)
    else:
        program.send_signal(signal.SIGINT)
    out, err = program.communicate()
    assert out == "interrupted\n"
    assert err.count("Traceback") == 1
    assert err.rstrip().endswith("KeyboardInterrupt")
    _freed(locks)
