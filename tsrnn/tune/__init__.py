"""Sweeps: a model's declared ranges, tried out and scored on validation. The only room that imports Optuna.

The test part is never read here. A sweep lives in a storage (a SQLite file by default, any Optuna URL otherwise), goes
on where it stopped, and survives trials that fail and processes that die. Any number of processes may work on one.
"""

import math
import time
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import optuna
from optuna.trial import TrialState

from tsrnn import progress, tasks, usual
from tsrnn.errors import InputError
from tsrnn.panel import Panel
from tsrnn.tune import study as studies
from tsrnn.tune.asked import Sweep as Sweep
from tsrnn.tune.asked import choices
from tsrnn.tune.asked import ranges as ranges
from tsrnn.tune.storage import masked, turn, unopened
from tsrnn.tune.storage import sqlite as sqlite
from tsrnn.version import VERSION

_KNOWN = 5  # ended trials from which importances say anything
_POLL = 1.0  # seconds between two looks at trials that other processes run
_FAULTS = (InputError, ArithmeticError, MemoryError, RuntimeError)  # of a trial, with which a sweep goes on

OnTrial = Callable[[optuna.trial.FrozenTrial, int], None]


def sweep(
    panel: Panel, asked: Sweep, trials: int, storage: str, name: str, on_trial: OnTrial | None = None
) -> optuna.Study:
    """Run trials until the study holds `trials` ended ones, whoever ran them; a last one elsewhere is waited for.

    Args:
        storage: an Optuna URL, such as sqlite:///sweep.sqlite3.
        name: of the study; the same name goes on with the same study.
        on_trial: called after each trial of this process with it and the number of ended ones.

    Raises:
        InputError: the storage cannot be used, or the study is of another sweep.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with turn(storage):
            study, kept = studies.study_of(asked, panel, storage, name)
        shows = on_trial is None and asked.fixed.get("progress", progress.AUTO)
        with progress.bar("sweep", trials - studies.counted(study), shows) as shown:
            while studies.counted(study) < trials:
                with turn(storage) as leave:
                    if studies.begin(study, kept, asked, trials):
                        _run(study, lambda trial: _objective(trial, panel, asked, storage), leave, on_trial)
                        shown.advance()
                        continue
                time.sleep(_POLL)
        with turn(storage):
            studies.reap(study, kept)
            studies.clear(study)
    except optuna.exceptions.StorageInternalError as error:
        raise unopened(storage, error) from None
    return study


def _run(
    study: optuna.Study,
    objective: Callable[[optuna.Trial], float],
    leave: Callable[[], None],
    on_trial: OnTrial | None,
) -> None:
    """One trial. It is asked for in one's turn, which ends when it is there."""
    numbers: list[int] = []

    def signed(trial: optuna.Trial) -> float:
        numbers.append(trial.number)
        studies.sign(trial)
        leave()
        return objective(trial)

    told = [lambda study, trial: on_trial(trial, studies.counted(study)) if on_trial else None]
    try:
        study.optimize(signed, n_trials=1, catch=_FAULTS, callbacks=told)
    except ValueError:
        state = study.get_trials(deepcopy=False)[numbers[0]].state if numbers else TrialState.RUNNING
        if state is not TrialState.FAIL:  # else it had been silent so long that others took it for dead
            raise


def best(study: optuna.Study, asked: Sweep) -> dict[str, Any]:
    """The parameters of the best trial, as the task's estimator takes them, and how they were chosen, under `chosen`.

    Raises:
        InputError: no trial of the study succeeded, or none in the minutes asked.
    """
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    in_time = [trial for trial in done if trial.duration and trial.duration.total_seconds() <= 60 * asked.minutes]
    if not in_time:
        failed = [trial.user_attrs.get("error", "pruned") for trial in study.get_trials(deepcopy=False)]
        why = f" within {asked.minutes:g} minutes" if done else f"; the last one said: {failed[-1]}"
        raise InputError(f"no trial of study {study.study_name!r} succeeded{why}")
    trial = min(in_time, key=lambda trial: cast(float, trial.value))
    params = {
        "model": asked.model,
        **({"horizon": asked.horizon, "loss": usual.LOSS} if tasks.find(asked.task).forecasts else {}),
        **asked.fixed,
        **asked.resolved(trial.params),
    }
    if asked.input_sizes:
        params.setdefault("input_size", asked.input_sizes[0])
    chosen = {
        "by": f"validation {asked.metric}",
        "value": trial.value,
        "trial": trial.number,
        "trials": studies.counted(study),
        "study": study.study_name,
        "seed": asked.seed,
        "ranges": asked.described(),
        **({"minutes": asked.minutes} if asked.minutes < math.inf else {}),
        "seconds": round(sum(each.duration.total_seconds() for each in done if each.duration), 1),
        "version": VERSION,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return {**params, "chosen": chosen}


def trials(study: optuna.Study) -> list[dict[str, Any]]:
    """Every trial of a study: number, state, value, seconds, params and, where it failed, the error."""
    return [
        {
            "trial": each.number,
            "state": each.state.name.lower(),
            "value": each.value if each.state is TrialState.COMPLETE else None,
            "seconds": round(each.duration.total_seconds(), 1) if each.duration else None,
            "params": dict(each.params),
            "error": each.user_attrs.get("error"),
        }
        for each in study.get_trials(deepcopy=False)
    ]


def importances(study: optuna.Study) -> dict[str, float]:
    """The share of the spread that each option explains (PED-ANOVA, Watanabe et al. 2023); empty of few trials."""
    done = [trial for trial in study.get_trials(deepcopy=False) if trial.state is TrialState.COMPLETE]
    if len(done) < _KNOWN or len({trial.value for trial in done}) < 2:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        found = optuna.importance.get_param_importances(study)
    return {name: share for name, share in found.items() if math.isfinite(share)}


def _objective(trial: optuna.Trial, panel: Panel, asked: Sweep, storage: str) -> float:
    """One fit; the score is the validation error of its best weights."""
    labels = {name: trial.suggest_categorical(name, list(values)) for name, values in asked.alternatives.items()}
    options = {**suggest(trial, asked.model, asked.fixed), **asked.fixed, **asked.resolved(labels)}
    size = trial.suggest_categorical("input_size", asked.input_sizes) if len(asked.input_sizes) > 1 else None
    options = {"random_state": asked.seed, **options}
    if asked.minutes < math.inf:
        options["max_minutes"] = min(asked.minutes, options.get("max_minutes") or math.inf)
    estimator: Any = asked.estimator(size or next(iter(asked.input_sizes), None), options)
    until = time.monotonic() + 60 * asked.minutes

    def report(epoch: int, loss: float) -> bool:
        trial.report(loss, epoch)
        return trial.should_prune()

    try:
        estimator.fit(panel, split=asked.split, on_epoch=report)
        if time.monotonic() > until:
            trial.set_user_attr("error", f"stopped: it took longer than {asked.minutes:g} minutes")
            raise optuna.TrialPruned
        scored = estimator.scores(None, asked.split, ("val",), (asked.metric,))["val"]
        score = scored.values[asked.metric]
    except optuna.TrialPruned:
        raise
    except Exception as error:
        trial.set_user_attr("error", masked(str(error), storage) or type(error).__name__)
        raise
    trial.set_user_attr("epochs", estimator.report_.epochs)
    if not math.isfinite(score):
        trial.set_user_attr("error", "the validation error is not a number")
        raise optuna.TrialPruned
    most = estimator.options.get("max_epochs") or usual.EPOCHS
    if trial.should_prune() and estimator.report_.epochs < most:
        raise optuna.TrialPruned
    return float(score)


def suggest(trial: optuna.Trial, model: str | type, fixed: Sequence[str] | dict[str, Any] = ()) -> dict[str, Any]:
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
