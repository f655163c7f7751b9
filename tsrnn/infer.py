"""Run a trained model: forecasts of a batch, scores over windows. No trainer is needed for either."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from tsrnn.heads._base import Head
from tsrnn.models._base import Model
from tsrnn.scale import Affine
from tsrnn.shapes import Batch
from tsrnn.windows import Windows

_CELLS = 4_000_000  # forecast cells held at once while scoring


@dataclass(frozen=True)
class Score:
    """Means over every observed target cell of every window, in scaled units.

    `by_window` says the same of each window: columns [window] of its series' number, the step of that series at which
    its targets begin, and its own mse and mae (means over horizon and targets; NaN where no target was measured).
    """

    mse: float
    mae: float
    windows: int
    by_window: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict, repr=False, compare=False)


@torch.inference_mode()
def forecast(
    model: Model, head: Head, batch: Batch, levels: Sequence[float] = ()
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]:
    """Point forecast [batch horizon target] and quantiles [batch horizon target quantile], in the panel's own units."""
    model.eval()
    params = model(batch.to(device_of(model)))
    point = head.point(params)
    quantiles = head.quantiles(params, levels) if levels else None
    undo = batch.undo
    if undo is not None:
        point = undo.invert(point.cpu())
        if quantiles is not None:
            each = Affine(undo.loc.unsqueeze(-1), undo.scale.unsqueeze(-1))
            quantiles = each.invert(quantiles.cpu())
    return point.cpu().numpy(), None if quantiles is None else quantiles.cpu().numpy()


@torch.inference_mode()
def score(model: Model, head: Head, windows: Windows) -> Score:
    """Squared and absolute error over all windows: sums in float64, one mean at the end, whatever the batch size."""
    model.eval()
    device = device_of(model)
    spec = model.spec
    size = max(1, min(512, _CELLS // (spec.targets * (spec.horizon * spec.params + spec.input_size))))
    parts = []
    for batch in windows.batches(size):
        error = errors(head.point(model(batch.to(device))), batch.to(device))  # [batch horizon target]
        seen = torch.ones_like(error) if batch.target_observed is None else batch.target_observed
        sums = [each.sum((1, 2), dtype=torch.float64) for each in (error.square(), error.abs(), seen.to(device))]
        parts.append(torch.stack(sums).cpu())  # [3 batch]
    squared, absolute, cells = torch.cat([torch.empty(3, 0, dtype=torch.float64), *parts], 1).numpy()  # each [window]
    with np.errstate(invalid="ignore"):
        mse, mae = squared / cells, absolute / cells
        total = cells.sum()
        means = (float(squared.sum() / total), float(absolute.sum() / total))
    series = windows.buffer.series_of(windows.targets_at)
    columns = {"series": series, "step": windows.targets_at - windows.buffer.arrays.offsets[series]}
    return Score(*means, len(windows), {**columns, "mse": mse.astype(np.float32), "mae": mae.astype(np.float32)})


def errors(point: Tensor, batch: Batch) -> Tensor:
    """Forecast minus target [batch horizon target]; 0 where the target was not measured."""
    assert batch.target is not None
    error = point - batch.target
    return error if batch.target_observed is None else error * batch.target_observed


def device_of(model: nn.Module) -> torch.device:
    """Where a model's weights live; the CPU for a model that has none."""
    weight = next(iter(model.parameters()), None)
    return torch.device("cpu") if weight is None else weight.device


def parameters(model: nn.Module) -> int:
    """How many numbers the training set."""
    return sum(weight.numel() for weight in model.parameters())
