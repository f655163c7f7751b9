"""Benchmarks as data: a suite is one TOML file, here or anywhere; `default.toml` is what a data set has without one.

A suite may say
    data        a data set's name or a file, beside the suite's or in the current folder; by default its own name
    roles       of its columns, as `Panel.of` takes them
    split       as `tsrnn.split.standard` takes it, or folds, as `tsrnn.split.folds` does; by default the data set's own
    measures    words of `tsrnn.metrics`; the first one orders the board; by default mse and mae
    leads       what lies ahead that is the board's columns, in place of horizons: steps, or words such as "5 m", "6 h"
    baselines   models that every preset has besides its own
    baseline    the model that the skill of all others is counted from
    calibrate   share of truths that the interval of every model is to hold, by its residuals on the validation part
    like        a suite whose words stand wherever this one says none, its roles one by one
and, for every preset or in one of its own, `horizons`, `seeds` and `models` (the parameters of each one's Forecaster).

What a sweep chose for a model lies in `recipes/SUITE/MODEL.toml`, as `tsrnn tune` writes it. It stands in for what the
`full` preset says of that model, and wherever a preset says "recipe". Where one look-back is asked of all models, what
was chosen at that look-back, in `recipes/SUITE/L=STEPS/MODEL.toml`, goes first. The preset `asis` needs no words: every
model as it comes, one seed, no recipe. In all others a model whose loss is not named learns by squared error.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from tsrnn import catalog, registry
from tsrnn.errors import InputError, unknown
from tsrnn.metrics import USUAL
from tsrnn.parameters import read_toml
from tsrnn.suites import said
from tsrnn.suites.leads import step_of, steps

TUNED = "full"  # the preset that takes the recipes
AS_IT_COMES = "asis"  # the one that every suite has: all models, and none is told anything
SILENT = {"loss": "mse"}  # what a model of any other preset is given where a suite or a file does not name it
_HERE = Path(__file__).parent
_USUAL = ("smoke", "quick", TUNED)  # all the same in a suite that has no presets


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
    file: Path  # that says it
    roles: Mapping[str, Any] = field(default_factory=dict)
    split: Mapping[str, Any] | None = None
    measures: tuple[str, ...] = USUAL
    leads: tuple[int, ...] = ()  # steps
    said_leads: tuple[int | str, ...] = ()  # the same as they were written
    baseline: str | None = None
    calibrate: float | None = None
    like: str | None = None
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def by(self) -> str:
        """The column of a row whose values are the board's columns."""
        return "lead" if self.leads else "horizon"

    @property
    def usual(self) -> bool:
        """Whether nobody wrote a suite of that name: it is `default.toml`'s."""
        return self.file == _of("default")

    @property
    def beside(self) -> bool:
        """Whether the board reads measures that are no columns of a row."""
        return bool(self.leads) or not set(self.measures) <= set(USUAL)


@dataclass(frozen=True)
class Source:
    """Where the benchmark is: a suite's name or file, or a data set's, and roles of columns that a user named."""

    place: str
    roles: tuple[tuple[str, Any], ...] = field(default=(), hash=False)  # values may be tables

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


def names() -> list[str]:
    """The suites that have a file here."""
    return sorted(path.stem for path in _HERE.glob("*.toml") if path != _of("default"))


@lru_cache
def find(word: str) -> Suite:
    """The suite of that name or in that file; of a data set without one, `default.toml` on it.

    Raises:
        InputError: the file is missing, is not TOML, or says what no suite does.
    """
    typed = Path(word).stem  # of a folder too, whose path may end in a slash
    if typed in ("", ".."):
        typed = os.path.basename(os.path.realpath(word)) or "root"
    name = os.fsencode(typed).decode(errors="replace")  # a file's name may be of any bytes, rows are UTF-8
    if Path(word).suffix == ".toml":
        return _read(Path(word), name, name)
    own = _of(name)
    return _read(own if own.is_file() else _of("default"), name, word)


def _read(path: Path, name: str, data: str) -> Suite:
    try:
        text = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} is not there; check the path") from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as TOML: {error}") from None
    try:
        return _filled(text, path, name, data)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _filled(text: Mapping[str, Any], path: Path, name: str, data: str) -> Suite:
    """The suite of a file's words, each preset with what all share."""
    said.check(text)
    text = _inherited(text)
    shared, baselines = {key: text[key] for key in said.PRESET if key in text}, text.get("baselines", {})
    data = _place(path, text["data"]) if "data" in text else data
    roles, measures = text.get("roles", {}), tuple(text.get("measures", USUAL))
    leads = steps(text.get("leads", ()), step_of(data, roles))
    presets = {key: value for key, value in text.items() if key not in said.WORDS}
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
    for key, preset in filled.items():
        if not preset["models"] or not preset.get("horizons"):
            raise InputError(f"preset {key!r} names no models or no horizons; add them")
        said.check_leads(leads, tuple(preset["horizons"]))
    said.check_calibrated(text.get("calibrate"), measures)
    return Suite(
        name,
        data,
        path,
        roles,
        text.get("split"),
        measures,
        leads,
        tuple(text.get("leads", ())),
        text.get("baseline"),
        text.get("calibrate"),
        text.get("like"),
        filled,
    )


def _inherited(text: Mapping[str, Any]) -> dict[str, Any]:
    """A file's words over those of the suite that it is like.

    Raises:
        InputError: there is no such suite, or it is like another one itself.
    """
    if "like" not in text:
        return dict(text)
    parent = _of(text["like"])
    if not parent.is_file():
        raise unknown("suite", text["like"], names())
    other = tomllib.loads(parent.read_text(encoding="utf-8"))
    if "like" in other:
        raise InputError(f"like names {text['like']!r}, which is like {other['like']!r} itself; name that one")
    roles = {**other.get("roles", {}), **text.get("roles", {})}
    return {"data": text["like"], **other, **text, "roles": roles}


def _place(path: Path, data: str) -> str:
    """Where a suite's data lie: of its name, beside the suite's file, or in the current folder; else as it says."""
    if data in catalog.names():
        return data
    return next((str(place) for place in (path.parent / data, Path(data)) if place.exists()), data)


def check_data(suite: Suite) -> None:
    """Refuse a suite whose data are nowhere.

    Raises:
        InputError: with the places where they were looked for.
    """
    if suite.data in catalog.names() or Path(suite.data).exists() or suite.file.parent == _HERE:
        return
    if not Path(suite.data).suffix:
        raise unknown(f"data set or file in {suite.file}", suite.data, catalog.names())
    beside, here = suite.file.parent.absolute() / suite.data, Path(suite.data).absolute()
    places = " and ".join(str(place) for place in dict.fromkeys((beside, here)))
    raise InputError(f"{suite.file}: data {suite.data!r} are not there, as {places}; check the path")


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


def _as_it_comes(suite: Suite) -> Preset:
    """Every model of the registry, with nothing said and one seed, at the horizons of the suite's longest preset."""
    horizons = max((tuple(each["horizons"]) for each in suite.presets.values()), key=len)
    return Preset(AS_IT_COMES, horizons, (0,), {each: {} for each in registry.names("models")})


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
    folder = _HERE / "recipes" / suite
    return folder if input_size is None else folder / f"L={input_size}"


def _of(name: str) -> Path:
    return _HERE / f"{name}.toml"
