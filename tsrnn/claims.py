"""Who does which job, where several runs write into one folder: a job is claimed before it runs.

A claim is a file `.<name>.claim` in that folder. It names the process that has the job in hand, which touches it every
`BEAT` seconds. It may be taken over at once where that process has ended on this machine, and anywhere after `GRACE`
seconds without a touch, by the clock of the folder's file system. Claims go as their jobs end; those that a kill has
left go when another run in the folder ends.

With the rows, which are written whole and under the same lock, files are all the store that a grid needs: two programs
on one folder, one of them killed in the middle, leave one row for each fit and tell of none twice
(`python benchmarks/executors.py kills`). A database would add a server, and nothing to that.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock

from tsrnn import alive, execute
from tsrnn.alive import Process
from tsrnn.errors import InputError
from tsrnn.execute import Function, Job, Outcome, Place

BEAT = 20  # seconds between two touches of a claim
GRACE = 300  # seconds without one after which a claim is anybody's
_POLL = 0.5  # seconds between two looks at the jobs of others
_MEND = "name a folder you may write"


@dataclass(frozen=True)
class Claims:
    """The claims of one run in one folder, in the name of the process that collects the results."""

    folder: Path
    process: Process
    run: str

    def take(self, name: str) -> bool:
        """Claim a job; False where another run has it in hand.

        Raises:
            InputError: the folder cannot be written.
        """
        path = self._path(name)
        with self._turn() as now:
            if not self._is_free(path, now):
                return False
            path.unlink(missing_ok=True)
            try:
                with path.open("x", encoding="utf-8") as file:
                    json.dump({"run": self.run, **asdict(self.process)}, file)
            except OSError:
                path.unlink(missing_ok=True)
                raise
        return True

    def free(self, names: Iterable[str]) -> set[str]:
        """The jobs that no other run has in hand."""
        with self._turn() as now:
            return {name for name in names if self._is_free(self._path(name), now)}

    def release(self, *names: str) -> None:
        """Give claims back, as far as they are still this run's."""
        with self._turn():
            for path in map(self._path, names):
                if self._is_own(path):
                    path.unlink()

    def clear(self) -> None:
        """Give back every claim of this run, and remove those of the dead."""
        with self._turn() as now:
            for path in self.folder.glob(".*.claim"):
                if self._is_free(path, now):
                    path.unlink()

    def beat(self) -> None:
        """Say that this run lives."""
        for path in self.folder.glob(".*.claim"):
            with suppress(OSError):
                if self._is_own(path):
                    os.utime(path)  # never made again, should it just have been given back

    def _path(self, name: str) -> Path:
        return self.folder / f".{name}.claim"

    def _is_own(self, path: Path) -> bool:
        return _read(path).get("run") == self.run

    def _is_free(self, path: Path, now: float) -> bool:
        """Whether this run may begin a job. Asked in its turn only (`now`), when nobody is just writing a claim."""
        try:
            age = now - path.stat().st_mtime
        except FileNotFoundError:
            return True
        holder = _read(path)
        if not holder or holder.pop("run") == self.run or age > GRACE:
            return True
        return alive.gone(Process(**holder))

    @contextmanager
    def _turn(self) -> Iterator[float]:
        """Nobody else claims; gives the time by the clock that dates the claims."""
        lock = self.folder / ".lock"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(lock):
                os.utime(lock)
                yield lock.stat().st_mtime
        except OSError as error:
            raise InputError(f"cannot write claims to {self.folder}: {error.strerror or error}; {_MEND}") from error


def run(
    function: Function,
    jobs: Sequence[Job],
    folder: Path,
    name: Callable[[Job], str],
    left: Callable[[Sequence[Job]], list[Job]],
    workers: int | Place,
    on_done: Callable[[Outcome], None],
    on_wait: Callable[[int], None] | None = None,
) -> list[Outcome]:
    """As `execute.run`, beside other runs in the same folder: each job is done once, by whoever claims it first.

    Comes back when every job has ended; one that another run does is waited for, and done here if that run dies.

    Args:
        folder: made where it is missing.
        name: a job's name in the folder.
        left: those of some jobs whose results are not stored yet.
        on_done: called after each job that was done here; must store its result.
        on_wait: called once, when all jobs that are left are done by others, with their number.

    Returns:
        What became of the jobs that were done here.
    """
    done: dict[str, Outcome] = {}
    with _shared(folder) as claims:

        def end(outcome: Outcome) -> None:
            try:
                on_done(outcome)
            finally:
                claims.release(name(outcome.job))
            done[name(outcome.job)] = outcome

        def begins(job: Job) -> bool:
            if not claims.take(name(job)):
                return False
            if left([job]):
                return True
            claims.release(name(job))  # its result was stored just before
            return False

        todo, waits = list(jobs), False
        while todo:
            free = claims.free(map(name, todo))
            if free:
                work = [job for job in todo if name(job) in free]
                execute.run(function, work, workers, end, begins)
            else:
                if on_wait is not None and not waits:
                    on_wait(len(todo))
                waits = True
                time.sleep(_POLL)
            todo = [job for job in left(todo) if name(job) not in done]
    return [done[name(job)] for job in jobs if name(job) in done]


@contextmanager
def _shared(folder: Path) -> Iterator[Claims]:
    """A run's claims, kept alive as long as this lasts."""
    claims, ended = Claims(folder, alive.this(), uuid4().hex), threading.Event()

    def beat() -> None:
        while not ended.wait(BEAT):
            claims.beat()

    heart = threading.Thread(target=beat, name="tsrnn-claims", daemon=True)
    heart.start()
    try:
        yield claims
    finally:
        ended.set()
        heart.join()
        with suppress(InputError):  # what cannot be removed is the next run's
            claims.clear()


def _read(path: Path) -> dict[str, Any]:
    """What a claim says; empty where there is none, or one that was cut short."""
    names = {"run": str, "host": str, "pid": int, "started": str}
    try:
        said = json.loads(path.read_bytes())
        return {name: kind(said[name]) for name, kind in names.items()}
    except (OSError, ValueError, LookupError, TypeError):
        return {}
