"""What every reader asks first: is there a file, and does it hold anything?"""

import re
from difflib import get_close_matches
from pathlib import Path

from tsrnn import forks
from tsrnn.errors import InputError

LATIN = "cp1252"  # of Windows; Latin-1 with a few signs more
_PLAIN = bytes(range(128))
_LONG = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")  # of UTF-8
_OTHERS = {
    b"PAR1": "a parquet file",
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"\x1f\x8b": "a gzip archive",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"\x89HDF": "an HDF5 file",
}


def opening(path: Path, size: int = 65_536) -> bytes:
    """The first bytes of a file.

    Raises:
        InputError: there is no such file, it is a folder, it may not be read, or it is empty, or this process hangs.
    """
    forks.check()
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file in it")
    try:
        with path.open("rb") as file:
            head = file.read(size)
    except FileNotFoundError:
        raise InputError(f"there is no file {path}; {_nearest(path)}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check its permissions") from None
    if not head.strip():
        raise InputError(f"{path} is empty; check that it was written to its end")
    return head


def first_lines(path: Path, encoding: str = "utf-8") -> list[str]:
    """The first lines of a text, each with its end: some, and never a part of the first two.

    Raises:
        InputError: as of `opening`; it is no text, or its lines end with carriage returns alone.
    """
    size = 65_536
    head = opening(path, size)
    _is_text(path, head)
    while head.count(b"\n") < 2 and len(head) == size:
        size *= 8
        head = opening(path, size)
    text = head.decode(encoding, errors="replace").removeprefix("\ufeff")
    if "\n" not in text and "\r" in text.strip():
        raise InputError(f"{path} ends its lines with carriage returns alone; save it with line feeds")
    lines = text.splitlines(keepends=True) if "\n" not in text else re.findall(r"[^\n]*\n|[^\n]+$", text)
    return lines if len(head) < size else lines[:-1]


def in_utf8(path: Path) -> tuple[bytes, int] | None:
    """A file of Windows' Latin alphabet in UTF-8, and how many of its lines are none as they stand; None of others.

    A file that holds longer signs of UTF-8 too is one of UTF-8 in which bytes were lost.
    """
    raw = path.read_bytes()
    lines = [line for line in raw.split(b"\n") if not line.isascii()]
    strange = [line for line in lines if _LONG.sub(b"", line).translate(None, _PLAIN)]
    if not strange or any(_LONG.search(line) for line in lines):
        return None
    return raw.decode(LATIN, errors="replace").encode(), len(strange)


def contents(path: Path) -> Path | bytes:
    """What polars can open: the path, or what the file holds where its name cannot be written in UTF-8."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return path.read_bytes()
    return path


def _nearest(path: Path) -> str:
    if not path.parent.is_dir():
        return f"the folder {path.parent} is not there either"
    near = get_close_matches(path.name, [each.name for each in path.parent.iterdir()], n=1)
    return f"did you mean {near[0]!r}?" if near else "check the path"


def _is_text(path: Path, head: bytes) -> None:
    kind = next((kind for magic, kind in _OTHERS.items() if head.startswith(magic)), None)
    if kind is None and b"\0" in head:
        kind = "binary"
    if kind:
        raise InputError(f"{path} is {kind}, not a text table; save it as CSV in UTF-8")
