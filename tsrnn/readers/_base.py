"""What every reader asks first: is there a file, and does it hold anything?"""

from difflib import get_close_matches
from pathlib import Path

from tsrnn import forks
from tsrnn.errors import InputError


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
