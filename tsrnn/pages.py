"""Arrays that are files: numpy's own `.npy`, mapped into memory, so that the system holds what is in use of them.

written     a new file, its place on the disk taken before anything is written: a full disk is told of, not met
opened      one that is there, held against its own header first
scratch     one without a name, which ends with the array
home        the folder of the file that an array lies in, so that what is made of it is laid down there as well
ask         rows are asked for before they are read: the disk answers many askings at once, and page faults one by one

A mapping is private: what is written to an array that was opened stays in this process.
"""

import io
import mmap
import os
import tempfile
import weakref
from bisect import bisect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tsrnn.arrays import Rows
from tsrnn.errors import InputError

Mapped = npt.NDArray[Any]
MEND = "delete its folder, so that it is written anew"
BLOCK = 1 << 20  # rows that are read or written together
_ASKED = getattr(mmap, "MADV_WILLNEED", None)  # not on every system
_ALONE = getattr(mmap, "MADV_RANDOM", None)


@dataclass(frozen=True)
class _Place:
    """Where a file lies in memory and on the disk; no name: a scratch file."""

    begin: int
    end: int
    folder: Path
    name: str | None
    pages: "weakref.ref[mmap.mmap]"


_places: dict[int, _Place] = {}


@contextmanager
def written(path: Path, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Iterator[Mapped]:
    """A new file's array to fill, all zeros; when the block ends it is on the disk.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    with path.open("w+b") as file:
        array, pages = _new(file.fileno(), shape, np.dtype(dtype))
        yield array
        pages.flush()
        os.fsync(file.fileno())


def opened(path: Path) -> Mapped:
    """The array of a file.

    Raises:
        InputError: the file is missing, cut off or no `.npy`, or was written on a machine of another byte order.
    """
    try:
        with path.open("rb") as file:
            shape, dtype, offset = _header(path, file.read(256))
            size = os.fstat(file.fileno()).st_size
            length = int(np.prod(shape)) * dtype.itemsize
            if size != offset + length:
                raise InputError(f"{path} is cut off: it has {size} bytes of {offset + length}; {MEND}")
            pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); {MEND}") from None
    return _known(pages, shape, dtype, offset, path.parent, path.name)


def scratch(folder: Path, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Mapped:
    """An array of zeros in a file that has no name, and is gone from the disk when the array is.

    Raises:
        InputError: the disk is full, or the folder cannot be written.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            array, pages = _new(file.fileno(), shape, np.dtype(dtype))
    except OSError as error:
        raise InputError(f"cannot write in {folder}: {error.strerror}; make room, or name another maps=") from None
    return _known(pages, shape, np.dtype(dtype), array.__array_interface__["data"][0] - _start(pages), folder, None)


def home(array: Mapped) -> Path | None:
    """The folder of the file that an array lies in; None: it is in no file."""
    place = _place(array)
    return None if place is None else place.folder


def name(array: Mapped) -> str | None:
    """Which file an array is, from which byte on; None: it is in none, or in one without a name."""
    place = _place(array)
    if place is None or place.name is None or not array.flags.c_contiguous:
        return None
    return f"{place.name} {array.__array_interface__['data'][0] - place.begin} {array.nbytes}"


def of_address(address: int) -> Path | None:
    """`home` of what lies at an address."""
    place = _at(address)
    return None if place is None else place.folder


def any_open() -> bool:
    return bool(_places)


def unread_ahead(array: Mapped) -> None:
    """Have the system read no more of an array than what it is asked for: rows are read here and there."""
    place = _place(array)
    pages = None if place is None else place.pages()
    if pages is not None and _ALONE is not None:
        pages.madvise(_ALONE)


def ask(array: Mapped, rows: Rows, count: int) -> None:
    """Ask for `count` rows of an array from each of these rows on; nothing is waited for."""
    place = _place(array)
    pages = None if place is None else place.pages()
    if pages is None or place is None or _ASKED is None:
        return
    width = array.strides[0]
    first = rows * width + (array.__array_interface__["data"][0] - place.begin)
    pads = first % mmap.PAGESIZE
    for begin, length in zip((first - pads).tolist(), (pads + count * width).tolist(), strict=True):
        pages.madvise(_ASKED, begin, length)


def _header(path: Path, head: bytes) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    stream = io.BytesIO(head)
    try:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError
        shape, across, dtype = np.lib.format.read_array_header_1_0(stream)
    except ValueError:
        raise InputError(f"{path} is no map of numbers; {MEND}") from None
    if not dtype.isnative:
        raise InputError(f"{path} was written on a machine of another byte order; {MEND} here")
    if across or dtype.hasobject:
        raise InputError(f"{path} is no map of plain rows; {MEND}")
    return shape, dtype, stream.tell()


def _new(descriptor: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[Mapped, mmap.mmap]:
    """A file of zeros behind its header, mapped; its place on the disk is taken."""
    stream = io.BytesIO()
    about = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, about)
    size = stream.tell() + int(np.prod(shape)) * dtype.itemsize
    os.write(descriptor, stream.getvalue())
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.truncate(descriptor, size)
    pages = mmap.mmap(descriptor, size, access=mmap.ACCESS_WRITE)
    return np.ndarray(shape, dtype, pages, stream.tell()), pages


def _known(
    pages: mmap.mmap, shape: tuple[int, ...], dtype: np.dtype[Any], offset: int, folder: Path, name: str | None
) -> Mapped:
    begin = _start(pages)
    _places[begin] = _Place(begin, begin + len(pages), folder, name, weakref.ref(pages))
    weakref.finalize(pages, _places.pop, begin, None)
    return np.ndarray(shape, dtype, pages, offset)


def _start(pages: mmap.mmap) -> int:
    start: int = np.frombuffer(pages, np.uint8).__array_interface__["data"][0]
    return start


def _place(array: Mapped) -> _Place | None:
    return _at(array.__array_interface__["data"][0])


def _at(address: int) -> _Place | None:
    begins = sorted(_places)
    at = bisect(begins, address) - 1
    place = _places[begins[at]] if at >= 0 else None
    return place if place is not None and address < place.end else None
