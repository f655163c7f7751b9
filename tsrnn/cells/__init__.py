"""One recurrence per file: its equations, with the paper's number or name for them at the end of the line.

A file exposes its class as `CELL`; the file's name is the cell's name. A file that declares `VARIANTS = {name: {...}}`
is known by those names instead; each stands for the class with those class attributes. How to write a cell:
`tsrnn.cells._base.Cell`. A class of one's own stands wherever a name may.
"""

from functools import cache
from typing import cast

from tsrnn import registry
from tsrnn.cells._base import Cell, Gates, LinearCell
from tsrnn.errors import InputError

__all__ = ["Cell", "Gates", "LinearCell", "get", "word"]


@cache
def get(cell: str | type) -> type[Cell]:
    """The cell of `tsrnn/cells/<name>.py`, the variant of that name, or a class as it is.

    It is always the same class for one name.

    Raises:
        InputError: there is none (the message names the nearest), or the class is no cell.
    """
    if isinstance(cell, type):
        if not issubclass(cell, Cell):
            raise InputError(f"{cell.__name__} is no cell; derive it from tsrnn.cells.Cell")
        return cell
    source = registry.load("cells", cell, "cell")
    if isinstance(source, type):
        return get(source)
    kind, attributes = cast(type[Cell], source.CELL), registry.variant(source, cell)
    if not attributes:
        return kind
    return cast(type[Cell], type(cell, (kind,), {"__module__": kind.__module__, "__doc__": kind.__doc__} | attributes))


def word(cell: str | type) -> str | None:
    """The name by which a cell is known; None for a class that is not registered."""
    if isinstance(cell, str):
        return cell
    return next((name for name in registry.homes("cells", cell) if get(name) is cell), None)
