"""What a sweep found: its trials, the best, the trade-offs between error and seconds, and what mattered."""

import math
import warnings
from datetime import UTC, datetime
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from tsrnn import tasks, usual
from tsrnn.errors import InputError
from tsrnn.tune import study as studies
from tsrnn.tune.asked import Sweep
from tsrnn.version import VERSION

_KNOWN = 5  # ended trials from which importances say anything


def best(study: optuna.Study, asked: Sweep) -> dict[str, Any]:
    """The parameters of the best trial, as the task's estimator takes them, and how they were chosen, under `chosen`.

    Of two objectives the error decides; `chosen` names the trials of the front.

    Raises:
        InputError: no trial of the study succeeded, or none in the minutes asked.
    """
    done = _done(study)
    in_time = [trial for trial in done if trial.duration and trial.duration.total_seconds() <= 60 * asked.minutes]
    if not in_time:
        raise InputError(_without_best(study, asked, done))
    trial = min(in_time, key=lambda trial: trial.values)
    run = (study.user_attrs.get("runs") or [{}])[-1]
    chosen = {
        "by": f"validation {asked.metric}",
        "value": trial.values[0],
        "trial": trial.number,
        "trials": studies.counted(study),
        "study": study.study_name,
        "seed": trial.user_attrs.get(studies.SEED, asked.seed),
        **{name: run[name] for name in ("sampler", "pruner") if name in run},
        "ranges": asked.described(),
        **({"minutes": asked.minutes} if asked.minutes < math.inf else {}),
        **({"front": [each["trial"] for each in front(trials(study))]} if asked.seconds else {}),
        "seconds": round(sum(each.duration.total_seconds() for each in done if each.duration), 1),
        "version": VERSION,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return {**parameters(asked, trial.params), "chosen": chosen}


def _without_best(study: optuna.Study, asked: Sweep, done: list[FrozenTrial]) -> str:
    every = study.get_trials(deepcopy=False)
    if not every:
        return f"study {study.study_name!r} holds no trial, since the time was over before the first; give it more"
    last = every[-1].user_attrs.get("error", every[-1].state.name.lower())
    why = f" within {asked.minutes:g} minutes" if done else f"; the last one said: {last}"
    return f"no trial of study {study.study_name!r} succeeded{why}"


def parameters(asked: Sweep, drawn: dict[str, Any]) -> dict[str, Any]:
    """What a trial gave its estimator, but for the seed."""
    params = {
        "model": asked.model,
        **({"horizon": asked.horizon, "loss": usual.LOSS} if tasks.find(asked.task).forecasts else {}),
        **asked.fixed,
        **asked.resolved(drawn),
    }
    if asked.input_sizes:
        params.setdefault("input_size", asked.input_sizes[0])
    return params


def trials(study: optuna.Study) -> list[dict[str, Any]]:
    """Every trial of a study: number, state, value, seconds, params and, where it failed, the error.

    `fit` is the second objective, seconds of the fit, where the sweep has one.
    """
    return [
        {
            "trial": each.number,
            "state": each.state.name.lower(),
            "value": each.values[0] if each.state is TrialState.COMPLETE else None,
            **({"fit": _seconds(each)} if len(study.directions) > 1 else {}),
            "seconds": round(each.duration.total_seconds(), 1) if each.duration else None,
            "params": dict(each.params),
            "error": each.user_attrs.get("error"),
        }
        for each in study.get_trials(deepcopy=False)
    ]


def _seconds(trial: FrozenTrial) -> float | None:
    return float(trial.values[1]) if trial.state is TrialState.COMPLETE else None


def front(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of `trials` of two objectives those that no other beats in both, from the lowest error to the quickest fit."""
    done = [each for each in told if each["value"] is not None and each.get("fit") is not None]
    ordered = sorted(done, key=lambda each: (each["value"], each["fit"]))
    kept: list[dict[str, Any]] = []
    for each in ordered:
        if not kept or each["fit"] < kept[-1]["fit"]:
            kept.append(each)
    return kept


def importances(study: optuna.Study) -> dict[str, float]:
    """The share of the spread of errors that each option explains (PED-ANOVA, Watanabe et al. 2023); empty of few."""
    done = _done(study)
    if len(done) < _KNOWN or len({trial.values[0] for trial in done}) < 2:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.simplefilter("ignore", UserWarning)  # that low is good, where errors are named as the target
        target = (lambda trial: float(trial.values[0])) if len(study.directions) > 1 else None
        found = optuna.importance.get_param_importances(study, target=target)
    return {name: share for name, share in found.items() if math.isfinite(share)}


def _done(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
