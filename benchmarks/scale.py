"""How cost grows: python benchmarks/scale.py [--quick] [--out FOLDER]

Along each axis (rows of one series, channels, series of 2000 rows, horizon) one size grows and the others stay. Each
point is a fresh process of one thread: it makes a frame of float32, builds the data (panel, preparation, windows),
takes steps of a training (segrnn, hidden 64, batches of 64 windows; a step's seconds are the median's) and forecasts
the end of every series. Seconds are the processor's, which other work on the machine lengthens little. Memory is the
peak above the frame, whose numbers, times and names are counted beside it. Then a benchmark of small fits, by one
worker process and by two; these seconds are the wall's.

Writes `scale.csv` and `scale.svg` into FOLDER and prints the table, the growth along each axis (the slope of the
logarithms: 1 is linear) and what the costs come to for 1e6 series and 1e12 rows, with what that assumes.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parent / "speed"))
from measuring import forget_peak, peak, resident

AXES = {
    "rows": (10_000, 100_000, 1_000_000),
    "channels": (1, 8, 64),
    "series": (10, 100, 1000, 10_000),
    "horizon": (24, 96, 336, 720),
}
BASE = {"rows": 20_000, "channels": 1, "series": 1, "horizon": 96}
OF_SERIES = 2000  # rows of each, along the axis of series
LOOK, HIDDEN, BATCH, STEPS = 96, 64, 64, 40
STAGES = {"building": "data building", "step": "one training step", "predict": "predict, every series"}
GROWS = 0.5  # slope from which a picture shows how far from linear it is
NODES, CORES, DISK = 16, 16, 200e6  # of the cluster told of; bytes of Parquet a second that a node reads


@dataclass(frozen=True)
class Point:
    """One size: what was asked, seconds of the processor of each stage, the frame and the peak above it in MiB."""

    axis: str
    rows: int  # of each series
    channels: int
    series: int
    horizon: int
    building: float
    step: float
    predict: float
    frame: float
    memory: float

    @property
    def size(self) -> int:
        return int(getattr(self, self.axis))

    @property
    def cells(self) -> int:
        return self.rows * self.channels * self.series


def measured(axis: str, rows: int, channels: int, series: int, horizon: int, steps: int = STEPS) -> Point:
    """One point, in this process."""
    import torch
    from pytorch_lightning import Callback

    from tsrnn import Forecaster, fit
    from tsrnn.allocator import tune_allocator

    torch.set_num_threads(1)
    tune_allocator()
    assert fit.fit  # Lightning is imported before anything is measured
    marks: list[float] = []

    class Marks(Callback):
        def on_train_batch_start(self, *_: object) -> None:
            marks.append(time.process_time())

    frame, names = _frame(rows, channels, series), [f"y{k}" for k in range(channels)]
    size = {"input_size": LOOK, "horizon": horizon, "hidden_size": HIDDEN}
    few = {"max_epochs": 1, "max_windows": BATCH * steps, "val_windows": BATCH, "batch_size": BATCH, "progress": False}
    Forecaster("segrnn", **size, **few).fit(frame.head(min(rows, 2 * (LOOK + horizon) * 10)), target=names)  # kernels
    marks.clear()
    model = Forecaster("segrnn", **size, **few)
    forget_peak()
    before, began = resident(), time.process_time()
    model.fit(frame, target=names, id="unique_id", callbacks=[Marks()])
    building = marks[0] - began
    began = time.process_time()
    assert len(model.predict()) == horizon * series
    predict = time.process_time() - began
    memory = max(0, peak() - before) / 2**20  # the system counts some pages late, and a peak below the start is none
    step = median(np.diff(marks[min(5, len(marks) // 2) :]))
    held = frame.estimated_size() / 2**20
    return Point(axis, rows, channels, series, horizon, building, float(step), predict, held, memory)


def _frame(rows: int, channels: int, series: int) -> pl.DataFrame:
    draw = np.random.default_rng(0)
    names = pl.Series([f"series-{k}" for k in range(series)])
    walks = {f"y{k}": draw.standard_normal(series * rows, dtype=np.float32) for k in range(channels)}
    ids = names.gather(np.repeat(np.arange(series), rows))
    return pl.DataFrame({"unique_id": ids, "ds": np.tile(np.arange(rows), series), **walks})


def sizes(axis: str, quick: bool) -> list[dict[str, int]]:
    """What each point along an axis asks."""
    base = {**BASE, **({"rows": OF_SERIES} if axis == "series" else {})}
    taken = AXES[axis][:-1] if quick else AXES[axis]
    return [{**base, axis: size} for size in taken]


def growth(points: list[Point], stage: str) -> float:
    """The slope of log seconds against log size between the two largest sizes, where fixed costs weigh least."""
    one, other = sorted(points, key=lambda point: point.size)[-2:]
    return float(np.log(getattr(other, stage) / getattr(one, stage)) / np.log(other.size / one.size))


def held(points: list[Point]) -> tuple[float, float]:
    """Bytes that a row adds to the frame, and to the peak above it, between the two points of most rows."""
    one, other = sorted(points, key=lambda point: point.cells)[-2:]
    rows = (other.rows * other.series - one.rows * one.series) / 2**20
    return (other.frame - one.frame) / rows, (other.memory - one.memory) / rows


def costs(points: list[Point]) -> dict[str, float]:
    """Seconds of a processor: a model with no negative cost, fitted to relative errors of all points.

    Building costs so much for each cell and each series; a step for each row of a batch that is read (windows times
    channels), and each step ahead that is written; a forecast for each series, and each number in it.
    """
    unknown = {
        "building": [[1.0, p.cells, p.series] for p in points],
        "step": [[1.0, p.channels, p.channels * p.horizon] for p in points],
        "predict": [[1.0, p.series, p.series * p.channels * p.horizon] for p in points],
    }
    names = {"building": ("", "a cell", "a series"), "step": ("", "a channel", "a channel and step ahead")}
    names["predict"] = ("", "a series", "a number")
    from scipy.optimize import nnls

    found = {}
    for stage, columns in unknown.items():
        seconds = np.array([getattr(p, stage) for p in points])
        weights, _ = nnls(np.array(columns) / seconds[:, None], np.ones(len(points)))
        found |= {f"{stage} {name}".strip(): float(each) for name, each in zip(names[stage], weights, strict=True)}
    return found


def far(cost: dict[str, float], memory: float, speedup: float) -> list[str]:
    """What the costs come to beyond this machine, sentence by sentence.

    Args:
        cost: as `costs` gives it.
        memory: bytes that a row adds to the peak.
        speedup: of two workers over one.
    """
    share = min(1.0, speedup / 2)  # of a core that a worker beside others has
    cores = NODES * CORES * share
    step = sum(cost[f"step{name}"] * by for name, by in (("", 1), (" a channel", 1), (" a channel and step ahead", 96)))
    predict = 1e6 * (cost["predict a series"] + cost["predict a number"] * 96)
    few, many = (cost["building a cell"] * cells + cost["building a series"] * 1e6 for cells in (2e9, 1e12))
    read = 1e12 * 4 / (NODES * DISK)
    steps, gibibytes = 12 * 128 * step / 60, memory * 2e9 / 2**30
    return [
        f"1e6 series x 2000 rows, one core: building {few / 60:.0f} min, a fit of 12 x 128 steps {steps:.1f} min, "
        f"predict {predict / 60:.1f} min, {gibibytes:.0f} GiB beside the frame, or maps on the disk",
        f"1e6 series x 1e6 rows (1e12 rows, 4 TB) on {NODES} nodes of {CORES} cores: building "
        f"{many / cores / 60:.0f} min, reading {read / 60:.0f} min, predict {predict / cores:.0f} s, a million steps "
        f"shared among all cores {1e6 * step / cores / 60:.0f} min",
        f"assumed: costs go on as measured; a core there is as fast as one here, and {share:.2f} of one beside others "
        "(two workers against one); series are divided among the nodes, each of which reads its own Parquet files into "
        f"maps at {DISK / 1e6:.0f} MB/s; nothing is sent but weights and forecasts; one target, horizon 96",
        "not measured: more than one machine, a network, a disk that others use",
    ]


def workers(fits: int, epochs: int) -> dict[str, float]:
    """Seconds on the wall of a benchmark of so many small fits by one worker process and by two, starts included."""
    from tsrnn import bench
    from tsrnn.simulate import transformer

    spent = {}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "oil.csv"
        transformer(rows=3000).select("date", "OT").write_csv(file)
        wishes = bench.Wishes(("segrnn",), (24,), tuple(range(fits)), 96)
        jobs = bench.plan(bench.Source(str(file), (("target", ("OT",)),)), "quick", wishes)
        for job in jobs:
            job.options.update(max_epochs=epochs, patience=epochs)
        for count in (1, 2):
            began = time.perf_counter()
            done = bench.run(jobs, Path(folder) / str(count), count)
            spent[str(count)] = time.perf_counter() - began
            if any(outcome.error for outcome in done):
                sys.exit(f"a fit failed: {next(outcome.error for outcome in done if outcome.error)}")
    return spent


def draw(points: list[Point], file: Path) -> None:
    """Seconds against size along each axis, both logarithmic; beside what grows, a line of slope 1."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.fonttype"] = "none"  # text as text
    from matplotlib import pyplot

    axes = list(dict.fromkeys(point.axis for point in points))
    figure, panes = pyplot.subplots(1, len(axes), figsize=(3.4 * len(axes), 3.6), sharey=True, squeeze=False)
    for pane, axis in zip(panes[0], axes, strict=True):
        along = sorted((point for point in points if point.axis == axis), key=lambda point: point.size)
        at = [point.size for point in along]
        for stage, label in STAGES.items():
            seconds = [getattr(point, stage) for point in along]
            (line,) = pane.loglog(at, seconds, marker="o", markersize=4, label=label)
            if growth(along, stage) > GROWS:
                straight = [seconds[-1] * size / at[-1] for size in at]
                pane.loglog(at, straight, linestyle=":", linewidth=1, color=line.get_color())
        pane.set_xlabel(axis if axis != "series" else f"series of {OF_SERIES} rows")
        pane.set_xticks(at, [f"{size:,}" for size in at])
        pane.minorticks_off()
        pane.grid(visible=True, which="major", linewidth=0.3)
    panes[0][0].set_ylim(bottom=min(getattr(point, stage) for point in points for stage in STAGES) / 2)
    panes[0][0].set_ylabel("seconds of one core")
    handles, labels = panes[0][0].get_legend_handles_labels()
    labels[-1] += "  (dotted: linear)"
    figure.legend(handles, labels, loc="upper center", ncols=len(STAGES), frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.93))
    figure.savefig(file)
    pyplot.close(figure)


def told(points: list[Point]) -> str:
    """The points as a table of Markdown."""
    names = (
        "rows",
        "channels",
        "series",
        "horizon",
        "building, s",
        "a step, ms",
        "predict, s",
        "frame, MiB",
        "peak, MiB",
    )
    lines = [f"| axis | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    lines += [
        f"| {p.axis} | {p.rows:,} | {p.channels} | {p.series:,} | {p.horizon} | {p.building:.3f} | {1000 * p.step:.1f} "
        f"| {p.predict:.3f} | {p.frame:.1f} | {p.memory:.0f} |"
        for p in points
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="without the largest size of each axis, and fewer fits")
    parser.add_argument("--out", type=Path, default=Path("."))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    wish = parser.parse_args()
    if wish.one:
        print(json.dumps(asdict(measured(**json.loads(wish.one)))))
        return
    points = []
    for axis in AXES:
        for asked in sizes(axis, wish.quick):
            words = [sys.executable, __file__, "--one", json.dumps({"axis": axis, **asked})]
            said = subprocess.run(words, capture_output=True, text=True, check=False)
            if said.returncode:
                sys.exit(f"{axis} {asked}: {said.stderr[-800:]}")
            points.append(Point(**json.loads(said.stdout.strip().rpartition("\n")[2])))
            print(told(points[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
    fits = workers(*((4, 1) if wish.quick else (8, 8)))
    wish.out.mkdir(parents=True, exist_ok=True)
    pl.DataFrame([asdict(point) for point in points]).write_csv(wish.out / "scale.csv")
    draw(points, wish.out / "scale.svg")
    print(told(points))
    for axis in AXES:
        along = [point for point in points if point.axis == axis]
        print(f"growth along {axis}:", ", ".join(f"{stage} {growth(along, stage):.2f}" for stage in STAGES))
    frame, memory = held([point for point in points if point.axis == "series"])
    print(f"a row adds {frame:.1f} bytes to the frame, and {memory:.1f} to the peak above it")
    speedup = fits["1"] / fits["2"]
    spent = f"{fits['1']:.1f} s by one worker, {fits['2']:.1f} s by two"
    print(f"bench: {spent}, {speedup:.2f} times as fast; load {os.getloadavg()[0]:.1f}")
    cost = costs(points)
    print("costs, s:", ", ".join(f"{name} {each:.2g}" for name, each in cost.items()))
    print(*far(cost, memory, speedup), sep="\n")


if __name__ == "__main__":
    main()
