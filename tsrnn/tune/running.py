"""A sweep runs: trial after trial in this process, or several at a time in worker processes, until there are enough."""

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import optuna
import polars as pl
from optuna.trial import FrozenTrial

from tsrnn import execute, progress
from tsrnn.errors import InputError
from tsrnn.execute import Outcome
from tsrnn.panel import Panel
from tsrnn.tune import fitted, storage, turns
from tsrnn.tune import study as studies
from tsrnn.tune.asked import Sweep
from tsrnn.tune.study import Kept

_POLL = 1.0  # seconds between two looks at trials that other processes run

_GUARD = (
    'a script whose sweep has workers calls it under `if __name__ == "__main__":`, since each worker reads it again'
)

OnTrial = Callable[[FrozenTrial, int, float], None]


def run(
    panel: Panel,
    asked: Sweep,
    trials: int,
    url: str,
    name: str,
    on_trial: OnTrial | None = None,
    workers: int = 1,
    on_begin: Callable[[], None] = lambda: None,
) -> optuna.Study:
    """Run trials until the study holds `trials` ended ones, whoever ran them; a last one elsewhere is waited for.

    Args:
        url: of a storage, as Optuna takes it, such as sqlite:///sweep.sqlite3 or postgresql://user@host/base.
        name: of the study; the same name goes on with the same study.
        on_trial: called after each trial of this run with it, the number of ended ones, and the lowest error of the
            study; infinite where no trial was completed.
        workers: processes that work at one time, at most one per core; 1: this process alone.
        on_begin: called once the study is there, before the first trial.

    Raises:
        InputError: the storage cannot be used, or the study is of another sweep.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if isinstance(trials, bool) or not isinstance(trials, int) or trials < 1:
        raise InputError(f"trials of a sweep must be a whole number, at least 1, not {trials}")
    if workers < 1:
        raise InputError(f"workers of a sweep must be at least 1, not {workers}")
    if workers > 1 and multiprocessing.parent_process() is not None:
        raise InputError(f"a worker process starts no workers; {_GUARD}")
    if workers > 1 and not storage.shared(url):
        raise InputError("a storage in memory is for one process; name a file, or leave the workers out")
    try:
        with turns.turn(url, patient=False):
            kept = studies.study_of(asked, panel, url, name)
        on_begin()
        work = Work(asked, trials, url, name, time.time() + 3600 * asked.hours)
        shows = on_trial is None and asked.fixed.get("progress", progress.AUTO)
        with progress.bar("sweep", trials - studies.counted(kept.study), shows) as shown:

            def ended(number: int) -> None:
                shown.advance()
                if on_trial:
                    trial = kept.study.get_trials(deepcopy=False)[number]
                    on_trial(trial, studies.counted(kept.study), studies.lowest(kept.study))

            try:
                if workers > 1:
                    _together(work, kept, panel, workers, ended)
                else:
                    while (number := work.once(kept, panel)) is not None:
                        ended(number)
            except KeyboardInterrupt:
                with suppress(InputError, *fitted.LOST), turns.turn(url, name, patient=False):
                    studies.reap(kept)
                raise
        with turns.turn(url, name):
            studies.reap(kept)
            studies.clear(kept)
    except fitted.LOST as error:
        raise storage.lost(url, error) from None
    return kept.study


@dataclass(frozen=True)
class Work:
    """What a process that works on a study needs to know."""

    asked: Sweep
    trials: int
    url: str
    name: str
    until: float  # no trial begins after it, in seconds of the system's clock
    panel: Panel | None = None  # without its rows, which lie in a file
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
            alone = leave()
        if trial is None or alone:
            return trial
        with turns.turn(self.url, self.name):  # the server went away meanwhile: others may have begun this trial too
            if not studies.too_many(kept.study, self.trials):
                return trial
            studies.withdraw(kept, trial)
        return None


def _together(work: Work, kept: Kept, panel: Panel, workers: int, ended: Callable[[int], None]) -> None:
    """Worker processes, one trial each at a time. One that dies is replaced, and its trial tried again."""

    def done(outcome: Outcome) -> None:
        if outcome.result is not None:
            ended(outcome.result)
        elif outcome.error_type == "InputError":
            raise InputError(str(outcome.error))
        elif outcome.error_type == "WorkerDied" and len(kept.study.get_trials(deepcopy=False)) == before:
            raise InputError(f"{outcome.error}, and no trial began; {_GUARD}")
        elif outcome.error_type not in (None, "WorkerDied"):
            raise RuntimeError(f"{outcome.error}\n{outcome.traceback}")

    with tempfile.TemporaryDirectory(prefix="tsrnn-sweep-") as folder:
        rows = Path(folder) / "rows.arrow"
        panel.frame.write_ipc(rows)
        work = replace(work, panel=replace(panel, frame=panel.frame.clear()), rows=str(rows))
        while (left := work.trials - studies.counted(kept.study)) > 0 and time.time() < work.until:
            before = len(kept.study.get_trials(deepcopy=False))
            execute.run(work, range(left), workers, done)


@lru_cache(maxsize=1)
def _kept(url: str, name: str) -> Kept:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return studies.found(url, name)


_read: dict[str, Panel] = {}  # what this worker has read


def _panel(work: Work) -> Panel:
    if work.rows not in _read:
        assert work.panel is not None
        _read.clear()
        _read[work.rows] = replace(work.panel, frame=pl.read_ipc(work.rows))
    return _read[work.rows]
