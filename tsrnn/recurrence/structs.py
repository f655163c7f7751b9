"""What kernels are given, as it lies in memory: each class mirrors the struct of its name in a header.

Every field is a whole number or an address, of 8 bytes; 0 is no address, and none keeps alive what it points to.
"""

import ctypes
from collections.abc import Sequence
from functools import cache
from struct import Struct
from typing import Any, ClassVar

Pieces = ctypes.Array[Any]  # structs of one kind, end to end


def filled(kind: type[ctypes.Structure], words: Sequence[Sequence[int]]) -> Pieces:
    """Structs from their words, in the order of the fields; set one by one, they cost a short layer's call 5 %.

    Raises:
        struct.error: too few words, or too many.
    """
    pieces, (size, pack) = (kind * len(words))(), _packing(kind)
    for k, row in enumerate(words):
        pack(pieces, k * size, *row)
    return pieces


@cache
def _packing(kind: type[ctypes.Structure]) -> tuple[int, Any]:
    size = ctypes.sizeof(kind)
    return size, Struct(f"{size // 8}q").pack_into


class Team(ctypes.Structure):
    """One call's pieces, shared by its threads (`team.hpp`); the arguments of all pieces lie end to end."""

    _fields_: ClassVar = [
        *((name, ctypes.c_void_p) for name in ("run", "arguments")),
        *((name, ctypes.c_int64) for name in ("size", "count", "next", "failed")),
    ]


class CellSizes(ctypes.Structure):
    """Sizes of a layer (`cell.hpp`)."""

    _fields_: ClassVar = [
        (name, ctypes.c_int64) for name in ("T", "B", "R", "I", "H", "Hp", "Ip", "x_row", "x_step", "keep", "need_x")
    ]


class ForwardArguments(ctypes.Structure):
    """A layer's way there (`cell.hpp`)."""

    _fields_: ClassVar = [
        ("sizes", CellSizes),
        *((name, ctypes.c_void_p) for name in ("x", "Wx", "Wh", "bx", "bh", "own", "first")),
        *((name, ctypes.c_void_p) for name in ("states", "tape", "gated", "y", "active")),
    ]


class BackwardArguments(ctypes.Structure):
    """A layer's way back (`cell.hpp`)."""

    _fields_: ClassVar = [
        ("sizes", CellSizes),
        *((name, ctypes.c_void_p) for name in ("x", "Wx", "Wh", "own", "final", "states", "tape", "gated", "dy")),
        *((name, ctypes.c_void_p) for name in ("dfirst", "dx", "dWx", "dWh", "dbx", "dbh", "down", "active")),
    ]


class Part(ctypes.Structure):
    """The rows of a scan that one thread takes (`scans.hpp`)."""

    _fields_: ClassVar = [
        *((name, ctypes.c_void_p) for name in ("views", "sizes")),
        *((name, ctypes.c_int64) for name in ("thread", "from", "to")),
    ]


class ScanSizes(ctypes.Structure):
    """Sizes of a scan (`scans.hpp`)."""

    _fields_: ClassVar = [(name, ctypes.c_int64) for name in ("steps", "channels", "states", "padded")]


class MemorySizes(ctypes.Structure):
    """Sizes of a memory of matrices (`memory.hpp`)."""

    _fields_: ClassVar = [(name, ctypes.c_int64) for name in ("steps", "heads", "keys", "values", "logs")]
