"""A saved model: a folder with `config.json` and `weights.safetensors`. Nothing in it is ever executed."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tsrnn import files
from tsrnn.errors import InputError

FORMAT = 1  # of the folder; raised when an older tsrnn could not read it
_CONFIG, _WEIGHTS = "config.json", "weights.safetensors"

Tensors = dict[str, npt.NDArray[Any]]


def write(folder: str | Path, config: dict[str, Any], tensors: Tensors) -> None:
    """Save under a temporary name, then rename: a folder that was there before is whole until the new one is.

    Raises:
        InputError: the folder cannot be written, or is there and holds something else than a saved model.
    """
    target = Path(folder)
    if target.exists() and not (target / _CONFIG).is_file():
        raise InputError(f"{target} exists and is not a saved model; choose another folder")
    weights = save({name: np.ascontiguousarray(each) for name, each in tensors.items()})
    config = {"format": FORMAT, "sha256": hashlib.sha256(weights).hexdigest(), **config}
    text = json.dumps(config, indent=2, default=_plain) + "\n"
    files.folder_replaced(target, {_WEIGHTS: weights, _CONFIG: text.encode()}, "choose another folder")


def read(folder: str | Path) -> tuple[dict[str, Any], Tensors]:
    """Read a saved model back.

    Raises:
        InputError: not a saved model, one of a newer version, or a damaged file.
    """
    path = Path(folder)
    try:
        config = json.loads((path / _CONFIG).read_text(encoding="utf-8"))
        weights = (path / _WEIGHTS).read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{path} is not a saved model: {Path(error.filename).name} is missing") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path / _CONFIG} cannot be read ({error}); save the model again") from None
    found = config.get("format") if isinstance(config, dict) else None
    if not isinstance(found, int):
        raise InputError(f"{path / _CONFIG} is not a saved model's: it names no format")
    if found > FORMAT:
        raise InputError(
            f"{path} was saved in format {found} by tsrnn {config.get('version', '?')}; this one reads up to {FORMAT}: "
            "update tsrnn"
        )
    if hashlib.sha256(weights).hexdigest() != config.get("sha256"):
        raise InputError(f"{path / _WEIGHTS} is damaged: its checksum is not the one saved; save the model again")
    try:
        return config, load(weights)
    except SafetensorError as error:
        raise InputError(f"{path / _WEIGHTS} is damaged ({error}); save the model again") from None


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise InputError(f"cannot save the parameter {value!r}; give numbers, text, lists or tables of them")
