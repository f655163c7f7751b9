"""What stands on the command line -> names, numbers, options; what cannot be read gets its sentence.

The types are options that several commands have.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from tsrnn import catalog, registry
from tsrnn.errors import InputError, unknown

Data = Annotated[str, typer.Argument(help="A data set's name (see `tsrnn datasets`) or a CSV, Parquet or LAS file.")]
Time = Annotated[str | None, typer.Option(help="Column of dates, counts or depths; found by itself if common.")]
Target = Annotated[list[str] | None, typer.Option(help="Column to forecast; repeat for several. Default: all numbers.")]
Id = Annotated[str | None, typer.Option("--id", help="Column that tells series apart.")]
Past = Annotated[list[str] | None, typer.Option("--past", help="Covariate known up to now; repeat for several.")]
Future = Annotated[list[str] | None, typer.Option("--future", help="Covariate known ahead; repeat for several.")]
Model = Annotated[str, typer.Option(help="A name from `tsrnn models`.")]
InputSize = Annotated[int, typer.Option(help="Look-back, in steps.")]
Horizon = Annotated[int, typer.Option(help="Steps to forecast.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="Any option, as name=value; repeat for several.")]
Config = Annotated[Path | None, typer.Option(help="A TOML file of parameters, as `tsrnn tune` writes it.")]
Storage = Annotated[str | None, typer.Option(help="Optuna URL; default: a SQLite file in the output folder.")]
Minutes = Annotated[float, typer.Option(help="Longest that a trial may take; a longer one is stopped.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, to standard output.")]


def dataset(data: str) -> str:
    """A name of the catalogue, or a file's path; anything else is an error that names the nearest."""
    if data in catalog.names() or Path(data).exists():
        return data
    if Path(data).suffix:
        raise InputError(f"{data} is not there; check the path")
    raise unknown("data set", data, catalog.names())


def roles(
    time: str | None,
    target: list[str] | None,
    id: str | None,
    past: list[str] | None = None,
    future: list[str] | None = None,
) -> dict[str, Any]:
    named = {"time": time, "target": tuple(target or ()) or None, "id": id}
    covariates = {"past_covariates": tuple(past or ()), "future_covariates": tuple(future or ())}
    return {name: value for name, value in {**named, **covariates}.items() if value}


def given(
    model: str, input_size: int, horizon: int, quantiles: str | None, config: Path | None, pairs: list[str] | None
) -> dict[str, Any]:
    """The Forecaster's parameters: the command's, a file's over them, single options over both."""
    from tsrnn.parameters import read_toml  # it imports torch

    params: dict[str, Any] = {"model": model, "input_size": input_size, "horizon": horizon}
    if quantiles:
        params["quantiles"] = levels(quantiles)
    if config is not None:
        params |= read_toml(config)
    return params | options(pairs)


def history(data: str) -> Any:
    """The frame of a data set or a file, with every column: a saved model knows which of them it reads."""
    name = dataset(data)
    return catalog.load(name).frame if name in catalog.names() else catalog.read_file(Path(name))


def cells(text: str) -> list[str]:
    """Names of cells; "all" stands for every one."""
    known = list(registry.names("cells"))
    chosen = known if text == "all" else words(text)
    for name in chosen:
        if name not in known:
            raise unknown("cell", name, known)
    if not chosen:
        raise InputError("--cells takes names separated by commas, or all")
    return chosen


def fitted(model: Path, data: str | None) -> tuple[Any, Any]:
    """A saved forecaster and the frame to look at it on."""
    from tsrnn import Forecaster

    if data is None:
        raise InputError(f"a saved model is looked at on data; name a data set or a file after {model}")
    return Forecaster.load(model), history(data)


def options(pairs: list[str] | None) -> dict[str, Any]:
    """name=value pairs; values as in TOML, bare words as text."""
    found: dict[str, Any] = {}
    for pair in pairs or ():
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise InputError(f"--set takes name=value, not {pair!r}")
        try:
            found[name] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            found[name] = text
    return found


def words(text: str | None) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()] if text else []


def numbers(text: str | None, option: str, least: int = 1) -> list[int]:
    try:
        found = [int(word) for word in words(text)]
    except ValueError:
        raise InputError(f"--{option} takes whole numbers separated by commas, not {text!r}") from None
    if any(number < least for number in found):
        raise InputError(f"--{option} takes numbers of at least {least}, not {text!r}")
    return found


def levels(text: str) -> list[float]:
    try:
        return [float(word) for word in words(text)]
    except ValueError:
        raise InputError(f"--quantiles takes numbers between 0 and 1 separated by commas, not {text!r}") from None


def at_least_one(number: int | None, option: str) -> int | None:
    if number is not None and number < 1:
        raise InputError(f"--{option} must be at least 1, not {number}")
    return number
