"""Benchmark tasks as data: one TOML file per data set, `default.toml` for the others.

What a sweep chose for a model on a data set lies in `recipes/DATASET/MODEL.toml`, as `tsrnn tune` writes it. It stands
in for what the `full` preset says of that model, and wherever a preset says "recipe".
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsrnn.errors import unknown
from tsrnn.recipe import read_toml

TUNED = "full"  # the preset that takes the recipes


@dataclass(frozen=True)
class Preset:
    """Horizons, seeds, and for each model the parameters of its Forecaster."""

    name: str
    horizons: tuple[int, ...]
    seeds: tuple[int, ...]
    models: dict[str, dict[str, Any]]


def preset(dataset: str, name: str, tuned: bool = True) -> Preset:
    """A preset of the data set's suite; not `tuned`: as its file says, whatever the recipes say.

    Raises:
        InputError: no preset has that name.
    """
    own = Path(__file__).with_name(f"{dataset}.toml")
    path = own if own.is_file() else Path(__file__).with_name("default.toml")
    presets = tomllib.loads(path.read_text(encoding="utf-8"))
    if name not in presets:
        raise unknown("preset", name, presets)
    found = presets[name]
    models = {each: recipe(dataset, each) if given == "recipe" else given for each, given in found["models"].items()}
    if tuned and name == TUNED:
        models = {each: recipe(dataset, each) or given for each, given in models.items()}
    return Preset(name, tuple(found["horizons"]), tuple(found["seeds"]), models)


def recipe(dataset: str, model: str) -> dict[str, Any]:
    """What a sweep chose for a model on a data set, for every horizon; empty where there was no sweep."""
    path = home(dataset) / f"{model}.toml"
    if not path.is_file():
        return {}
    return {name: value for name, value in read_toml(path).items() if name not in ("model", "horizon")}


def home(dataset: str) -> Path:
    """The folder of a data set's recipes."""
    return Path(__file__).parent / "recipes" / dataset
