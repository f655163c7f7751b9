"""Worker processes: where they come from, what they share out among themselves, and how they end with their parent."""

import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.util import get_temp_dir

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS")
_LONGEST = 60  # bytes of the folder for temporary files, with room for the rest of a socket's path


def context() -> BaseContext:
    """The fork server, which imports torch once for all workers; spawned processes on systems that have none.

    Importing torch starts no thread and touches no accelerator, so forking after it is safe. The main module is
    not imported there, since it may do either.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch"])
    _shorten_sockets()
    return context


def cores() -> int:
    """The processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def short_folder(longest: int) -> str:
    """Where temporary files lie, or, where that has more bytes in its name, another folder that serves."""
    usual = tempfile.gettempdir()
    if len(os.fsencode(usual)) <= longest:
        return usual
    short = [each for each in ("/tmp", "/var/tmp", "/dev/shm") if os.access(each, os.W_OK | os.X_OK)]
    return short[0] if short else usual


def _shorten_sockets() -> None:
    """A socket's path has 108 bytes at most: where temporary files lie deep, sockets lie elsewhere."""
    before = tempfile.tempdir
    tempfile.tempdir = short_folder(_LONGEST)
    try:
        get_temp_dir()  # which is the same for as long as this process lives
    finally:
        tempfile.tempdir = before


@contextmanager
def one_thread() -> Iterator[None]:
    """The environment in which processes start, so that nothing takes all cores before `prepare` shares them out."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def prepare(leash: Connection, threads: int) -> None:
    """First thing in a worker: leave Ctrl-C to the parent, die with it, and take no more than its share of cores."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(leash,), daemon=True).start()
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    import torch  # here, so that the calling process need not have it

    torch.set_num_threads(threads)


def _watch(leash: Connection) -> None:
    parent = multiprocessing.parent_process()
    wait([leash] if parent is None else [leash, parent.sentinel])
    os._exit(1)
