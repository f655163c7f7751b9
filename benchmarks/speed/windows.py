"""Windows: a batch gathered, beside torch's own collation, and ten million rows from the frame to windows ready.

The ten million rows are measured in fresh processes, whose every page is new: on a virtual machine a page that the host
has not handed out before may cost more than the work on it. A second pass in the same process, over pages it has had
before, shows the work alone.
"""

import itertools
import statistics
import time
from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl
import torch
from measuring import Row, at_least, at_most, forget_peak, in_child, one_thread, peak, report, resident, seconds, sides
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from tsrnn import buffer, scale, split, windows
from tsrnn.panel import Panel

BATCH, PAST, AHEAD, CHANNELS = 32, 336, 96, 7


class Samples(Dataset[tuple[Tensor, Tensor]]):
    """The usual way: one window per call, collated by torch."""

    def __init__(self, rows: Tensor) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows) - PAST - AHEAD + 1

    def __getitem__(self, start: int) -> tuple[Tensor, Tensor]:
        return self.rows[start : start + PAST], self.rows[start + PAST : start + PAST + AHEAD]


def gathered(rows: int = 17_420, repeats: int = 1000) -> Iterator[Row]:
    """A batch of windows from rows of one series, in random order, both sides in turns."""
    one_thread()
    values = np.random.default_rng(0).standard_normal((CHANNELS, rows), dtype=np.float32)
    frame = pl.DataFrame({"ds": np.arange(rows), **{f"y{k}": column for k, column in enumerate(values)}})
    ready = cut(frame, PAST, AHEAD)
    loader = DataLoader(Samples(ready.buffer.values), BATCH, shuffle=True)
    ours = itertools.chain.from_iterable(ready.batches(BATCH, torch.Generator()) for _ in itertools.count())
    theirs = itertools.chain.from_iterable(loader for _ in itertools.count())
    mine, other = sides(lambda: next(ours), lambda: next(theirs), repeats=repeats)
    shape = f"a batch of {BATCH} windows of {PAST + AHEAD} x {CHANNELS}"
    yield at_most(f"{shape}, gathered", 1e3 * mine, "ms", 0.02)
    yield Row(f"{shape}, per-sample Dataset and default collate", 1e3 * other, "ms")
    yield at_least("the second over the first", other / mine, "x", 5)


def cut(frame: pl.DataFrame, past: int, ahead: int) -> windows.Windows:
    """From a frame to windows ready for training on the first 70 % of each series."""
    panel = Panel.of(frame, target=[name for name in frame.columns if name.startswith("y")])
    arrays = panel.arrays()
    train = split.ratios(arrays).train
    laid = buffer.lay(arrays, scale.fit("standard", arrays, train))
    return windows.cut(laid, train, past, ahead)


def ready(series: int = 100, steps: int = 100_000, channels: int = 8) -> tuple[float, float, float]:
    """From a frame to windows of 720 -> 96: seconds, the peak above the frame over the values' bytes, seconds again."""
    one_thread()
    draw = np.random.default_rng(0)
    names = pl.Series([f"series-{k}" for k in range(series)])
    frame = pl.DataFrame(
        {
            "unique_id": names.gather(np.repeat(np.arange(series), steps)),
            "ds": np.tile(np.arange(steps), series),
            **{f"y{k}": draw.standard_normal(series * steps, dtype=np.float32) for k in range(channels)},
        }
    )
    forget_peak()
    before, began = resident(), time.perf_counter()
    made = cut(frame, 720, 96)
    spent = time.perf_counter() - began
    growth = (peak() - before) / (4 * series * steps * channels)
    assert len(made) == series * (steps * 7 // 10 - 720 - 96 + 1)
    del made
    return spent, growth, seconds(lambda: cut(frame, 720, 96))


def measure() -> Iterable[Row]:
    yield from gathered()
    spent, growth, again = (statistics.median(each) for each in zip(*(in_child(ready) for _ in range(5)), strict=True))
    what = "10 million rows x 8 channels, 100 series, 720 -> 96"
    yield at_most(f"{what}: from the frame to windows, fresh process", spent, "s", 2)
    yield Row(f"{what}: the same again", again, "s")
    yield at_most(f"{what}: peak above the frame, over the values' bytes", growth, "x", 2)


if __name__ == "__main__":
    report(__doc__.partition("\n")[0], measure)
