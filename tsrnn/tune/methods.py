"""Samplers and pruners by name, with every argument said: Optuna's defaults change between versions.

A sampler is made anew for each trial, from the sweep's seed and the trial's number. So what it draws follows from
those and from the trials before, and a sweep that was stopped goes on as if it had not been.
"""

import math
import numbers
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna

from tsrnn import usual
from tsrnn.errors import InputError, unknown

Method = str | Mapping[str, Any] | None

_SAMPLERS: dict[str, tuple[type[optuna.samplers.BaseSampler], dict[str, Any]]] = {
    "tpe": (
        optuna.samplers.TPESampler,
        {"multivariate": True, "constant_liar": True, "n_startup_trials": 10, "n_ei_candidates": 24, "group": False},
    ),
    "random": (optuna.samplers.RandomSampler, {}),
    "gp": (optuna.samplers.GPSampler, {"n_startup_trials": 10, "deterministic_objective": False}),
    "qmc": (optuna.samplers.QMCSampler, {"qmc_type": "sobol", "scramble": True}),
    "nsgaii": (optuna.samplers.NSGAIISampler, {"population_size": 20, "crossover_prob": 0.9, "swapping_prob": 0.5}),
}
_PRUNERS: dict[str, tuple[type[optuna.pruners.BasePruner], dict[str, Any]]] = {
    "median": (optuna.pruners.MedianPruner, {"n_startup_trials": 5, "n_warmup_steps": 2}),
    "percentile": (
        optuna.pruners.PercentilePruner,
        {"percentile": 25.0, "n_startup_trials": 5, "n_warmup_steps": 2},
    ),
    "halving": (optuna.pruners.SuccessiveHalvingPruner, {"min_resource": 1, "reduction_factor": 3}),
    "hyperband": (
        optuna.pruners.HyperbandPruner,
        {"min_resource": 1, "max_resource": usual.EPOCHS, "reduction_factor": 3},
    ),
    "none": (optuna.pruners.NopPruner, {}),
}
_LEAST = {"n_ei_candidates": 1, "max_resource": 1, "min_resource": 1, "reduction_factor": 2}  # others may be 0
_AUTOMATIC = ("min_resource", "max_resource")  # Optuna finds them itself, if told "auto"
_SEQUENCE = "qmc"  # one sequence for the whole study: its seed must not change


@dataclass(frozen=True)
class Methods:
    """How a run chooses what to try, and whom it stops early: as the study stores it."""

    sampler: dict[str, Any]
    pruner: dict[str, Any]

    def sample(self, seed: int, number: int) -> optuna.samplers.BaseSampler:
        """The sampler of a trial."""
        name, arguments = _parts(self.sampler)
        key = () if name == _SEQUENCE else (number,)
        drawn = int(np.random.SeedSequence(seed, spawn_key=key).generate_state(1)[0])
        quiet = {"warn_independent_sampling": False} if name in ("gp", "qmc") else {}
        quiet |= {"warn_asynchronous_seeding": False} if name == "qmc" else {}
        kind: Any = _SAMPLERS[name][0]  # each class has arguments of its own
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            made: optuna.samplers.BaseSampler = kind(**arguments, **quiet, seed=drawn)
        return made

    def prune(self) -> optuna.pruners.BasePruner:
        name, arguments = _parts(self.pruner)
        return _PRUNERS[name][0](**arguments)


def methods(sampler: Method, pruner: Method, before: Mapping[str, Any]) -> Methods:
    """What was asked, else what the study had before, else TPE and the median.

    Args:
        sampler, pruner: a name, alone or with arguments ("tpe:n_startup_trials=20"), or a mapping with its "name".
        before: of an earlier run, as it was stored.

    Raises:
        InputError: no such name or argument, or a value that it does not take.
    """
    chosen = Methods(
        _chosen("sampler", sampler or _stored(before, "sampler", "tpe"), _SAMPLERS),
        _chosen("pruner", pruner or _stored(before, "pruner", "median"), _PRUNERS),
    )
    for kind, said, make in (
        ("sampler", chosen.sampler, lambda: chosen.sample(0, 0)),
        ("pruner", chosen.pruner, chosen.prune),
    ):
        try:
            make()
        except (TypeError, ValueError) as error:
            arguments = ", ".join(f"{name}={value}" for name, value in _parts(said)[1].items())
            raise InputError(f"{kind} {said['name']!r} does not take {arguments}: {error}") from None
    return chosen


def _stored(before: Mapping[str, Any], kind: str, default: str) -> Method:
    kept = before.get(kind)
    return kept if isinstance(kept, Mapping) else default


def _chosen(kind: str, asked: Method, known: Mapping[str, tuple[type, dict[str, Any]]]) -> dict[str, Any]:
    if not isinstance(asked, str | Mapping | None):
        raise InputError(f"{kind} takes a name, alone or with arguments, or a mapping with its name, not {asked!r}")
    said = _read(kind, asked) if isinstance(asked, str) else dict(asked or {})
    name = str(said.pop("name", ""))
    if name not in known:
        raise unknown(kind, name, known)
    defaults = known[name][1]
    for argument in said:
        if argument not in defaults:
            raise unknown(f"argument of {kind} {name!r}", argument, defaults)
        kept = _wanted(argument, said[argument], defaults[argument])
        if kept is not None:
            raise InputError(
                f"{kind} {name!r} does not take {argument}={said[argument]}; {argument} is {kept}, such as "
                f"{defaults[argument]}"
            )
    return {"name": name, **defaults, **said}


def _wanted(argument: str, value: Any, default: Any) -> str | None:
    """What kind of value an argument takes; None where `value` is one. Optuna looks at some of them when it draws."""
    if isinstance(default, str) or (value == "auto" and argument in _AUTOMATIC):
        return None if isinstance(value, str) else "a word"
    if isinstance(default, bool):
        return None if isinstance(value, bool) else "true or false"
    number = isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
    if isinstance(default, float):
        return None if number else "a number"
    least = _LEAST.get(argument, 0)
    whole = number and isinstance(value, numbers.Integral) and int(value) >= least
    return None if whole else f"a whole number, at least {least}"


def _read(kind: str, text: str) -> dict[str, Any]:
    """A name, or name:argument=value,argument=value."""
    name, _, rest = text.partition(":")
    said: dict[str, Any] = {"name": name.strip()}
    for pair in filter(None, rest.split(",")):
        argument, equals, value = (part.strip() for part in pair.partition("="))
        if not equals:
            raise InputError(f"{kind} {name!r} takes arguments as name=value, not {pair!r}")
        said[argument] = _value(value)
    return said


def _value(text: str) -> Any:
    words = {"true": True, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _parts(said: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    return said["name"], {name: value for name, value in said.items() if name != "name"}
