"""The loop over time in plain torch: any cell, dtype and device, twice differentiable; what the others answer to."""

import torch
from torch import Tensor

from tsrnn.cells import Cell
from tsrnn.shapes import State


def supports(cell: Cell, x: Tensor, lengths: Tensor | None) -> tuple[bool, str]:
    """Always, and why."""
    return True, "the loop over time in torch runs every cell"


def run(cell: Cell, x: Tensor, state: State, lengths: Tensor | None) -> tuple[Tensor, State]:
    """Run one cell over time.

    Args:
        cell: the recurrence.
        x: [batch time input].
        state: before the first step, each [batch hidden].
        lengths: [batch] steps of each row; a finished row keeps its state and its outputs are zero. None: all.

    Returns:
        output [batch time hidden] and the state after each row's last step, each [batch hidden].
    """
    outputs = []
    for time, projected in enumerate(cell.project(x).unbind(1)):
        following, output = cell.advance(projected, state)  # each [batch hidden]
        if lengths is not None:
            alive = (time < lengths)[:, None]  # [batch 1]
            following = tuple(torch.where(alive, new, old) for new, old in zip(following, state, strict=True))
            output = torch.where(alive, output, torch.zeros_like(output))
        state = following
        outputs.append(output)
    return torch.stack(outputs, 1), state
