"""Trials side by side: what a process that works on a study needs to know, and the places where such processes are."""

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import optuna
import polars as pl

from tsrnn import clusters, execute
from tsrnn.errors import InputError
from tsrnn.execute import Outcome, Place
from tsrnn.panel import Panel
from tsrnn.tune import fitted, storage, turns
from tsrnn.tune import study as studies
from tsrnn.tune.asked import Sweep
from tsrnn.tune.study import Kept

_POLL = 1.0  # seconds between two looks at trials that other processes run
_LOCAL = ("here", "processes")  # places of this machine

_GUARD = (
    'a script whose sweep has workers calls it under `if __name__ == "__main__":`, since each worker reads it again'
)


def alone(place: Place) -> bool:
    """Whether the process that sweeps runs the trials itself, one after the other."""
    return place.name == "here" or (place.name == "processes" and place.workers == 1)


def check(place: Place, url: str) -> None:
    """Refuse a place that cannot work on a storage.

    Raises:
        InputError: the storage is for fewer processes, or for fewer machines, than the place has.
    """
    if not alone(place) and multiprocessing.parent_process() is not None:
        raise InputError(f"a worker process starts no workers; {_GUARD}")
    if not alone(place) and not storage.shared(url):
        several = "the workers" if place.name in _LOCAL else f"on={place.name!r}"
        raise InputError(f"a storage in memory is for one process; name a file, or leave {several} out")
    far = place.name not in _LOCAL and clusters.elsewhere(place.address)
    if far and storage.address(url).get_backend_name() == storage.SQLITE:
        raise InputError(
            "the nodes of a cluster do not all see a SQLite file; name a server as storage, such as "
            "postgresql://me@host/base"
        )


@dataclass(frozen=True)
class Work:
    """What a process that works on a study needs to know."""

    asked: Sweep
    trials: int
    url: str
    name: str
    until: float  # no trial begins after it, in seconds of the system's clock
    panel: Panel | None = None  # where its rows lie in a file, without them
    rows: str = ""

    def __call__(self, job: Any) -> int | None:
        """The next trial, in a worker process; its number."""
        try:
            return self.once(_kept(self.url, self.name), _panel(self))
        except fitted.LOST as error:
            raise storage.lost(self.url, error) from None

    def once(self, kept: Kept, panel: Panel) -> int | None:
        """Run one trial as soon as one is wanted; its number, or None where there are enough."""
        while studies.counted(kept.study) < self.trials and time.time() < self.until:
            trial = self._begun(kept)
            if trial is not None:
                fitted.attempt(kept, trial, panel, self.asked, self.url)
                return trial.number
            time.sleep(_POLL)
        return None

    def _begun(self, kept: Kept) -> optuna.Trial | None:
        with turns.turn(self.url, self.name) as leave:
            trial = studies.begin(kept, self.asked, self.trials)
            undisturbed = leave()
        if trial is None or undisturbed:
            return trial
        with turns.turn(self.url, self.name):  # the server went away meanwhile: others may have begun this trial too
            if not studies.too_many(kept.study, self.trials):
                return trial
            studies.withdraw(kept, trial)
        return None


def together(work: Work, kept: Kept, panel: Panel, place: Place, ended: Callable[[int], None]) -> None:
    """Trials in the processes of a place, one each at a time. One that dies is replaced, and its trial tried again."""

    def done(outcome: Outcome) -> None:
        if outcome.result is not None:
            ended(outcome.result)
        elif outcome.error_type == "InputError":
            raise InputError(str(outcome.error))
        elif outcome.error_type == "WorkerDied" and len(kept.study.get_trials(deepcopy=False)) == before:
            mend = f"; {_GUARD}" if place.name in _LOCAL else ""
            raise InputError(f"{outcome.error}, and no trial began{mend}")
        elif outcome.error_type not in (None, "WorkerDied"):
            raise RuntimeError(f"{outcome.error}\n{outcome.traceback}")

    with _told(work, panel, place) as work:
        while (left := work.trials - studies.counted(kept.study)) > 0 and time.time() < work.until:
            before = len(kept.study.get_trials(deepcopy=False))
            execute.run(work, range(left), place, done)


@contextmanager
def _told(work: Work, panel: Panel, place: Place) -> Iterator[Work]:
    """The work with its rows: in a file for processes of this machine, within it for those of others."""
    if place.name not in _LOCAL:
        yield replace(work, panel=panel)
        return
    with tempfile.TemporaryDirectory(prefix="tsrnn-sweep-") as folder:
        rows = Path(folder) / "rows.arrow"
        panel.frame.write_ipc(rows)
        yield replace(work, panel=replace(panel, frame=panel.frame.clear()), rows=str(rows))


@lru_cache(maxsize=1)
def _kept(url: str, name: str) -> Kept:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return studies.found(url, name)


_read: dict[str, Panel] = {}  # what this worker has read


def _panel(work: Work) -> Panel:
    assert work.panel is not None
    if not work.rows:
        return work.panel
    if work.rows not in _read:
        _read.clear()
        _read[work.rows] = replace(work.panel, frame=pl.read_ipc(work.rows))
    return _read[work.rows]
