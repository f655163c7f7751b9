"""Run a trained model: forecasts of a batch, scores over windows. No trainer is needed for either."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from tsrnn import metrics, yardsticks
from tsrnn.agreement import Agreement
from tsrnn.arrays import Floats, Rows
from tsrnn.heads._base import Head
from tsrnn.models._base import Model, device_of
from tsrnn.scale import Affine
from tsrnn.shapes import Batch
from tsrnn.tally import Tally
from tsrnn.windows import Windows


class Shift(Protocol):
    """What calibration adds to quantiles of some levels for some windows: [window-or-1 horizon target level]."""

    def __call__(self, levels: Sequence[float], rows: slice) -> Tensor: ...


_CELLS = 4_000_000  # forecast cells held at once
_RESOLUTION = 2.0**-23  # of a float32 between 1 and 2
_WHOLE = 2.0**53  # from here on a float64 holds no fractions


@dataclass(frozen=True)
class Score:
    """Named measures over every observed target cell of every window; `score.mse` is one of them.

    `by_window` says the same of each window: columns [window] of its series' number, the step of that series at which
    its targets begin, and each measure (over horizon and targets; NaN where no target was measured).

    `by_lead` says it of series and leads: [series+1 horizon+1], the last row over all series, the last column over all
    leads; NaN where no target was measured. `series` are the names of its rows. `by_target` says it of each target.
    Of labels, `agreements` has what was counted of each series.
    """

    values: Mapping[str, float]
    windows: int
    by_window: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict, repr=False, compare=False)
    by_lead: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict, repr=False, compare=False)
    series: tuple[str, ...] = field(default=(), repr=False, compare=False)
    by_target: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict, repr=False, compare=False)
    agreements: Sequence[Agreement] = field(default=(), repr=False, compare=False)

    def __getattr__(self, name: str) -> float:
        values: Mapping[str, float] = self.__dict__.get("values", {})
        if name not in values:
            raise AttributeError(f"no measure {name!r} was asked for; there are {', '.join(values)}")
        return values[name]


def quantiles(head: Head, params: Tensor, levels: Sequence[float], shift: Tensor | None = None) -> Tensor:
    """Quantiles of a head, or its point at every level where it has none: [batch horizon target quantile], scaled.

    Args:
        shift: [batch-or-1 horizon target quantile] what calibration adds, after which none crosses another.
    """
    if not head.spreads and shift is not None:
        base = head.point(params).unsqueeze(-1).expand(*params.shape[:-1], len(levels))
    else:
        base = head.quantiles(params, levels)
    if shift is None:
        return base
    order = sorted(range(len(levels)), key=lambda k: levels[k])
    rising = (base + shift.to(base))[..., order].sort(-1).values
    return rising[..., [order.index(k) for k in range(len(levels))]]


@torch.inference_mode()
def forecast(
    model: Model, head: Head, batch: Batch, levels: Sequence[float] = (), shift: Tensor | None = None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | None]:
    """Point forecast [batch horizon target] and quantiles [batch horizon target quantile], in the panel's own units.

    Any number of windows is taken; a few at a time are in the model. `shift` as of `quantiles`.
    """
    model.eval()
    answers, size = [], batch_size(model)
    for first in range(0, len(batch.past), size):
        rows = slice(first, first + size)
        part = batch.rows(rows).to(device_of(model))
        moved = shift if shift is None or len(shift) == 1 else shift[rows]
        answers.append(values(head, model(part), part.undo, levels, moved))
    points, spread = zip(*answers, strict=True)
    return np.concatenate(points), np.concatenate(spread) if levels else None


def hindcasts(
    model: Model,
    head: Head,
    windows: Windows,
    levels: Sequence[float] = (),
    size: int | None = None,
    shift: Shift | None = None,
) -> Iterator[tuple[Rows, Floats, Floats | None]]:
    """`forecast` of all windows in turn, `size` at a time: the panel rows of their first targets, points, quantiles."""
    done = 0
    for batch in windows.batches(size or batch_size(model)):
        here = slice(done, done + len(batch.past))
        moved = None if shift is None or not levels else shift(levels, here)
        yield windows.targets_at[here], *forecast(model, head, batch, levels, moved)
        done = here.stop


@torch.inference_mode()
def values(
    head: Head, params: Tensor, undo: Affine | None, levels: Sequence[float] = (), shift: Tensor | None = None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | None]:
    """What params [batch horizon target params] say, as `forecast` gives it."""
    here = head.at(undo)
    return undone(here.point(params), undo), undone(quantiles(here, params, levels, shift), undo) if levels else None


def undone(scaled: Tensor, undo: Affine | None) -> npt.NDArray[np.float64]:
    """[batch horizon target ...] in the panel's units, in float64, without the digits that no float32 has.

    Where the unit alone was scaled, a small number has as many of them as a large one.
    """
    inside = scaled.cpu().double().numpy()
    if undo is None:
        return inside
    beside = (..., *[None] * (inside.ndim - 3))  # quantiles stand behind the targets
    affine = undo.mapped(lambda part: part.cpu().numpy()[beside])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        value: npt.NDArray[np.float64] = affine.invert(affine.held(inside))
        resolution = np.maximum(np.abs(inside), affine.loc != 0) * affine.scale * _RESOLUTION
        power = 10.0 ** np.floor(-np.log10(resolution))
        shifted = value * power
        rounded = np.rint(shifted) / power
    value = np.where(
        np.abs(shifted) < _WHOLE, rounded, value
    )  # beyond, or where nothing was scaled, float64 is coarser
    for target in undo.logs:
        value[:, :, target] = _power(value[:, :, target])
    return value


def _power(logarithm: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """10 to that power, to seven digits: a float32 has no more."""
    with np.errstate(over="ignore", invalid="ignore"):
        digits = 10.0 ** (6 - np.floor(logarithm))
        power: npt.NDArray[np.float64] = np.rint(10.0**logarithm * digits) / digits
    return power


@torch.inference_mode()
def score(
    model: Model,
    head: Head,
    windows: Windows,
    measures: Sequence[str] = metrics.USUAL,
    shift: Shift | None = None,
    season: int | None = None,
    moved: Floats | None = None,
) -> Score:
    """Measures over all windows: sums in float64, each made into a measure once, at the end, whatever the batch size.

    Physical ones are taken of the panel's own cells and of what `forecast` says, to the last digit.

    Args:
        measures: what `tsrnn.metrics.named` knows.
        shift: what calibration adds to quantiles of some levels for some windows, as of `quantiles`.
        season: steps of a season, for measures that look at what came before; None: the model's.
        moved: [window horizon target] what is added to each forecast, in scaled units.

    Raises:
        InputError: there is no such measure, or it reads quantiles and the head has none.
    """
    model.eval()
    device = device_of(model)
    spec, arrays = model.spec, windows.buffer.arrays
    series = windows.buffer.series_of(windows.targets_at)
    tallies: dict[tuple[str, int], Tally] = defaultdict(lambda: Tally(series, len(arrays.ids), spec.horizon))
    in_units, count = any(metrics.physical(name) for name in measures), tallies["", 0]
    looked_at = {metrics.named(name).history for name in measures} - {""}
    for batch in windows.batches(batch_size(model)):
        batch = batch.to(device)
        params, rows = model(batch), slice(count.done, count.done + len(batch.past))
        if moved is not None:
            params = params + torch.from_numpy(moved[rows]).to(device).unsqueeze(-1)
        assert batch.target is not None
        seen = batch.target_observed
        truth = _truth(windows, rows) if in_units else batch.target
        before = {word: _before(word, windows, rows, season or spec.seasonality) for word in looked_at}
        count.add(torch.ones_like(batch.target) if seen is None else seen)
        for name in measures:
            shifted = None if shift is None else partial(shift, rows=rows)
            read = _read(name, head, params, batch, truth, shifted)
            past = before.get(metrics.named(name).history)
            if past is not None:
                read.append(past.nan_to_num())
            for place, cells in enumerate(metrics.named(name).arrays(*read)):
                known = cells if past is None else cells * past.isfinite()
                tallies[name, place].add(known if seen is None else known * seen.to(known.device))
    return _score(measures, tallies, windows, series)


@torch.no_grad()
def loss(model: Model, head: Head, windows: Windows | None) -> float:
    """The model's own loss over all windows, as validation takes it; infinite where there are none."""
    if windows is None or not len(windows):
        return math.inf
    model.eval()
    losses = [(float(model.loss(batch, head)), len(batch.past)) for batch in windows.batches(batch_size(model))]
    return sum(each * count for each, count in losses) / len(windows)


def batch_size(model: Model) -> int:
    """Windows that are in a model at once."""
    spec = model.spec
    return max(1, min(512, _CELLS // (spec.targets * (spec.horizon * spec.params + spec.input_size))))


def _truth(windows: Windows, which: slice) -> Tensor:
    """The panel's own target cells of some windows, 0 where none was measured: [batch horizon target] float64."""
    arrays = windows.buffer.arrays
    rows = windows.targets_at[which, None] + np.arange(windows.horizon)
    cells = np.stack([column[rows] for column in arrays.columns[: arrays.targets]], -1)
    return torch.from_numpy(np.nan_to_num(cells.astype(np.float64)))


def _before(word: str, windows: Windows, which: slice, season: int) -> Tensor:
    """What a word of `metrics.History` says of some windows' past: [batch horizon-or-1 target]; NaN: nothing."""
    arrays, rows = windows.buffer.arrays, windows.targets_at[which]
    if word == "seasonal":
        return torch.from_numpy(yardsticks.seasonal_errors(arrays, rows, season))[:, None]
    return torch.from_numpy(yardsticks.clock(arrays, rows, season, windows.horizon))


def _read(
    name: str,
    head: Head,
    params: Tensor,
    batch: Batch,
    truth: Tensor,
    shift: Callable[[Sequence[float]], Tensor] | None,
) -> list[Tensor]:
    """What a measure's cells are made of: the truth and the forecast, or the quantiles, [batch horizon target] each."""
    levels, head = metrics.named(name).levels, head.at(batch.undo)
    if levels:
        forecast = quantiles(head, params, levels, None if shift is None else shift(levels))
    else:
        forecast = head.point(params)[..., None]
    if metrics.physical(name):
        return [truth, *torch.from_numpy(undone(forecast, batch.undo)).unbind(-1)]
    assert batch.target is not None
    scaled = forecast.unbind(-1)
    return [batch.target, *(scaled if batch.undo is None else (batch.undo.held(each) for each in scaled))]


def _score(
    measures: Sequence[str],
    tallies: Mapping[tuple[str, int], Tally],
    windows: Windows,
    series: npt.NDArray[np.int64],
) -> Score:
    values, by_window, by_lead, by_target = {}, {}, {}, {}
    for name in measures:
        of = metrics.named(name).of
        sums = [tallies["", 0], *(each for (other, _), each in tallies.items() if other == name)]
        each_window = [each.by_window.numpy() for each in sums]
        values[name] = float(of(*(each.sum() for each in each_window)))
        by_window[name] = of(*each_window).astype(np.float32)
        by_lead[name] = of(*(each.margins() for each in sums))
        by_target[name] = of(*(each.by_target.numpy() for each in sums))
    arrays = windows.buffer.arrays
    places = {"series": series, "step": windows.targets_at - arrays.offsets[series]}
    return Score(values, len(windows), {**places, **by_window}, by_lead, arrays.ids, by_target)


def parameters(model: nn.Module) -> int:
    """How many numbers the training set."""
    return sum(weight.numel() for weight in model.parameters())
