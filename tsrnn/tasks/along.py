"""A label or a value for each step of a sequence, by what lies before and behind it: many-to-many."""

from tsrnn.agreement import BEST
from tsrnn.metrics import USUAL
from tsrnn.tasks._base import Task


class Along(Task):
    """The anchor is the last row. Targets lie in the past itself, which shows none of them."""

    name = "along"
    face = "tsrnn.tagger:Tagger"
    shows = False
    measures = ("error", "accuracy")
    of_values = USUAL
    told = BEST

    def before(self, input_size: int) -> int:
        return input_size - 1

    def length(self, input_size: int, horizon: int) -> int:
        return input_size

    def targets(self, input_size: int, horizon: int) -> tuple[int, int]:
        return 0, input_size


TASK = Along()
