"""One trial: the options that it draws, a fit, its error on validation, and what becomes of it in the study."""

import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

import optuna
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.trial import Trial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from tsrnn import usual
from tsrnn.errors import InputError
from tsrnn.panel import Panel
from tsrnn.tune import storage as storages
from tsrnn.tune.asked import Sweep, choices, ranges
from tsrnn.tune.study import Kept

FAULTS = (InputError, ArithmeticError, MemoryError, RuntimeError)  # of a trial, with which a sweep goes on
LOST = (StorageInternalError, SQLAlchemyError)  # of the storage, with which nothing goes on
_SOON = 5  # seconds to the next sign of life after one that did not arrive


def attempt(kept: Kept, trial: Trial, panel: Panel, asked: Sweep, url: str) -> None:
    """Run a trial and tell the study; a trial that others took for dead meanwhile is theirs."""
    values: Sequence[float] | None = None
    state = TrialState.FAIL
    lost = False
    try:
        with _alive(kept.storage, trial) if storages.shared(url) else nullcontext():  # one in memory has one thread
            values = _objective(trial, panel, asked, url)
        state = TrialState.COMPLETE
    except optuna.TrialPruned:
        state = TrialState.PRUNED
    except LOST:
        lost = True
        raise
    except FAULTS:
        pass
    finally:
        if not lost:
            with suppress(UpdateFinishedTrialError):
                kept.study.tell(trial, values, state, skip_if_finished=True)


@contextmanager
def _alive(storage: RDBStorage, trial: Trial) -> Iterator[None]:
    """Signs of life for as long as this lasts."""
    ended = threading.Event()

    def beat() -> None:
        pause = 0.0
        while not ended.wait(pause):
            try:
                RDBStorage.record_heartbeat(storage, trial._trial_id)  # one attempt: the next comes by itself
                pause = storages.HEARTBEAT
            except LOST:
                with suppress(*LOST):
                    storage.scoped_session.remove()
                pause = _SOON
        storage.scoped_session.remove()

    heart = threading.Thread(target=beat, name="tsrnn-trial", daemon=True)
    heart.start()
    try:
        yield
    finally:
        ended.set()
        heart.join(timeout=_SOON)


def _objective(trial: Trial, panel: Panel, asked: Sweep, url: str) -> list[float]:
    """One fit; its values are the validation error of its best weights and, where asked, its seconds."""
    labels = {name: trial.suggest_categorical(name, list(values)) for name, values in asked.alternatives.items()}
    options = {**suggest(trial, asked.model, asked.fixed), **asked.fixed, **asked.resolved(labels)}
    size = trial.suggest_categorical("input_size", asked.input_sizes) if len(asked.input_sizes) > 1 else None
    options = {"random_state": asked.seed, **options}
    if asked.minutes < math.inf:
        options["max_minutes"] = min(asked.minutes, options.get("max_minutes") or math.inf)

    def report(epoch: int, loss: float) -> bool:
        if asked.seconds:
            return False
        trial.report(loss, epoch)
        return trial.should_prune()

    try:
        estimator: Any = asked.estimator(size or next(iter(asked.input_sizes), None), options)
        began = time.monotonic()
        estimator.fit(panel, split=asked.split, on_epoch=report)
        seconds = time.monotonic() - began
        if seconds > 60 * asked.minutes:
            trial.set_user_attr("error", f"stopped: it took longer than {asked.minutes:g} minutes")
            raise optuna.TrialPruned
        score = float(estimator.scores(None, asked.split, ("val",), (asked.metric,))["val"].values[asked.metric])
    except (optuna.TrialPruned, *LOST):
        raise
    except Exception as error:
        trial.set_user_attr("error", storages.masked(str(error), url) or type(error).__name__)
        raise
    trial.set_user_attr("epochs", estimator.report_.epochs)
    if not math.isfinite(score):
        trial.set_user_attr("error", "the validation error is not a number")
        raise optuna.TrialPruned
    unbounded = math.inf if estimator.options.get("max_steps") else usual.EPOCHS
    most = estimator.options.get("max_epochs") or unbounded
    if not asked.seconds and trial.should_prune() and estimator.report_.epochs < most:
        raise optuna.TrialPruned
    return [score, seconds] if asked.seconds else [score]


def suggest(trial: Trial, model: str | type, fixed: Sequence[str] | dict[str, Any] = ()) -> dict[str, Any]:
    """A value for every range of the model and its training that is not fixed."""
    options: dict[str, Any] = {}
    for name, found in ranges(model).items():
        if name in fixed:
            continue
        if "choices" in found:
            options[name] = trial.suggest_categorical(name, choices(found))
        elif found["whole"]:
            options[name] = trial.suggest_int(name, found["low"], found["high"], log=found["log"])
        else:
            options[name] = trial.suggest_float(name, found["low"], found["high"], log=found["log"])
    return options
