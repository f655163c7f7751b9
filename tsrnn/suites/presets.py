"""What a preset of a suite runs: horizons, seeds, and the parameters of each model, its recipe in their place."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tsrnn import registry, tasks
from tsrnn.errors import InputError, unknown
from tsrnn.parameters import read_toml
from tsrnn.suites import said
from tsrnn.suites.file import HERE, USUAL_PRESETS, Suite, find, known

TUNED = "full"  # the preset that takes the recipes
AS_IT_COMES = "asis"  # the one that every suite has: all models, and none is told anything
SILENT = {"loss": "mse"}  # what a model of any other preset is given where a suite or a file does not name it


@dataclass(frozen=True)
class Preset:
    """Horizons, seeds, and for each model the parameters of its Forecaster."""

    name: str
    horizons: tuple[int, ...]
    seeds: tuple[int, ...]
    models: dict[str, dict[str, Any]]


def preset(suite: str | Suite, name: str, input_size: int | None = None, tuned: bool = True) -> Preset:
    """A preset of a suite.

    Args:
        suite: one, or what `find` takes.
        input_size: the look-back of all models; None: each one's own.
        tuned: False: as the suite's file says, whatever the recipes say.

    Raises:
        InputError: no preset has that name.
    """
    asked = find(suite) if isinstance(suite, str) else suite
    if name == AS_IT_COMES and name not in asked.presets:
        return _as_it_comes(asked)
    if name not in asked.presets:
        raise unknown("preset", name, [*asked.presets, AS_IT_COMES])
    found, of = asked.presets[name], asked.name
    models = {each: recipe(of, each) if given == said.RECIPE else given for each, given in found["models"].items()}
    if tuned and name == TUNED:
        models = {each: recipe(of, each, input_size) or given for each, given in models.items()}
    if input_size is not None:
        models = {each: {**given, "input_size": input_size} for each, given in models.items()}
    return Preset(name, tuple(found["horizons"]), tuple(found["seeds"]), models)


def under(suite: Suite, task: str, values: bool = False) -> Suite:
    """The suite for another task: every model that does it, as it comes; `values`: of values, where labels may be told.

    Raises:
        InputError: there is no such task.
    """
    if task == suite.task:
        return suite
    asked = tasks.find(task)
    if asked.forecasts or not suite.usual:
        raise InputError(f"suite {suite.name!r} is for the task {suite.task!r}; name a data set or a file for {task!r}")
    measures = asked.of_values if values and asked.of_values else asked.measures
    models: dict[str, Any] = {each: {} for each in _ranked(task, measures)}
    every: dict[str, Any] = {"horizons": [1], "seeds": [0], "models": models}
    smoke = {**every, "models": {each: dict(asked.trial) for each in every["models"]}}
    presets = {**dict.fromkeys(USUAL_PRESETS, every), "smoke": smoke}
    return replace(suite, task=task, measures=measures, presets=presets)


def _as_it_comes(suite: Suite) -> Preset:
    """Every model of the registry, with nothing said and one seed, at the horizons of the suite's longest preset."""
    horizons = max((tuple(each["horizons"]) for each in suite.presets.values()), key=len)
    return Preset(AS_IT_COMES, horizons, (0,), {each: {} for each in _ranked(suite.task, suite.measures)})


def _ranked(task: str, measures: Sequence[str]) -> list[str]:
    """The models that do a task and tell what is measured, labels or values, without references."""
    asked = tasks.find(task)
    unable = "values" if asked.of_values and measures[0] in asked.told else "labels"
    return [
        each
        for each in tasks.models_of(task)
        if registry.declared("models", each, "FAMILY") != "reference"
        and registry.declared("models", each, "TELLS") != unable
    ]


def recipe(suite: str, model: str, input_size: int | None = None) -> dict[str, Any]:
    """What a sweep chose for a model of a suite, for every horizon; empty where there was no sweep."""
    like = find(suite).like if known(suite) else None
    folders = [home(name, size) for name in (suite, like) if name for size in (input_size, None)]
    for folder in folders:
        path = folder / f"{model}.toml"
        if path.is_file():
            return {name: value for name, value in read_toml(path).items() if name not in ("model", "horizon")}
    return {}


def home(suite: str, input_size: int | None = None) -> Path:
    """The folder of a suite's recipes, or of those at one look-back."""
    folder = HERE / "recipes" / suite
    return folder if input_size is None else folder / f"L={input_size}"
