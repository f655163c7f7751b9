"""Sentences that name what Python takes, in the words of the command that runs.

    pass sort=True                  pass --load sort=true
    pass id='shop'                  pass --id shop
    missing=[-9999] takes them      --missing -9999 takes them
    or fit with pad=True            or fit with --set pad=true; pad = true in a TOML file (--config), of a benchmark
    lower input_size or horizon     lower --input-size or --horizon
    n must be above 0               --count must be above 0

A word that the command has no option for stays as it is.
"""

import ast
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from inspect import signature
from typing import Any

import tomli_w

from tsrnn.errors import QUOTED, InputError

_SAID = re.compile(
    rf"{QUOTED}|"
    r"(?<![\w.\-\[{(\"'])(?<!--load )(?<!--set )(\(?)([a-z]+(?:_[a-z]+)*)="
    r"('[^']*'|\"[^\"]*\"|\[[^\]]*\]|\{[^}]*\}|True\b|False\b|\.\.\.|-?\d+(?:\.\d+)?(?:e[-+]?\d+)?|)(?![\w=])"
)
_CLAUSE = re.compile(r"\bfit(?:ted)?\b[^;:]*$")  # what the sentence says of a fit, up to the word
_NOTES = re.compile(r"(?:`tsrnn describe` and )?panel\.notes tells? all")
_SUBJECT = re.compile(  # the word that a sentence is about
    r"[a-z]+(?:_[a-z]+)*(?= (?:(?:must be|takes|cannot be)\b|is (?:a share|a length|a whole number|the chance|True)\b))"
)
_LOWER = re.compile(r"\blower (input_size\b(?: or horizon\b)?|horizon\b)(?!=)")  # what a mend asks to make less
_CALLED = {"past_covariates": "past", "future_covariates": "future", "inputs": "past", "n": "count"}
_FIT = ("id", "on_short", "quantiles", "input_size", "horizon", "model", "missing", "freq")  # of `tsrnn fit`
_CHOICE = re.compile(r"take a larger (alpha), or |, or pass (sound)=[^;]*")  # left out where a command has none such
_running: dict[str, "Option"] = {}


@dataclass(frozen=True)
class Option:
    """An option of a command: its word, whether it is repeated for several values, and whether it takes none."""

    word: str
    many: bool = False
    switch: bool = False


@contextmanager
def command(options: Mapping[str, Option]) -> Iterator[None]:
    """While a command with these options runs, sentences are in its words; refusals, too."""
    before = dict(_running)
    _running.clear()
    _running.update(options)
    try:
        yield
    except InputError as error:
        raise InputError(worded(str(error))) from error
    finally:
        _running.clear()
        _running.update(before)


def worded(text: str) -> str:
    """A sentence in the words of the command that runs; as it is, where none does.

    >>> with command({"id": Option("--id"), "load": Option("--load", many=True)}):
    ...     worded("sort the rows, or pass sort=True; pass id='my shop', if these are series")
    "sort the rows, or pass --load sort=true; pass --id 'my shop', if these are series"
    """
    if not _running:
        return text
    text = _NOTES.sub("`tsrnn describe` tells all", text).replace("True or False", "true or false")
    if subject := _SUBJECT.match(text):
        text = _word(subject[0]) + text[subject.end() :]
    text = _LOWER.sub(lambda match: f"lower {' or '.join(map(_word, match[1].split(' or ')))}", text)
    text = _CHOICE.sub(lambda match: match[0] if match[match.lastindex or 0] in _running else "", text)
    return _SAID.sub(lambda match: match[0] if match[2] is None else _said(match, text[: match.start()]), text)


def _said(match: re.Match[str], before: str) -> str:
    return match[1] + (_option(match[2], match[3], before) or match[0].removeprefix(match[1]))


def _option(word: str, said: str, before: str) -> str | None:
    """The option that a word and its value are on the command line; None where the command has none."""
    value: Any = None if said else ...
    with suppress(ValueError, SyntaxError):
        value = ast.literal_eval(said) if said else ...
    if value is None or (word == "future" and _running.get(word, Option("")).many):
        return None
    own = _own(word)
    if own is not None and (value is True) == own.switch and value is not False:
        return _valued(word, own, value)
    from tsrnn import refine  # it imports polars, and a command starts without

    if "load" in _running and word in refine.ASKED:
        return f"--load {_pair(word, value)}"
    if "config" in _running and "set" not in _running:  # each fit's parameters stand in a file
        return _filed(word, value) if word in _settings() else None
    of_fit = bool(_CLAUSE.search(before))
    if of_fit and word in _FIT and "set" not in _running:
        return _valued(word, Option(f"--{word.replace('_', '-')}", many=word == "missing"), value)
    if ("set" in _running or of_fit) and word in _settings():
        return f"--set {_pair(word, value)}"
    return None


def _word(word: str) -> str:
    """What the command calls a parameter; as it is, where it has no option for it, or takes it by --set."""
    from tsrnn import refine

    if (own := _own(word)) is not None:
        return own.word
    return f"--load {word}" if "load" in _running and word in refine.ASKED else word


def _own(word: str) -> Option | None:
    """The running command's own option for what Python calls so; of a benchmark, --horizons."""
    return _running.get(_CALLED.get(word, word)) or _running.get(f"{word}s" if word == "horizon" else "")


def _filed(word: str, value: Any) -> str:
    """name = value as a file of parameters has it."""
    named = word if _open(value) else tomli_w.dumps({word: value}).strip()
    return f"{named} in a TOML file (--config)"


def _valued(word: str, option: Option, value: Any) -> str:
    """An option and its value as a shell takes them: repeated, or separated by commas."""
    if option.switch or _open(value):
        return option.word
    if word == "wind" and isinstance(value, dict):
        return f"{option.word} {','.join(name.upper() if _open(each) else each for name, each in value.items())}"
    if isinstance(value, dict):
        value = [f"{name}={each}" for name, those in value.items() for each in those]
    values = [value] if not isinstance(value, list | tuple) else value
    if option.many:
        return " ".join(f"{option.word} {shlex.quote(str(each))}" for each in values)
    return f"{option.word} {shlex.quote(','.join(map(str, values)))}"


def _pair(word: str, value: Any) -> str:
    """name=value as `--set` and `--load` take it."""
    if _open(value):
        return f"{word}="
    plain = value if isinstance(value, str) else json.dumps(value)
    return shlex.quote(f"{word}={plain}") if shlex.quote(plain) != plain else f"{word}={plain}"


def _open(value: Any) -> bool:
    """Whether the sentence leaves a value to its reader."""
    return value is ... or (isinstance(value, list) and ... in value)


def _settings() -> set[str]:
    """What `--set` takes: parameters of the estimators, how to train, and the models' options."""
    from tsrnn import faces, models, parameters, registry, tasks

    found = {each.name for each in fields(parameters.FitConfig)}
    for task in registry.names("tasks"):
        found |= {*signature(faces.of(tasks.find(task).name)).parameters}
    for name in registry.names("models.*"):
        with suppress(InputError):  # of another package, and broken
            found |= {each.name for each in fields(models.find(name).config)}
    return found
