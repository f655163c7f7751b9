"""`tsrnn bench ETTh1` once, as a user types it: seconds, memory of the whole process tree, and what the board says."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from measuring import Row, at_least, at_most, report, tree

from tsrnn.board import rows as results

PAUSE = 0.2  # seconds between two looks at the memory
RESULT = re.compile(r"horizon \d+ +seed \d+ +MSE \d")  # a line per finished fit


@dataclass
class Run:
    """What was seen of a process while it ran."""

    seconds: float = 0.0
    first: float = float("nan")  # seconds until the first result row
    peak: int = 0  # bytes
    lines: list[str] = field(default_factory=list)


def watch(words: list[str]) -> Run:
    """Run a command to its end.

    Raises:
        SystemExit: it failed; with its last lines.
    """
    seen, began = Run(), time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        reader = threading.Thread(target=_read, args=(process, seen, began))
        reader.start()
        while process.poll() is None:
            seen.peak = max(seen.peak, tree(process.pid))
            time.sleep(PAUSE)
        seen.seconds = time.perf_counter() - began
        reader.join()
    if process.returncode:
        raise SystemExit("\n".join([*seen.lines[-20:], f"{' '.join(words)} ended with {process.returncode}"]))
    return seen


def _read(process: "subprocess.Popen[str]", seen: Run, began: float) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if seen.first != seen.first and RESULT.search(line):
            seen.first = time.perf_counter() - began
        seen.lines.append(line.rstrip())


def board(rows: pl.DataFrame) -> Iterable[Row]:
    """What the stored rows say."""
    mse = {(row["model"], row["horizon"]): row["mse"] for row in rows.iter_rows(named=True)}
    yield at_least("entries on the board", rows["model"].n_unique(), "", 9)
    for model in ("repeat_last", "seasonal_naive"):
        for horizon in (96, 336):
            yield Row(f"{model}, horizon {horizon}, MSE", round(mse[model, horizon], 4), "")
    yield at_most("segrnn, horizon 336, MSE", round(mse["segrnn", 336], 4), "", 0.430)
    for model in ("lstm", "gru"):
        ratio = mse[model, 336] / mse["segrnn", 336]
        yield at_most(f"{model}, horizon 336, MSE over segrnn's", round(ratio, 4), "x", 1.15)


def measure() -> Iterable[Row]:
    with TemporaryDirectory() as folder:
        command = Path(sys.executable).parent / "tsrnn"
        seen = watch([str(command), "bench", "ETTh1", "--out", folder])
        rows = results.existing(Path(folder))
    assert rows is not None
    yield at_most("tsrnn bench ETTh1, wall", seen.seconds, "s", 600)
    yield at_most("until the first result row", seen.first, "s", 15)
    yield at_most("peak memory of the process tree (PSS)", seen.peak / 2**30, "GiB", 2)
    yield from board(rows)


if __name__ == "__main__":
    report(__doc__, measure)
