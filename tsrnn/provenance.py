"""What is needed to run a result again: versions, commit, hardware, time."""

import platform
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

from tsrnn.version import VERSION


def stamp(device: str) -> dict[str, str]:
    """version, commit, torch, device, hardware, finished (UTC): columns of every result row.

    Args:
        device: what the fit ran on, such as "cpu" or "cuda".
    """
    return {
        "version": VERSION,
        "commit": commit(),
        "torch": version("torch"),
        "device": device,
        "hardware": hardware(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


@cache
def commit() -> str:
    """The commit of the source tree that this code runs from, with a plus where it was changed; empty elsewhere."""
    tree = Path(__file__).parents[1]
    if not (tree / ".git").exists():
        return ""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"],
            cwd=tree,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()


@cache
def hardware() -> str:
    """The processor's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
