"""What is asked of a window, one task per file, named as the file is: `TASK`, a `Task` of `_base`.

Windows, models and faces ask the task where targets lie and what of them the past may show; none knows it by name.
"""

from tsrnn import registry
from tsrnn.tasks._base import Task as Task
from tsrnn.tasks.ahead import TASK as AHEAD


def find(name: str) -> Task:
    """The task of that name.

    Raises:
        InputError: there is none; the message names the nearest.
    """
    task: Task = registry.load("tasks", name, "task").TASK
    return task


__all__ = ["AHEAD", "Task", "find"]
