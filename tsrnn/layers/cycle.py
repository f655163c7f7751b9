"""A learnt cycle that every window shares: Lin et al. (2024), "CycleNet: Enhancing Time Series Forecasting through
Modeling Periodic Patterns", arXiv 2409.18479, section 3.1 (residual cycle forecasting).

One number per place in the cycle and channel, zero at first. What the cycle says is subtracted from the window, and
added to the forecast of what is left; both by the absolute step number (`Batch.phase`), so that a panel seen later goes
on where the training's cycle stood. In a model's forward:

    past = self.cycle.subtract(past, batch.phase)
    ...
    params = self.cycle.add(params, batch.phase)
"""

import torch
from torch import Tensor, nn

from tsrnn.errors import InputError


class Cycle(nn.Module):
    """Q [cycle channel]; between instance centring and its undo, where a model has one.

    Args:
        cycle: steps after which the pattern returns.
        channels: how many channels have a pattern of their own.

    Raises:
        InputError: a cycle below one step; when called, a batch without `phase`.
    """

    def __init__(self, cycle: int, channels: int) -> None:
        super().__init__()
        if cycle < 1:
            raise InputError(f"cycle must be at least 1 step, not {cycle}")
        self.cycle = cycle
        self.pattern = nn.Parameter(torch.zeros(cycle, channels))  # Q

    def subtract(self, past: Tensor, phase: Tensor | None) -> Tensor:
        """The window without its cycle: past [batch time channel], phase [batch]."""
        return past - self._steps(phase, -past.shape[1], 0)  # the paper's eq. 1, aligned by the step number

    def add(self, params: Tensor, phase: Tensor | None) -> Tensor:
        """The forecast with its cycle, on every number asked for: params [batch horizon channel params]."""
        return params + self._steps(phase, 0, params.shape[1]).unsqueeze(-1)

    def _steps(self, phase: Tensor | None, begin: int, end: int) -> Tensor:
        """The pattern at steps [begin, end) after the first of the horizon: [batch step channel]."""
        if phase is None:
            raise InputError(
                "a cycle needs to know where in it a window lies, but the batch has no phase; build it from a Panel, "
                "or give its Arrays their `first` step numbers"
            )
        places = (phase[:, None] + torch.arange(begin, end, device=phase.device)) % self.cycle  # [batch step]
        return self.pattern.index_select(0, places.view(-1)).view(*places.shape, -1)
