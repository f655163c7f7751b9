"""What tsrnn finds on this machine: versions, processor, devices, compiler, folders."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from tsrnn import execute, places, provenance
from tsrnn.allocator import tune_allocator
from tsrnn.errors import InputError
from tsrnn.recurrence import Recurrent, build
from tsrnn.recurrence.layer import BACKENDS
from tsrnn.version import VERSION

_PACKAGES = ("torch", "pytorch-lightning", "polars", "optuna")


def facts() -> dict[str, Any]:
    """Everything worth knowing, as text, numbers, and lists and mappings of them."""
    compiled, by = build.available()
    return {
        "versions": {
            "tsrnn": VERSION,
            "python": platform.python_version(),
            **{each: _found(each) for each in _PACKAGES},
        },
        "commit": provenance.commit(),
        "system": platform.platform(),
        "processor": provenance.hardware(),
        "cores": execute.cores(),
        "threads": torch.get_num_threads(),
        "allocator": tune_allocator(),
        "devices": devices(),
        "compiler": by,
        "kernels": {"can_be_compiled": compiled, "folder": _kernels()},
        "backends": backends(),
        "data": {str(each): "there" if each.is_dir() else "not there" for each in places.search_path()},
        "cache": str(places.search_path()[-1]),
    }


def devices() -> list[str]:
    """The processor, and accelerators by name."""
    cuda = [f"cuda:{k} {torch.cuda.get_device_name(k)}" for k in range(torch.cuda.device_count())]
    return ["cpu", *cuda, *(["mps"] if torch.backends.mps.is_available() else [])]


def backends() -> dict[str, str]:
    """name -> "works", or why it does not: each one runs an LSTM over three steps, compiling what it has to."""
    found = {}
    x = torch.zeros(2, 3, 2)
    for name in BACKENDS:
        try:
            with torch.random.fork_rng(devices=[]), torch.inference_mode():
                Recurrent("lstm", 2, 3, backend=name)(x)
            found[name] = "works"
        except (InputError, RuntimeError, OSError) as error:
            found[name] = str(error).partition("\n")[0]
    return found


def _kernels() -> str:
    """Where compiled kernels are kept, or why nowhere."""
    try:
        return str(build.folder_of_kernels())
    except build.Unavailable as reason:
        return str(reason)


def _found(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
