"""What does not survive a fork: the threads of polars, without which its next call waits for ever."""

import os
import re
import sys
from pathlib import Path

from tsrnn.errors import InputError

_TASKS, _NAME = Path("/proc/self/task"), re.compile(r"polars-\d+\s")
_state = {"threads": False, "cut off": False}


def check() -> None:
    """Refuse to work on frames in a process that would hang there.

    Raises:
        InputError: this process was forked from one whose polars had started its threads.
    """
    if _state["cut off"]:
        raise InputError(
            "this process was forked from one that had used polars, whose threads do not survive a fork; start workers "
            "with multiprocessing.get_context('spawn') or 'forkserver'"
        )


def _look() -> None:
    _state["threads"] = "polars" in sys.modules and _threads_of_polars()


def _mark() -> None:
    _state["cut off"] = _state["cut off"] or _state["threads"]


def _threads_of_polars() -> bool:
    """Whether polars has threads; where the system does not name them, whether polars is there at all."""
    try:
        return any(_NAME.match((task / "comm").read_text()) for task in _TASKS.iterdir())
    except OSError:
        return not _TASKS.exists()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_look, after_in_child=_mark)
