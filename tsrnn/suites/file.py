"""A suite's file, read: its words become a `Suite`, each preset with what all share."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from tsrnn import catalog, tasks
from tsrnn.errors import InputError, unknown
from tsrnn.metrics import USUAL
from tsrnn.suites import said
from tsrnn.suites.leads import step_of, steps
from tsrnn.tasks import AHEAD

HERE = Path(__file__).parent
USUAL_PRESETS = ("smoke", "quick", "full")  # all the same in a suite that has no presets


@dataclass(frozen=True)
class Suite:
    """What a suite's file says; see the module."""

    name: str
    data: str
    file: Path  # that says it
    roles: Mapping[str, Any] = field(default_factory=dict)
    split: Mapping[str, Any] | None = None
    task: str = AHEAD.name
    measures: tuple[str, ...] = USUAL
    leads: tuple[int, ...] = ()  # steps
    said_leads: tuple[int | str, ...] = ()  # the same as they were written
    baseline: str | None = None
    calibrate: float | None = None
    like: str | None = None
    complete: tuple[str, ...] = ()  # columns beside which alone a target counts
    gaps: int | None = None  # rows of the holes that are cut into the target
    online: bool = False
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


def known(word: str) -> bool:
    """Whether the word is a suite's name, or a suite's file that is there."""
    return _of(word).is_file() if Path(word).suffix != ".toml" else Path(word).is_file()


def names() -> list[str]:
    """The suites that have a file here."""
    return sorted(path.stem for path in HERE.glob("*.toml") if path != _of("default"))


def find(word: str) -> Suite:
    """The suite of that name or in that file; of a data set without one, `default.toml` on it.

    Raises:
        InputError: the file is missing, is not TOML, or says what no suite does.
    """
    path = Path(word)
    written = path.stat().st_mtime_ns if path.suffix == ".toml" and path.is_file() else 0
    return _found(word, os.getcwd(), written)


@lru_cache
def _found(word: str, _folder: str, _written: int) -> Suite:
    """`find`, once as long as the folder that one stands in and the file are what they were."""
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
    said.check_task(text)
    shared, baselines = {key: text[key] for key in said.PRESET if key in text}, text.get("baselines", {})
    data = _place(path, text["data"]) if "data" in text else data
    roles = {**text.get("roles", {}), **_loading(path, text.get("load", {}))}
    task = tasks.find(text.get("task", AHEAD.name))
    measures = tuple(text.get("measures", task.measures))
    leads = steps(text.get("leads", ()), step_of(data, roles))
    presets = {key: value for key, value in text.items() if key not in said.WORDS}
    filled = {
        key: {
            "seeds": [0],
            **({} if task.forecasts else {"horizons": [1]}),
            **({"horizons": [max(leads)]} if leads else {}),
            **shared,
            **own,
            "models": {**baselines, **shared.get("models", {}), **own.get("models", {})},
        }
        for key, own in (presets or {each: {} for each in USUAL_PRESETS}).items()
    }
    for key, preset in filled.items():
        if not preset["models"] or not preset.get("horizons"):
            raise InputError(f"preset {key!r} names no models or no horizons; add them")
        said.check_leads(leads, tuple(preset["horizons"]))
    said.check_baseline(text.get("baseline"), {model for preset in filled.values() for model in preset["models"]})
    said.check_calibrated(text.get("calibrate"), measures)
    return Suite(
        name,
        data,
        path,
        roles,
        text.get("split"),
        task.name,
        measures,
        leads,
        tuple(text.get("leads", ())),
        text.get("baseline"),
        text.get("calibrate"),
        text.get("like"),
        tuple(text.get("complete", ())),
        steps((text["gaps"],), step_of(data, roles), "gaps")[0] if "gaps" in text else None,
        text.get("online", False),
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


def _loading(path: Path, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What `load` is asked to do with the columns; a file of families lies beside the suite's, if not where it says."""
    file = asked.get("families")
    beside = path.parent / file if isinstance(file, str) else None
    return {**asked, **({"families": str(beside)} if beside and beside.is_file() else {})}


def check_data(suite: Suite) -> None:
    """Refuse a suite whose data are nowhere.

    Raises:
        InputError: with the places where they were looked for.
    """
    if suite.data in catalog.names() or Path(suite.data).exists() or suite.file.parent == HERE:
        return
    if not Path(suite.data).suffix:
        raise unknown(f"data set or file in {suite.file}", suite.data, catalog.names())
    beside, here = suite.file.parent.absolute() / suite.data, Path(suite.data).absolute()
    places = " and ".join(str(place) for place in dict.fromkeys((beside, here)))
    raise InputError(f"{suite.file}: data {suite.data!r} are not there, as {places}; check the path")


def _of(name: str) -> Path:
    return HERE / f"{name}.toml"
