"""Benchmark tasks as data: one TOML file per data set, `default.toml` for the others."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsrnn.errors import unknown


@dataclass(frozen=True)
class Preset:
    """Horizons, seeds, and for each model the parameters of its Forecaster."""

    name: str
    horizons: tuple[int, ...]
    seeds: tuple[int, ...]
    models: dict[str, dict[str, Any]]


def preset(dataset: str, name: str) -> Preset:
    """A preset of the data set's suite.

    Raises:
        InputError: no preset has that name.
    """
    own = Path(__file__).with_name(f"{dataset}.toml")
    path = own if own.is_file() else Path(__file__).with_name("default.toml")
    presets = tomllib.loads(path.read_text(encoding="utf-8"))
    if name not in presets:
        raise unknown("preset", name, presets)
    found = presets[name]
    return Preset(name, tuple(found["horizons"]), tuple(found["seeds"]), found["models"])
