"""A study that several processes work on: how many trials it holds, which of them died, which comes next.

A trial that ended is COMPLETE, PRUNED, or FAIL with the error that its own process wrote down. A FAIL without one lost
its process (killed, out of memory, Ctrl-C): it is tried again, twice at most, and counts as ended after that.
All but `counted` are to be called in one's turn (`storage.turn`).
"""

import copy
import json
import warnings
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from tsrnn import alive, models
from tsrnn.alive import Process
from tsrnn.errors import InputError
from tsrnn.panel import Panel
from tsrnn.parameters import words
from tsrnn.tune import storage as storages
from tsrnn.tune.asked import Sweep

# Written out, and stored with the study, because Optuna's defaults change between versions.
SAMPLER: dict[str, Any] = {"multivariate": True, "constant_liar": True, "n_startup_trials": 10}
PRUNER = {"n_startup_trials": 5, "n_warmup_steps": 2}
RETRIES = 2  # of a trial whose process died

_HISTORY = "retry_history"  # Optuna's word for the numbers of the trials that one stands for
_PLANNED, _PROCESS, _UNNEEDED = "planned", "process", "unneeded"  # place in the plan; who runs it; not to be counted


def study_of(asked: Sweep, panel: Panel, url: str, name: str) -> tuple[optuna.Study, optuna.storages.RDBStorage]:
    """The study of a sweep, made where there is none, with a sampler of this process's own; and its storage.

    Raises:
        InputError: the storage cannot be opened, or the study is of another sweep.
    """
    kept = storages.opened(url)
    pruner = optuna.pruners.MedianPruner(**PRUNER)
    study = optuna.create_study(storage=kept, study_name=name, load_if_exists=True, pruner=pruner)
    identity = _identity(asked, panel)
    known = study.user_attrs.get("sweep")
    if known is not None and known != identity:
        other = next(key for key in {**identity, **known} if known.get(key) != identity.get(key))
        raise InputError(
            f"study {name!r} in {storages.masked(url, url)} is a sweep with {other} {known.get(other)!r}, not "
            f"{identity.get(other)!r}; choose another --study"
        )
    # A sampler with a seed that another run had would propose its trials again, so each run draws a seed of its own.
    runs = study.user_attrs.get("runs", [])
    seed = int(np.random.SeedSequence([asked.seed, len(runs) + 1]).generate_state(1)[0])
    study.sampler = optuna.samplers.TPESampler(seed=seed, **SAMPLER)
    study.set_user_attr("sweep", identity)
    study.set_user_attr("runs", [*runs, {"sampler": "TPE", **SAMPLER, "seed": seed, "optuna": optuna.__version__}])
    return study, kept


def counted(study: optuna.Study) -> int:
    """How many trials ended; one that died and is tried again is none of them."""
    trials = study.get_trials(deepcopy=False)
    unneeded = sum(_UNNEEDED in trial.user_attrs for trial in trials)
    return sum(trial.state.is_finished() for trial in trials) - unneeded - len(_lost(trials))


def begin(study: optuna.Study, kept: optuna.storages.RDBStorage, asked: Sweep, target: int) -> bool:
    """Whether a trial is wanted beside those that ended and those that run; if so, `study.ask` gives the right one."""
    reap(study, kept)
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    if counted(study) + len(running) >= target:
        return False
    _lay_out(study, asked)
    return True


def reap(study: optuna.Study, kept: optuna.storages.RDBStorage) -> None:
    """End running trials whose process is gone, or has been silent for long."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        optuna.storages.fail_stale_trials(study)
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    heard, silent = storages.heard(kept), datetime.now() - timedelta(seconds=storages.GRACE)
    for trial in running:
        began, runner = trial.datetime_start or datetime.now(), trial.user_attrs.get(_PROCESS)
        gone = runner is not None and alive.gone(Process(**runner))
        if gone or (trial._trial_id not in heard and began < silent):
            study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)


def clear(study: optuna.Study) -> None:
    """End what waits: trials that an interrupted process had queued, and that nobody wants any more."""
    while study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that its life will give no signs
            trial = study.ask()
        trial.set_user_attr(_UNNEEDED, True)
        study.tell(trial, state=TrialState.FAIL)


def _lay_out(study: optuna.Study, asked: Sweep) -> None:
    """Queue the next trial where it is not to be drawn: one that died, or one of the plan."""
    trials = study.get_trials(deepcopy=False)
    if any(trial.state is TrialState.WAITING for trial in trials):
        return
    again = {number for trial in trials for number in trial.system_attrs.get(_HISTORY, ())}
    lost = next((trial for trial in _lost(trials) if trial.number not in again), None)
    if lost is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            optuna.storages.RetryHeartbeatStaleTrialCallback(RETRIES)(study, copy.deepcopy(lost))
        return
    following = max((trial.user_attrs.get(_PLANNED, -1) for trial in trials), default=-1) + 1
    plan = asked.planned()
    if following < len(plan) and (following or not trials):  # an older study laid its whole plan out at once
        study.enqueue_trial(plan[following], user_attrs={_PLANNED: following})


def sign(trial: optuna.Trial) -> None:
    """Write down who runs a trial."""
    trial.set_user_attr(_PROCESS, asdict(alive.this()))


def _lost(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """Trials whose process died, and that are tried again or will be."""
    return [
        trial
        for trial in trials
        if trial.state is TrialState.FAIL
        and not {"error", _UNNEEDED} & set(trial.user_attrs)
        and len(trial.system_attrs.get(_HISTORY, ())) < RETRIES
    ]


def _identity(asked: Sweep, panel: Panel) -> dict[str, Any]:
    """What makes two sweeps the same, as a storage gives it back."""
    identity = {
        "data": panel.source,
        "sha256": panel.fingerprint,
        "model": models.find(asked.model).name,
        **({"class": asked.model} if models.find(asked.model).word is None else {}),
        "horizon": asked.horizon,
        "input_sizes": asked.input_sizes,
        "fixed": asked.fixed,
        "metric": asked.metric,
        **({"alternatives": asked.alternatives} if asked.alternatives else {}),
    }
    plain: dict[str, Any] = json.loads(json.dumps(words(identity)))
    return plain
