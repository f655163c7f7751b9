"""The one way in which a file is written: beside its place, down to the disk, then renamed; and one that came from
elsewhere is read: never a pipe or a device in its place, never more than it may hold.

A kill leaves the old file or the new one, never half of either.
"""

import os
import stat
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


def plain(path: Path, mend: str) -> BinaryIO:
    """Open a plain file to read; a pipe, a device or a folder is refused instead of waited for.

    Raises:
        InputError: it is none, or cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({_reason(error)}); {mend}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InputError(f"{path} cannot be read (it is no plain file); {mend}")
    return os.fdopen(descriptor, "rb")


def content(path: Path, most: int, mend: str) -> bytes:
    """The bytes of a plain file.

    Raises:
        InputError: as `plain`, or there are more than `most` of them.
    """
    with plain(path, mend) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise InputError(f"{path} cannot be read (it is longer than {most:,} bytes); {mend}")
        return file.read(size)


def _reason(error: Exception) -> str:
    """What the system said, in one line."""
    said = error.strerror if isinstance(error, OSError) else None
    return said or (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
