"""What is asked of a window, one task per file, named as the file is: `TASK`, a `Task` of `_base`.

Windows, models and faces ask the task where targets lie and what of them the past may show; none knows it by name.
Other packages add tasks by entry points of the group `tsrnn.tasks`, which lead to such a file.
"""

from tsrnn import metrics, registry
from tsrnn.errors import unknown
from tsrnn.tasks._base import Task as Task
from tsrnn.tasks.ahead import TASK as AHEAD


def find(name: str) -> Task:
    """The task of that name.

    Raises:
        InputError: there is none; the message names the nearest.
    """
    task = getattr(registry.load("tasks", name, "task"), "TASK", None)
    if not isinstance(task, Task):
        place = registry.place_of("tasks", name) or ""
        raise registry.broken("task", name, place, "it holds no TASK, a tsrnn.tasks.Task")
    return task


def names() -> list[str]:
    """The tasks there are."""
    return list(registry.names("tasks"))


def models_of(task: str) -> dict[str, str]:
    """The models that do a task: name -> where each lies.

    Raises:
        InputError: there is no such task.
    """
    shelves = ["models" if each == AHEAD.name else f"models.{each}" for each in find(task).takes or (task,)]
    return {name: place for shelf in shelves for name, place in registry.names(shelf).items()}


def check_measure(task: Task, word: str, orders: bool = False) -> None:
    """Refuse a word that is no measure of a task, or one by which nothing can be ordered where it shall order.

    Raises:
        InputError: says which.
    """
    if word not in task.told:
        if not task.forecasts and word not in (takes := [*task.told, *_of_values(task)]):
            raise unknown(f"measure of the task {task.name!r}", word, takes)
        (metrics.ordering if orders else metrics.named)(word)
    elif orders and (best := task.told[word]) is not None:
        raise metrics.unordered(word, best, next(iter(task.told)))


def _of_values(task: Task) -> list[str]:
    """Words of `tsrnn.metrics` that a task takes which forecasts nothing."""
    return metrics.of_values() if task.of_values or not task.told else []


def levels(task: Task, word: str) -> tuple[float, ...]:
    """The quantiles that a measure takes, if it does."""
    return () if word in task.told else metrics.named(word).levels


__all__ = ["AHEAD", "Task", "check_measure", "find", "levels", "models_of", "names"]
