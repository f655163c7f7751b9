"""Where a sweep lives: a SQLite file by default, a PostgreSQL server for many machines. Its secrets are never told.

Any other Optuna URL is taken as it is. Servers get few connections, and calls that wait where they are away for a
while (`patience`). Who may make tables and trials at one time, `turns` says.
"""

import re
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import optuna
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ProgrammingError

from tsrnn.errors import InputError
from tsrnn.tune.patience import OUTAGE, PatientStorage, patiently

HEARTBEAT = 30  # seconds between signs of life of a running trial
GRACE = 360  # seconds of silence after which a trial's process is taken for dead: longer than a server may be away
SQLITE, POSTGRES = "sqlite", "postgresql"
_PATIENCE = 60  # seconds to wait while another process writes into a SQLite file
_FILE = "sqlite:///"
_POOL = {"pool_pre_ping": True, "pool_size": 2, "max_overflow": 3, "pool_recycle": 1800}
# A server that does not answer is found out in seconds, also in the middle of a call.
_LIBPQ = {
    "application_name": "tsrnn",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_DRIVERS: dict[str, dict[str, Any]] = {
    "psycopg": {**_LIBPQ, "prepare_threshold": None},  # prepared statements do not outlive a pooler's transaction
    "psycopg2": _LIBPQ,
}
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


def address(url: str) -> URL:
    """A storage's URL in parts; where it names no driver of PostgreSQL, that is psycopg 3.

    Raises:
        InputError: it is no URL, or names a driver that is not installed.
    """
    try:
        parts = make_url(url)
        if parts.drivername in ("postgres", POSTGRES):
            parts = parts.set(drivername=f"{POSTGRES}+psycopg")
        if parts.drivername == f"{POSTGRES}+psycopg" and find_spec("psycopg") is None:
            raise InputError(
                f'the storage {masked(url, url)} needs psycopg: python -m pip install "tsrnn[postgres]", or leave '
                "--storage out to sweep into a SQLite file"
            )
        parts.get_dialect()
    except InputError:
        raise
    except Exception as error:
        raise unopened(url, error) from None
    return parts


def shared(url: str) -> bool:
    """Whether several processes can open a storage: all but one in memory."""
    parts = address(url)
    return parts.get_backend_name() != SQLITE or parts.database not in (None, "", ":memory:")


def connecting(parts: URL) -> dict[str, Any]:
    """What a driver is told beside the URL, in which the same words come first."""
    if parts.get_backend_name() == SQLITE:
        return {"timeout": _PATIENCE} if parts.database else {}
    told = _DRIVERS.get(parts.get_driver_name(), {}) if parts.get_backend_name() == POSTGRES else {}
    return {word: value for word, value in told.items() if word not in parts.query}


def opened(url: str) -> optuna.storages.RDBStorage:
    """The storage, its tables made where there are none; to be called in one's turn (`turns.turn`).

    A PostgreSQL server has then just answered: one that leaves now is waited for.

    Raises:
        InputError: it cannot be opened.
    """
    longest = OUTAGE if address(url).get_backend_name() == POSTGRES else 0
    try:
        return patiently(lambda: connected(url, tables=True), lambda: None, longest)
    except Exception as error:
        raise unopened(url, error) from None


def connected(url: str, tables: bool = False) -> optuna.storages.RDBStorage:
    """The storage; `tables`: makes those that are missing. Errors are those of Optuna and SQLAlchemy."""
    parts = address(url)
    server = parts.get_backend_name() != SQLITE
    kind = PatientStorage if server else optuna.storages.RDBStorage
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # heartbeats are called so since 2.x
        return kind(
            parts.render_as_string(hide_password=False),
            {"connect_args": connecting(parts), **(_POOL if server else {})},
            heartbeat_interval=HEARTBEAT,
            grace_period=GRACE,
            skip_table_creation=not tables,
        )


def heard(storage: optuna.storages.RDBStorage) -> set[int]:
    """The ids of all trials that ever gave a sign of life."""

    def ids() -> set[int]:
        with storage.engine.connect() as connection:
            return {int(row[0]) for row in connection.exec_driver_sql("SELECT trial_id FROM trial_heartbeats")}

    return patiently(ids, lambda: None) if isinstance(storage, PatientStorage) else ids()


def unopened(url: str, error: Exception) -> InputError:
    """Why a storage cannot be used, in one sentence."""
    said = masked(url, url)
    cause = error.__cause__ if isinstance(error, optuna.exceptions.StorageInternalError) and error.__cause__ else error
    reason = masked((str(cause).splitlines() or [type(cause).__name__])[0], url)
    if "compatible with the table schema" in reason:
        return InputError(
            f"the storage {said} was made by another version of Optuna, and its tables differ; name an empty database, "
            f"or move these with `optuna storage upgrade` (this is Optuna {optuna.__version__})"
        )
    if isinstance(cause, ProgrammingError):
        return InputError(f"cannot use the storage {said}: {reason}; its user must be allowed to make tables in it")
    if url.startswith("postgres"):
        return InputError(
            f"cannot open the storage {said}: {reason}; check the address, that the server runs, that it has this "
            "database, and the user's name and password"
        )
    return InputError(
        f"cannot open the storage {said}: {reason}; give an Optuna URL such as sqlite:///sweep.sqlite3 "
        "in a folder you may write"
    )


def lost(url: str, error: Exception) -> InputError:
    """What to say where a storage went away in a sweep and did not come back."""
    cause = error.__cause__ or error
    reason = masked((str(cause).splitlines() or [type(cause).__name__])[0], url)
    return InputError(
        f"lost the storage {masked(url, url)}: {reason}; trials that ended are kept, and the same sweep goes on from "
        "there once it answers again"
    )


def masked(text: str, url: str) -> str:
    """A text without the secrets of a URL."""
    for pattern in _SECRETS:
        for secret in pattern.findall(url):
            for form in {secret, unquote(secret)}:
                text = text.replace(form, "***")
    return text
