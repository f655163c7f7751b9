"""The value of a window's last row, by what is measured beside it up to then: a nowcast."""

from tsrnn.tasks import Task


class Newest(Task):
    """The anchor is the last row, which holds the target. The past shows none of the targets."""

    name = "newest"
    face = "own_task.nowcaster:Nowcaster"
    shows = False
    measures = ("mse", "mae")

    def before(self, input_size: int) -> int:
        return input_size - 1

    def length(self, input_size: int, horizon: int) -> int:
        return input_size

    def targets(self, input_size: int, horizon: int) -> tuple[int, int]:
        return input_size - 1, input_size


TASK = Newest()
