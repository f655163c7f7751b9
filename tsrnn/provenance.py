"""What is needed to run a result again: versions, commit, hardware, time, and which class a user's own was."""

import hashlib
import platform
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import CodeType

from tsrnn import syntax
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


@cache
def place(kind: type) -> str:
    """A class as "module:Class" and a digest of its source, and its options' and parents': by name alone two are one.

    Where no source is at hand, as of what was typed, the digest is of the compiled methods.
    """
    parts = [part for part in (*kind.__mro__, getattr(kind, "Config", None)) if part is not None]
    own = [part for part in parts if part.__module__.partition(".")[0] not in _OTHERS]
    digest = hashlib.sha256("\0".join(map(_source, own)).encode()).hexdigest()
    module = "__main__" if kind.__module__ == "__mp_main__" else kind.__module__  # the same script in a worker process
    return f"{module}:{kind.__qualname__} {digest[:8]}"


_OTHERS = ("tsrnn", "torch", "builtins", "abc", "typing")


def _source(kind: type) -> str:
    try:
        return syntax.source(kind)
    except (OSError, TypeError):
        methods = {name: getattr(value, "__code__", None) for name, value in vars(kind).items()}
        return repr([(name, _compiled(code)) for name, code in methods.items() if code is not None])


def _compiled(code: CodeType) -> list[object]:
    constants = [_compiled(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    return [code.co_code, code.co_names, constants]
