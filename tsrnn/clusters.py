"""Ray as a guest: a cluster is joined, or started and removed again, and nothing of it is seen, heard or left behind.

Unasked, Ray takes SIGTERM for itself, prints what befalls its workers to standard output, reports its use, leaves a
token in the home folder and a session in the folder for temporary files, listens on every address of the machine, and
waits for minutes for a cluster that is not there. A cluster of our own keeps its door locked by a token that only this
process and its children know.
"""

import logging
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import rmtree
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from tsrnn import workers
from tsrnn.errors import InputError

_PATIENCE = 10  # seconds for a cluster to answer
_STORE = 10**8  # bytes of shared memory for what comes back: rows are small
_NAME, _LONGEST = "tsrnn-ray-", 24  # of the folder for a session; bytes of the one that it lies in: paths of sockets
_YOUNG = 60  # seconds in which a session may not have locked its folder yet
_CLIENT_PORT = 10001  # Ray's usual one
_BACK = 40  # seconds in which the head of a cluster elsewhere may be started again; Ray itself gives it 60
_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))  # RFC 9113, 3.4: with no settings


@dataclass(frozen=True)
class Cluster:
    """The package ray, which is part of a cluster, and how many seconds its head may be away."""

    ray: Any
    patience: float

    def check(self) -> None:
        """Ask whether the cluster is still there, before a call that needs its head.

        Without its head Ray waits for a minute in that call, and then ends the whole program.

        Raises:
            ConnectionError: it has gone.
        """
        if self.ray.util.client.ray.is_connected():  # whose calls raise by themselves
            return
        host, _, port = self.ray.get_runtime_context().gcs_address.rpartition(":")
        until = time.monotonic() + self.patience
        while True:
            try:
                socket.create_connection((host.strip("[]"), int(port)), _PATIENCE).close()
                return
            except OSError:
                if time.monotonic() > until:
                    raise ConnectionError("its head process ended") from None
                time.sleep(1)


def elsewhere(address: str = "") -> bool:
    """Whether `cluster` would join one that may have nodes besides this machine."""
    return _where(address) not in ("", "local")


def _where(address: str) -> str:
    if not address:
        return os.environ.get("RAY_ADDRESS", "")
    return address if address == "auto" else f"ray://{address}"


@contextmanager
def cluster(address: str = "") -> Iterator[Cluster]:
    """The package ray, in a cluster as long as this lasts.

    Args:
        address: HOST:PORT of a cluster's door for clients, or "auto", the cluster that this machine is part of. Empty:
            the one that this process is part of already, that of the variable RAY_ADDRESS, or one of its own.

    Raises:
        InputError: ray is not installed, or no cluster answers.
    """
    ray = _package()
    if ray.is_initialized():
        if address:
            raise InputError("this process is part of a Ray cluster already; leave the address out")
        with _watched("that this process is part of"):
            yield Cluster(ray, _BACK)
        return
    where = _where(address)
    own = not elsewhere(address)
    with _watched("of this machine" if own else f"at {where}"), _tamed(ray), _own(ray) if own else _joined(ray, where):
        yield Cluster(ray, 0 if own else _BACK)


@contextmanager
def _watched(which: str) -> Iterator[None]:
    try:
        yield
    except ConnectionError as error:
        raise InputError(
            f"the Ray cluster {which} has gone ({_reason(error)}); what was finished is kept, and the same command "
            "goes on once it is back"
        ) from None


def _package() -> Any:
    try:
        import ray
    except ImportError:
        raise InputError('a Ray cluster needs the package ray: pip install "tsrnn[ray]"') from None
    return ray


@contextmanager
def _joined(ray: Any, address: str) -> Iterator[None]:
    if address != "auto":
        _knock(address)
    try:
        _init(ray, address)
    except Exception as error:
        raise InputError(f"no Ray cluster answers at {address} ({_reason(error)}); check it, and the address") from None
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Refuse an address behind which nobody is, or somebody else than gRPC: Ray would wait for minutes, and murmur."""
    try:
        parts = urlsplit(address if "://" in address else f"ray://{address}")
        host, port = parts.hostname, parts.port or _CLIENT_PORT
    except ValueError:
        host = None
    if not host:
        raise InputError(f"{address} is no address of a Ray cluster; write ray://HOST:PORT")
    try:
        with socket.create_connection((host, port), _PATIENCE) as door:
            door.sendall(_HELLO)
            if not door.recv(1) and os.environ.get("RAY_USE_TLS", "0") == "0":  # which answers in its own way
                raise ConnectionError("who listens there is not Ray")
    except OSError as error:
        raise InputError(
            f"no Ray cluster answers at {address} ({error.strerror or error}); check the address, and that it runs"
        ) from None


@contextmanager
def _own(ray: Any) -> Iterator[None]:
    """A cluster of the cores of this machine that this process may use, in a folder of its own."""
    usual = {"num_cpus": workers.cores(), "include_dashboard": False, "object_store_memory": _STORE}
    found = os.pathsep.join(path or os.getcwd() for path in sys.path)  # where this process finds its modules
    unasked = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_TOKEN": _token()}
    with _session() as folder, _environment({**unasked, **os.environ, "PYTHONPATH": found}):
        try:
            _init(ray, "local", **usual, _temp_dir=str(folder))
        except Exception as error:
            raise InputError(f"Ray cannot be started on this machine ({_reason(error)}); work without it") from None
        try:
            yield
        finally:
            ray.shutdown()


def _init(ray: Any, address: str, **options: Any) -> None:
    """`ray.init`, which leaves SIGTERM to whoever had it."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM) if main else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logging.getLogger("ray").setLevel(logging.CRITICAL)
            ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL, **options)
    finally:
        logging.getLogger("ray").setLevel(logging.CRITICAL)
        if before is not None:
            signal.signal(signal.SIGTERM, before)


@contextmanager
def _tamed(ray: Any) -> Iterator[None]:
    """Without what Ray prints of workers that die, and without another Ray that it starts where it has lost the first.

    No option keeps it from either.
    """
    hook, worker = ray._private.auto_init_hook, ray._private.worker
    before = getattr(worker, "print_to_stdstream", None), getattr(hook, "enable_auto_connect", True)
    worker.print_to_stdstream, hook.enable_auto_connect = lambda *what, **how: None, False
    try:
        yield
    finally:
        worker.print_to_stdstream, hook.enable_auto_connect = before


@contextmanager
def _session() -> Iterator[Path]:
    """A folder for the time of a cluster; those that killed runs have left are removed."""
    base = Path(workers.short_folder(_LONGEST))
    for old in base.glob(f"{_NAME}*"):
        with suppress(OSError, Timeout):
            if time.time() - old.stat().st_mtime > _YOUNG:
                with FileLock(old / ".lock", timeout=0):
                    rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_NAME, dir=base))
    try:
        with FileLock(folder / ".lock"):
            yield folder
    finally:
        rmtree(folder, ignore_errors=True)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Other variables for a while; what is changed in them meanwhile is forgotten."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in {*os.environ} - {*before}:
            del os.environ[name]
        os.environ.update(before)


@cache
def _token() -> str:
    """The key to this process's clusters: Ray keeps the first that it sees."""
    return secrets.token_hex(32)


def _reason(error: Exception) -> str:
    said = str(error).strip() or type(error).__name__
    return said.splitlines()[0].rstrip(".:")
