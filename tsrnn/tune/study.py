"""A study that several processes work on: how many trials it holds, which of them died, which comes next.

A trial that ended is COMPLETE, PRUNED, or FAIL with the error that its own process wrote down. A FAIL without one lost
its process (killed, out of memory, Ctrl-C): it is tried again, twice at most, and counts as ended after that.
A trial is made in one step that says who runs it, so that one whose process dies at once is no riddle either.
All but `counted`, `lowest` and `too_many` are to be called in one's turn (`turns.turn`).
"""

import json
import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from tsrnn import alive, models
from tsrnn.alive import Process
from tsrnn.errors import InputError
from tsrnn.panel import Panel
from tsrnn.parameters import words
from tsrnn.tune import patience
from tsrnn.tune import storage as storages
from tsrnn.tune.asked import Sweep
from tsrnn.tune.methods import Methods, methods
from tsrnn.version import VERSION

RETRIES = 2  # of a trial whose process died

_HISTORY, _FIXED = "retry_history", "fixed_params"  # Optuna's words: trials that one stands for; what it shall take
_PLANNED, _PROCESS, _UNNEEDED = "planned", "process", "unneeded"  # place in the plan; who runs it; not to be counted
SEED = "seed"  # of a trial's fit, which that of a later run of the sweep may differ from


@dataclass(frozen=True)
class Kept:
    """A study, the storage in which it lies, and how this process draws trials."""

    study: optuna.Study
    storage: optuna.storages.RDBStorage
    methods: Methods


def study_of(asked: Sweep, panel: Panel, url: str, name: str) -> Kept:
    """The study of a sweep, made where there is none.

    Raises:
        InputError: the storage cannot be opened, or the study is of another sweep.
    """
    kept = storages.opened(url)
    identity = _identity(asked, panel)
    study = optuna.create_study(
        storage=kept, study_name=name, load_if_exists=True, directions=["minimize"] * len(asked.objectives)
    )
    known = study.user_attrs.get("sweep")
    if known is not None and known["sha256"] == identity["sha256"]:
        known = {**known, "data": identity["data"]}  # the same data by another path
    if known is not None and known != identity:
        other = next(key for key in {**identity, **known} if known.get(key) != identity.get(key))
        before = f"{other} {known[other]!r}" if other in known else f"no {other}"
        now = ("" if other in known else f"{other} ") + repr(identity[other]) if other in identity else f"no {other}"
        raise InputError(
            f"study {name!r} in {storages.masked(url, url)} is a sweep with {before}, not {now}; choose another --study"
        )
    runs = study.user_attrs.get("runs", [])
    chosen = methods(asked.sampler, asked.pruner, runs[-1] if runs else {})
    run = {**asdict(chosen), "seed": asked.seed, "optuna": optuna.__version__, "tsrnn": VERSION}
    study.set_user_attr("sweep", identity)
    study.set_user_attr("runs", [*runs, run])
    return Kept(_pruning(study, chosen), kept, chosen)


def found(url: str, name: str) -> Kept:
    """A study that is there, for a process that works on it: the storage may be away for a while."""
    kept = patience.patiently(lambda: storages.connected(url), lambda: None)
    study = optuna.load_study(study_name=name, storage=kept)
    chosen = methods(None, None, study.user_attrs["runs"][-1])
    return Kept(_pruning(study, chosen), kept, chosen)


def _pruning(study: optuna.Study, chosen: Methods) -> optuna.Study:
    study.pruner = chosen.prune()
    return study


def counted(study: optuna.Study) -> int:
    """How many trials ended; one that died and is tried again is none of them."""
    return _ended(study.get_trials(deepcopy=False))


def lowest(study: optuna.Study) -> float:
    """The lowest error of the trials that were completed; infinite where there is none."""
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return min((trial.values[0] for trial in done), default=math.inf)


def _ended(trials: Iterable[FrozenTrial]) -> int:
    every = list(trials)
    unneeded = sum(_UNNEEDED in trial.user_attrs for trial in every)
    return sum(trial.state.is_finished() for trial in every) - unneeded - len(_lost(every))


def _begun(trials: Iterable[FrozenTrial]) -> int:
    """How many ended or run, by one look: between two of them a trial may end, and be missed by both."""
    every = list(trials)
    return _ended(every) + sum(trial.state is TrialState.RUNNING for trial in every)


def too_many(study: optuna.Study, target: int) -> bool:
    """Whether more trials run than are wanted."""
    return _begun(study.get_trials(deepcopy=False)) > target


def begin(kept: Kept, asked: Sweep, target: int) -> Trial | None:
    """A new trial, where one is wanted beside those that ended and those that run; this process runs it."""
    study = kept.study
    reap(kept)
    trials = study.get_trials(deepcopy=False)
    if _begun(trials) >= target:
        return None
    waiting = [trial.number for trial in trials if trial.state is TrialState.WAITING]
    study.sampler = kept.methods.sample(asked.seed, min(waiting, default=len(trials)))
    signed = {_PROCESS: asdict(alive.this()), SEED: int(asked.seed)}
    if waiting:
        trial = _asked(study)
        for name, value in signed.items():
            trial.set_user_attr(name, value)
        return trial
    user, system = _next(trials, asked)
    template = create_trial(state=TrialState.RUNNING, user_attrs={**user, **signed}, system_attrs=system)
    study._thread_local.cached_all_trials = None  # as `ask` does: samplers shall see the trials as they are now
    return Trial(study, study._storage.create_new_trial(study._study_id, template))


def _asked(study: optuna.Study) -> Trial:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that its life will give no signs
        return study.ask()


def reap(kept: Kept) -> None:
    """End running trials whose process is gone, or has been silent for long."""
    study = kept.study
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        optuna.storages.fail_stale_trials(study)
    heard, silent = storages.heard(kept.storage), datetime.now() - timedelta(seconds=storages.GRACE)
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        began, runner = trial.datetime_start or datetime.now(), trial.user_attrs.get(_PROCESS)
        gone = runner is not None and alive.gone(Process(**runner))
        if gone or (trial._trial_id not in heard and began < silent):
            end(study, trial.number)


def end(study: optuna.Study, number: int) -> None:
    """A trial that nobody runs any more is a failed one, unless it ended just now."""
    try:
        study.tell(number, state=TrialState.FAIL, skip_if_finished=True)
    except UpdateFinishedTrialError:
        return


def withdraw(kept: Kept, trial: Trial) -> None:
    """A trial that is not wanted after all."""
    trial.set_user_attr(_UNNEEDED, True)
    end(kept.study, trial.number)


def forget(kept: Kept) -> None:
    """Take away a study that this run made and that holds no trial: its name is free for another sweep."""
    study = optuna.load_study(study_name=kept.study.study_name, storage=kept.storage)  # the runs as they are now
    if len(study.user_attrs["runs"]) == 1 and not study.get_trials(deepcopy=False):
        optuna.delete_study(study_name=study.study_name, storage=kept.storage)


def clear(kept: Kept) -> None:
    """End what waits: trials that an interrupted process had queued, and that nobody wants any more."""
    while kept.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        withdraw(kept, _asked(kept.study))


def _next(trials: Iterable[FrozenTrial], asked: Sweep) -> tuple[dict[str, Any], dict[str, Any]]:
    """User's and system's attributes of the next trial: one that died, one of the plan, or one to be drawn."""
    every = list(trials)
    again = {number for trial in every for number in trial.system_attrs.get(_HISTORY, ())}
    lost = next((trial for trial in _lost(every) if trial.number not in again), None)
    if lost is not None:
        history = [*lost.system_attrs.get(_HISTORY, ()), lost.number]
        user = {name: value for name, value in lost.user_attrs.items() if name == _PLANNED}
        fixed = {**lost.system_attrs.get(_FIXED, {}), **lost.params}
        return user, {_HISTORY: history, _FIXED: fixed}
    following = max((trial.user_attrs.get(_PLANNED, -1) for trial in every), default=-1) + 1
    plan = asked.planned()
    if following < len(plan) and (following or not every):  # an older study laid its whole plan out at once
        return {_PLANNED: following}, {_FIXED: plan[following]}
    return {}, {}


def _lost(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """Trials whose process died, and that are tried again or will be."""
    return [
        trial
        for trial in trials
        if trial.state is TrialState.FAIL
        and not {"error", _UNNEEDED} & set(trial.user_attrs)
        and len(trial.system_attrs.get(_HISTORY, ())) < RETRIES
    ]


def _identity(asked: Sweep, panel: Panel) -> Mapping[str, Any]:
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
        **({"objectives": asked.objectives} if len(asked.objectives) > 1 else {}),
    }
    plain: dict[str, Any] = json.loads(json.dumps(words(identity)))
    return plain
