"""What stands on the command line -> names, numbers, options; what cannot be read gets its sentence."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from tsrnn import catalog, terminal
from tsrnn.errors import InputError, listed, notice, quoted, unknown
from tsrnn.options import check_types
from tsrnn.reading import Column, Reading

if TYPE_CHECKING:
    from tsrnn.forecaster import Forecaster
    from tsrnn.panel import Panel

Number = TypeVar("Number", int, int | None)


def dataset(data: str, *others: str) -> str:
    """A name of the catalogue, or a file's path; anything else is an error that names the nearest, of `others` too."""
    if data in catalog.names():
        _tell_apart(data, catalog.find(catalog.row(data)))
        return data
    if Path(data).exists():
        return data
    if Path(data).suffix:
        raise InputError(f"{data} is not there; check the path")
    raise unknown("data set or suite" if others else "data set", data, (*catalog.names(), *others))


def benchmark(data: str) -> str:
    """A suite's name or file, or what `dataset` takes."""
    from tsrnn import suites  # it imports torch
    from tsrnn.suites import groups

    if data in catalog.names() or not suites.known(data):
        return dataset(data, *suites.names(), *groups.names())
    _tell_apart(data, Path(data) if data.endswith(".toml") else None)
    return data


def _tell_apart(name: str, found: Path | None) -> None:
    """Say that a name is tsrnn's where a file or folder here is called so too, and is not what the name stands for."""
    here = Path(name)
    if here.exists() and not (found and found.exists() and here.samefile(found)):
        notice(f"{name!r} is taken as tsrnn's own of that name; write ./{name} for what lies in this folder")


def roles(
    time: str | None,
    target: list[str] | None,
    id: str | None,
    past: list[str] | None = None,
    future: list[str] | None = None,
    date_format: str | None = None,
    freq: str | None = None,
) -> dict[str, Any]:
    named: dict[str, Any] = {"time": time, "target": tuple(target or ()) or None, "id": id, "date_format": date_format}
    named["freq"] = _step(freq)
    covariates = {"past_covariates": tuple(past or ()), "future_covariates": tuple(future or ())}
    return {name: value for name, value in {**named, **covariates}.items() if value not in (None, ())}


def station(missing: list[str] | None, wind: str | None, duplicates: str | None) -> dict[str, Any]:
    """What `Panel.of` takes to read a station's rows and cells."""
    treatment = {"missing": _absent(missing or ()), "wind": tuple(words(wind)) or None, "duplicates": duplicates}
    return {name: value for name, value in treatment.items() if value is not None}


def loading(given: list[str] | None) -> dict[str, Any]:
    """What `load` does with a file's columns and rows on the way to a panel (`tsrnn.refine`), and maps."""
    from tsrnn.refine import ASKED, ROWS

    asked = options(given, "load")
    for word in asked:
        if word not in ASKED:
            raise unknown("--load", word, ASKED)
    check_types(asked, ROWS)
    return asked


def _absent(values: Sequence[str]) -> tuple[str, ...] | dict[str, list[str]] | None:
    """Values that stand for nothing everywhere, or name=value: in that column."""
    named = [value.rpartition("=") for value in values if "=" in value.strip("=")]
    if not named:
        return tuple(values) or None
    if len(named) < len(values):
        raise InputError(f"--missing {listed(values)}: name the column of each value, as T=-9999, or of none")
    table: dict[str, list[str]] = {}
    for name, _, value in named:
        table.setdefault(name, []).append(value)
    return table


def _step(freq: str | None) -> str | float | None:
    """A word such as 1h, or the number that depths and counts are apart."""
    try:
        return None if freq is None else float(freq)
    except ValueError:
        return freq


def parameters(
    model: str | None,
    input_size: int | None,
    horizon: int | None,
    quantiles: str | None,
    config: Path | None,
    given: list[str] | None,
    on_short: str | None = None,
) -> dict[str, Any]:
    """An estimator's parameters: the command's and a file's, single options over both.

    Raises:
        InputError: the command and the file name one of them, and differ; or neither names a model.
    """
    from tsrnn.parameters import read_toml  # it imports torch

    params: dict[str, Any] = {"model": model, "input_size": input_size, "horizon": horizon}
    params = {name: value for name, value in params.items() if value is not None}
    if quantiles:
        params["quantiles"] = levels(quantiles)
    over = ({} if on_short is None else {"on_short": on_short}) | options(given)
    if config is not None:
        filed = read_toml(config, named="model" in params or "model" in over)
        for name in (each for each in params if each in filed and each not in over and filed[each] != params[each]):
            said = f"--{name.replace('_', '-')} says {quoted(params[name])}"
            raise InputError(f"{config} names {name} = {filed[name]!r}, and {said}; leave one of them out")
        params |= filed
    return params | over


def refuse(why: str, **given: Any) -> None:
    """Refuse options that do not fit: those of `given` that are not None."""
    for name, value in given.items():
        if value is not None:
            raise InputError(f"{why}; leave --{name.replace('_', '-')} out")


def asked_of(fitted: Any, folder: Path, word: str) -> Any:
    """A saved model, which can be asked for that.

    Raises:
        InputError: models of its kind have no such thing.
    """
    if not hasattr(fitted, word):
        raise InputError(f"{folder} holds a {type(fitted).__name__}, which has no {word}; `tsrnn predict` asks it")
    return fitted


def forecaster(folder: Path, why: str) -> "Forecaster":
    """A saved forecaster, where a command is of forecasts alone.

    Raises:
        InputError: another task's model is saved there, with `why` the command does not take it; or none.
    """
    from tsrnn import Forecaster, faces, store, tasks

    kind = faces.kind(folder)
    if store.tasks_of().get(kind, tasks.AHEAD.name) != tasks.AHEAD.name:
        asked = "sample" if not hasattr(faces.load(folder), "predict") else "predict"
        raise InputError(f"{folder} holds a {store.held(kind)}, no Forecaster: {why}; `tsrnn {asked} {folder}` asks it")
    return Forecaster.load(folder)


def history(data: str, load_: list[str] | None, fitted: Any) -> "Reading | Panel":
    """A data set or a file for a saved model, with its columns as the training's were and as `load` was asked to."""
    asked = remembered(data, load_, fitted)
    return catalog.load(dataset(data), **asked) if asked else reading(data)


def remembered(data: str, load_: list[str] | None, fitted: Any) -> dict[str, Any]:
    """What is done with the columns of a saved model's file: what `load` did with the training's, which is said, and
    over it what it is asked to here; nothing where that is nothing."""
    from tsrnn import refine

    asked, known = loading(load_), getattr(getattr(fitted, "preparation_", None), "reading", {})
    if strange := [word for word in refine.ROWS if word in asked and word != "sort"]:
        raise InputError(f"{data} is read with the {strange[0]} of the training; leave --load {strange[0]} out")
    learnt = refine.remembered(known)
    if silent := {word: value for word, value in learnt.items() if word not in asked}:
        words = " ".join(f"--load {word}={str(value).lower()}" for word, value in silent.items())
        notice(f"{data} is read with {words}, as the training's was; --load {next(iter(silent))}=false leaves that")
    wanted = {word: value for word, value in {**learnt, **asked}.items() if value is not False}
    return refine.again(known, wanted) if wanted else {}


def reading(data: str, units: Mapping[str, str] | None = None, asked: Mapping[str, Any] | None = None) -> Reading:
    """A data set, file or folder of logs as it was read: every column, with its unit, or the one it is given here.

    `asked`: what `load` is asked to do with its columns before.
    """
    name = dataset(data)
    if name not in catalog.names() and not asked:
        known = catalog.read(Path(name))
    else:
        panel = catalog.load(name, **(asked or {}))
        index, id = (panel.roles.index, panel.roles.id or "") if asked else ("", "")
        known = Reading(panel.frame, panel.columns, index=index, id=id, source=name)
    named = {column: replace(known.columns.get(column, Column()), unit=unit) for column, unit in (units or {}).items()}
    return replace(known, columns={**known.columns, **named})


def options(given: list[str] | None, option: str = "set") -> dict[str, Any]:
    """name=value pairs; values as in TOML or JSON, as messages write them, bare words as text."""
    named: dict[str, Any] = dict(pairs(given, option))
    for name, text in named.items():
        with suppress(json.JSONDecodeError):
            named[name] = json.loads(text) if text.lstrip()[:1] in ("[", "{") else text
        with suppress(tomllib.TOMLDecodeError):
            named[name] = tomllib.loads(f"value = {text}")["value"]
    return named


def pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """name=value pairs, as text."""
    split = [pair.partition("=") for pair in given or ()]
    for pair, (name, equals, _) in zip(given or (), split, strict=True):
        if not equals or not name:
            raise InputError(f"--{option} takes name=value, not {pair!r}")
    return {name: value for name, _, value in split}


def words(text: str | None, option: str = "") -> list[str]:
    """What stands between commas; of an `option` that was given there is something."""
    found = [word.strip() for word in text.split(",") if word.strip()] if text else []
    if option and text is not None and not found:
        raise InputError(f"--{option} names nothing; name one or several, separated by commas, or leave it out")
    return found


def numbers(text: str | None, option: str, least: int = 1) -> list[int]:
    try:
        listed = [int(word) for word in words(text, option)]
    except ValueError:
        raise InputError(f"--{option} takes whole numbers separated by commas, not {text!r}") from None
    if any(number < least for number in listed):
        raise InputError(f"--{option} takes numbers of at least {least}, not {text!r}")
    return listed


def span(text: str | None) -> tuple[float, float] | None:
    """From and to, such as 2200,2300."""
    if text is None:
        return None
    try:
        low, high = sorted(float(word) for word in words(text))
    except ValueError:
        raise InputError(f"--depth takes two numbers such as 2200,2300, not {text!r}") from None
    return low, high


def levels(text: str, option: str = "quantiles") -> list[float]:
    try:
        return [float(word) for word in words(text)]
    except ValueError:
        raise InputError(f"--{option} takes numbers between 0 and 1 separated by commas, not {text!r}") from None


def at_least_one(number: int | None, option: str) -> int | None:
    return at_least(1, number, option)


def at_least(least: int, number: Number, option: str) -> Number:
    """The number of an option as it is.

    Raises:
        InputError: it is below `least`.
    """
    if number is not None and number < least:
        raise InputError(f"--{option} must be at least {least}, not {number}")
    return number


@contextmanager
def resumable() -> Iterator[None]:
    """Ctrl-C, or SIGTERM, ends with a word on what is kept, once all that was started has ended."""
    with terminal.stoppable() as signals:
        try:
            yield
        except KeyboardInterrupt:
            typer.echo("tsrnn: stopped; what was finished is kept, and the same command goes on from there", err=True)
            raise typer.Exit(terminal.status(signals)) from None
