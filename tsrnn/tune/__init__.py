"""Sweeps: a model's declared ranges, tried out and scored on validation. The only room that imports Optuna.

The test part is never read here. A sweep lives in a storage (a SQLite file by default, any Optuna URL otherwise), goes
on where it stopped, and survives trials that fail.
"""

import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import optuna
from optuna.trial import TrialState

from tsrnn import models
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster
from tsrnn.metrics import USUAL, named
from tsrnn.panel import Panel
from tsrnn.parameters import FitConfig, words
from tsrnn.version import VERSION

# Written out, and stored with the study, because Optuna's defaults change between versions.
SAMPLER: dict[str, Any] = {"multivariate": True, "constant_liar": True, "n_startup_trials": 10}
PRUNER = {"n_startup_trials": 5, "n_warmup_steps": 2}
HEARTBEAT = 30  # seconds between signs of life of a running trial
GRACE = 300  # seconds of silence after which a trial's process is taken for dead and its trial is queued again

_ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


@dataclass(frozen=True)
class Sweep:
    """What to sweep. `fixed` options are given to every trial; several input sizes are tried like any other choice.

    The first trial is the model as it comes, with the values of `start` where they lie in its ranges. Values that are
    no plain numbers or words stand in `alternatives`, each under a label of its own; every label is tried once, the
    rest as in the first trial, before anything is drawn.
    """

    model: str | type
    horizon: int
    input_sizes: tuple[int, ...]
    fixed: dict[str, Any]
    metric: str = USUAL[0]  # on validation; a word of `tsrnn.metrics`
    seed: int = 0
    split: Any = "standard"
    start: dict[str, Any] = field(default_factory=dict)
    alternatives: dict[str, dict[str, Any]] = field(default_factory=dict)  # option -> {label: value}
    minutes: float = math.inf  # a trial that takes longer is stopped; never the best

    def __post_init__(self) -> None:
        if not self.minutes > 0:
            raise InputError(f"minutes of a trial must be above 0, not {self.minutes}")
        named(self.metric)
        own = next((name for name in ("model", "input_size", "horizon") if name in self.fixed), None)
        if own:
            raise InputError(f"{own} is the sweep's own and no option to fix; leave it out of the fixed ones")
        Forecaster(self.model, input_size=min(self.input_sizes), horizon=self.horizon, **self.fixed).configs()

    def resolved(self, params: dict[str, Any]) -> dict[str, Any]:
        """A trial's parameters with the values that its labels stand for."""
        return {**params, **{name: values[params[name]] for name, values in self.alternatives.items()}}


def ranges(model: str | type) -> dict[str, dict[str, Any]]:
    """What a sweep of `model` may try: option -> {"choices"} or {"low", "high", "log"}, with "default" and "whole"."""
    found = {}
    for each in (*fields(models.find(model).config), *fields(FitConfig)):
        if each.metadata:
            found[each.name] = {**each.metadata, "default": each.default, "whole": isinstance(each.default, int)}
    return found


def sweep(
    panel: Panel,
    asked: Sweep,
    trials: int,
    storage: str,
    name: str,
    on_trial: Callable[[optuna.trial.FrozenTrial, int], None] | None = None,
) -> optuna.Study:
    """Run trials until the study holds `trials` ended ones.

    Args:
        storage: an Optuna URL, such as sqlite:///sweep.sqlite3.
        name: of the study; the same name goes on with the same study.
        on_trial: called after each trial with it and the number of ended ones.

    Raises:
        InputError: the storage cannot be opened, the study is of another sweep, or no trial succeeded.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = _study(asked, panel, storage, name)
    left = trials - _ended(study)
    if left > 0:
        study.optimize(
            lambda trial: _objective(trial, panel, asked),
            n_trials=left,
            catch=(InputError, ArithmeticError, RuntimeError),
            callbacks=[lambda study, trial: on_trial(trial, _ended(study)) if on_trial else None],
        )
    return study


def best(study: optuna.Study, asked: Sweep) -> dict[str, Any]:
    """The parameters of the best trial, as `Forecaster` takes them, and how they were chosen, under `chosen`.

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
    params = {"model": asked.model, "horizon": asked.horizon, **asked.fixed, **asked.resolved(trial.params)}
    params.setdefault("input_size", asked.input_sizes[0])
    chosen = {
        "by": f"validation {asked.metric}",
        "value": trial.value,
        "trial": trial.number,
        "trials": _ended(study),
        "study": study.study_name,
        "seed": asked.seed,
        "ranges": _described(asked),
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


def sqlite(path: Path) -> str:
    """The URL of a SQLite file, whose folder is made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {path.parent}: {error.strerror}; choose another --out") from None
    return f"sqlite:///{path}"


def _objective(trial: optuna.Trial, panel: Panel, asked: Sweep) -> float:
    """One fit; the score is the validation error of its best weights."""
    labels = {name: trial.suggest_categorical(name, list(values)) for name, values in asked.alternatives.items()}
    options = {**suggest(trial, asked.model, asked.fixed), **asked.fixed, **asked.resolved(labels)}
    size = trial.suggest_categorical("input_size", asked.input_sizes) if len(asked.input_sizes) > 1 else None
    options = {"random_state": asked.seed, **options}
    if asked.minutes < math.inf:
        options["max_minutes"] = min(asked.minutes, options.get("max_minutes") or math.inf)
    forecaster = Forecaster(asked.model, input_size=size or asked.input_sizes[0], horizon=asked.horizon, **options)
    until = time.monotonic() + 60 * asked.minutes

    def report(epoch: int, loss: float) -> bool:
        trial.report(loss, epoch)
        return trial.should_prune()

    try:
        forecaster.fit(panel, split=asked.split, on_epoch=report)
        if time.monotonic() > until:
            trial.set_user_attr("error", f"stopped: it took longer than {asked.minutes:g} minutes")
            raise optuna.TrialPruned
        score = forecaster.score(split=asked.split, part="val", measures=(asked.metric,)).values[asked.metric]
    except (InputError, ArithmeticError, RuntimeError) as error:
        trial.set_user_attr("error", str(error))
        raise
    trial.set_user_attr("epochs", forecaster.report_.epochs)
    if not math.isfinite(score):
        trial.set_user_attr("error", "the validation error is not a number")
        raise optuna.TrialPruned
    if trial.should_prune() and forecaster.report_.epochs < forecaster.options.get("max_epochs", FitConfig.max_epochs):
        raise optuna.TrialPruned
    return float(score)


def suggest(trial: optuna.Trial, model: str | type, fixed: Sequence[str] | dict[str, Any] = ()) -> dict[str, Any]:
    """A value for every range of the model and its training that is not fixed."""
    options: dict[str, Any] = {}
    for name, found in ranges(model).items():
        if name in fixed:
            continue
        if "choices" in found:
            options[name] = trial.suggest_categorical(name, list(dict.fromkeys(found["choices"])))
        elif found["whole"]:
            options[name] = trial.suggest_int(name, found["low"], found["high"], log=found["log"])
        else:
            options[name] = trial.suggest_float(name, found["low"], found["high"], log=found["log"])
    return options


def _described(asked: Sweep) -> dict[str, Any]:
    """The ranges of a sweep, as short as TOML can say them: a list of choices, or "low..high"."""
    said: dict[str, Any] = {name: list(values) for name, values in asked.alternatives.items()}
    if len(asked.input_sizes) > 1:
        said["input_size"] = list(asked.input_sizes)
    for name, found in ranges(asked.model).items():
        if name not in asked.fixed:
            said[name] = (
                list(dict.fromkeys(found["choices"])) if "choices" in found else f"{found['low']}..{found['high']}"
            )
    return said


def _first(asked: Sweep) -> dict[str, Any]:
    """The parameters of the first trial."""
    first: dict[str, Any] = {name: next(iter(values)) for name, values in asked.alternatives.items()}
    if len(asked.input_sizes) > 1:
        size = asked.start.get("input_size")
        first["input_size"] = size if size in asked.input_sizes else asked.input_sizes[0]
    for name, found in ranges(asked.model).items():
        if name not in asked.fixed:
            value = asked.start.get(name, found["default"])
            inside = value in found["choices"] if "choices" in found else found["low"] <= value <= found["high"]
            first[name] = value if inside else found["default"]
    return first


def _study(asked: Sweep, panel: Panel, storage: str, name: str) -> optuna.Study:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # heartbeats are called so since 2.x
            kept = optuna.storages.RDBStorage(
                storage,
                heartbeat_interval=HEARTBEAT,
                grace_period=GRACE,
                heartbeat_stale_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(max_retry=2),
            )
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"cannot open the storage {storage}: {reason}; give an Optuna URL such as sqlite:///sweep.sqlite3 in a "
            "folder you may write"
        ) from None
    study = optuna.create_study(
        storage=kept, study_name=name, load_if_exists=True, pruner=optuna.pruners.MedianPruner(**PRUNER)
    )
    identity = {
        "data": panel.source,
        "sha256": panel.fingerprint,
        "model": models.find(asked.model).name,
        "horizon": asked.horizon,
        "input_sizes": list(asked.input_sizes),
        "fixed": words(asked.fixed),
        "metric": asked.metric,
        **({"alternatives": asked.alternatives} if asked.alternatives else {}),
    }
    known = study.user_attrs.get("sweep")
    if known is not None and known != identity:
        other = next(key for key in identity if known.get(key) != identity[key])
        raise InputError(
            f"study {name!r} in {storage} is a sweep with {other} {known.get(other)!r}, not {identity[other]!r}; "
            "choose another --study"
        )
    # A resumed sampler with the same seed would propose its first trials again, so each run draws a seed of its own.
    runs = study.user_attrs.get("runs", [])
    if not runs:
        first = _first(asked)
        study.enqueue_trial(first)
        for name, values in asked.alternatives.items():
            for label in list(values)[1:]:
                study.enqueue_trial({**first, name: label})
    seed = int(np.random.SeedSequence([asked.seed, len(study.get_trials(deepcopy=False))]).generate_state(1)[0])
    study.sampler = optuna.samplers.TPESampler(seed=seed, **SAMPLER)
    study.set_user_attr("sweep", identity)
    study.set_user_attr("runs", [*runs, {"sampler": "TPE", **SAMPLER, "seed": seed, "optuna": optuna.__version__}])
    return study


def _ended(study: optuna.Study) -> int:
    return len(study.get_trials(deepcopy=False, states=_ENDED))
