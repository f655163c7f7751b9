"""One recurrence per file: its equations, with the paper's number or name for them at the end of the line.

A file exposes its class as `CELL`; the file's name is the cell's name. A file that declares `VARIANTS = {name: {...}}`
is known by those names instead; each stands for the class with those class attributes. How to write a cell:
`tsrnn.cells._base.Cell`.
"""

from functools import cache
from typing import cast

from tsrnn.cells._base import Cell, Gates, LinearCell
from tsrnn.registry import module, variant

__all__ = ["Cell", "Gates", "LinearCell", "get"]


@cache
def get(name: str) -> type[Cell]:
    """The cell of `tsrnn/cells/<name>.py`, or the variant of that name; always the same class for one name.

    Raises:
        InputError: there is none; the message names the nearest.
    """
    found = module("cells", name, "cell")
    kind, attributes = cast(type[Cell], found.CELL), variant(found, name)
    if not attributes:
        return kind
    return cast(type[Cell], type(name, (kind,), {"__module__": kind.__module__, "__doc__": kind.__doc__} | attributes))
