"""Windows that share no row, for what is fitted to each row once."""

import numpy as np
import torch
from torch import Tensor

from tsrnn.windows import Windows

_CHUNK = 256


def apart(windows: Windows) -> Tensor:
    """The numbers of windows of which none overlaps another: the first, and each next one that begins behind it."""
    chosen, free, last = [], 0, -1
    starts = windows.targets_at - windows.task.before(windows.input_size)
    length = windows.task.length(windows.input_size, windows.horizon)
    series = windows.buffer.series_of(windows.targets_at)
    for which, (start, whose) in enumerate(zip(starts.tolist(), series.tolist(), strict=True)):
        if start >= free or whose != last:
            chosen.append(which)
            free, last = start + length, whose
    return torch.from_numpy(np.array(chosen, np.int64))


def told(windows: Windows) -> Tensor:
    """Every target that was measured, each row once: [row]."""
    cells = []
    for which in apart(windows).split(_CHUNK):  # type: ignore[no-untyped-call]
        batch = windows.gather(which)
        assert batch.target is not None
        seen = batch.target_observed
        cells.append(batch.target.flatten() if seen is None else batch.target[seen > 0])
    return torch.cat(cells)
