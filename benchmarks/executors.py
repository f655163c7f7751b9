"""Many small fits, in each place that fits can be done in: python benchmarks/executors.py [grid] [kills]

`grid`: 24 fits by one worker process, by two, and on a Ray cluster of this machine, in turns; seconds on the wall, and
of the processor, which other work on the machine does not lengthen. `kills`: two programs fill one folder and one of
them is killed in the middle, then a worker is killed; rows, and fits that were done twice, are counted.
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
TASK = ("--horizons", "24", "--input-size", "96", "--target", "OT")
PLACES = {
    "1 worker process": execute.at(workers=1),
    "2 worker processes": execute.at(workers=2),
    "Ray, this machine": execute.at("ray", workers=2),
}


def timed(job: bench.Job) -> tuple[float, float]:
    """A fit's error, and the seconds of the processor that it took."""
    began = process_time()
    return bench.run_one(job)["mse"], process_time() - began


def nothing(job: int) -> int:
    return job


def grid(file: Path, times: int) -> list[dict[str, object]]:
    """Each place's seconds on 24 fits, and on none."""
    wishes = bench.Wishes(tuple(MODELS.split(",")), (24,), tuple(SEEDS), 96)
    fits = bench.plan(bench.Source(str(file), (("target", ("OT",)),)), "quick", wishes)
    walls: dict[str, list[float]] = {name: [] for name in PLACES}
    spent: dict[str, list[float]] = {name: [] for name in PLACES}
    starts: dict[str, list[float]] = {name: [] for name in PLACES}
    errors = set()
    for _ in range(times):
        for name, place in PLACES.items():
            began = perf_counter()
            execute.run(nothing, range(2), place)
            starts[name].append(perf_counter() - began)
            began = perf_counter()
            done = execute.run(timed, fits, place)
            walls[name].append(perf_counter() - began)
            spent[name].append(sum(outcome.result[1] for outcome in done))
            print(name, starts[name][-1], walls[name][-1], spent[name][-1], file=sys.stderr, flush=True)
            errors.add(tuple(outcome.result[0] for outcome in done))
    one = median(walls["1 worker process"])
    return [
        {
            "place": name,
            "fits": len(fits),
            "wall s": round(median(walls[name]), 1),
            "of them start and end": round(median(starts[name]), 1),
            "processor s": round(median(spent[name]), 1),
            "times as fast": round(one / median(walls[name]), 2),
            "walls": [round(wall, 1) for wall in walls[name]],
            "same errors": len(errors) == 1,
        }
        for name in PLACES
    ]


def kills(file: Path, times: int) -> list[dict[str, object]]:
    """Rows that are there after kills, and fits that ended more than once."""
    records: list[dict[str, object]] = []
    for name, strike in _STRIKES.items():
        for _ in range(times):
            records.append({"killed": name, "fits": 3 * len(FEWER), **_counted(strike, file)})
            print(records[-1], file=sys.stderr, flush=True)
    return records


def _counted(strike: Callable[[Path, Path], int], file: Path) -> dict[str, object]:
    with TemporaryDirectory() as folder:
        began = perf_counter()
        told = strike(file, Path(folder))
        results = Path(folder) / file.stem
        table = rows._as_stored(results)
        assert table is not None
        left = [path.name for path in results.glob(".*") if path.name != ".lock"]
        doubled = table.height - table.select(rows.KEY).n_unique()
        return {
            "rows": table.height,
            "doubled rows": doubled,
            "fits told of": told,
            "left behind": left,
            "wall s": round(perf_counter() - began),
        }


def _filled(file: Path, folder: Path, programs: int, kill: bool = False, ends: str = "", on: str = "processes") -> int:
    """Fill a folder by programs side by side, of which the first, or a worker of it, is killed after some rows."""
    with _running(file, folder, programs, on) as started:
        if kill or ends:
            while len(list((folder / file.stem).glob("windows/*"))) < 3:
                _lives(started[0])
            if kill:
                started[0].kill()
            else:
                os.kill(_worker(started[0], ends), signal.SIGKILL)
        said = [program.communicate()[1] for program in started]
    told = sum(text.count(" MSE ") for text in said)
    if kill and programs == 1:
        with _running(file, folder, 1, on) as started:
            told += started[0].communicate()[1].count(" MSE ")
    return told


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


def _worker(program: "subprocess.Popen[str]", name: str) -> int:
    """A process of a program's session, or one that Ray started for it, that has a name and is at work."""
    while True:
        for path in Path("/proc").glob("[0-9]*"):
            try:
                words = (path / "cmdline").read_bytes().decode(errors="replace")
                session = int((path / "stat").read_text().rpartition(")")[2].split()[3])
                parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                continue
            if name in words and session == program.pid != parent:
                return int(path.name)
        _lives(program)


_STRIKES: dict[str, Callable[[Path, Path], int]] = {
    "no one, two programs": partial(_filled, programs=2),
    "one program of two": partial(_filled, programs=2, kill=True),
    "the only program": partial(_filled, programs=1, kill=True),
    "a worker process": partial(_filled, programs=1, ends="multiprocessing.forkserver"),
    "a Ray worker": partial(_filled, programs=1, ends="ray::_done", on="ray"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["grid", "kills"], choices=["grid", "kills"])
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    wish = parser.parse_args()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "oil.csv"
        transformer(rows=1500).write_csv(file)
        for part in wish.parts:
            for record in {"grid": grid, "kills": kills}[part](file, wish.times):
                print(
                    json.dumps(record) if wish.json else "  ".join(f"{key}: {value}" for key, value in record.items())
                )


if __name__ == "__main__":
    main()
