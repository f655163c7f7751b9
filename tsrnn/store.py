"""A saved model: a folder with `config.json` and `weights.safetensors`. Nothing in it is ever executed.

What a forecast does not need, as the reference for drift, lies beside them in files of its own.

Such a folder may come from anybody, so it is opened in steps, each as dear as what was read before allows: the
configuration, its size bounded; what the weights' header says is there, held against the file's size; and the numbers
themselves only once the caller knows that it wants them (`Saved.tensors`).
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tsrnn import files, tasks
from tsrnn.errors import InputError, listed
from tsrnn.header import MEND, Kind, damaged, kinds_of

FORMAT = 2  # of the folder; raised when an older tsrnn could not read it. 1: no checksum of config.json
MODEL = "model"  # the kind of a folder that names none
_NO_MODELS = {"state": "a saved 'state'; give the model's folder", "export": "graphs; give the model's folder"}
_CONFIG, _WEIGHTS = "config.json", "weights.safetensors"
_BESIDE = ("drift.safetensors", "detector.safetensors")  # what else a model's folder may hold
_MOST, _PER_BYTE = 1 << 22, 8  # bytes of config.json: so many, or so many for each byte of weights
_VALUES, _PER_VALUE = 1 << 20, 16  # values in a longer one, and bytes of weights for each more: a series' loc and scale
_LARGEST = 1 << 64
_DEEPEST = 32  # lists and tables in one another, in config.json

Tensors = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Saved:
    """A saved model, opened: its configuration, and what kind of tensors lie beside it."""

    folder: Path
    config: dict[str, Any]
    kinds: dict[str, Kind]

    def tensors(self) -> Tensors:
        """The numbers.

        Raises:
            InputError: the file is damaged, or a number is not finite.
        """
        path = self.folder / _WEIGHTS
        weights = files.content(path, path.stat().st_size, MEND)
        if hashlib.sha256(weights).hexdigest() != self.config.get("sha256"):
            raise damaged(path, "its checksum is not the one saved")
        try:
            tensors = load(weights)
        except SafetensorError as error:
            raise damaged(path, str(error)) from None
        if name := _not_finite(tensors):
            raise InputError(f"{path}: tensor {name!r} holds numbers that are not finite; fit the model again")
        return tensors

    def beside(self, name: str, shapes: Mapping[str, tuple[int, ...]]) -> Tensors:
        """The numbers of the file `<name>.safetensors`, float64 of the given shapes.

        Raises:
            InputError: it is missing, is not the one saved, or holds something else.
        """
        path, digests = self.folder / f"{name}.safetensors", self.config.get("beside", {})
        _size(path)
        if kinds_of(path) != {tensor: ("F64", tuple(shape)) for tensor, shape in shapes.items()}:
            raise damaged(path, "it does not hold what config.json says")
        content = files.content(path, path.stat().st_size, MEND)
        if not isinstance(digests, dict) or hashlib.sha256(content).hexdigest() != digests.get(path.name):
            raise damaged(path, "its checksum is not the one saved")
        tensors: Tensors = load(content)
        if broken := _not_finite(tensors):
            raise damaged(path, f"{broken!r} holds numbers that are not finite")
        return tensors


def write(
    folder: str | Path, config: dict[str, Any], tensors: Tensors, beside: Mapping[str, bytes] | None = None
) -> None:
    """Save under a temporary name, then rename: a folder that was there before is whole until the new one is.

    Args:
        config: `kind` says what the folder holds, where it is no model; a folder of another kind is not written over.
        beside: further files, name -> bytes.

    Raises:
        InputError: the folder cannot be written, or is there and holds something else, which would be lost; a number is
            not finite.
    """
    target = Path(folder)
    check_free(target, config.get("kind", MODEL), beside or ())
    if name := _not_finite(tensors):
        raise InputError(f"cannot save into {target}: {name!r} holds numbers that are not finite; fit the model again")
    weights = packed(tensors)
    first: dict[str, Any] = {"format": FORMAT, "sha256": hashlib.sha256(weights).hexdigest(), "config_sha256": ""}
    first |= {"beside": {name: hashlib.sha256(each).hexdigest() for name, each in (beside or {}).items()}}
    config = signed(json.loads(json.dumps({**first, **config, **first}, default=_plain)))
    text = json.dumps(config, indent=2) + "\n"
    contents = {**(beside or {}), _WEIGHTS: weights, _CONFIG: text.encode()}
    files.folder_replaced(target, contents, "choose another folder")


def tasks_of() -> dict[str, str]:
    """The tasks, by the word with which the folder of a saved estimator says which one it does."""
    found = {}
    for name in tasks.names():
        with suppress(InputError):  # a broken package's
            found[MODEL if name == tasks.AHEAD.name else _class_of(name).lower()] = name
    return found


def held(kind: Any) -> str:
    """What a folder holds that says so by this word: the class that was saved, or the word in quotes."""
    task = tasks_of().get(str(kind))
    return repr(kind) if task is None else _class_of(task)


def check_holds(saved: "Saved", kind: str) -> None:
    """Refuse a folder that says by another word what it holds, with an InputError that says what it is."""
    if (other := saved.config.get("kind", MODEL)) != kind:
        asks = "sample" if tasks_of().get(str(other)) == "generate" else "predict"
        there = f"a saved {held(other)}, which `tsrnn {asks}` asks; in Python read it with tsrnn.faces.load"
        raise InputError(f"{saved.folder} holds no {held(kind)}, but {_NO_MODELS.get(other, there)}")


def _class_of(task: str) -> str:
    return tasks.find(task).face.rpartition(":")[2]


def add(folder: str | Path, config: Mapping[str, Any], beside: Mapping[str, bytes]) -> None:
    """Write a saved model again with more in it: words of config.json, and files.

    Raises:
        InputError: as `read` and `write`.
    """
    saved = opened(folder)
    kept = {name: (saved.folder / name).read_bytes() for name in saved.config.get("beside", {})}
    write(folder, {**saved.config, **config}, saved.tensors(), {**kept, **beside})


def _kind(folder: Path) -> Any:
    """What a folder says it holds; a model where that cannot be read, which is then written over."""
    try:
        return opened(folder).config.get("kind", MODEL)
    except InputError:
        return MODEL


def check_free(folder: str | Path, kind: str | None = None, beside: Iterable[str] = ()) -> None:
    """Refuse a folder that something else would be lost from: worth asking before hours of training.

    Args:
        folder: to be written.
        kind: of what it shall hold; None: not known yet.
        beside: names of further files.

    Raises:
        InputError: it is there and holds something else, or a saved model of another kind.
    """
    if not (target := Path(folder)).exists():
        return
    _refuse_other(target, {_CONFIG, _WEIGHTS, *_BESIDE, *beside})
    if kind is not None and (there := _kind(target)) != kind:
        raise InputError(f"{target} holds a saved {held(there)}, which would be lost; choose another folder")


def _refuse_other(target: Path, ours: set[str]) -> None:
    """Many a project's folder has a config.json: only one with a saved model's two files, and no more, is replaced."""
    try:
        names = {each.name for each in target.iterdir()}
    except OSError:
        names = set()
    if not names >= {_CONFIG, _WEIGHTS}:
        raise InputError(f"{target} exists and is not a saved model; choose another folder")
    if others := sorted(names - ours):
        raise InputError(f"{target} holds more than a saved model ({listed(others)}); choose another folder")


def signed(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration with the checksum of its content, whatever the order and the spaces between."""
    return {**config, "config_sha256": _digest(config)}


def read(folder: str | Path) -> tuple[dict[str, Any], Tensors]:
    """Read a saved model back, configuration and numbers.

    Raises:
        InputError: as `opened` and `Saved.tensors`.
    """
    saved = opened(folder)
    return saved.config, saved.tensors()


def opened(folder: str | Path) -> Saved:
    """Open a saved model, reading no more than its configuration and the weights' header.

    Raises:
        InputError: not a saved model, one of a newer version, or a damaged file.
    """
    path = Path(folder)
    config, weights = (_size(path / name) for name in (_CONFIG, _WEIGHTS))
    if config > _MOST:  # ids of very many series, each with numbers of its own: held against the header first
        kinds_of(path / _WEIGHTS)
    return Saved(path, _config(path, weights), kinds_of(path / _WEIGHTS))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path.parent} is not a saved model: {path.name} is missing") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}); {MEND}") from None


def _config(folder: Path, weights: int) -> dict[str, Any]:
    """The configuration beside so many bytes of weights."""
    path = folder / _CONFIG
    try:
        text = files.content(path, max(_MOST, _PER_BYTE * weights), MEND)
        if len(text) > _MOST and sum(map(text.count, (b",", b"[", b"{"))) > _VALUES + weights // _PER_VALUE:
            raise ValueError("it holds more values than so few weights can need")
        config: Any = json.loads(text)
        _check_values(config)
    except RecursionError:
        raise InputError(f"{path} cannot be read (it is nested too deep); {MEND}") from None
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{path} cannot be read ({str(error)[:100]}); {MEND}") from None
    if not isinstance(config, dict):
        config = {}
    version = config.get("format")
    if type(version) is not int or version < 1:
        raise InputError(f"{path} is not a saved model's: it names no format")
    if version > FORMAT:
        by = config.get("version")
        by = by if isinstance(by, str) and re.fullmatch(r"[\w.+-]{1,40}", by, re.ASCII) else "?"
        raise InputError(
            f"{folder} was saved in format {str(version)[:9]} by tsrnn {by}; this one reads up to {FORMAT}: "
            "update tsrnn"
        )
    if version > 1 and config.get("config_sha256") != _digest(config):
        raise InputError(f"{path} was changed: its checksum is not the one saved; {MEND}")
    return dict(config)


def _check_values(value: Any) -> None:
    """Refuse lists and tables nested too deep, text that no file can hold, and numbers that no option takes."""
    level = [value]
    for _ in range(_DEEPEST):
        inside: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inside += [*each.keys(), *each.values()]
            elif isinstance(each, list):
                inside += each
            elif isinstance(each, str) and not each.isascii():
                each.encode()
            elif isinstance(each, int) and abs(each) > _LARGEST:
                raise ValueError("it holds a whole number beyond 64 bits")
        level = inside
    if level:
        raise RecursionError


def packed(tensors: Tensors) -> bytes:
    """Tensors as the bytes of a file."""
    content: bytes = save({name: np.ascontiguousarray(each) for name, each in tensors.items()})
    return content


def _not_finite(tensors: Tensors) -> str | None:
    """The first tensor with a NaN or an infinity."""
    return next(
        (name for name, each in tensors.items() if each.dtype.kind == "f" and not np.isfinite(each).all()), None
    )


def _digest(config: dict[str, Any]) -> str:
    content = {key: value for key, value in config.items() if key != "config_sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise InputError(f"cannot save the parameter {value!r}; give numbers, text, lists or tables of them")
