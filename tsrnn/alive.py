"""Which process this is, and whether another one has ended: for what processes leave on disk that may be killed."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process, so that no later one of the same number is taken for it.

    `host` names the machine and the space in which the number counts (containers have their own); `started` is when it
    began, as the system says it; empty where it says nothing.
    """

    host: str
    pid: int
    started: str


def this() -> Process:
    """The process that asks."""
    return Process(_host(), os.getpid(), _stat(os.getpid())[1])


def gone(process: Process) -> bool:
    """Whether a process has ended; False also where that cannot be seen from here, as of other machines."""
    if process.host != _host():
        return False
    return ended(process.pid) or (process.started != "" and _stat(process.pid)[1] != process.started)


def ended(pid: int) -> bool:
    """Whether this machine runs no process of that number; one that was killed and not yet waited for has ended."""
    if os.name != "posix":
        return False  # to ask would be to kill
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return _stat(pid)[0] in ("Z", "X")


def _host() -> str:
    try:
        return f"{platform.node()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return platform.node()


def _stat(pid: int) -> tuple[str, str]:
    """State and start of a process; empty where the system does not say."""
    try:
        words = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()  # a name may hold anything
        return words[0].decode(), words[19].decode()
    except (OSError, IndexError):
        return "", ""
