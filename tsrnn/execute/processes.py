"""Jobs -> results, in this process or in worker processes; one broken job never takes another with it.

A worker is a pool of one process, owned by one thread. When the process dies, exactly one job was in it: that job is
tried again in a new process, and given up after the third death. Processes come from a fork server (or are spawned
where there is none), never from a plain fork, which hangs once polars or torch have started their threads.
Workers share the cores out among themselves, and end when the calling process ends, however it ends.
"""

import os
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from time import perf_counter, sleep
from traceback import format_exc
from typing import Any

from tsrnn import workers
from tsrnn.errors import InputError

ATTEMPTS = 3
_CALLS, _PAUSE = 10, 0.1  # of a fork server that does not answer; seconds between

_NO_START = (OSError, EOFError)  # what a process that cannot be started raises here

Job = Any
Function = Callable[[Job], Any]


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


def cores() -> int:
    """The processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(
    function: Function,
    jobs: Sequence[Job],
    workers: int = 1,
    on_done: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Do `function(job)` for every job.

    Args:
        function: a callable at the top level of a module. In a worker it may run again after a death, so it should
            do no harm when repeated.
        jobs: picklable; they start in this order.
        workers: worker processes, at most one per core; 0 runs the jobs one after another in this process.
        on_done: called in the calling thread as each job finishes, in order of finishing.

    Returns:
        The outcomes, in the order of the jobs. A job that raises is an outcome, not an exception.

    Raises:
        InputError: `workers` is negative.
        KeyboardInterrupt: Ctrl-C; the workers have been stopped.
    """
    if workers < 0:
        raise InputError(f"workers must be 0 (in this process) or more, not {workers}")
    finished: dict[int, Outcome] = {}
    work = _in_workers(function, jobs, workers) if workers and jobs else _here(function, jobs)
    with closing(work):
        for index, outcome in work:
            finished[index] = outcome
            if on_done is not None:
                on_done(outcome)
    return [finished[index] for index in range(len(jobs))]


def _here(function: Function, jobs: Sequence[Job]) -> Generator[tuple[int, Outcome], None, None]:
    for index, job in enumerate(jobs):
        yield index, _attempt(function, job)


def _in_workers(function: Function, jobs: Sequence[Job], workers: int) -> Generator[tuple[int, Outcome], None, None]:
    count = min(workers, len(jobs), cores())
    todo: SimpleQueue[tuple[int, Job]] = SimpleQueue()
    for item in enumerate(jobs):
        todo.put(item)
    done: SimpleQueue[tuple[int, Outcome] | BaseException] = SimpleQueue()
    team = [_Worker(function, todo, done, threads=max(1, cores() // count)) for _ in range(count)]
    try:
        for worker in team:
            worker.start()
        for _ in jobs:
            item_done = done.get()
            if isinstance(item_done, BaseException):
                raise item_done
            yield item_done
    except BaseException:
        for worker in team:
            worker.stop()
        raise
    finally:
        for worker in team:
            worker.join(timeout=10)


class _Worker(threading.Thread):
    """A thread that owns one worker process and feeds it the jobs of a common queue until that is empty."""

    _starting = threading.Lock()  # one start at a time: the environment is the whole process's

    def __init__(
        self,
        function: Function,
        todo: "SimpleQueue[tuple[int, Job]]",
        done: "SimpleQueue[tuple[int, Outcome] | BaseException]",
        threads: int,
    ) -> None:
        super().__init__(name="tsrnn-worker", daemon=True)
        self.function, self.todo, self.done, self.threads = function, todo, done, threads
        self.stopped = False
        self.leash: Connection | None = None
        self.pool: ProcessPoolExecutor | None = None

    def run(self) -> None:
        try:
            while not self.stopped:
                index, job = self.todo.get_nowait()
                self.done.put((index, self._persist(job)))
        except Empty:
            pass
        except BaseException as error:
            self.done.put(error)
        finally:
            self._close()

    def stop(self) -> None:
        """Let go of the leash: the process ends at once, and no new one is started."""
        with self._starting:
            self.stopped = True
            if self.leash is not None:
                self.leash.close()
                self.leash = None

    def _persist(self, job: Job) -> Outcome:
        message = f"the worker process died {ATTEMPTS} times in this job (killed, out of memory, or a crash)"
        began = perf_counter()
        for _ in range(ATTEMPTS):
            began = perf_counter()
            try:
                outcome = self._open().submit(_attempt, self.function, job).result()
                return replace(outcome, job=job)
            except BrokenProcessPool as broken:
                self._close()
                if broken.__cause__ is not None and isinstance(broken.__cause__, _NO_START):
                    message = f"no worker process can be started: {broken.__cause__}"
                if self.stopped:
                    break
            except Exception as error:  # the job or its result did not survive pickling
                return _failed(job, _mendable(error), began)
        return Outcome(job, None, message, perf_counter() - began, "WorkerDied")

    def _open(self) -> ProcessPoolExecutor:
        if self.pool is None:
            with self._starting, workers.one_thread():
                self.pool = self._start()
        return self.pool

    def _start(self) -> ProcessPoolExecutor:
        """A pool whose process runs. A fork server that dies answers no call; once it is gone, another is started."""
        for left in reversed(range(_CALLS)):
            if self.stopped:
                raise BrokenProcessPool
            context = workers.context()
            end, self.leash = context.Pipe(duplex=False)
            pool = ProcessPoolExecutor(1, context, workers.prepare, (end, self.threads))
            try:
                with end:
                    pool.submit(int)  # the process starts here, and takes its environment with it
                return pool
            except _NO_START as error:
                pool.shutdown(wait=False)
                if not left:
                    raise BrokenProcessPool from error
                sleep(_PAUSE)
        raise BrokenProcessPool

    def _close(self) -> None:
        """Wait for the pool's own threads too: cut off at the interpreter's end, they would leave semaphores behind."""
        if self.pool is not None:
            self.pool.shutdown()
            self.pool = None
        with self._starting:  # a process whose server died may still be at work
            if self.leash is not None:
                self.leash.close()
                self.leash = None


def _attempt(function: Function, job: Job) -> Outcome:
    began = perf_counter()
    try:
        result = function(job)
    except (Exception, SystemExit) as error:
        return _failed(job, error, began)
    return Outcome(job, result, None, perf_counter() - began)


def _mendable(error: Exception) -> Exception:
    """What cannot be sent to a worker is mostly a class or function made inside another."""
    if "pickle" not in str(error):
        return error
    return InputError(
        f"{error}, so it cannot be sent to a worker process; move it to the top level of a module, or take workers=0"
    )


def _failed(job: Job, error: BaseException, began: float) -> Outcome:
    mendable = isinstance(error, InputError)
    name = "InputError" if mendable else type(error).__name__
    message = str(error) if mendable else f"{name}: {error}"
    return Outcome(job, None, message, perf_counter() - began, name, format_exc())
