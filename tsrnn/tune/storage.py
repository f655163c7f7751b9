"""Where a sweep lives: a SQLite file by default, any Optuna URL otherwise. Its secrets are never told.

SQLAlchemy makes tables, Optuna a study and its first trial, in several steps; processes that begin together would meet
in the middle. So they take turns by a lock beside the file, or for a server by one in the user's cache: processes of
several machines or users that share a server do not wait for each other, and may run a trial too many.
"""

import hashlib
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

import optuna
import platformdirs
from filelock import FileLock

from tsrnn.errors import InputError

HEARTBEAT = 30  # seconds between signs of life of a running trial
GRACE = 300  # seconds of silence after which a trial's process is taken for dead
_PATIENCE = 60  # seconds to wait while another process writes into a SQLite file
_FILE = "sqlite:///"
_SECRETS = (  # of a URL: user:secret@host, and ...?password=secret&...
    re.compile(r"://[^/@:]*:(.+)@"),
    re.compile(r"[?&](?:[a-z_]*password|passwd|pwd)=([^&#]+)", re.IGNORECASE),
)


def sqlite(path: Path) -> str:
    """The URL of a SQLite file, whose folder is made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {path.parent}: {error.strerror}; choose another --out") from None
    return f"{_FILE}{path}"


@contextmanager
def turn(url: str) -> Iterator[Callable[[], None]]:
    """One process at a time is inside; calling what is given leaves early.

    Raises:
        InputError: no lock can be made beside the storage.
    """
    lock = _lock(url)
    if lock is None:
        yield lambda: None
        return
    try:
        lock.acquire()
    except OSError as error:
        raise unopened(url, error) from None
    try:
        yield lock.release
    finally:
        lock.release()


def _lock(url: str) -> FileLock | None:
    """None where nobody shares the storage, or no folder can be had for the lock of a server's."""
    scheme, _, place = url.partition("://")
    if scheme.partition("+")[0] == "sqlite":
        file = place[1:].partition("?")[0].removeprefix("file:")
        shared = file not in ("", ":memory:") and Path(file).parent.is_dir()
        return FileLock(f"{file}.lock") if shared else None
    folder = Path(platformdirs.user_cache_dir("tsrnn")) / "studies"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return FileLock(folder / f"{hashlib.sha256(masked(url, url).encode()).hexdigest()[:16]}.lock")


def opened(url: str) -> optuna.storages.RDBStorage:
    """The storage, its tables made where there are none; to be called in one's `turn`.

    Raises:
        InputError: it cannot be opened.
    """
    waiting = {"connect_args": {"timeout": _PATIENCE}} if url.startswith(_FILE) else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # heartbeats are called so since 2.x
            return optuna.storages.RDBStorage(url, waiting, heartbeat_interval=HEARTBEAT, grace_period=GRACE)
    except Exception as error:
        raise unopened(url, error) from None


def unopened(url: str, error: Exception) -> InputError:
    """Why a storage cannot be used, in one sentence."""
    reason = masked((str(error).splitlines() or [type(error).__name__])[0], url)
    return InputError(
        f"cannot open the storage {masked(url, url)}: {reason}; give an Optuna URL such as sqlite:///sweep.sqlite3 "
        "in a folder you may write"
    )


def masked(text: str, url: str) -> str:
    """A text without the secrets of a URL."""
    for pattern in _SECRETS:
        for secret in pattern.findall(url):
            for form in {secret, unquote(secret)}:
                text = text.replace(form, "***")
    return text


def heard(storage: optuna.storages.RDBStorage) -> set[int]:
    """The ids of all trials that ever gave a sign of life."""
    with storage.engine.connect() as connection:
        return {int(row[0]) for row in connection.exec_driver_sql("SELECT trial_id FROM trial_heartbeats")}
