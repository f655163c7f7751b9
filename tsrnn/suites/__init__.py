"""Benchmarks as data: a suite is one TOML file, here or anywhere; `default.toml` is what a data set has without one.

A suite may say
    data        a data set's name or a file; by default the suite's own name
    roles       of its columns, as `Panel.of` takes them
    split       as `tsrnn.split.standard` takes it, or folds, as `tsrnn.split.folds` does; by default the data set's own
    measures    words of `tsrnn.metrics`; the first one orders the board; by default mse and mae
    leads       steps ahead that are the board's columns, in place of horizons
    baselines   models that every preset has besides its own
and, for every preset or in one of its own, `horizons`, `seeds` and `models` (the parameters of each one's Forecaster).

What a sweep chose for a model lies in `recipes/SUITE/MODEL.toml`, as `tsrnn tune` writes it. It stands in for what the
`full` preset says of that model, and wherever a preset says "recipe". Where one look-back is asked of all models, what
was chosen at that look-back, in `recipes/SUITE/L=STEPS/MODEL.toml`, goes first.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from tsrnn.errors import InputError, unknown
from tsrnn.metrics import USUAL, named
from tsrnn.parameters import read_toml

TUNED = "full"  # the preset that takes the recipes
_HERE = Path(__file__).parent
_USUAL = ("smoke", "quick", TUNED)  # all the same in a suite that has no presets
_PRESET = ("horizons", "seeds", "models")
_SUITE = ("data", "roles", "split", "measures", "leads", "baselines", *_PRESET)


@dataclass(frozen=True)
class Preset:
    """Horizons, seeds, and for each model the parameters of its Forecaster."""

    name: str
    horizons: tuple[int, ...]
    seeds: tuple[int, ...]
    models: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Suite:
    """What a suite's file says; see the module."""

    name: str
    data: str
    roles: Mapping[str, Any] = field(default_factory=dict)
    split: Mapping[str, Any] | None = None
    measures: tuple[str, ...] = USUAL
    leads: tuple[int, ...] = ()
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def by(self) -> str:
        """The column of a row whose values are the board's columns."""
        return "lead" if self.leads else "horizon"

    @property
    def beside(self) -> bool:
        """Whether the board reads measures that are no columns of a row."""
        return bool(self.leads) or not set(self.measures) <= set(USUAL)


@dataclass(frozen=True)
class Source:
    """Where the benchmark is: a suite's name or file, or a data set's, and roles of columns that a user named."""

    place: str
    roles: tuple[tuple[str, Any], ...] = ()

    @property
    def suite(self) -> Suite:
        return find(self.place)

    @property
    def columns(self) -> dict[str, Any]:
        """The roles of columns: the suite's, and the user's over them."""
        return {**self.suite.roles, **dict(self.roles)}

    @property
    def name(self) -> str:
        """The suite's name; without one, the data set's; of a file, its own without the ending."""
        return self.suite.name


def known(word: str) -> bool:
    """Whether the word is a suite's name, or a suite's file that is there."""
    return _of(word).is_file() if Path(word).suffix != ".toml" else Path(word).is_file()


@lru_cache
def find(word: str) -> Suite:
    """The suite of that name or in that file; of a data set without one, `default.toml` on it.

    Raises:
        InputError: the file is missing, is not TOML, or says what no suite does.
    """
    name = Path(word).stem if Path(word).suffix else word
    if Path(word).suffix == ".toml":
        return _read(Path(word), name, name)
    own = _of(name)
    return _read(own if own.is_file() else _of("default"), name, word)


def _read(path: Path, name: str, data: str) -> Suite:
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} is not there; check the path") from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as TOML: {error}") from None
    presets = {key: value for key, value in said.items() if key not in _SUITE}
    for key, value in presets.items():
        if not isinstance(value, dict) or not {*value} <= {*_PRESET}:
            raise InputError(
                f"{path}: {key!r} is neither a word of a suite ({', '.join(_SUITE)}) nor a preset with "
                f"{', '.join(_PRESET)} alone"
            )
    shared, baselines = {key: said[key] for key in _PRESET if key in said}, said.get("baselines", {})
    leads, measures = tuple(said.get("leads", ())), tuple(said.get("measures", USUAL))
    for word in measures:
        named(word)
    filled = {
        key: {
            "seeds": [0],
            **({"horizons": [max(leads)]} if leads else {}),
            **shared,
            **own,
            "models": {**baselines, **shared.get("models", {}), **own.get("models", {})},
        }
        for key, own in (presets or {each: {} for each in _USUAL}).items()
    }
    if lacking := [key for key, preset in filled.items() if not preset["models"] or not preset.get("horizons")]:
        raise InputError(f"{path}: preset {lacking[0]!r} names no models or no horizons; add them")
    return Suite(name, said.get("data", data), said.get("roles", {}), said.get("split"), measures, leads, filled)


def preset(suite: str, name: str, input_size: int | None = None, tuned: bool = True) -> Preset:
    """A preset of a suite.

    Args:
        suite: what `find` takes.
        input_size: the look-back of all models; None: each one's own.
        tuned: False: as the suite's file says, whatever the recipes say.

    Raises:
        InputError: no preset has that name.
    """
    asked = find(suite)
    if name not in asked.presets:
        raise unknown("preset", name, asked.presets)
    found, of = asked.presets[name], asked.name
    models = {each: recipe(of, each) if given == "recipe" else given for each, given in found["models"].items()}
    if tuned and name == TUNED:
        models = {each: recipe(of, each, input_size) or given for each, given in models.items()}
    if input_size is not None:
        models = {each: {**given, "input_size": input_size} for each, given in models.items()}
    return Preset(name, tuple(found["horizons"]), tuple(found["seeds"]), models)


def recipe(suite: str, model: str, input_size: int | None = None) -> dict[str, Any]:
    """What a sweep chose for a model of a suite, for every horizon; empty where there was no sweep."""
    for folder in [home(suite, input_size), home(suite)]:
        path = folder / f"{model}.toml"
        if path.is_file():
            return {name: value for name, value in read_toml(path).items() if name not in ("model", "horizon")}
    return {}


def home(suite: str, input_size: int | None = None) -> Path:
    """The folder of a suite's recipes, or of those at one look-back."""
    folder = _HERE / "recipes" / suite
    return folder if input_size is None else folder / f"L={input_size}"


def _of(name: str) -> Path:
    return _HERE / f"{name}.toml"
