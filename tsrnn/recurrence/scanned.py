"""The loop over time as one node of a graph, for export: a small graph whatever the cell and however long the window.

torch's own higher-order scan becomes ONNX's Scan. Its gradients are wrong in torch 2.13, so that nothing is trained
through it and it refuses to be; `auto` never takes it.
"""

from typing import Any

import torch
from torch import Tensor
from torch._higher_order_ops.scan import scan

from tsrnn.cells import Cell
from tsrnn.shapes import State

Moved = tuple[State, Tensor]  # a name, since what is traced may not spell a type out


def supports(cell: Cell, x: Tensor, lengths: Tensor | None) -> tuple[bool, str]:
    """Where no gradient is asked for, and why."""
    if torch.is_grad_enabled():
        return False, "the scan of a graph gives no gradients that could be trusted; it runs under torch.no_grad alone"
    return True, "one node of a graph runs every cell"


def run(cell: Cell, x: Tensor, state: State, lengths: Tensor | None) -> tuple[Tensor, State]:
    """As `tsrnn.recurrence.reference.run`, without gradients."""
    ended = None if lengths is None else torch.arange(x.shape[1], device=x.device)[None] >= lengths[:, None]

    def step(before: State, inputs: State) -> Moved:
        following, output = cell.advance(inputs[0], before)  # each [batch hidden]
        if ended is not None:
            over = inputs[1][:, None]  # [batch 1]
            following = tuple(torch.where(over, old, new) for new, old in zip(following, before, strict=True))
            output = torch.where(over, torch.zeros_like(output), output)
        return tuple(part.clone() for part in following), output.clone()

    inputs = (cell.project(x),) if ended is None else (cell.project(x), ended)
    untyped: Any = scan
    final, outputs = untyped(step, tuple(state), inputs, dim=1)
    return outputs, tuple(final)
