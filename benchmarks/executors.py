"""Many small fits, in each place that fits can be done in: python benchmarks/executors.py [grid] [kills]

`grid`: 24 fits by one worker process, by two, and on a Ray cluster of this machine, in turns; seconds on the wall, and
of the processor, which other work on the machine does not lengthen. Each worker does a fit before, which imports what
fits need, and waits for the others: "grid s" counts from there to the end of the last fit, in every place alike.
`kills`: two programs fill one folder and one of them is killed in the middle; then a worker, the node of a Ray cluster,
and its head. Rows, and fits that were done twice, are counted, and a program that gave up is started again.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from tsrnn import bench, execute
from tsrnn.board import rows
from tsrnn.simulate import transformer

SEEDS = range(8)
FEWER = range(4)  # where programs are killed
MODELS = "gru,segrnn,nlinear"
_FITS, _AGAIN = 3 * len(FEWER), 3
TASK = ("--horizons", "24", "--input-size", "96", "--target", "OT")
PLACES = {
    "1 worker process": execute.at(workers=1),
    "2 worker processes": execute.at(workers=2),
    "Ray, this machine": execute.at("ray", workers=2),
}


@dataclass(frozen=True)
class Timed:
    """A fit; of the first one of each worker also the files by which workers wait for one another, its own first."""

    fit: bench.Job
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Took:
    """A fit's error, the seconds of the processor that it took, when it ended by the clock, and in which process."""

    error: float
    spent: float
    ended: float
    process: int


def timed(job: Timed) -> Took:
    began = process_time()
    error = bench.run_one(job.fit)["mse"]
    spent = process_time() - began
    for file in job.files[:1]:
        file.touch()
    while not all(file.exists() for file in job.files):
        time.sleep(0.01)
    return Took(error, spent, time.time(), os.getpid())


def grid(file: Path, times: int) -> list[dict[str, object]]:
    """Each place's seconds on 24 fits."""
    wishes = bench.Wishes(tuple(MODELS.split(",")), (24,), tuple(SEEDS), 96)
    fits = bench.plan(bench.Source(str(file), (("target", ("OT",)),)), "quick", wishes)
    turns: dict[str, list[dict[str, float]]] = {name: [] for name in PLACES}
    errors = set()
    for _ in range(times):
        for name, place in PLACES.items():
            turn, found = _turn(fits, place)
            turns[name].append(turn)
            errors.add(found)
            print(name, turn, file=sys.stderr, flush=True)
    middle = {name: {what: median(turn[what] for turn in told) for what in told[0]} for name, told in turns.items()}
    one = middle[next(iter(PLACES))]["grid s"]
    return [
        {
            "place": name,
            "fits": len(fits),
            **{what: round(seconds, 1) for what, seconds in middle[name].items()},
            "times as fast": round(one / middle[name]["grid s"], 2),
            "grids": [round(turn["grid s"], 1) for turn in told],
            "same errors": len(errors) == 1,
        }
        for name, told in turns.items()
    ]


def _turn(fits: list[bench.Job], place: execute.Place) -> tuple[dict[str, float], tuple[float, ...]]:
    """The grid once in a place: its seconds, and the errors of all fits."""
    count = min(place.workers or 1, execute.cores())
    with TemporaryDirectory() as folder:
        files = [Path(folder) / str(number) for number in range(count)]
        first = [Timed(fits[0], (*files[number:], *files[:number])) for number in range(count)]
        began = perf_counter()
        outcomes = execute.run(timed, [*first, *map(Timed, fits)], place)
        wall = perf_counter() - began
    took = [outcome.result for outcome in outcomes]
    start = max(each.ended for each in took[:count])
    seconds = {
        "wall s": wall,
        "grid s": max(each.ended for each in took) - start,
        "processor s": sum(each.spent for each in took[count:]),
        "processes": float(len({each.process for each in took})),
    }
    return seconds, tuple(each.error for each in took[count:])


def kills(file: Path, times: int, only: str | None) -> list[dict[str, object]]:
    """Rows that are there after kills, and fits that ended more than once."""
    records: list[dict[str, object]] = []
    for name, strike in _STRIKES.items():
        for _ in range(times if only in (None, name) else 0):
            records.append({"killed": name, "fits": _FITS, **_counted(strike, file)})
            print(records[-1], file=sys.stderr, flush=True)
    return records


def _counted(strike: Callable[[Path, Path], dict[str, object]], file: Path) -> dict[str, object]:
    with TemporaryDirectory() as folder:
        began = perf_counter()
        record = strike(file, Path(folder))
        left = [path.name for path in (Path(folder) / file.stem).glob(".*") if path.name != ".lock"]
        height, single = _rows(file, Path(folder))
        wall = round(perf_counter() - began)
        return {"rows": height, "doubled rows": height - single, **record, "left behind": left, "wall s": wall}


def _rows(file: Path, folder: Path) -> tuple[int, int]:
    """How many rows a folder holds, and of how many fits."""
    table = rows._as_stored(folder / file.stem)
    assert table is not None
    return table.height, table.select(rows.KEY).n_unique()


def _filled(
    file: Path, folder: Path, programs: int, kill: bool = False, ends: str = "", on: str = "processes"
) -> dict[str, object]:
    """Fill a folder by programs side by side, of which the first, or a process of it, is killed after some rows.

    Where none of them comes to its end, one is started again, three times at most.
    """
    with _running(file, folder, programs, on) as started:
        if kill or ends:
            while len(list((folder / file.stem).glob("windows/*"))) < 3:
                _lives(started[0])
            if kill:
                started[0].kill()
            else:
                os.kill(_process(started[0], ends), signal.SIGKILL)
        began = perf_counter()
        said = [program.communicate()[1] for program in started]
    record: dict[str, object] = {}
    if ends and started[0].returncode:
        record = {"exit": started[0].returncode, "after s": round(perf_counter() - began), "said": _said(said[0])}
        record["rows by then"] = _rows(file, folder)[0]
    again = 0
    while all(program.returncode for program in started) and again < _AGAIN:  # a Ray may not start on a busy machine
        again += 1
        with _running(file, folder, 1, on) as started:
            said.append(started[0].communicate()[1])
    told = sum(text.count(" MSE ") for text in said)
    return {"fits told of": told, **record, "started again": again, "exit at last": started[0].returncode}


def _said(text: str) -> list[str]:
    """What a program said beside the fits that it told of."""
    return [line for line in text.splitlines() if line and " MSE " not in line]


@contextmanager
def _running(file: Path, folder: Path, programs: int, on: str) -> Iterator[list["subprocess.Popen[str]"]]:
    words = [sys.executable, "-m", "tsrnn.cli", "bench", str(file), "--models", MODELS, *TASK]
    words += ["--seeds", ",".join(map(str, FEWER)), "--out", str(folder), "--on", on, "--json"]
    pipe = subprocess.PIPE
    started = [
        subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=pipe, text=True, start_new_session=True)
        for _ in range(programs)
    ]
    try:
        yield started
    finally:
        for program in started:
            program.kill()


def _lives(program: "subprocess.Popen[str]") -> None:
    """Wait for a moment, and end where there is nothing to wait for."""
    if program.poll() is not None:
        sys.exit(f"a benchmark ended by itself: {program.communicate()[1]}")
    time.sleep(0.05)


def _process(program: "subprocess.Popen[str]", name: str) -> int:
    """A process of a program's session: a child that is called so, or one below with the name in its words."""
    while True:
        for path in Path("/proc").glob("[0-9]*"):
            try:
                words = (path / "cmdline").read_bytes().decode(errors="replace")
                session = int((path / "stat").read_text().rpartition(")")[2].split()[3])
                parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                continue
            called = Path(words.partition("\0")[0]).name == name
            if session == program.pid and (called if parent == program.pid else name in words):
                return int(path.name)
        _lives(program)


_STRIKES: dict[str, Callable[[Path, Path], dict[str, object]]] = {
    "no one, two programs": partial(_filled, programs=2),
    "one program of two": partial(_filled, programs=2, kill=True),
    "the only program": partial(_filled, programs=1, kill=True),
    "a worker process": partial(_filled, programs=1, ends="multiprocessing.forkserver"),
    "a Ray worker": partial(_filled, programs=1, ends="ray::_done", on="ray"),
    "Ray's node": partial(_filled, programs=1, ends="raylet", on="ray"),
    "Ray's head": partial(_filled, programs=1, ends="gcs_server", on="ray"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["grid", "kills"], choices=["grid", "kills"])
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--killed", choices=[*_STRIKES], help="only this one")
    parser.add_argument("--json", action="store_true")
    wish = parser.parse_args()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "oil.csv"
        transformer(rows=1500).write_csv(file)
        for part in wish.parts:
            for record in grid(file, wish.times) if part == "grid" else kills(file, wish.times, wish.killed):
                print(
                    json.dumps(record) if wish.json else "  ".join(f"{key}: {value}" for key, value in record.items())
                )


if __name__ == "__main__":
    main()
