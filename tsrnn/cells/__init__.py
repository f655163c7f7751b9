"""One recurrence per file: its equations, with the paper's number or name for them at the end of the line.

A file exposes its class as `CELL`; the file's name is the cell's name. A file that declares `VARIANTS = {name: {...}}`
is known by those names instead; each stands for the class with those class attributes. How to write a cell:
`tsrnn.cells._base.Cell`. A class of one's own stands wherever a name may.
"""

from functools import cache
from typing import Any, cast

from tsrnn import registry
from tsrnn.cells._base import Cell, Gates, LinearCell
from tsrnn.cells._trial import hold
from tsrnn.errors import InputError

__all__ = ["Cell", "Gates", "LinearCell", "get", "word"]


@cache
def get(cell: str | type) -> type[Cell]:
    """The cell of `tsrnn/cells/<name>.py`, the variant of that name, or a class as it is.

    It is always the same class for one name.

    Raises:
        InputError: there is none (the message names the nearest), or the class is no cell or breaks the contract.
    """
    if isinstance(cell, type):
        return _held(cell)
    source = registry.load("cells", cell, "cell")
    if not registry.is_own("cells", cell):
        try:
            held = _held(source if isinstance(source, type) else getattr(source, "CELL", source))
        except InputError as fault:
            raise registry.broken("cell", cell, registry.names("cells")[cell], str(fault)) from None
        if isinstance(source, type):
            return held
    kind, attributes = cast(type[Cell], source.CELL), registry.variant(source, cell)
    if not attributes:
        return kind
    return cast(type[Cell], type(cell, (kind,), {"__module__": kind.__module__, "__doc__": kind.__doc__} | attributes))


def word(cell: str | type) -> str | None:
    """The name by which a cell is known; None for a class that is not registered."""
    if isinstance(cell, str):
        return cell
    return next((name for name in registry.homes("cells", cell) if _leads(name, cell)), None)


def _leads(name: str, cell: type) -> bool:
    try:
        return get(name) is cell
    except InputError:  # another name of its package is broken
        return False


def _held(kind: Any) -> type[Cell]:
    if not isinstance(kind, type) or not issubclass(kind, Cell):
        called = getattr(kind, "__name__", repr(kind))
        raise InputError(f"{called} is no cell; derive it from tsrnn.cells.Cell")
    if not kind.__module__.startswith("tsrnn.cells.") or kind.__module__ == Cell.__module__:
        hold(kind)
    return kind
