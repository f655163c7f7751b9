"""Which rows stand out: told by the errors of forecasts of them, or of a window told again, and from no label."""

from tsrnn.tasks.ahead import Ahead


class Detect(Ahead):
    """Windows are those of the model's own task; labels, where there are any, are held against the scores alone."""

    name = "detect"
    measures = ("vus_pr",)
    face = "tsrnn.detector:Detector"


TASK = Detect()
