"""What the training loop adds to a bare PyTorch step: same model, same batches, fused AdamW, clipped gradient.

Both sides run the same number of steps in turns, in one thread, on that thread's own processor time: the loop neither
waits nor hands work over, so on an idle machine this is the wall's time, and on a busy one what other programs take is
not counted. A fit of a single step is taken off each fit, so that what a fit costs once does not hide in the steps.
"""

import statistics
import time
from collections.abc import Iterable

import numpy as np
import torch
from measuring import Row, at_most, one_thread, report, seconds

from tsrnn import buffer, heads, models, parameters, scale, split, windows
from tsrnn.arrays import Arrays
from tsrnn.fit import fit, seeded
from tsrnn.models._base import Model
from tsrnn.shapes import Spec

BATCH, SPEC = 32, Spec(input_size=96, horizon=24, channels=7, targets=7)
CONFIG, FIT = parameters.sort(
    "lstm", {"hidden_size": 16, "segment": 1, "averaging": 0.0, "batch_size": BATCH, "max_epochs": 1}
)
HEAD = heads.build(None, "mse")


def steps_of(count: int) -> windows.Windows:
    """Windows for so many batches."""
    rows = count * BATCH + SPEC.input_size + SPEC.horizon - 1
    values = np.random.default_rng(0).standard_normal((SPEC.channels, rows), dtype=np.float32)
    names = tuple(f"y{k}" for k in range(SPEC.channels))
    arrays = Arrays(tuple(values), names, SPEC.targets, ("one",), np.array([0, rows]), np.zeros(0, np.int64))
    everything = split.whole(arrays)
    laid = buffer.lay(arrays, scale.fit("none", arrays, everything))
    return windows.cut(laid, everything, SPEC.input_size, SPEC.horizon)


def ours(made: windows.Windows) -> float:
    model = models.build("lstm", CONFIG, SPEC)
    return seconds(lambda: fit(model, HEAD, made, None, FIT), time.thread_time)


def bare(made: windows.Windows) -> float:
    model = models.build("lstm", CONFIG, SPEC)
    return seconds(lambda: _loop(model, made), time.thread_time)


def _loop(model: Model, made: windows.Windows) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=FIT.learning_rate, fused=True)
    for batch in made.batches(BATCH, torch.Generator().manual_seed(0)):
        assert batch.target is not None
        loss = HEAD.loss(model(batch), batch.target, batch.target_observed)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(model.parameters(), FIT.gradient_clip)
        optimizer.step()


def measure(steps: int = 60, repeats: int = 25) -> Iterable[Row]:
    one_thread()
    many, single = steps_of(steps), steps_of(1)
    with seeded(0):
        ours(single), bare(single)
        laps = [(ours(many), ours(single), bare(many)) for _ in range(repeats)]
    extra = statistics.median((fitted - once) / (steps - 1) - looped / steps for fitted, once, looped in laps)
    yield Row("a bare PyTorch step, LSTM 16, batch 32", 1e3 * statistics.median(lap[2] for lap in laps) / steps, "ms")
    yield at_most("extra per step of the training loop", 1e3 * extra, "ms", 1)
    yield Row("a fit of one step, trainer included", 1e3 * statistics.median(lap[1] for lap in laps), "ms")


if __name__ == "__main__":
    report(__doc__.partition("\n")[0], measure)
