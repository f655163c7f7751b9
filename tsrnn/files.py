"""The one way in which a file is written: beside its place, down to the disk, then renamed; and one that came from
elsewhere is read: never a pipe or a device in its place, never more than it may hold.

A kill leaves the old file or the new one, never half of either; what else it leaves, the next writer sweeps.
"""

import os
import re
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import copymode, rmtree
from typing import Any, BinaryIO

from tsrnn.alive import ended
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
    try:
        target = Path(os.path.realpath(path))
        beside = _beside(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_file() and not target.is_dir():
            with target.open("wb") as file:
                write(file)
            return
        _sweep(target)
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


@contextmanager
def plain(path: Path, mend: str) -> Iterator[BinaryIO]:
    """A plain file to read; a pipe, a device or a folder is refused instead of waited for, and so is a hollow file.

    Raises:
        InputError: it is none, or cannot be opened or read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        status = os.fstat(descriptor)
        reason = "most of it is holes" if _is_hollow(descriptor, status) else ""
        if not stat.S_ISREG(status.st_mode):
            reason = "it is no plain file"
        if reason:
            os.close(descriptor)
            raise InputError(f"{path} cannot be read ({reason}); {mend}")
        with os.fdopen(descriptor, "rb") as file:
            yield file
    except OSError as error:
        raise InputError(f"{path} cannot be read ({_reason(error)}); {mend}") from None


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


def folder_replaced(path: Path, contents: Mapping[str, bytes], mend: str = MEND) -> None:
    """Give a folder of these files (name -> bytes) the name `path`, as `folder_written` does."""

    def write(folder: Path) -> None:
        for name, content in contents.items():
            with (folder / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())

    folder_written(path, write, mend)


def folder_written(path: Path, write: Callable[[Path], Any], mend: str = MEND) -> None:
    """Call `write` with an empty folder, and give it the name `path`; one that was there is whole until the new one is.

    A symbolic link stays one, and the folder that it names is replaced. A kill between the two renames leaves the old
    folder beside its place, as `.<name>.<process>.new/old`.

    Raises:
        InputError: as `replaced`.
    """
    try:
        target = Path(os.path.realpath(path))
        room = _beside(target)
        fresh, old = room / "new", room / "old"
        try:
            fresh.mkdir(parents=True)
            write(fresh)
            _exchange(fresh, target, old)
            _sweep(target)  # only now: what a killed writer moved away may be the only one there is
        finally:
            rmtree(room, ignore_errors=True)
    except OSError as error:
        raise InputError(f"cannot write {path}: {_reason(error)}; {mend}") from None


def _is_hollow(descriptor: int, status: os.stat_result) -> bool:
    """Whether a file is longer than twice what it takes on the disk: that would be cheap to send, and dear to read.

    Both are asked, since some systems do not count blocks and a compressed file has few.
    """
    if not hasattr(os, "SEEK_HOLE") or 2 * 512 * status.st_blocks >= status.st_size:
        return False
    try:
        first = os.lseek(descriptor, 0, os.SEEK_HOLE)
    except OSError:
        return False
    os.lseek(descriptor, 0, os.SEEK_SET)
    return first < status.st_size


def _beside(target: Path) -> Path:
    """Where this thread of this process writes what shall become `target`."""
    return target.with_name(f".{target.name}.{os.getpid()}-{threading.get_native_id()}.new")


def _sweep(target: Path) -> None:
    """Remove what writers of `target` that were killed have left beside it."""
    left = re.compile(rf"\.{re.escape(target.name)}\.(\d+)(-\d+)?\.new")
    with suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            match = left.fullmatch(entry.name)
            if match and ended(int(match[1])):
                if entry.is_dir(follow_symlinks=False):
                    rmtree(entry.path, ignore_errors=True)
                else:
                    os.unlink(entry.path)


def _exchange(fresh: Path, target: Path, old: Path) -> None:
    """Put `fresh` in the place of `target`, and back what was there if that fails."""
    if target.exists():
        os.replace(target, old)
    try:
        os.replace(fresh, target)
    except OSError:
        if old.exists():
            os.replace(old, target)
        raise


def _reason(error: Exception) -> str:
    """What the system said, in one line."""
    said = error.strerror if isinstance(error, OSError) else None
    return said or (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
