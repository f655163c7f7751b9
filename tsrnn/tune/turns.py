"""Taking turns: one process at a time makes tables, a study, or a trial of it, on however many machines.

SQLAlchemy makes tables, Optuna a study and its first trial, in several steps; processes that begin together would meet
in the middle. A turn is a lock that ends with its process: beside a SQLite file; in a PostgreSQL server an advisory
one, held by a transaction, which ends also with the connection; for other servers one in the user's cache, which
processes of several machines or users do not share, so that they may run a trial too many.
"""

import contextlib
import functools
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from filelock import FileLock
from sqlalchemy import Connection, Engine, NullPool, create_engine
from sqlalchemy.exc import SQLAlchemyError

from tsrnn.tune import storage
from tsrnn.tune.patience import OUTAGE, patiently

_LOCKS = 0x7473726E  # tells our advisory locks in a database from those of others
_SQLITE = b"SQLite format 3\0"  # how its files begin, but for empty ones
_LONGEST = 300  # seconds that a server leaves a turn to a process that asks it nothing

Leave = Callable[[], bool]


@contextmanager
def turn(url: str, name: str = "", patient: bool = True) -> Iterator[Leave]:
    """One process at a time is inside; calling what is given leaves early.

    Args:
        name: of the study; without one nobody else opens the storage.
        patient: whether to wait for a server that is away, `patience.OUTAGE` seconds. One that has answered is waited
            for in any case.

    Yields:
        A function that leaves, and says whether nobody else can have been inside.

    Raises:
        InputError: no lock can be made beside the storage, or the server does not answer.
    """
    parts = storage.address(url)
    if parts.get_backend_name() == storage.POSTGRES:
        with _of_server(url, name, patient) as leave:
            yield leave
        return
    lock = _lock(url)
    if lock is None:
        yield lambda: True
        return
    try:
        lock.acquire()
    except OSError as error:
        raise storage.unopened(url, error) from None

    def release() -> bool:
        lock.release()
        return True

    try:
        yield release
    finally:
        lock.release()


@contextmanager
def _of_server(url: str, name: str, patient: bool) -> Iterator[Leave]:
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big", signed=True)
    try:
        if not patient:
            _engine(url).connect().close()
        connection = patiently(lambda: _entered(_engine(url), key), lambda: None, OUTAGE)
    except SQLAlchemyError as error:
        raise (storage.lost if patient else storage.unopened)(url, error) from None
    answers: list[bool] = []

    def leave() -> bool:
        if not answers:
            answers.append(_left(connection))
        return answers[0]

    try:
        yield leave
    finally:
        leave()


def _entered(engine: Engine, key: int) -> Connection:
    connection = engine.connect()
    try:
        connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = '{_LONGEST}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCKS}, {key})")
    except BaseException:
        connection.close()
        raise
    return connection


def _left(connection: Connection) -> bool:
    try:
        connection.commit()
    except SQLAlchemyError:
        return False
    finally:
        with contextlib.suppress(SQLAlchemyError):
            connection.close()
    return True


@functools.lru_cache(maxsize=8)
def _engine(url: str) -> Engine:
    """An engine that keeps no connection."""
    parts = storage.address(url)
    return create_engine(parts, poolclass=NullPool, connect_args=storage.connecting(parts))


def _check(file: Path, url: str) -> None:
    """Refuse a file of something else before there is a lock beside it.

    Raises:
        InputError: it is no SQLite database.
    """
    try:
        with file.open("rb") as content:
            begin = content.read(len(_SQLITE))
    except OSError:  # not there yet, or opening it will say why not
        return
    if begin and begin != _SQLITE:
        raise storage.unopened(url, ValueError("the file is no SQLite database"))


def _lock(url: str) -> FileLock | None:
    """None where nobody shares the storage, or no folder can be had for the lock of a server's.

    Raises:
        InputError: the file is none of SQLite's.
    """
    scheme, _, place = url.partition("://")
    if scheme.partition("+")[0] == storage.SQLITE:
        file = Path(place[1:].partition("?")[0].removeprefix("file:"))
        if str(file) in (".", ":memory:") or not file.parent.is_dir():
            return None
        _check(file, url)
        return FileLock(f"{file}.lock")
    folder = Path(platformdirs.user_cache_dir("tsrnn")) / "studies"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return FileLock(folder / f"{hashlib.sha256(storage.masked(url, url).encode()).hexdigest()[:16]}.lock")
