"""Where a buffer's rows are laid down: in memory, or beside the files that they are made of.

What is made of files that are mapped (`tsrnn.pages`) becomes files as well, in a folder whose name says of what numbers
and how it was made: who asks for the same again, in this process or another, finds it.
"""

import re
import zlib
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from shutil import rmtree

import numpy as np
import numpy.typing as npt

from tsrnn import files, pages
from tsrnn.arrays import Arrays

Flags = npt.NDArray[np.bool_]
Fill = Callable[[pages.Mapped, Flags | None], None]
_KEPT = 2  # folders of rows beside one another; older ones make room
_VALUES, _OBSERVED = "values.npy", "observed.npy"
_MEND = "make room, or name another maps="


def rows(
    arrays: Arrays, how: Sequence[object], shape: tuple[int, int], holed: bool, fill: Fill
) -> tuple[pages.Mapped, Flags | None]:
    """Values [row channel] float32, and which were measured [row channel]; None: all were.

    Args:
        arrays: what they are made of.
        how: all that `fill` depends on beside the numbers: arrays, and what has words of its own.
        shape: of the values.
        holed: whether some were not measured.
        fill: writes both.

    Raises:
        InputError: the disk is full.
    """
    home = pages.home(arrays.columns[0])
    if home is None:
        values = np.zeros(shape, np.float32)
        observed = np.empty(shape, bool) if holed else None
        fill(values, observed)
        return values, observed
    folder = home / f"rows-{_key(arrays, how)}"
    if not folder.is_dir():
        _make_room(home)
        files.folder_written(folder, lambda fresh: _write(fresh, shape, holed, fill), _MEND)
    made = pages.opened(folder / _VALUES), pages.opened(folder / _OBSERVED) if holed else None
    for each in made:
        if each is not None:
            pages.unread_ahead(each)
    return made


def _write(folder: Path, shape: tuple[int, int], holed: bool, fill: Fill) -> None:
    with pages.written(folder / _VALUES, shape, np.float32) as values:
        if not holed:
            return fill(values, None)
        with pages.written(folder / _OBSERVED, shape, bool) as observed:
            return fill(values, observed)


def _key(arrays: Arrays, how: Sequence[object]) -> str:
    """What tells these rows from others: each column's file, or the sum of its numbers, and how they are made."""
    total = sha256()
    for column in arrays.columns:
        total.update((pages.name(column) or _sum(column)).encode())
    for each in how:
        total.update(each.tobytes() if isinstance(each, np.ndarray) else repr(each).encode())
        total.update(b"\0")
    return total.hexdigest()[:16]


def _sum(column: pages.Mapped) -> str:
    total = 0
    for begin in range(0, len(column), pages.BLOCK):
        total = zlib.crc32(np.ascontiguousarray(column[begin : begin + pages.BLOCK]).tobytes(), total)
    return f"{column.dtype} {len(column)} {total}"


def _make_room(home: Path) -> None:
    """Remove the oldest rows, so that there is a place for more; who has them open keeps them."""
    kept = [each for each in home.iterdir() if re.fullmatch(r"rows-[0-9a-f]{16}", each.name)]
    for folder in sorted(kept, key=lambda each: each.stat().st_mtime)[: max(0, len(kept) - _KEPT + 1)]:
        rmtree(folder, ignore_errors=True)
