"""What every place of work shares: where jobs are done, how they are drawn, and what becomes of them."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from traceback import format_exc
from typing import Any

from tsrnn.errors import InputError

ATTEMPTS = 3  # of a job whose process dies

Job = Any
Function = Callable[[Job], Any]


@dataclass(frozen=True)
class Place:
    """Where jobs are done, and what each of them needs there.

    `name` is a file of this shelf. `workers` says how many jobs go side by side; None: as many as there is room for.
    Only a cluster has an `address`, and `needs`: what a job takes of it besides its `threads`, by the cluster's words.
    """

    name: str = "processes"
    workers: int | None = None
    address: str = ""
    needs: Mapping[str, float] = field(default_factory=dict)
    threads: int = 1


@dataclass(frozen=True)
class Outcome:
    """What became of one job: a result, or else an error.

    `error` is a sentence for the reader, None where the job succeeded; `error_type` is the exception's name
    ("InputError" for that class and its children, "WorkerDied" where the process ended); `traceback` is for a report
    of our own faults. `seconds` is the time the job itself took, in its last attempt.
    """

    job: Job
    result: Any | None
    error: str | None
    seconds: float
    error_type: str | None = None
    traceback: str | None = None


class Drawn:
    """Jobs with their numbers, drawn one by one by whatever thread has room for the next.

    `begins` is asked of each as it is drawn; one of which it says False is left out.
    """

    def __init__(self, jobs: Sequence[Job], begins: Callable[[Job], bool] | None = None) -> None:
        self._count, self._left, self._begins = len(jobs), enumerate(jobs), begins
        self._turn = threading.Lock()

    def __len__(self) -> int:
        """How many there were at first."""
        return self._count

    def __iter__(self) -> Iterator[tuple[int, Job]]:
        return self

    def __next__(self) -> tuple[int, Job]:
        with self._turn:
            for index, job in self._left:
                if self._begins is None or self._begins(job):
                    return index, job
        raise StopIteration


def attempt(function: Function, job: Job) -> Outcome:
    """Do one job, here and now."""
    began = perf_counter()
    try:
        result = function(job)
    except (Exception, SystemExit) as error:
        return failed(job, error, began)
    return Outcome(job, result, None, perf_counter() - began)


def failed(job: Job, error: BaseException, began: float) -> Outcome:
    """What an exception makes of a job."""
    mendable = isinstance(error, InputError)
    name = "InputError" if mendable else type(error).__name__
    message = str(error) if mendable else f"{name}: {error}"
    return Outcome(job, None, message, perf_counter() - began, name, format_exc())


def died(job: Job, began: float, reason: str = "") -> Outcome:
    """What is left of a job whose process died in every attempt; `reason`: another than that."""
    often = f"the worker process died {ATTEMPTS} times in this job (killed, out of memory, or a crash)"
    return Outcome(job, None, reason or often, perf_counter() - began, "WorkerDied")


def mendable(error: Exception) -> Exception:
    """What cannot be sent to a worker is mostly a class or function made inside another."""
    if "pickle" not in str(error):
        return error
    return InputError(
        f"{error}, so it cannot be sent to a worker process; move it to the top level of a module, or take workers=0"
    )
