"""The reshapes that models share, and how their weights begin."""

from typing import TypeVar

import torch
from torch import Tensor, nn

from tsrnn.errors import InputError
from tsrnn.layers.individual import Individual
from tsrnn.scale import Affine
from tsrnn.shapes import Spec

Layer = TypeVar("Layer", nn.Linear, Individual, "nn.Linear | Individual")


def series_of(past: Tensor, targets: int) -> Tensor:
    """Each target channel as a series of its own: [batch time channel] -> [batch*target time]."""
    return past[..., :targets].transpose(1, 2).reshape(-1, past.shape[1])


def forecasts_of(rows: Tensor, spec: Spec) -> Tensor:
    """Back again: [batch*target horizon*params] -> [batch horizon target params]."""
    return rows.view(-1, spec.targets, spec.horizon, spec.params).transpose(1, 2)


def restore(undo: Affine, params: Tensor) -> Tensor:
    """Undo instance centring (loc, scale [batch 1 channel]) on every number: [batch horizon target params]."""
    targets = params.shape[2]
    loc, scale = undo.loc[..., :targets, None], undo.scale[..., :targets, None]  # [batch 1 target 1]
    return torch.addcmul(loc, params, scale)


def segments(size: int, segment: int, what: str) -> int:
    """How many whole segments fit into `size` steps, at least one.

    Raises:
        InputError: the segment is longer than `size`.
    """
    if segment > size:
        raise InputError(f"segment={segment} is longer than {what}={size}; take a shorter segment")
    return size // segment


@torch.no_grad()
def zeros(layer: Layer) -> Layer:
    """Start as a map that gives zeros, so that what stands beside it is all there is at first."""
    for weight in layer.parameters():
        weight.fill_(0.0)
    return layer


@torch.no_grad()
def uniform_weights(layer: Layer) -> Layer:
    """Start as a plain mean of the inputs, as the linear baselines do."""
    layer.weight.fill_(1.0 / layer.in_features)
    return layer


def device_of(model: nn.Module) -> torch.device:
    """Where a model's weights live; the CPU for a model that has none."""
    weight = next(iter(model.parameters()), None)
    return torch.device("cpu") if weight is None else weight.device
