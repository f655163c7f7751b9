"""One recurrence per file: its equations, with the paper's number at the end of the line.

A file exposes its class as `CELL`; the file's name is the cell's name. How to write one: `tsrnn.cells._base.Cell`.
"""

from typing import cast

from tsrnn.cells._base import Cell, Gates
from tsrnn.registry import module

__all__ = ["Cell", "Gates", "get"]


def get(name: str) -> type[Cell]:
    """The cell of `tsrnn/cells/<name>.py`.

    Raises:
        InputError: there is none; the message names the nearest.
    """
    return cast(type[Cell], module("cells", name, "cell").CELL)
