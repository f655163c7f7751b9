"""Jobs -> results, wherever they are done; one broken job never takes another with it.

Every file of this shelf is a place, and its name is the word for it: `here`, in this process; `processes`, worker
processes of this machine; `ray`, a Ray cluster. A place has one function, `work`: it draws a job whenever it has room
for one, and yields outcomes as they come. Where a job's process dies, the job is tried again, and given up after the
third death. The same jobs give the same results everywhere, as far as they say their threads and their seeds.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from math import inf

from tsrnn import registry
from tsrnn.errors import InputError, unknown
from tsrnn.execute._base import Drawn
from tsrnn.execute._base import Function as Function
from tsrnn.execute._base import Job as Job
from tsrnn.execute._base import Outcome as Outcome
from tsrnn.execute._base import Place as Place
from tsrnn.workers import cores as cores

_CLUSTERS = ("ray",)  # places with an address, and with resources that a job may ask for


def run(
    function: Function,
    jobs: Sequence[Job],
    workers: int | Place = 1,
    on_done: Callable[[Outcome], None] | None = None,
    begins: Callable[[Job], bool] | None = None,
) -> list[Outcome]:
    """Do `function(job)` for every job.

    Args:
        function: a callable at the top level of a module. In a worker it may run again after a death, so it should
            do no harm when repeated.
        jobs: picklable, and small; they start in this order.
        workers: worker processes, at most one per core; 0 runs the jobs one after another in this process. Or a
            place, as `at` makes it.
        on_done: called in the calling thread as each job finishes, in order of finishing.
        begins: called in this process, one call at a time, just before a job starts; where it answers False, the job
            is left out.

    Returns:
        The outcomes of the jobs that were begun, in the order of the jobs. A job that raises is an outcome, not an
        exception.

    Raises:
        InputError: `workers` is negative; a cluster does not answer, or has nowhere what a job needs.
        KeyboardInterrupt: Ctrl-C; the workers have been stopped.
    """
    place = workers if isinstance(workers, Place) else at(workers=workers)
    if not jobs:
        return []
    finished: dict[int, Outcome] = {}
    with closing(registry.load("execute", place.name, "place").work(function, Drawn(jobs, begins), place)) as work:
        for index, outcome in work:
            finished[index] = outcome
            if on_done is not None:
                on_done(outcome)
    return [finished[index] for index in sorted(finished)]


def at(
    on: str = "processes",
    workers: int | None = None,
    needs: Mapping[str, float] | None = None,
    threads: int = 1,
) -> Place:
    """A place to work in.

    Args:
        on: a file of this shelf, or `ray://HOST:PORT`.
        workers: jobs side by side; by default as many as there is room for. 0: in this process, whatever `on` says.
        needs: what a job takes of a cluster besides its threads: {"gpu": 0.5}, and resources by the cluster's words.
        threads: of each job.

    Raises:
        InputError: there is no such place, or it has no address, or no resources to ask for.
    """
    name, _, address = on.partition("://")
    if name not in registry.names("execute"):
        raise unknown("place to work in", name, registry.names("execute"))
    if workers is not None and workers < 0:
        raise InputError(f"workers must be 0 (in this process) or more, not {workers}")
    if "://" in on and (name not in _CLUSTERS or not address):
        raise InputError(
            f"{on!r} is no place to work in; name one of {', '.join(registry.names('execute'))}, or ray://HOST:PORT"
        )
    if needs is not None and not isinstance(needs, Mapping):
        raise InputError(f'needs of a job are a mapping, name to amount, such as {{"gpu": 0.5}}, not {needs!r}')
    if needs and name not in _CLUSTERS:
        raise InputError(
            f"{name!r} has no resources to ask for, such as {next(iter(needs))!r}; work on ray, or ask for none"
        )
    for need, amount in (needs or {}).items():
        if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 <= amount < inf:
            raise InputError(f"a job cannot need {need}={amount}; give a number of 0 or more")
    return Place("here" if workers == 0 else name, workers, address, dict(needs or {}), threads)
