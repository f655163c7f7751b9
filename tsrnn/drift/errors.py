"""Errors of forecasts whose truth has come: one number per row and target, in the panel's units."""

import numpy as np
import numpy.typing as npt
import torch

from tsrnn import infer, windows
from tsrnn.heads import Head
from tsrnn.models import Model

Floats = npt.NDArray[np.float64]

_AT_ONCE = 512  # windows


def absolute(model: Model, head: Head, cut: windows.Windows) -> Floats:
    """Mean absolute error over all leads of the forecasts for each row, by these windows.

    Returns:
        [row target]; NaN where no target was measured, or a lead is missing.
    """
    spec, arrays = model.spec, cut.buffer.arrays
    truth = np.stack([np.asarray(column, np.float64) for column in arrays.columns[: arrays.targets]], 1)
    total, leads = np.zeros(truth.shape), np.zeros(len(truth))
    ahead = np.arange(spec.horizon)
    for which in torch.arange(len(cut)).split(_AT_ONCE) if len(cut) else ():  # type: ignore[no-untyped-call]
        point, _ = infer.forecast(model, head, cut.gather(which))  # [window horizon target]
        rows = cut.targets_at[which.numpy()][:, None] + ahead  # [window horizon]
        np.add.at(total, rows, np.abs(truth[rows] - point))
        np.add.at(leads, rows, 1)
    return np.where((leads == spec.horizon)[:, None], total / spec.horizon, np.nan)
