"""A run of small jobs beside others in one folder: python claimants.py FOLDER WORKERS JOBS"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import jobs

from tsrnn import claims
from tsrnn.execute import Outcome


def log(job: Path) -> Path:
    """Where each start of a job leaves a line."""
    return job.with_suffix(".log")


def name(job: Path) -> str:
    return job.stem


def left(some: Sequence[Path]) -> list[Path]:
    """A job is a file's name, and done when that file is there."""
    return [job for job in some if not job.exists()]


def begin(job: Path) -> int:
    """Leave a line, and come back once the folder holds a file `go`."""
    with log(job).open("a") as lines:
        lines.write(f"{os.getpid()}\n")
    jobs.wait_for((job.parent / "go").exists)
    return os.getpid()


def store(outcome: Outcome) -> None:
    assert outcome.error is None, outcome
    outcome.job.write_text(str(outcome.result))


def waiting(count: int) -> None:
    print("waiting for", count, flush=True)


if __name__ == "__main__":
    folder, workers, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    work = [folder / f"{number}.done" for number in range(count)]
    done = claims.run(begin, work, folder, name, left, workers, store, waiting)
    print("did", len(done), flush=True)
