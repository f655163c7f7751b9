"""A forecast: the targets of the steps after the past, which shows the targets up to then."""

from tsrnn.tasks._base import Task


class Ahead(Task):
    """The anchor is the first step ahead."""

    name = "ahead"
    face = "tsrnn.forecaster:Forecaster"
    forecasts = True
    shows = True
    measures = ("mse", "mae")

    def before(self, input_size: int) -> int:
        return input_size

    def length(self, input_size: int, horizon: int) -> int:
        return input_size + horizon

    def targets(self, input_size: int, horizon: int) -> tuple[int, int]:
        return input_size, input_size + horizon


TASK = Ahead()
