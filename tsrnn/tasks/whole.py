"""A label or a value for a whole sequence, by all of its rows: many-to-one."""

from tsrnn.agreement import BEST
from tsrnn.metrics import USUAL
from tsrnn.tasks._base import Task


class Whole(Task):
    """The anchor is a series' last row, which holds the target. The past is the series, and shows no target."""

    name = "whole"
    face = "tsrnn.classifier:SequenceClassifier"
    shows = False
    ends = True
    measures = ("error", "accuracy")
    of_values = USUAL
    told = BEST

    def before(self, input_size: int) -> int:
        return input_size - 1

    def length(self, input_size: int, horizon: int) -> int:
        return input_size

    def targets(self, input_size: int, horizon: int) -> tuple[int, int]:
        return input_size - 1, input_size


TASK = Whole()
