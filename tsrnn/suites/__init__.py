"""Benchmark tasks as data: one TOML file per data set, `default.toml` for the others.

What a sweep chose for a model on a data set lies in `recipes/DATASET/MODEL.toml`, as `tsrnn tune` writes it. It stands
in for what the `full` preset says of that model, and wherever a preset says "recipe". Where one look-back is asked of
all models, what was chosen at that look-back, in `recipes/DATASET/L=STEPS/MODEL.toml`, goes first.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsrnn.errors import unknown
from tsrnn.parameters import read_toml

TUNED = "full"  # the preset that takes the recipes


@dataclass(frozen=True)
class Preset:
    """Horizons, seeds, and for each model the parameters of its Forecaster."""

    name: str
    horizons: tuple[int, ...]
    seeds: tuple[int, ...]
    models: dict[str, dict[str, Any]]


def preset(dataset: str, name: str, input_size: int | None = None, tuned: bool = True) -> Preset:
    """A preset of the data set's suite.

    Args:
        input_size: the look-back of all models; None: each one's own.
        tuned: False: as the suite's file says, whatever the recipes say.

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
        models = {each: recipe(dataset, each, input_size) or given for each, given in models.items()}
    if input_size is not None:
        models = {each: {**given, "input_size": input_size} for each, given in models.items()}
    return Preset(name, tuple(found["horizons"]), tuple(found["seeds"]), models)


def recipe(dataset: str, model: str, input_size: int | None = None) -> dict[str, Any]:
    """What a sweep chose for a model on a data set, for every horizon; empty where there was no sweep."""
    for folder in [home(dataset, input_size), home(dataset)]:
        path = folder / f"{model}.toml"
        if path.is_file():
            return {name: value for name, value in read_toml(path).items() if name not in ("model", "horizon")}
    return {}


def home(dataset: str, input_size: int | None = None) -> Path:
    """The folder of a data set's recipes, or of those at one look-back."""
    folder = Path(__file__).parent / "recipes" / dataset
    return folder if input_size is None else folder / f"L={input_size}"
