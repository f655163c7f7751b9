"""Startup: `import tsrnn` and `tsrnn --help` in fresh processes."""

import statistics
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from measuring import Row, at_most, report, sides

IMPORT = "import time; began = time.perf_counter(); import {}; print(time.perf_counter() - began)"


def command() -> Path:
    """The console script beside this interpreter."""
    return Path(sys.executable).parent / "tsrnn"


def run(*words: str | Path) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def imported(name: str, repeats: int) -> float:
    """Median seconds of an import, on the clock of the process that does it."""
    return statistics.median(float(run(sys.executable, "-c", IMPORT.format(name))) for _ in range(repeats))


def measure(repeats: int = 9) -> Iterable[Row]:
    bare, whole, helped = sides(
        lambda: run(sys.executable, "-c", "pass"),
        lambda: run(sys.executable, "-c", "import tsrnn"),
        lambda: run(command(), "--help"),
        repeats=repeats,
        warm_up=2,
    )
    yield Row("python -c pass, whole process", bare, "s")
    yield Row('python -c "import tsrnn", whole process', whole, "s")
    yield at_most("import tsrnn, the import itself", imported("tsrnn", repeats), "s", 0.3)
    yield at_most("tsrnn --help, whole process", helped, "s", 0.8)
    yield Row("import tsrnn.forecaster, with polars and torch", imported("tsrnn.forecaster", repeats), "s")


if __name__ == "__main__":
    report(__doc__, measure)
