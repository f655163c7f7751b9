"""On a Ray cluster: one of this machine alone, made for the run and gone with it, or one that is there already.

Jobs are Ray's tasks, which it starts again where a process or a node dies. Each takes as many cores as it has threads,
and what else it needs; what no node has is refused, since Ray would wait for it for ever. No more jobs are drawn than
fit on the nodes, so that those of other runs find room. (Moritz et al. 2018, "Ray: A distributed framework for emerging
AI applications", OSDI.)
"""

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from math import inf
from time import perf_counter
from typing import Any

from tsrnn.clusters import cluster
from tsrnn.errors import InputError
from tsrnn.execute._base import ATTEMPTS, Drawn, Function, Job, Outcome, Place, attempt, died, failed, mendable
from tsrnn.workers import THREAD_VARIABLES

_POLL = 1.0  # seconds between two looks at the nodes
_OPTIONS = {"CPU": "num_cpus", "GPU": "num_gpus", "memory": "memory"}  # of a task, by the names of Ray's resources
_CLOSE = 1e-9
_FINEST = 1e-4  # share of a resource
_STORED = "object_store_memory"  # among the resources of a node, and none that a task may ask for


def work(function: Function, jobs: Drawn, place: Place) -> Generator[tuple[int, Outcome], None, None]:
    """Do the jobs as tasks; each outcome as it is there, with its job's number.

    Raises:
        InputError: ray is not installed, no cluster answers, or no node has what a job needs.
    """
    needs = _needs(place)
    with cluster(place.address) as joined:
        ray, room, looked = joined.ray, 0.0, -inf
        task, running = _task(ray, needs, place.threads), dict[Any, tuple[int, Job, float]]()
        sent: Any = None  # the function, which may hold much, lies on the cluster once for all jobs
        most, more = inf if place.workers is None else place.workers, True
        try:
            while more or running:
                if not ray.is_initialized():
                    raise ConnectionError("it ended")
                if perf_counter() - looked > _POLL:
                    joined.check()
                    room, looked = min(most, _room(ray, needs, begun=looked > 0)), perf_counter()
                while len(running) < room and (drawn := next(jobs, None)) is not None:
                    began = perf_counter()
                    try:
                        ray.cloudpickle.dumps(drawn[1] if sent else (function, drawn[1]))  # Ray would print a failure
                        sent = sent or ray.put(function)
                        running[task.remote(sent, drawn[1], os.getcwd())] = (*drawn, began)
                    except Exception as error:
                        yield drawn[0], failed(drawn[1], mendable(error), began)
                more = len(running) >= room
                for ref in ray.wait([*running], timeout=_POLL)[0] if running else ():
                    index, job, began = running.pop(ref)
                    yield index, _outcome(ray, ref, job, began)
        finally:
            for ref in running:
                with suppress(Exception):  # the cluster may have gone
                    ray.cancel(ref, force=True)


def _needs(place: Place) -> dict[str, float]:
    """What a job takes of a node, by Ray's names."""
    needs = {"CPU": place.threads} | {
        name.upper() if name in ("cpu", "gpu") else name: amount for name, amount in place.needs.items()
    }
    for name, amount in needs.items():
        if amount > 1 and amount % 1:
            raise InputError(f"a job cannot need {name}={amount:g}; Ray gives out whole ones, or shares of one")
        if 0 < amount < _FINEST:
            raise InputError(f"a job cannot need {name}={amount:g}; Ray gives out shares of at least {_FINEST:g}")
        if name == _STORED:
            raise InputError(f"a job cannot need {name}, which is the nodes' own; ask for memory, or for none")
    return needs


def _task(ray: Any, needs: Mapping[str, float], threads: int) -> Any:
    """`_done` as a task of Ray's."""
    asked: dict[str, Any] = {option: needs[name] for name, option in _OPTIONS.items() if name in needs}
    asked["resources"] = {name: amount for name, amount in needs.items() if name not in _OPTIONS}
    environment = {"env_vars": dict.fromkeys(THREAD_VARIABLES, str(threads))}
    return ray.remote(_done).options(**asked, max_retries=ATTEMPTS - 1, runtime_env=environment)


def _done(function: Function, job: Job, folder: str) -> Outcome:
    """A job, in the process of a node; in the caller's folder, should that be there."""
    with suppress(OSError):
        os.chdir(folder)
    return attempt(function, job)


def _outcome(ray: Any, ref: Any, job: Job, began: float) -> Outcome:
    """What became of a job.

    Raises:
        ConnectionError: nothing can be done any more on the cluster.
    """
    try:
        outcome: Outcome = ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        return failed(job, _untold(error), began)
    except ray.exceptions.LocalRayletDiedError:
        raise ConnectionError("its node on this machine ended") from None
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError, ray.exceptions.OutOfMemoryError):
        return died(job, began)
    except ray.exceptions.RayError as error:
        return failed(job, RuntimeError(_first_line(error)), began)
    return Outcome(job, outcome.result, outcome.error, outcome.seconds, outcome.error_type, outcome.traceback)


def _untold(error: Exception) -> Exception:
    """Why a job did not reach its process whole, or its result did not come back."""
    cause = getattr(error, "cause", None) or error
    missing = next((line for line in str(cause).splitlines() if "No module named" in line), None)
    if missing is not None:
        return InputError(f"{missing[missing.index('No module named') :]}; install it on the nodes of the Ray cluster")
    return mendable(RuntimeError(_first_line(cause)))


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _room(ray: Any, needs: Mapping[str, float], begun: bool) -> int:
    """How many jobs fit on the nodes at once.

    Raises:
        InputError: none does, and none has begun.
        ConnectionError: none does any more.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    asked = {name: amount for name, amount in needs.items() if amount}
    fit = [min((int(node.get(name, 0) / asked[name] + _CLOSE) for name in asked), default=1) for node in nodes]
    if not any(fit):
        raise ConnectionError(f"no node that has {_listed(asked)} is left") if begun else _impossible(nodes, asked)
    return sum(fit)


def _impossible(nodes: Sequence[Mapping[str, float]], needs: Mapping[str, float]) -> InputError:
    for name, amount in needs.items():
        most = max((node.get(name, 0) for node in nodes), default=0)
        if most < amount:
            return InputError(
                f"a job needs {name}={amount:g}, and no node of the Ray cluster has more than {most:g}; ask for less, "
                "or add such a node"
            )
    return InputError(f"no node of the Ray cluster has {_listed(needs)} together; ask for less, or add such a node")


def _listed(needs: Mapping[str, float]) -> str:
    return ", ".join(f"{name}={amount:g}" for name, amount in needs.items())
