"""A window told again from a short code of it: what does not fit what was learnt comes back as something else."""

from tsrnn.tasks._base import Task


class Reconstruct(Task):
    """The anchor is the last row. Targets are the past's own, which it shows, on purpose."""

    name = "reconstruct"
    face = "tsrnn.reconstructor:Reconstructor"
    shows = True
    measures = ("mse", "mae")

    def before(self, input_size: int) -> int:
        return input_size - 1

    def length(self, input_size: int, horizon: int) -> int:
        return input_size

    def targets(self, input_size: int, horizon: int) -> tuple[int, int]:
        return 0, input_size


TASK = Reconstruct()
