"""Which estimator does a task: made of a model's parameters, or read from where it was saved."""

from collections.abc import Mapping
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

from tsrnn import registry, store, tasks
from tsrnn.estimator import Estimator

DETECTOR = "detector"  # of a folder: its word for what a detector adds to the model in it


def of(task: str) -> type[Any]:
    """The class that does a task.

    Raises:
        InputError: there is no such task; the message names the nearest.
    """
    asked = tasks.find(task)
    module, _, name = asked.face.partition(":")
    try:
        face: type[Any] = getattr(import_module(module), name)
    except (ImportError, AttributeError) as fault:
        if registry.is_own("tasks", task):
            raise
        place = registry.place_of("tasks", task) or ""
        raise registry.broken("task", task, place, f"its face {asked.face}: {fault}") from fault
    return face


def make(task: str, model: str | type, input_size: int | None, horizon: int, options: Mapping[str, Any]) -> Estimator:
    """An unfitted estimator; `input_size` None: its own, and a horizon where the task has one."""
    face = of(task)
    sizes = {"input_size": input_size, "horizon": horizon if tasks.find(task).forecasts else None}
    estimator: Estimator = face(
        model, **{**{name: size for name, size in sizes.items() if size is not None}, **options}
    )
    return estimator


def comparing(task: str) -> dict[str, Any]:
    """Options of a fit whose split is made for a comparison, and cannot be mended by who looks at one fit of it.

    Where wells are left out in turn, a rock that one well alone has is in no training once: that is said, and counts
    as the mistakes that it is.
    """
    return {"on_unlearnt": "note"} if "on_unlearnt" in signature(of(task)).parameters else {}


def input_size(task: str) -> int:
    """The steps that an estimator of that task reads where nobody says how many."""
    default: int = signature(of(task)).parameters["input_size"].default
    return default


def model(task: str) -> str:
    """The model that an estimator of that task has where nobody names one."""
    default: str = signature(of(task)).parameters["model"].default
    return default


def load(folder: str | Path) -> Estimator:
    """Whatever estimator was saved in a folder.

    Raises:
        InputError: no saved one, a newer version's, or damaged.
    """
    estimator: Estimator = of(store.tasks_of().get(kind(folder), tasks.AHEAD.name)).load(folder)
    return estimator


def kind(folder: str | Path) -> str:
    """What the folder of a saved estimator says that it holds, "model" of a forecaster; errors as of `load`."""
    config = store.opened(folder).config
    said: str = DETECTOR if DETECTOR in config else config.get("kind", store.MODEL)
    return said  # what is inside of a detector can be asked alone, too
