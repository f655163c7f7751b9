"""In this process, one job after another."""

from collections.abc import Generator

from tsrnn.execute._base import Drawn, Function, Outcome, Place, attempt


def work(function: Function, jobs: Drawn, place: Place) -> Generator[tuple[int, Outcome], None, None]:
    """Do the jobs; each outcome as it is there, with its job's number."""
    for index, job in jobs:
        yield index, attempt(function, job)
