"""Which rows stand out: told by the errors of forecasts of them, or of windows told again, and from no label."""

from tsrnn.tasks._base import Task
from tsrnn.vus import BEST


class Detect(Task):
    """No window is cut for it: a model's own task, `ahead` or `reconstruct`, has windows, and labels are in none."""

    name = "detect"
    face = "tsrnn.detector:Detector"
    takes = ("ahead", "reconstruct")
    shows = True
    measures = ("missed", "vus_pr")
    told = BEST

    def before(self, input_size: int) -> int:
        return input_size

    def length(self, input_size: int, horizon: int) -> int:
        return input_size + horizon

    def targets(self, input_size: int, horizon: int) -> tuple[int, int]:
        return input_size, input_size + horizon


TASK = Detect()
