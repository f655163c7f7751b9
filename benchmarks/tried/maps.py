"""Orthogonal maps about a line in closed form: they change nothing unless the penalty does.

With x' = Q'x, y' = R'y and W' = R'WQ errors and the ridge's |W|^2 are the same, and so is the solution. What may differ
is a ridge of its own for each row of W': for each direction of the target, here the eigenvectors of the covariance of
the centred horizon, in which forecasts are more or less certain.
"""

import torch
from networks import eigenvectors
from torch import Tensor

from tsrnn import Forecaster
from tsrnn.layers import overlapping
from tsrnn.layers.centring import centre
from tsrnn.layers.chosen_ridge import RIDGES
from tsrnn.layers.least_squares import Moments
from tsrnn.windows import Windows

_CHUNK = 256  # windows
_MORE = (*RIDGES, 0.3, 1.0)  # shares of the mean eigenvalue


def with_own_ridges(
    line: Forecaster, train: Windows, first: Windows, second: Windows, turned: bool
) -> tuple[Tensor, ...]:
    """Forecasts of both halves, [window horizon target], by ridges that do best on the first one.

    Weights are of each channel where the fitted `line` has them so. `turned`: a ridge for each direction of the target,
    else for each step.
    """
    weight = line.model_.linear.weight.detach()
    targets = line.spec_.targets
    moments = [_moments(line, train, channel) for channel in range(targets)]
    if weight.ndim == 2 or bool((weight == weight[:1]).all()):
        moments = [Moments.sum(moments)]
    centring, season = line.model_.config.centring, line.spec_.seasonality
    basis = eigenvectors(train, centring, season)[1] if turned else torch.eye(line.horizon).double()
    x, y, _ = _rows(line, first)
    solved = []
    for place, each in enumerate(moments):
        own = (slice(None), slice(None) if len(moments) == 1 else place)
        options = each.solutions(_MORE)
        squares = torch.stack(
            [((y[own] - option.forecast(x[own], None)) @ basis).square().flatten(0, -2).sum(0) for option in options]
        )
        best = squares.argmin(0)  # [direction]
        rows = torch.stack([basis.T @ option.weight for option in options])[best, torch.arange(len(best))]
        bias = torch.stack([basis.T @ option.bias for option in options])[best, torch.arange(len(best))]
        solved.append((basis @ rows, basis @ bias))
    weights, biases = (torch.stack(each).expand(targets, *each[0].shape) for each in zip(*solved, strict=True))
    return tuple(_told(line, half, weights, biases) for half in (first, second))


def _told(line: Forecaster, half: Windows, weight: Tensor, bias: Tensor) -> Tensor:
    x, _, level = _rows(line, half)
    return ((torch.einsum("wct,cht->wch", x, weight) + bias).transpose(1, 2) + level).float()


def _rows(line: Forecaster, windows: Windows) -> tuple[Tensor, Tensor, Tensor]:
    """Centred windows [window channel time], horizons [window channel horizon] and levels [window 1 channel]."""
    parts = []
    for batch in windows.batches(_CHUNK):
        undo = centre(batch.past, line.model_.config.centring, line.spec_.seasonality)
        past, target = (undo.apply(each).transpose(1, 2).double() for each in (batch.past, batch.target))
        parts.append((past, target, undo.loc.double()))
    past, target, level = (torch.cat(each) for each in zip(*parts, strict=True))
    return past, target, level


def _moments(line: Forecaster, train: Windows, channel: int) -> Moments:
    runs = train.runs()
    assert runs is not None
    values, spec = train.buffer.values, line.spec_
    rows = (values[run, channel] for run in runs)
    return overlapping.moments(rows, spec.input_size, spec.horizon, line.model_.config.centring, spec.seasonality)
