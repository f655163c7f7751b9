"""Sums of errors while windows go by, from which measures are made once, at the end."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


class Tally:
    """Sums over cells: of each window [window], and of each series and lead [series horizon]."""

    def __init__(self, series: npt.NDArray[np.int64], count: int, horizon: int) -> None:
        self.series = torch.from_numpy(series)
        self.by_window = torch.zeros(len(series), dtype=torch.float64)
        self.by_lead = torch.zeros(count, horizon, dtype=torch.float64)
        self.by_target = torch.zeros(1, dtype=torch.float64)  # [target], once there were cells
        self.done = 0

    def add(self, cells: Tensor) -> None:
        """The next windows' cells [batch horizon target]."""
        here = slice(self.done, self.done + len(cells))
        cells = cells.double()
        leads = cells.sum(2).cpu()  # [batch horizon]
        self.by_target = self.by_target + cells.sum((0, 1)).cpu()
        self.by_window[here] = leads.sum(1)
        self.by_lead.index_add_(0, self.series[here], leads)
        self.done += len(cells)

    def margins(self) -> npt.NDArray[np.float64]:
        """[series+1 horizon+1], with a row of sums over series and a column of sums over leads."""
        rows = torch.cat([self.by_lead, self.by_lead.sum(0, keepdim=True)])
        return torch.cat([rows, rows.sum(1, keepdim=True)], 1).numpy()
