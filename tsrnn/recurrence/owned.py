"""What is this user's alone: the folder in which kernels are kept, and the libraries loaded from it.

A library runs in our name, so nobody else may have written it. Every folder and link on the way to the cache must
belong to the user or to root, and none may be open to others (a sticky one, such as /tmp, lets them add but not
rename). A file is opened once: its owner, its bytes and what is loaded are read from that one descriptor.
"""

import ctypes
import hashlib
import os
import stat
import tempfile
from itertools import count
from pathlib import Path

_OTHERS, _GROUP = 0o002, 0o020  # may write
_LINKS = 40  # on the way to a folder, as many as Linux follows
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_slashes = count(2)


def claim(folder: Path) -> bool:
    """Make a folder, close it to others, and remove what others left in it; whether it is the user's alone.

    Raises:
        OSError: it cannot be made, closed or cleared.
    """
    if not hasattr(os, "getuid"):
        folder.mkdir(parents=True, exist_ok=True)
        return os.access(folder, os.W_OK)
    if not _guarded(folder.parent):
        return False
    for place in reversed((folder, *folder.parents)):
        if not place.exists():
            place.mkdir(mode=0o700, exist_ok=True)
    status = folder.stat()
    if status.st_uid != os.getuid() or not _guarded(folder.parent):
        return False
    if status.st_mode & 0o077:
        folder.chmod(0o700)
    for path in folder.iterdir():
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode) and not _own(status):
            path.unlink(missing_ok=True)
    return not folder.stat().st_mode & 0o077 and _guarded(folder) and os.access(folder, os.W_OK | os.X_OK)


def load(path: Path, digest_wanted: str | None = None) -> ctypes.CDLL | None:
    """The library in a file of the user's own; None where it is another's, no file, or its bytes are not those wanted.

    Raises:
        OSError: the system does not load it.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return None
    with open(descriptor, "rb") as file:
        if hasattr(os, "getuid") and not _own(os.fstat(descriptor)):
            return None
        content = file.read()
        if digest_wanted is not None and digest(content) != digest_wanted:
            return None
        # The loader knows libraries by their names, and numbers of descriptors come back: each name is a new one.
        name = f"/proc/self/fd{'/' * next(_slashes)}{descriptor}"
        if os.path.exists(name):
            return ctypes.CDLL(name)
    with tempfile.TemporaryDirectory(prefix="tsrnn-kernels-", ignore_cleanup_errors=True) as room:
        copy = Path(room) / path.name
        copy.write_bytes(content)
        return ctypes.CDLL(str(copy))


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _own(status: os.stat_result) -> bool:
    """Whether it is a plain file that this user alone may have written."""
    writable = status.st_mode & (_OTHERS | _GROUP)
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.getuid() and not writable


def _guarded(folder: Path) -> bool:
    """Whether nobody else can put another folder in this one's place; what is not there yet can be nobody's."""
    place, parts, links = Path(folder.anchor), list(folder.parts[1:])[::-1], 0
    while True:
        try:
            status = place.lstat()
        except FileNotFoundError:
            return True
        if status.st_uid not in (0, os.getuid()):
            return False
        if stat.S_ISLNK(status.st_mode):
            links += 1
            target = Path(os.readlink(place))
            if links > _LINKS:
                return False
            parts += target.parts[::-1] if not target.is_absolute() else target.parts[:0:-1]
            place = Path(target.anchor) if target.is_absolute() else place.parent
            continue
        if _open(status):
            return False
        if not parts:
            return True
        place = place / parts.pop()


def _open(status: os.stat_result) -> bool:
    """Whether others may rename what lies in a folder: its group counts, unless it is this user's alone, or root's."""
    if status.st_mode & stat.S_ISVTX:
        return False
    return bool(status.st_mode & _OTHERS) or bool(status.st_mode & _GROUP and not _private_group(status.st_gid))


def _private_group(number: int) -> bool:
    import grp  # these two are not on every system
    import pwd

    try:
        group, user = grp.getgrgid(number), pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return number == 0
    return number == 0 or (group.gr_name == user and set(group.gr_mem) <= {user})
