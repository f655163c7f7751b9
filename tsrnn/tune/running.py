"""A sweep runs until there are enough trials: one after the other in this process, or several at a time elsewhere."""

import time
from collections.abc import Callable
from contextlib import suppress

import optuna
from optuna.trial import FrozenTrial

from tsrnn import execute, progress
from tsrnn.errors import InputError
from tsrnn.panel import Panel
from tsrnn.tune import fitted, storage, turns
from tsrnn.tune import study as studies
from tsrnn.tune.asked import Sweep
from tsrnn.tune.together import Work, alone, check, together

OnTrial = Callable[[FrozenTrial, int, float], None]


def run(
    panel: Panel,
    asked: Sweep,
    trials: int,
    url: str,
    name: str,
    on_trial: OnTrial | None = None,
    workers: int | execute.Place = 1,
    on_begin: Callable[[], None] = lambda: None,
) -> optuna.Study:
    """Run trials until the study holds `trials` ended ones, whoever ran them; a last one elsewhere is waited for.

    Args:
        url: of a storage, as Optuna takes it, such as sqlite:///sweep.sqlite3 or postgresql://user@host/base.
        name: of the study; the same name goes on with the same study.
        on_trial: called after each trial of this run with it, the number of ended ones, and the lowest error of the
            study; infinite where no trial was completed.
        workers: processes that work at one time, at most one per core; 0 or 1: this process alone. Or a place, as
            `execute.at` makes it, such as a Ray cluster.
        on_begin: called once the study is there, before the first trial.

    Raises:
        InputError: the storage cannot be used, or not from there; the study is of another sweep; a cluster does not
            answer, goes away, or has nowhere what a trial needs.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if isinstance(trials, bool) or not isinstance(trials, int) or trials < 1:
        raise InputError(f"trials of a sweep must be a whole number, at least 1, not {trials}")
    place = workers if isinstance(workers, execute.Place) else execute.at(workers=workers)
    check(place, url)
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
                if not alone(place):
                    together(work, kept, panel, place, ended)
                else:
                    while (number := work.once(kept, panel)) is not None:
                        ended(number)
            except (KeyboardInterrupt, InputError):
                with suppress(InputError, *fitted.LOST), turns.turn(url, name, patient=False):
                    studies.reap(kept)
                    studies.forget(kept)
                raise
        with turns.turn(url, name):
            studies.reap(kept)
            studies.clear(kept)
    except fitted.LOST as error:
        raise storage.lost(url, error) from None
    return kept.study
