"""Pieces of one call, each in a thread of torch's own team.

A team of one's own beside torch's would fight it for the cores: torch's threads spin for a while after every parallel
operation, and two teams on two cores cost a third of the backward pass. So the pieces are handed to the same OpenMP
runtime that torch runs on, where it is GNU's or speaks its language; elsewhere, and in a forked child, which inherits
no team, to Python's threads.
"""

import ctypes
import os
from array import array
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

_FORKED: list[bool] = []  # not empty in a child


class Entry:
    """A compiled function that takes the address of its arguments and answers 0, or 1 where it found no memory."""

    def __init__(self, library: ctypes.CDLL, name: str) -> None:
        self._run = getattr(library, name)
        self._run.argtypes, self._run.restype = [ctypes.c_void_p], ctypes.c_int
        self._team = library.team
        self._team.argtypes, self._team.restype = [ctypes.c_void_p], None
        self._places = [ctypes.cast(each, ctypes.c_void_p).value or 0 for each in (self._run, self._team)]

    def __call__(self, pieces: Sequence[Sequence[int]], threads: int) -> None:
        """Run on the arguments of each piece, numbers and addresses, so many at once.

        Raises:
            MemoryError: one of them found no memory for its work space.
        """
        failed = max(map(self._alone, pieces)) if threads == 1 else self._together(pieces, threads)
        if failed:
            raise MemoryError("a recurrence kernel found no memory for its work space")

    def _alone(self, piece: Sequence[int]) -> int:
        arguments = array("q", piece)
        return int(self._run(arguments.buffer_info()[0]))

    def _together(self, pieces: Sequence[Sequence[int]], threads: int) -> int:
        run, team = self._places
        shared = array("q", [run, 0, len(pieces), len(pieces[0]), 0])  # Team in kernel.hpp
        for each in pieces:
            shared.extend(each)
        address = shared.buffer_info()[0]
        parallel = None if _FORKED else _openmp()
        if parallel is not None:
            parallel(team, address, threads, 0)
        else:
            list(_pool(threads).map(self._team, [address] * threads))
        return shared[4]


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
