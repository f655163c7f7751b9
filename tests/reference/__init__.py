"""Slow, obvious float64 twins, written from the papers; none imports tsrnn.

A cell's twin is the function `run` of the file that goes by the cell's name, or stands in some file's `TWINS` by that
name: x [time input], weights by name, state -> outputs [time hidden], state.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


def twins(names: list[str]) -> dict[str, Callable[..., Any]]:
    """Name -> twin of those cells that have one."""
    modules = {path.stem: import_module(f"reference.{path.stem}") for path in Path(__file__).parent.glob("[!_]*.py")}
    found = {name: modules[name].run for name in names if hasattr(modules.get(name), "run")}
    for module in modules.values():
        found |= {name: each for name, each in getattr(module, "TWINS", {}).items() if name in names}
    return found
