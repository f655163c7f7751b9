"""Jobs for the tests of `tsrnn.execute`, and a small program that runs some of them and waits to be stopped."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

from tsrnn.errors import InputError
from tsrnn.execute import Outcome, run

PATIENCE = 600  # seconds after which a test is taken to hang; none of its waits is that long, on whatever machine


def echo(job: Any) -> Any:
    return job


def pid(job: Any) -> int:
    return os.getpid()


def act(job: tuple[str, Path]) -> str:
    """Stay for long, raise, leave the process once, leave it always, or answer; each start leaves a line in a file."""
    action, log = job
    with log.open("a") as lines:
        lines.write("start\n")
    starts = len(log.read_text().splitlines())
    if action == "stay":
        time.sleep(2 * PATIENCE)
    if action == "raise":
        raise ZeroDivisionError("no such number")
    if action == "mend":
        raise InputError("column 'OT' is missing: name another")
    if action == "exit":
        raise SystemExit(3)
    if action == "die" or (action == "die once" and starts == 1):
        os._exit(11)
    return action


def fell(job: tuple[bool, Path]) -> int:
    """Kill the fork server, from which this process comes, the first time that it is asked to; count the starts."""
    ends, log = job
    with log.open("a") as lines:
        lines.write("start\n")
    starts = len(log.read_text().splitlines())
    if ends and starts == 1:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(600)
    return starts


def unpicklable(job: Any) -> Any:
    return lambda: job


def locked(job: Any) -> Any:
    """A result that no pickle takes."""
    return threading.Lock()


def threads(job: Any) -> tuple[int, str | None, str | None]:
    """Torch's threads, and what polars and OpenMP read from the environment."""
    import torch

    return torch.get_num_threads(), os.environ.get("POLARS_MAX_THREADS"), os.environ.get("OMP_NUM_THREADS")


def meet(job: tuple[int, Path]) -> int:
    """Return once both jobs have begun: two workers are needed."""
    number, folder = job
    (folder / f"{number}").touch()
    wait_for(lambda: (folder / f"{1 - number}").exists())
    return number


def hold(lock: Path) -> None:
    """Take a lock that the system frees when this process ends, say so, and stay."""
    with FileLock(lock):
        lock.with_suffix(".held").touch()
        time.sleep(2 * PATIENCE)


def wait_for(true: Callable[[], object], *programs: "subprocess.Popen[Any]", seconds: float = PATIENCE) -> None:
    """Wait as long as the programs live that shall make it true; without any, so many seconds."""
    end = time.monotonic() + seconds
    while not true():
        ended = [program for program in programs if program.poll() is not None]
        assert not ended, f"{ended[0].args} ended with {ended[0].returncode}"
        assert programs or time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


if __name__ == "__main__":

    def say(outcome: Outcome) -> None:
        print(outcome, flush=True)

    try:
        run(hold, [Path(name) for name in sys.argv[1:]], workers=2, on_done=say)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        raise
