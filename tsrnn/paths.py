"""Sample paths: futures that could come, whose values at a step are as likely as the forecast says.

An autoregressive model draws them from itself (`Model.paths`); where it is calibrated or forecasts counts, its paths
give ranks alone, and the forecast the values at them. Any other says of each step and target alone what is likely; its
values are drawn at the ranks that the model's own errors had at past origins (Schaake shuffle: Clark et al. 2004, J.
Hydrometeorology 5; of errors, Schefzik et al. 2013, Statistical Science 28), so that paths hang together over steps and
channels as those errors did, and between series whose histories are of one length.
"""

from numbers import Integral
from typing import Any

import numpy as np
import torch

from tsrnn import infer, windows
from tsrnn.arrays import Floats
from tsrnn.buffer import Buffer
from tsrnn.conformal import Calibration
from tsrnn.errors import InputError
from tsrnn.heads._base import Distribution, Head
from tsrnn.models._base import Model, device_of
from tsrnn.shapes import Batch
from tsrnn.split import whole

Moved = tuple[Calibration, Floats]

_SEEDS = 1 << 63


@torch.inference_mode()
def draw(
    model: Model, head: Head, batch: Batch, laid: Buffer, count: int, random_state: int, moved: Moved | None
) -> Floats:
    """`count` paths after the newest window of each series, in the panel's units: [series horizon target sample].

    Args:
        batch: the newest window of each series.
        laid: the history they come from, whose earlier windows show how errors hang together.
        moved: a calibration, and what it asks of these forecasts: [series-or-1 coverage side horizon target].

    Raises:
        InputError: fewer paths than one, a seed that is none, a model that says nothing but a point, or a history
            without a past origin.
    """
    check(count, random_state)
    model.eval()
    device = device_of(model)
    batch = batch.to(device)
    own = model.paths(batch, count, torch.Generator(device).manual_seed(int(random_state)))
    if own is not None and moved is None and not head.counts:
        return infer.undone(own, batch.undo)
    rng = np.random.default_rng(random_state)
    levels = np.clip((np.arange(count) + rng.random(count)) / count, 1e-6, 1 - 1e-6)
    values = infer.undone(torch.from_numpy(_marginals(model, head, batch, levels, moved)), batch.undo)
    ranks = _ranks(model, head, laid, count, rng) if own is None else own.cpu().numpy().argsort(-1).argsort(-1)
    return np.take_along_axis(values, ranks, -1)


def check(count: Any, random_state: Any) -> None:
    """Refuse fewer paths than one, and a seed that is none."""
    if not _whole(count) or count < 1:
        raise InputError(f"simulate draws a whole number of paths, at least one, not {count!r}")
    if not _whole(random_state) or not 0 <= random_state < _SEEDS:
        raise InputError(f"random_state must be a whole number from 0, below 2^63, not {random_state!r}")


def _marginals(model: Model, head: Head, batch: Batch, levels: Floats, moved: Moved | None) -> Floats:
    """Scaled quantiles at these rising levels: [series horizon target level].

    Of a distribution its own. Of a few quantiles what lies on a straight line between two of them, and beyond the
    outermost, on the scale on which a Laplace distribution's are a line.
    """
    here, params = head.at(batch.undo), model(batch)
    if isinstance(head, Distribution):
        own: Floats = infer.quantiles(here, params, levels.tolist()).cpu().double().numpy()
        return own if moved is None else np.sort(own + _shift(moved, levels), -1)
    ends_of = [] if moved is None else moved[0].levels
    knots = sorted({*head.levels, *ends_of, *([] if head.spreads else [0.5])})
    if knots[0] >= 0.5 or knots[-1] <= 0.5:
        raise InputError(
            "paths need to know what is likely on both sides of the forecast; fit with quantiles such as [0.1, 0.5, "
            "0.9], or a distribution (loss='student_t'), or call calibrate first"
        )
    shift = torch.zeros(1, 1, 1, len(knots)) if moved is None else torch.from_numpy(_shift(moved, knots))
    known = infer.quantiles(here, params, knots, shift).cpu().double().numpy()  # [... knot]
    at, wanted = _stretched(np.array(knots)), _stretched(levels)
    above = np.clip(np.searchsorted(at, wanted), 1, len(at) - 1)
    weight = (wanted - at[above - 1]) / (at[above] - at[above - 1])
    between: Floats = known[..., above - 1] * (1 - weight) + known[..., above] * weight
    return between


def _shift(moved: Moved, levels: Floats | list[float]) -> Floats:
    """What calibration adds at any level, nothing at the median: [series-or-1 horizon target level]."""
    calibration, offsets = moved
    knots = sorted({0.5, *calibration.levels})
    known = calibration.shift(knots, offsets)
    between = np.apply_along_axis(lambda row: np.interp(levels, knots, row), -1, known)
    return np.asarray(between)


def _whole(number: Any) -> bool:
    return isinstance(number, Integral) and not isinstance(number, bool)


def _stretched(level: Floats) -> Floats:
    """The quantile of a Laplace distribution."""
    beside: Floats = level - 0.5
    stretched: Floats = -np.sign(beside) * np.log1p(-2 * np.abs(beside))
    return stretched


def _ranks(model: Model, head: Head, laid: Buffer, count: int, rng: np.random.Generator) -> np.ndarray:
    """The rank of each error among those at `count` past origins: [series horizon target sample], from 0."""
    past = windows.cut(laid, whole(laid.arrays), model.spec.input_size, model.spec.horizon)
    if not len(past):
        need = model.spec.input_size + model.spec.horizon
        raise InputError(f"paths need past errors to hang together by: a series of at least {need} rows without a gap")
    series = laid.series_of(past.targets_at)
    place = np.sort((np.arange(count) + rng.random(count)) / count)
    order, ties = rng.permutation(count), rng.random((count, 1, 1))
    ranks = []
    for number in range(len(laid.arrays.ids)):
        own = np.flatnonzero(series == number)
        own = own if len(own) else np.arange(len(past))  # a series that is too short hangs together as the others do
        errors = _errors(model, head, past.gather(torch.from_numpy(own[(place * len(own)).astype(np.int64)])))[order]
        ranks.append(np.lexsort((np.broadcast_to(ties, errors.shape), errors), axis=0).argsort(0))
    return np.stack(ranks).transpose(0, 2, 3, 1)


def _errors(model: Model, head: Head, batch: Batch) -> Floats:
    """Truth minus forecast, 0 where nothing was measured: [window horizon target], scaled."""
    parts = []
    for first in range(0, len(batch.past), 256):
        part = batch.rows(slice(first, first + 256)).to(device_of(model))
        assert part.target is not None
        error = part.target - head.at(part.undo).point(model(part))
        parts.append(error if part.target_observed is None else error * part.target_observed)
    errors: Floats = torch.cat(parts).cpu().numpy()
    return errors
