"""Paths of any length: the next step is drawn from the model's own distribution, and what was drawn is fed back.

The likelihood of a path is the product of those of its steps, each given all before it (Graves 2013, arXiv 1308.0850):
so the model is asked for one step after another, its window moved on by what was drawn as if that had been measured.
Channels hang together by what went before alone. A model that draws whole paths itself (`Model.paths`) is asked for
as many steps at once as it forecasts.
"""

from collections.abc import Iterator
from dataclasses import fields, replace
from numbers import Integral

import numpy as np
import torch
from torch import Tensor

from tsrnn import infer
from tsrnn.arrays import Floats
from tsrnn.errors import InputError
from tsrnn.heads._base import Distribution, Head
from tsrnn.masks import Groups, beside
from tsrnn.models._base import Model, device_of
from tsrnn.scale import Affine
from tsrnn.shapes import Batch

MOST = 1_000_000  # steps of a path
_EDGE = 1e-6  # of the levels that are drawn


def check(model: Model, head: Head, steps: int, reads: tuple[str, ...]) -> None:
    """Refuse what cannot go on by itself.

    Args:
        reads: the past covariates that the model was given.

    Raises:
        InputError: `steps` is no number of steps, there is no distribution to draw from, or a covariate is known up to
            now only.
    """
    if not isinstance(steps, Integral) or isinstance(steps, bool) or not 1 <= steps <= MOST:
        raise InputError(f"steps must be a whole number of steps, from 1 to {MOST:,}, not {steps!r}")
    if not isinstance(head, Distribution) and type(model).paths is Model.paths:
        raise InputError(
            "paths of steps= are drawn from a distribution of the next step, and this model has none; fit with "
            "loss='gaussian' or another distribution, or leave steps out"
        )
    if reads:
        raise InputError(
            f"paths of steps= go on from targets alone, and nobody knows {reads[0]!r} ahead; fit without past "
            "covariates, or leave steps out"
        )


@torch.inference_mode()
def draw(model: Model, head: Head, batch: Batch, groups: Groups, steps: int, count: int, random_state: int) -> Floats:
    """`count` paths of `steps` steps after each window: [series step target sample], in the panel's units.

    Args:
        batch: the newest window of each series, masks left out; `known` reaches steps + horizon - 1 steps ahead.
        groups: channels whose masks the model reads.
    """
    device = device_of(model.eval())
    generator = torch.Generator(device).manual_seed(int(random_state))
    rows, size = _repeated(batch, count).to(device), infer.batch_size(model)
    parts = []
    for first in range(0, len(rows.past), size):
        part = rows.rows(slice(first, first + size))
        paths = torch.cat([*_drawn(model, head, part, groups, steps, generator)], 1)[:, :steps]
        parts.append(infer.undone(paths, part.undo))
    values = np.concatenate(parts)  # [series*sample step target]
    return values.reshape(len(batch.past), count, *values.shape[1:]).transpose(0, 2, 3, 1)


def _drawn(
    model: Model, head: Head, batch: Batch, groups: Groups, steps: int, generator: torch.Generator
) -> Iterator[Tensor]:
    """Stretches of one path for each window, until there are `steps`: [row step target] each, scaled."""
    time, horizon, channels = model.spec.input_size, model.spec.horizon, batch.past.shape[2]
    known, done = batch.known, 0
    while done < steps:
        here = None if known is None else known[:, done : done + time + horizon]
        window = beside(replace(batch, known=here), groups, channels)
        own = None if head.counts else model.paths(window, 1, generator)
        values = own[..., 0] if own is not None else _next(model, head, window, generator)
        yield values
        done += values.shape[1]
        batch = _moved(batch, values)


def _next(model: Model, head: Head, batch: Batch, generator: torch.Generator) -> Tensor:
    """The step after each window, from its distribution: [row 1 target]."""
    params = model(batch)[:, :1]
    noise = torch.rand(2, *params.shape[:-1], generator=generator, device=params.device)
    assert isinstance(head, Distribution)
    return head.at(batch.undo).draw(params, noise.clamp(_EDGE, 1 - _EDGE).to(params.dtype))


def _moved(batch: Batch, values: Tensor) -> Batch:
    """The windows as they are once these steps [row step target] have come."""
    steps, time = values.shape[1], batch.past.shape[1]
    seen = batch.observed
    if seen is not None:
        seen = torch.cat([seen, seen.new_ones(*values.shape[:2], seen.shape[2])], 1)[:, steps:]
    return replace(
        batch,
        past=torch.cat([batch.past, values.to(batch.past)], 1)[:, steps:],
        observed=seen,
        lengths=None if batch.lengths is None else (batch.lengths + steps).clamp(max=time),
        phase=None if batch.phase is None else batch.phase + steps,
    )


def _repeated(batch: Batch, count: int) -> Batch:
    """Each window `count` times, one behind the other."""
    made = Batch(batch.past)
    for each in fields(batch):
        value = getattr(batch, each.name)
        if isinstance(value, Tensor):
            value = value.repeat_interleave(count, 0)
        elif isinstance(value, Affine) and len(value.loc) > 1:
            value = value.mapped(lambda part: part.repeat_interleave(count, 0))
        setattr(made, each.name, value)
    return made
