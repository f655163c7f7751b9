"""Residuals of rolling origins, and the offsets that they ask of a model's intervals (`tsrnn.conformal`).

The ends of an interval stand around the model's own quantiles where its head has any, else around its point, and are
moved in scaled units: where series are scaled each by itself, so are their residuals.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tsrnn import conformal, infer
from tsrnn.arrays import Floats, Rows
from tsrnn.buffer import Buffer
from tsrnn.conformal import Calibration
from tsrnn.errors import InputError
from tsrnn.heads._base import Head
from tsrnn.models._base import Model, device_of
from tsrnn.scale import Affine
from tsrnn.split import Part
from tsrnn.windows import Windows

Flags = npt.NDArray[np.bool_]
_CELLS = 20_000_000  # scores held at once
_LEADS, _ORIGINS = 4, 500  # that an adaptive forecast goes back to: so many horizons, and so many origins more
_WINDOWS = 100_000  # that it looks at in all, where there are very many series
_BATCH = 256


def fit(
    model: Model, head: Head, windows: Windows, part: Part, coverages: Sequence[float], adaptive: bool
) -> Calibration:
    """Offsets by the residuals of every window of a part, or of evenly spread ones where there are very many.

    An adaptive forecast goes back to rows of that part and later ones, for on earlier ones the model may be trained.

    Raises:
        InputError: a coverage is not between 0 and 1, or there are too few residuals for it.
    """
    wanted = conformal.checked(coverages)
    spec = model.spec
    windows = windows.thinned(max(1000, _CELLS // (2 * spec.horizon * spec.targets)))
    offsets, widths = [], []
    for coverage in wanted:
        scores = residuals(model, head, windows, coverage)
        offsets.append(conformal.split(scores, coverage))
        widths.append(conformal.spread(scores))
        fewest = int((~np.isnan(scores[:, 0])).sum(0).min())
    rows = part.end - part.begin
    memory = min(_LEADS * spec.horizon + _ORIGINS, int(rows[rows > 0].min())) if adaptive else 0
    return Calibration(wanted, np.stack(offsets), np.max(widths, 0), fewest, memory)


@torch.inference_mode()
def residuals(model: Model, head: Head, windows: Windows, coverage: float) -> Floats:
    """How far each truth lay beyond each end: [window side horizon target], scaled, NaN where it was not measured."""
    model.eval()
    device, parts, levels = device_of(model), [], conformal.ends(coverage)
    for batch in windows.batches(_BATCH) if len(windows) else ():
        batch = batch.to(device)
        assert batch.target is not None
        low, high = infer.quantiles(head.at(batch.undo), model(batch), levels, torch.zeros(1, 1, 1, 2)).unbind(-1)
        scores = torch.stack([low - batch.target, batch.target - high], 1)
        if batch.target_observed is not None:
            scores = scores.masked_fill(~batch.target_observed.unsqueeze(1), torch.nan)
        parts.append(scores.cpu().numpy())
    return np.concatenate(parts) if parts else np.empty((0, 2, model.spec.horizon, model.spec.targets), np.float32)


class Calibrated(Head):
    """A head whose quantiles are moved by constant offsets."""

    def __init__(self, head: Head, calibration: Calibration) -> None:
        self._head, self._calibration = head, calibration
        self.params, self.levels, self.counts = head.params, head.levels, head.counts

    def at(self, undo: Affine | None) -> "Calibrated":
        return Calibrated(self._head.at(undo), self._calibration)

    def loss(self, params: Tensor, target: Tensor, observed: Tensor | None) -> Tensor:
        return self._head.loss(params, target, observed)

    def point(self, params: Tensor) -> Tensor:
        return self._head.point(params)

    def quantiles(self, params: Tensor, levels: Sequence[float]) -> Tensor:
        shift = torch.from_numpy(self._calibration.shift(levels)[None])
        return infer.quantiles(self._head, params, levels, shift)

    def of_samples(self, samples: Tensor) -> Tensor:
        return self._head.of_samples(samples)


def head(bare: Head, calibration: Calibration | None) -> Head:
    """A head that knows a calibration by itself, for where no history is at hand.

    Raises:
        InputError: the calibration is adaptive.
    """
    if calibration is None:
        return bare
    if calibration.memory:
        raise InputError(
            "an adaptive calibration follows the errors of a history, which neither a stream nor a graph keeps; call "
            "calibrate with adaptive=False"
        )
    return Calibrated(bare, calibration)


def ahead(
    model: Model, head: Head, calibration: Calibration | None, laid: Buffer, levels: Sequence[float]
) -> Tensor | None:
    """What the forecasts that start after the last rows add to quantiles: [series-or-1 horizon target level]."""
    if calibration is None:
        return None
    return torch.from_numpy(calibration.shift(levels, newest(model, head, calibration, laid)))


def behind(model: Model, head: Head, calibration: Calibration | None, windows: Windows) -> infer.Shift | None:
    """What forecasts of these windows, had they been issued then, add to quantiles."""
    if calibration is None:
        return None
    moved = issued(model, head, calibration, windows)

    def shift(levels: Sequence[float], rows: slice) -> Tensor:
        unknown = [f"{level:g}" for level in levels if level not in calibration.levels]
        if unknown and not head.spreads:
            ends = ", ".join(f"{level:g}" for level in calibration.levels)
            raise InputError(
                f"this model forecasts points, with calibrated quantiles {ends}; to be measured at "
                f"{', '.join(unknown)} it must be fitted with quantiles=[...]"
            )
        return torch.from_numpy(calibration.shift(levels, moved if len(moved) == 1 else moved[rows]))

    return shift


def newest(model: Model, head: Head, calibration: Calibration, laid: Buffer) -> Floats:
    """The offsets of the forecasts that start after the last rows: [series-or-1 coverage side horizon target]."""
    if not calibration.memory:
        return calibration.offsets[None]
    windows, beyond = _matured(laid, model, calibration.memory)
    last: Floats = _tracked(model, head, calibration, windows, len(laid.arrays.ids), beyond)[-1]
    return last


def issued(model: Model, head: Head, calibration: Calibration, windows: Windows) -> Floats:
    """The offsets with which each window's forecast is issued: [window-or-1 coverage side horizon target].

    Adaptive ones have followed the errors of up to `memory` origins before each series' first window.
    """
    if not calibration.memory:
        return calibration.offsets[None]
    count, at = len(windows.buffer.arrays.ids), windows.targets_at
    series = windows.buffer.series_of(at)
    longer = _with_those_before(windows, series, calibration.memory)
    moved = _tracked(model, head, calibration, longer, count)
    places, _ = _places(longer, longer.buffer.series_of(longer.targets_at), count)
    which = np.searchsorted(longer.targets_at, at)
    then: Floats = moved[places[which], series]
    return then


def _tracked(
    model: Model, head: Head, calibration: Calibration, windows: Windows, count: int, beyond: Flags | None = None
) -> Floats:
    """Offsets at every origin, the series' last in common: [origin+1 series coverage side horizon target]."""
    series = windows.buffer.series_of(windows.targets_at)
    at, rows = _places(windows, series, count)
    horizon, targets = model.spec.horizon, model.spec.targets
    step = np.tile(calibration.spread, count)  # [horizon series*target]
    moved = []
    for k, coverage in enumerate(calibration.coverages):
        scores = residuals(model, head, windows, coverage)
        if beyond is not None:
            scores[beyond[:, None].repeat(2, 1)] = np.nan
        dense = np.full((rows, 2, horizon, count, targets), np.nan, np.float32)
        dense[at, :, :, series] = scores
        start = np.tile(calibration.offsets[k], count)  # [side horizon series*target]
        path = conformal.track(dense.reshape(rows, 2, horizon, -1), start, step, coverage)
        moved.append(path.reshape(rows + 1, 2, horizon, count, targets))
    return np.stack(moved).transpose(1, 4, 0, 2, 3, 5)


def _places(windows: Windows, series: Rows, count: int) -> tuple[Rows, int]:
    """Each window's place among the origins, all series ending together, and how many origins there are."""
    last = np.zeros(count, np.int64)
    np.maximum.at(last, series, windows.targets_at)
    back = last[series] - windows.targets_at
    rows = int(back.max(initial=-1)) + 1
    return rows - 1 - back, rows


def _with_those_before(windows: Windows, series: Rows, memory: int) -> Windows:
    """The same windows, and up to `memory` before the first of each series, in the same stretch without a gap."""
    laid, at = windows.buffer, windows.targets_at
    first = at[np.flatnonzero(np.diff(series, prepend=-1))]
    begin = laid.begin[np.searchsorted(laid.begin, first, side="right") - 1] + windows.input_size - laid.padding
    before = [np.arange(max(a, b - memory), b) for a, b in zip(begin, first, strict=True)]
    return Windows(laid, np.sort(np.concatenate([at, *before])), windows.input_size, windows.horizon)


def _matured(laid: Buffer, model: Model, memory: int) -> tuple[Windows, Flags]:
    """The newest windows of each series, and which of their steps are still to come: [window horizon].

    A model that reads what is known ahead is given whole windows alone.
    """
    size, horizon = model.spec.input_size, model.spec.horizon
    stop = laid.arrays.offsets[1:]
    segment = np.searchsorted(laid.end, stop)
    memory = min(memory, max(horizon + 1, _WINDOWS // len(stop)))
    first = np.maximum(laid.begin[segment] + size - laid.padding, stop - memory)
    last = stop - (horizon - 1 if laid.known is not None else 0)
    starts = [np.arange(a, b) for a, b in zip(first, last, strict=True)]
    ends = np.repeat(stop, [len(each) for each in starts])
    at = np.concatenate(starts)
    windows = Windows(_longer(laid, horizon), at, size, horizon)
    return windows, at[:, None] + np.arange(horizon) >= ends[:, None]


def _longer(laid: Buffer, rows: int) -> Buffer:
    """The buffer with rows behind it that nobody measured."""

    def behind(tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else torch.cat([tensor, tensor.new_zeros(rows, tensor.shape[1])])

    values = behind(laid.values)
    assert values is not None
    return replace(laid, values=values, observed=behind(laid.observed), known=behind(laid.known))
