"""The machine under the arithmetic: memory allocator and threads, set once, before the first heavy step.

glibc hands large blocks straight back to the system, so that every training step asks for its pages anew: tens of
thousands of page faults a step, half the time of an LSTM's. Raising two thresholds keeps the pages. The price is that
a process keeps up to the memory it once needed. `TSRNN_ALLOCATOR=default` leaves the allocator alone.
"""

import ctypes
import os
import platform
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
