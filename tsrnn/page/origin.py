"""Where each row of a line comes from, and the command that makes it again."""

import json
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import tomli_w

from tsrnn import suites, tasks
from tsrnn.board.rows import AS_IT_COMES
from tsrnn.suites import Suite

_OF_THE_TASK = (
    "roles",
    "split",
    "class",
    "task",
    "complete",
    "gaps",
)  # of a configuration, what is no option of a face
_OPTIONS = {"time": "--time", "target": "--target", "id": "--id", "freq": "--freq", "date_format": "--date-format"}
_OPTIONS |= {"duplicates": "--duplicates", "missing": "--missing", "wind": "--wind"}
_SHARED = ("sha256", "version", "commit", "torch", "device", "hardware", "threads", "preset", "seen")


def origin(rows: pl.DataFrame, suite: Suite) -> dict[str, Any]:
    """Of one line's rows: what they share, the command and the file that make them, and each row's own facts."""
    first = rows.row(0, named=True)
    config = json.loads(first["config"])
    return {
        "shared": shared(rows),
        "command": command(rows, suite),
        "file": _toml(first, config),
        "own_class": config.get("class"),
        "columns": [name for name in _OWN if name in rows.columns and _says(rows[name])],
        "rows": rows,
    }


def _says(column: pl.Series) -> bool:
    """Whether a column holds anything but empty cells and no numbers."""
    return any(value not in (None, "") and value == value for value in column)


def shared(rows: pl.DataFrame) -> dict[str, str]:
    """What rows say of their making, each value once."""
    found = {name: listed(rows[name]) for name in _SHARED if name in rows.columns}
    return {name: value for name, value in {**found, "finished": span(rows["finished"])}.items() if value}


_OWN = ("horizon", "seed", "fold", "mse", "mae", "val_mse", "val_mae", "windows", "parameters", "epochs", "seconds")


def command(rows: pl.DataFrame, suite: Suite) -> str:
    """The command line that makes these rows again, beside the file that `origin` gives."""
    first = rows.row(0, named=True)
    words = ["tsrnn", "bench", place(suite)]
    if first["track"] == AS_IT_COMES:
        words += ["--preset", suites.AS_IT_COMES, "--models", first["model"]]
    else:
        words += ["--config", f"{first['model']}.toml"]
    if tasks.find(suite.task).forecasts:
        words += ["--horizons", numbers(rows["horizon"])]
    elif suite.usual:
        words += ["--task", suite.task]
    words += ["--seeds", numbers(rows["seed"])]
    if first["track"] == AS_IT_COMES or first["track"].startswith("L="):
        words += ["--input-size", str(first["input_size"])]
    return shlex.join([*words, *_roles(json.loads(first["config"]), suite)])


def place(suite: Suite) -> str:
    """What `tsrnn bench` calls the suite."""
    if suite.usual:
        return suite.data
    builtin = suite.file.parent == Path(suites.__file__).parent
    return suite.name if builtin else str(suite.file)


def options(config: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a Forecaster that a stored configuration names."""
    return {name: value for name, value in config.items() if name not in _OF_THE_TASK}


def named_roles(config: Mapping[str, Any], suite: Suite) -> dict[str, Any]:
    """The roles of columns that a row's user named beyond the suite's."""
    own: dict[str, Any] = json.loads(json.dumps(dict(suite.roles)))
    return {name: value for name, value in config.get("roles", {}).items() if own.get(name) != value}


def _toml(row: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    if row["track"] == AS_IT_COMES:
        return ""
    said = {name: value for name, value in options(config).items() if value is not None}
    return tomli_w.dumps({"model": row["model"], "input_size": row["input_size"], **said})


def _roles(config: Mapping[str, Any], suite: Suite) -> list[str]:
    words = []
    for name, value in named_roles(config, suite).items():
        if name == "wind":
            value = ",".join(value)
        if name in _OPTIONS:
            for each in value if isinstance(value, list) else [value]:
                words += [_OPTIONS[name], str(each)]
    return words


def numbers(values: Iterable[int]) -> str:
    """Each number once, as an option takes them."""
    return ",".join(map(str, sorted({*values})))


def listed(column: pl.Series) -> str:
    """Each value once, in words."""
    return ", ".join(str(each) for each in column.drop_nulls().unique(maintain_order=True) if str(each))


def span(column: pl.Series) -> str:
    """The first and the last of some ISO times, to the minute."""
    first, last = (str(end)[:16].replace("T", " ") for end in (column.min(), column.max()))
    return first if first == last else f"{first} to {last}"
