"""What training on Parquet costs from memory maps beside memory: peak memory, windows a second, waits for a cold disk.

    python benchmarks/memory_maps.py /tmp/maps [--gib 2] [--steps 200] [--turns 3]

Each figure is a process of its own, and those of a pair take turns. The folder gets an archive of random walks (100
series, 8 channels of float32, one Parquet file for each 10 series) and its maps; both are removed at the end.
Memory is the peak of what is anonymous (`RssAnon`), sampled every 5 ms, above what the imports took; pages of files
that are mapped are the system's to drop, and are told of beside it.
"""

import argparse
import ctypes
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np

SERIES, CHANNELS, FILES, LOOK, AHEAD, BATCH = 100, 8, 10, 720, 96, 64
_DONTNEED = 4  # of Linux' madvise
NAMES = [f"c{channel}" for channel in range(CHANNELS)]


def archive(folder: Path, gib: float) -> int:
    """Parquet files of so many GiB of float32, and how many rows they have."""
    import polars as pl

    rows = int(gib * 2**30 / 4 / CHANNELS / SERIES)
    rng = np.random.default_rng(0)
    start = np.datetime64("2000-01-01", "us")
    folder.mkdir(parents=True, exist_ok=True)
    for file in range(FILES):
        tables = []
        for series in range(file * SERIES // FILES, (file + 1) * SERIES // FILES):
            walk = rng.standard_normal((rows, CHANNELS), np.float32)
            walk[1:] *= 0.1
            values = walk.cumsum(0, dtype=np.float32)
            time_ = start + np.arange(rows) * np.timedelta64(60_000_000, "us")
            columns = {"unique_id": [f"s{series:03}"] * rows, "ds": time_}
            tables.append(pl.DataFrame({**columns, **dict(zip(NAMES, values.T, strict=True))}))
        pl.concat(tables).write_parquet(folder / f"part{file}.parquet", row_group_size=250_000)
    return rows * SERIES


class Watch:
    """Peaks of this process's memory, in MiB: anonymous, and of mapped files."""

    def __init__(self) -> None:
        self.peak = {"RssAnon": 0.0, "RssFile": 0.0, "RssShmem": 0.0}
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)

    def now(self) -> dict[str, float]:
        lines = Path("/proc/self/status").read_text().splitlines()
        named = dict(line.split(":") for line in lines if line.startswith("Rss"))
        return {name: int(value.split()[0]) / 1024 for name, value in named.items()}

    def _run(self) -> None:
        while self.running:
            for name, value in self.now().items():
                self.peak[name] = max(self.peak[name], value)
            time.sleep(0.005)

    def __enter__(self) -> "Watch":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.running = False
        self.thread.join()


def train(folder: Path, mapped: bool, steps: int) -> dict[str, object]:
    """Load, fit for so many steps, forecast; what it took."""
    from pytorch_lightning import Callback

    import tsrnn
    from tsrnn import fit

    warnings.simplefilter("ignore")
    assert fit.fit  # imported before memory is looked at
    marks: list[tuple[float, float]] = []

    class Marks(Callback):
        def on_train_batch_start(self, *_: object) -> None:
            marks.append((time.perf_counter(), time.process_time()))

    with Watch() as watch:
        base = watch.now()["RssAnon"]
        began, busy = time.perf_counter(), time.process_time()
        maps = {"maps": folder / "maps"} if mapped else {}
        panel = tsrnn.load(folder / "archive", target=NAMES, **maps)
        loaded, peak_load = time.perf_counter() - began, watch.peak["RssAnon"]
        options = {"hidden_size": 64, "batch_size": BATCH, "max_epochs": 1, "max_windows": BATCH * steps}
        options |= {"val_windows": 256, "progress": False}
        model = tsrnn.Forecaster("segrnn", input_size=LOOK, horizon=AHEAD, **options)
        model.fit(panel, callbacks=[Marks()])
        fitted, peak_fit = time.perf_counter() - began, watch.peak["RssAnon"]
        table = model.predict()
        wall, processor = (marks[-1][k] - marks[20][k] for k in (0, 1))
        windows = BATCH * (len(marks) - 21)
    digest = hashlib.sha256(table.write_csv().encode() + repr(model.report_.losses).encode()).hexdigest()
    return {
        "load s": loaded,
        "first step s": marks[0][0] - began,
        "fitted s": fitted,
        "all s": time.perf_counter() - began,
        "processor s": time.process_time() - busy,
        "peak MiB": watch.peak["RssAnon"] - base,
        "peak of load MiB": peak_load - base,
        "peak of fit MiB": peak_fit - base,
        "file pages MiB": watch.peak["RssFile"],
        "windows/s": windows / wall,
        "windows/processor s": windows / processor,
        "answers": digest[:16],
        "losses": model.report_.losses,
    }


def cold(folder: Path, asked: bool, batches: int = 40) -> dict[str, float]:
    """Mean wait for a batch of 256 windows of 816 x 8 whose pages were dropped, with 20 ms of work beside each."""
    import torch

    import tsrnn
    from tsrnn import buffer, pages, scale, split, windows

    panel = tsrnn.load(folder / "archive", target=NAMES, maps=folder / "maps")
    arrays = panel.arrays()
    laid = buffer.lay(arrays, scale.Affine(np.zeros((SERIES, CHANNELS)), np.ones((SERIES, CHANNELS))))
    cut = windows.cut(laid, split.whole(arrays), LOOK, AHEAD)
    place = pages.home(arrays.columns[0])
    if not asked:
        cut._files = []
    file = max(place.glob("rows-*/values.npy"), key=lambda each: each.stat().st_mtime)
    descriptor = os.open(file, os.O_RDONLY)
    os.fsync(descriptor)
    rows = laid.values.numpy()
    start = rows.__array_interface__["data"][0] & ~4095
    ctypes.CDLL(None).madvise(ctypes.c_void_p(start), ctypes.c_size_t(rows.nbytes), _DONTNEED)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    waits, drawn = [], cut.batches(256, torch.Generator().manual_seed(1), 256 * batches)
    for _ in range(batches):
        began = time.perf_counter()
        batch = next(drawn)
        waits.append(time.perf_counter() - began)
        time.sleep(0.02)
        assert batch.past.shape == (256, LOOK, CHANNELS)
    waits = np.array(waits) * 1000
    return {"mean ms": waits.mean(), "first ms": waits[0], "95 % ms": np.quantile(waits, 0.95)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gib", type=float, default=2.0)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="Leave archive and maps where they are.")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        what = {"mapped": lambda: train(asked.folder, True, asked.steps)}
        what |= {"memory": lambda: train(asked.folder, False, asked.steps)}
        what |= {"cold": lambda: cold(asked.folder, True), "faults": lambda: cold(asked.folder, False)}
        print(json.dumps(what[asked.one](), default=float))
        return
    began = time.perf_counter()
    rows = archive(asked.folder / "archive", asked.gib) if not (asked.folder / "archive").exists() else 0
    print(f"archive: {rows:,} rows x {CHANNELS} in {time.perf_counter() - began:.0f} s")
    for turn in range(asked.turns):
        for one in ("mapped", "memory", "cold", "faults"):
            command = [sys.executable, __file__, str(asked.folder), "--one", one, "--steps", str(asked.steps)]
            said = subprocess.run(command, capture_output=True, text=True, check=False)
            last = said.stdout.strip().rpartition("\n")[2] or said.stderr[-800:]
            print(f"{turn} {one:7}", last, flush=True)
    if not asked.keep:
        for name in ("archive", "maps"):
            shutil.rmtree(asked.folder / name, ignore_errors=True)


if __name__ == "__main__":
    main()
