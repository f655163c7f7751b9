"""New sequences like those of the data: a window is one of them, which the past shows whole, and nothing lies ahead."""

from collections.abc import Mapping
from typing import Any, ClassVar

from tsrnn.tasks._base import Task

_BEST: Mapping[str, float | None] = {  # measures of tsrnn.synthesis -> the value that is best; None: the lowest
    "discriminative": None,
    "context_fid": None,
    "predictive": None,
    "correlational": None,
    "nearest": 1.0,
}


class Generate(Task):
    """The anchor is the first row. Targets are the past itself: they are what is to be learnt, and answer nothing."""

    name = "generate"
    face = "tsrnn.generator:Generator"
    shows = True
    measures = ("discriminative", "context_fid")
    trial: ClassVar[Mapping[str, Any]] = {"max_steps": 20, "judging_steps": 20}  # of each phase, and of each critic
    told = _BEST

    def before(self, input_size: int) -> int:
        return 0

    def length(self, input_size: int, horizon: int) -> int:
        return input_size

    def targets(self, input_size: int, horizon: int) -> tuple[int, int]:
        return 0, input_size


TASK = Generate()
