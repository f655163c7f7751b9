"""The machine under the arithmetic: memory allocator and threads.

glibc hands large blocks straight back to the system, so that every training step asks for its pages anew: tens of
thousands of page faults a step, half the time of an LSTM's. Raising two thresholds keeps the pages. The price is that
a process keeps up to the memory it once needed. `TSRNN_ALLOCATOR=default` leaves the allocator alone.
"""

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's malloc.h: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
_KEEP = 2**31 - 1
_LARGEST_BLOCK = 2**30


@cache
def tune_allocator() -> str:
    """Keep freed pages, where the C library is glibc; says what was done."""
    if os.environ.get("TSRNN_ALLOCATOR") == "default":
        return "left alone (TSRNN_ALLOCATOR=default)"
    if platform.libc_ver()[0] != "glibc":
        return "left alone (not glibc)"
    libc = ctypes.CDLL(None)
    done = libc.mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK) and libc.mallopt(_TRIM_THRESHOLD, _KEEP)
    return "glibc, pages kept" if done else "left alone (glibc refused)"


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Torch's threads inside are `count`, whatever shares the machine.

    Sums are cut among threads, so that the last bits of a training follow their number: a result that shall come again
    says how many there were.
    """
    import torch  # here, so that a process that trains nothing need not have it

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
