"""Claims: each job once, whoever works in the folder, and none lost with those who die."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import claimants
import jobs
import pytest

from tsrnn import alive, claims
from tsrnn.claims import GRACE, Claims
from tsrnn.errors import InputError

posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")


def of(folder: Path, run: str, process: alive.Process | None = None) -> Claims:
    return Claims(folder, process or alive.this(), run)


def litter(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(".*") if path.name != ".lock")


def started(folder: Path, workers: int = 0, count: int = 6) -> "subprocess.Popen[str]":
    words = [sys.executable, claimants.__file__, str(folder), str(workers), str(count)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(program: "subprocess.Popen[str]") -> str:
    out, err = program.communicate()
    assert (program.returncode, err) == (0, "")
    return out


def starts(folder: Path) -> list[int]:
    """How often each job was begun."""
    return [len(path.read_text().splitlines()) for path in sorted(folder.glob("*.log"))]


def test_a_claim_is_one_run_s_until_it_gives_it_back(tmp_path: Path) -> None:
    one, two = of(tmp_path, "one"), of(tmp_path, "two")
    assert one.take("job")
    assert one.take("job")  # again, after a worker's death
    assert not two.take("job")
    assert two.free(["job", "other"]) == {"other"}
    two.release("job")
    two.clear()
    assert litter(tmp_path) == [".job.claim"]
    one.release("job", "never taken")
    assert two.take("job")
    assert not one.take("job")
    two.clear()
    assert litter(tmp_path) == []


def test_what_the_dead_have_claimed_is_taken_at_once_here_and_after_a_while_elsewhere(tmp_path: Path) -> None:
    me = alive.this()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    mine = of(tmp_path, "mine")
    for name, process in {
        "dead": alive.Process(me.host, dead.pid, ""),
        "elsewhere": alive.Process("another host", dead.pid, ""),
        "alive": me,
    }.items():
        assert of(tmp_path, name, process).take(name)
    (tmp_path / ".cut short.claim").write_text('{"run": "x", "ho')
    assert mine.free(["dead", "elsewhere", "alive", "cut short"]) == {"dead", "cut short"}
    for name in ("elsewhere", "alive"):
        before = os.stat(tmp_path / ".lock").st_mtime - GRACE - 60
        os.utime(tmp_path / f".{name}.claim", (before, before))
    assert mine.take("elsewhere")
    assert not of(tmp_path, "elsewhere", alive.Process("another host", dead.pid, "")).take("elsewhere")
    mine.clear()
    assert litter(tmp_path) == []


def test_a_run_that_lives_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "BEAT", 0.01)
    (tmp_path / "go").touch()
    job, past = tmp_path / "0.done", []

    def old_at_first(done: Path) -> int:
        (claim,) = tmp_path.glob(".*.claim")
        os.utime(claim, (0, 0))
        jobs.wait_for(lambda: claim.stat().st_mtime > 0)
        past.append(claim)
        return 0

    claims.run(old_at_first, [job], tmp_path, claimants.name, claimants.left, 0, claimants.store)
    assert past
    assert litter(tmp_path) == []
    of(tmp_path, "other").beat()
    assert litter(tmp_path) == []


@pytest.mark.parametrize("runs", [1, 2, 4])
def test_runs_beside_each_other_do_each_job_once(tmp_path: Path, runs: int) -> None:
    programs = [started(tmp_path, count=8) for _ in range(runs)]
    jobs.wait_for(lambda: len(list(tmp_path.glob("*.log"))) == runs, *programs)  # each has begun one of its own
    (tmp_path / "go").touch()
    said = [finished(program) for program in programs]
    assert starts(tmp_path) == [1] * 8
    assert sum(int(out.split()[-1]) for out in said) == 8
    assert all(path.exists() for path in (tmp_path / f"{number}.done" for number in range(8)))
    assert litter(tmp_path) == []


@posix
def test_a_killed_run_s_job_is_taken_over_by_the_next_one_and_by_one_that_waits(tmp_path: Path) -> None:
    first = started(tmp_path, count=1)
    jobs.wait_for(claimants.log(tmp_path / "0.done").exists, first)
    second = started(tmp_path, count=1)
    assert second.stdout is not None
    assert second.stdout.readline() == "waiting for 1\n"
    assert starts(tmp_path) == [1]
    first.kill()  # and nobody waits for it yet
    jobs.wait_for(lambda: starts(tmp_path) == [2], second)
    second.kill()
    for program in (first, second):
        program.communicate()
        assert program.returncode == -signal.SIGKILL
    assert litter(tmp_path) == [".0.claim"]
    (tmp_path / "go").touch()
    assert finished(started(tmp_path, count=1)) == "did 1\n"
    assert starts(tmp_path) == [3]
    assert litter(tmp_path) == []
    ended = alive.Process(alive.this().host, first.pid, "")
    of(tmp_path, "killed once its result was there", ended).take("0")
    assert finished(started(tmp_path, count=1)) == "did 0\n"
    assert litter(tmp_path) == []


def test_what_others_have_done_in_between_is_not_done_again(tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    work = [tmp_path / "0.done", tmp_path / "1.done"]

    def both(job: Path) -> int:
        work[1].touch()
        return claimants.begin(job)

    done = claims.run(both, work, tmp_path, claimants.name, claimants.left, 0, claimants.store)
    assert [outcome.job for outcome in done] == work[:1]
    assert starts(tmp_path) == [1]


def test_two_threads_share_the_work_too(tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    work = [tmp_path / f"{number}.done" for number in range(20)]

    def share() -> None:
        claims.run(claimants.begin, work, tmp_path, claimants.name, claimants.left, 0, claimants.store)

    threads = [threading.Thread(target=share) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert starts(tmp_path) == [1] * 20
    assert litter(tmp_path) == []


def test_a_failure_gives_the_claim_back(tmp_path: Path) -> None:
    def full(outcome: object) -> None:
        raise InputError("no space")

    (tmp_path / "go").touch()
    job = tmp_path / "0.done"
    with pytest.raises(InputError, match="no space"):
        claims.run(claimants.begin, [job], tmp_path, claimants.name, claimants.left, 0, full)
    assert litter(tmp_path) == []
    done = claims.run(lambda job: 1 / 0, [job], tmp_path, claimants.name, claimants.left, 0, lambda outcome: None)
    assert [outcome.error_type for outcome in done] == ["ZeroDivisionError"]
    assert litter(tmp_path) == []


def test_a_claim_that_cannot_be_written_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*anything: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(json, "dump", full)
    with pytest.raises(InputError, match=r"cannot write claims to .*: No space left on device; name a folder"):
        of(tmp_path, "one").take("job")
    assert litter(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_workers_claim_in_the_name_of_their_run(tmp_path: Path, workers: int) -> None:
    programs = [started(tmp_path, workers) for _ in range(2)]
    running = 2 * min(workers, os.cpu_count() or 1)
    jobs.wait_for(lambda: len(list(tmp_path.glob("*.log"))) == running, *programs)
    holders = [json.loads(path.read_bytes())["pid"] for path in tmp_path.glob(".*.claim")]
    assert set(holders) == {program.pid for program in programs}
    assert not set(holders) & {int(path.read_text()) for path in tmp_path.glob("*.log")}
    (tmp_path / "go").touch()
    for program in programs:
        finished(program)
    assert starts(tmp_path) == [1] * 6
    assert litter(tmp_path) == []
