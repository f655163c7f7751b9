"""In worker processes of this machine, which share its cores out among themselves and end when the caller ends.

A worker is a pool of one process, owned by one thread. When the process dies, exactly one job was in it: that job is
tried again in a new process. Processes come from a fork server (or are spawned where there is none), never from a plain
fork, which hangs once polars or torch have started their threads.
"""

import threading
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing.connection import Connection
from queue import SimpleQueue
from time import perf_counter, sleep

from tsrnn import workers
from tsrnn.execute._base import ATTEMPTS, Drawn, Function, Job, Outcome, Place, attempt, died, failed, mendable
from tsrnn.workers import cores

_CALLS, _PAUSE = 10, 0.1  # of a fork server that does not answer; seconds between

_NO_START = (OSError, EOFError)  # what a process that cannot be started raises here

_Done = SimpleQueue[tuple[int, Outcome] | BaseException | None]  # None: a worker has no more to do


def work(function: Function, jobs: Drawn, place: Place) -> Generator[tuple[int, Outcome], None, None]:
    """Do the jobs in at most one process per core; each outcome as it is there, with its job's number."""
    count = min(cores() if place.workers is None else place.workers, len(jobs), cores())
    done: _Done = SimpleQueue()
    team = [_Worker(function, jobs, done, threads=max(1, cores() // count)) for _ in range(count)]
    try:
        for worker in team:
            worker.start()
        while count:
            ended = done.get()
            if isinstance(ended, BaseException):
                raise ended
            if ended is None:
                count -= 1
            else:
                yield ended
    except BaseException:
        for worker in team:
            worker.stop()
        raise
    finally:
        for worker in team:
            worker.join(timeout=10)


class _Worker(threading.Thread):
    """A thread that owns one worker process and feeds it jobs as long as there are any to draw."""

    _starting = threading.Lock()  # one start at a time: the environment is the whole process's

    def __init__(
        self,
        function: Function,
        jobs: Drawn,
        done: _Done,
        threads: int,
    ) -> None:
        super().__init__(name="tsrnn-worker", daemon=True)
        self.function, self.jobs, self.done, self.threads = function, jobs, done, threads
        self.stopped = False
        self.leash: Connection | None = None
        self.pool: ProcessPoolExecutor | None = None

    def run(self) -> None:
        try:
            while not self.stopped and (drawn := next(self.jobs, None)) is not None:
                index, job = drawn
                self.done.put((index, self._persist(job)))
        except BaseException as error:
            self.done.put(error)
        finally:
            self.done.put(None)
            self._close()

    def stop(self) -> None:
        """Let go of the leash: the process ends at once, and no new one is started."""
        with self._starting:
            self.stopped = True
            if self.leash is not None:
                self.leash.close()
                self.leash = None

    def _persist(self, job: Job) -> Outcome:
        began, reason = perf_counter(), ""
        for _ in range(ATTEMPTS):
            began = perf_counter()
            try:
                outcome = self._open().submit(attempt, self.function, job).result()
                return replace(outcome, job=job)
            except BrokenProcessPool as broken:
                self._close()
                if broken.__cause__ is not None and isinstance(broken.__cause__, _NO_START):
                    reason = f"no worker process can be started: {broken.__cause__}"
                if self.stopped:
                    break
            except Exception as error:  # the job or its result did not survive pickling
                return failed(job, mendable(error), began)
        return died(job, began, reason)

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
