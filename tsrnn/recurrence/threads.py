"""Pieces of one call, each in a thread of torch's own team.

A team of one's own beside torch's would fight it for the cores: torch's threads spin for a while after every parallel
operation, and two teams on two cores cost a third of the backward pass. So the pieces are handed to the same OpenMP
runtime that torch runs on, where it is GNU's or speaks its language; elsewhere, and in a forked child, which inherits
no team, to Python's threads.
"""

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from tsrnn.recurrence.structs import Pieces, Team

_FORKED: list[bool] = []  # not empty in a child


class Entry:
    """A compiled function that takes the address of its arguments and answers 0, or 1 where it found no memory."""

    def __init__(self, library: ctypes.CDLL, name: str) -> None:
        self._run = getattr(library, name)
        self._run.argtypes, self._run.restype = [ctypes.c_void_p], ctypes.c_int
        self._team = library.team
        self._team.argtypes, self._team.restype = [ctypes.c_void_p], None
        self._places = [ctypes.cast(each, ctypes.c_void_p).value or 0 for each in (self._run, self._team)]

    def __call__(self, pieces: Pieces, threads: int) -> None:
        """Run on each piece, a struct of `tsrnn.recurrence.structs`, so many at once.

        Raises:
            MemoryError: one of them found no memory for its work space.
        """
        failed = self._alone(pieces) if threads == 1 else self._together(pieces, threads)
        if failed:
            raise MemoryError("a recurrence kernel found no memory for its work space")

    def _alone(self, pieces: Pieces) -> int:
        begin, whole = ctypes.addressof(pieces), ctypes.sizeof(pieces)
        return int(max(map(self._run, range(begin, begin + whole, whole // len(pieces)))))

    def _together(self, pieces: Pieces, threads: int) -> int:
        run, team = self._places
        size = ctypes.sizeof(pieces) // len(pieces)
        shared = Team(run=run, arguments=ctypes.addressof(pieces), size=size, count=len(pieces))
        address = ctypes.addressof(shared)
        parallel = None if _FORKED else _openmp()
        if parallel is not None:
            parallel(team, address, threads, 0)
        else:
            list(_pool(threads).map(self._team, [address] * threads))
        return int(shared.failed)


@cache
def _openmp() -> Callable[[int, int, int, int], None] | None:
    """`GOMP_parallel` of the runtime that torch has loaded; None where there is none."""
    try:
        found: Any = ctypes.CDLL(None).GOMP_parallel
    except (AttributeError, OSError, TypeError):
        return None
    found.argtypes, found.restype = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint], None
    return found  # type: ignore[no-any-return]


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="tsrnn-kernel")


def _forked() -> None:
    _FORKED.append(True)
    _pool.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
