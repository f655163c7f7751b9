"""The one way in which a file is written: beside its place, down to the disk, then renamed.

A kill leaves the old file or the new one, never half of either.
"""

import os
from collections.abc import Callable
from pathlib import Path
from shutil import copymode
from typing import Any, BinaryIO

from tsrnn.errors import InputError

MEND = "choose another --out"
_WRITERS = ("polars",)  # packages that have errors of their own for what the system refused


def replaced(path: Path, write: Callable[[BinaryIO], Any], mend: str = MEND) -> None:
    """Call `write` with an open file, and give what it wrote the name `path` in one step.

    Folders are made; a symbolic link stays one, and the file that it names is written; a device or a pipe is written to
    as it is, since it has nothing to lose. Another writer of the same path loses nothing but the race.

    Raises:
        InputError: the place cannot be written, or is full; `mend` ends the sentence.
    """
    target = Path(os.path.realpath(path))
    beside = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_file() and not target.is_dir():
            with target.open("wb") as file:
                write(file)
            return
        try:
            with beside.open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            if target.is_file():
                copymode(target, beside)
            beside.replace(target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except Exception as error:
        if not isinstance(error, OSError) and type(error).__module__.partition(".")[0] not in _WRITERS:
            raise
        raise InputError(f"cannot write {path}: {_reason(error)}; {mend}") from None


def _reason(error: Exception) -> str:
    """What the system said, in one line."""
    said = error.strerror if isinstance(error, OSError) else None
    return said or (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
