"""A straight line in closed form, by what validation likes: which ridge, and weights of each channel or shared ones.

Who asks says what the rows of a batch of windows are: the centred window and what is read beside it, the centred
targets, and regressors of each step (`tsrnn.layers.least_squares`). Windows that hold nothing but a channel's own rows
and lie one step apart are summed from these rows (`tsrnn.layers.overlapping`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from tsrnn.layers import overlapping
from tsrnn.layers.centring import Centring
from tsrnn.layers.least_squares import ALL, Moments, Rows, Solved, best_of
from tsrnn.scale import Affine
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

Pooling = Literal["shared", "individual", "auto"]  # auto: what validation likes better
RIDGES = (1e-6, 1e-4, 1e-3, 1e-2, 1e-1)  # shares of the mean eigenvalue
_CHUNK, _NUMBERS = 512, 8_000_000  # windows summed at a time, fewer where their regressors are so many
_RUN = 64  # windows in a run, on average, from which on its rows are quicker to read than its windows
_HELD = 100_000_000  # numbers of normal equations held at once; the rows are read again for more channels


@dataclass(frozen=True)
class Wanted:
    """What is to be solved.

    Args:
        spec: of the task.
        centring: of the windows.
        ridges: shares of the mean eigenvalue to choose among.
        weights: whose.
        rows: of a batch, all channels' together.
        others: numbers read beside a channel's own window.
        regressors: of each step.
    """

    spec: Spec
    centring: Centring
    ridges: tuple[float, ...]
    weights: Pooling
    rows: Callable[[Batch], Rows]
    others: int = 0
    regressors: int = 0

    @property
    def size(self) -> int:
        """Numbers of a row."""
        return self.spec.input_size + self.others

    @property
    def chunk(self) -> int:
        """Windows summed at a time."""
        numbers = self.spec.targets * self.spec.horizon * self.regressors  # of a window
        return max(1, min(_CHUNK, _NUMBERS // max(1, numbers)))


def solve(wanted: Wanted, train: Windows, val: Windows | None) -> Solved:
    """What does best on `val` of all that was fitted to `train`, in float64; without `val` shared, by the first ridge.

    Weights are those of one set where they are shared and were asked to be, else of as many as there are targets.
    """
    ridges, sets, parts = wanted.ridges, range(wanted.spec.targets), []
    if wanted.weights == "shared":
        return best_of(_moments(wanted, train, [ALL]), ridges, _judged(wanted, val, [ALL]))
    total: list[Moments] = []
    seen: list[Moments] | None = []
    most = max(1, _HELD // wanted.size // (wanted.size + wanted.spec.horizon))
    for some in (sets[first : first + most] for first in range(0, len(sets), most)):
        moments, judged = _moments(wanted, train, some), _overlapping(wanted, val, some)
        parts.append(best_of(moments, ridges, _judged(wanted, val, some) if judged is None else judged))
        total = [Moments.sum([*total, *moments])]
        seen = None if seen is None or judged is None else [Moments.sum([*seen, *judged])]
    solved = Solved.joined(parts)
    if wanted.weights != "auto":
        return solved
    shared = best_of(total, ridges, _judged(wanted, val, [ALL]) if seen is None else seen)
    return solved if solved.squares < shared.squares else shared.expanded(len(sets))


def rows_of(x: Tensor, target: Tensor, undo: Affine, observed: Tensor | None, q: Tensor | None = None) -> Rows:
    """In float64, without rows in which a target is missing.

    Args:
        x: [batch*target number] centred windows and what is read beside them.
        target: [batch horizon target], not centred.
        undo: what centred the windows.
        observed: [batch horizon target]; None: all.
        q: [batch horizon regressor].
    """
    targets = target.shape[2]
    y = _flat(undo.apply(target))
    window = torch.arange(len(target)).repeat_interleave(targets)
    channel = torch.arange(targets).repeat(len(target))
    if observed is not None:
        whole = _flat(observed).all(1)
        x, y, window, channel = x[whole], y[whole], window[whole], channel[whole]
    return Rows(x.double(), y.double(), None if q is None else q.double(), window, channel)


def _flat(target: Tensor) -> Tensor:
    return target.transpose(1, 2).flatten(0, 1)  # [batch*target horizon]


def _moments(wanted: Wanted, train: Windows, sets: Sequence[int]) -> list[Moments]:
    """Sums over training of the rows of each set of weights."""
    if (quick := _overlapping(wanted, train, sets)) is not None:
        return quick
    moments = [Moments(wanted.size, wanted.spec.horizon, wanted.regressors) for _ in sets]
    for batch in train.batches(wanted.chunk):
        rows = wanted.rows(batch)
        for each, channel in zip(moments, sets, strict=True):
            part = rows.of(channel)
            each.add(part.x, part.y)
            if part.q is not None:
                each.add_known(part.x, part.y, part.q, part.window)
    return moments


def _judged(wanted: Wanted, val: Windows | None, sets: Sequence[int]) -> Iterator[list[Rows]]:
    """The rows of validation, a batch at a time, those of each set of weights."""
    for batch in () if val is None else val.batches(wanted.chunk):
        rows = wanted.rows(batch)
        yield [rows.of(channel) for channel in sets]


def _overlapping(wanted: Wanted, windows: Windows | None, sets: Sequence[int]) -> list[Moments] | None:
    """Sums of each channel from its rows; None where windows hold more than these, or are no long runs."""
    covered = wanted.regressors or wanted.others or wanted.centring == "revin" or ALL in sets
    if covered or windows is None or (runs := windows.runs()) is None or len(windows) < _RUN * len(runs):
        return None
    spec, values = wanted.spec, windows.buffer.values
    made = spec.input_size, spec.horizon, wanted.centring, spec.seasonality
    return [overlapping.moments((values[run, channel] for run in runs), *made) for channel in sets]
