"""What can be read off a network without changing it: Jacobian norms by lag, forget gates at work."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from tsrnn.cells import Cell
from tsrnn.recurrence import Recurrent

_EXACT = 64  # outputs up to which the Jacobian is exact; for more, as many random directions stand for it


def influence(function: Callable[[Tensor], Tensor], x: Tensor) -> tuple[float, ...]:
    """Norms of d function(x) / d x by lag: x [batch time channel] -> [batch output]; a row's output is its own.

    Exact for up to 64 outputs; above, the mean over 64 random sign vectors v of |v J|^2, whose expectation is |J|^2.
    """
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        outputs = function(x)  # [batch output]
    directions = torch.eye(outputs.shape[1])
    if len(directions) > _EXACT:
        draw = torch.Generator().manual_seed(0)
        directions = torch.randint(0, 2, (_EXACT, outputs.shape[1]), generator=draw) * 2.0 - 1
        directions /= math.sqrt(_EXACT)
    squared = x.new_zeros(x.shape[:2], dtype=torch.float64)  # [batch time]
    for direction in directions.to(outputs):
        (slope,) = torch.autograd.grad((outputs * direction).sum(), x, retain_graph=True)
        squared += slope.double().square().sum(-1)
    return tuple(squared.sqrt().mean(0).flip(0).tolist())


def norm(parts: Sequence[Tensor]) -> float:
    """The norm of tensors taken together."""
    return math.sqrt(sum(float(each.detach().double().square().sum()) for each in parts))


@contextmanager
def forget_gates(module: nn.Module) -> Iterator[dict[str, list[Tensor]]]:
    """What the forget gates inside do while the block runs, by the cell's place: activations, one tensor per step.

    An activation is sigmoid(x + r) of the gate called "f"; terms that a cell adds in its step (peepholes) are left out.
    The block runs on the reference loop.
    """
    heard: dict[str, list[Tensor]] = {}
    gated = {name: each for name, each in module.named_modules() if isinstance(each, Cell) and "f" in each.gates}
    layers = {each: each.backend for each in module.modules() if isinstance(each, Recurrent)}

    def listening(name: str, cell: Cell) -> Callable[..., Any]:
        at, step = cell.gates.index("f"), cell.step

        def heard_step(x: Any, r: Any, state: Any) -> Any:
            heard.setdefault(name, []).append(torch.sigmoid(x[at] + r[at]).flatten())
            return step(x, r, state)

        return heard_step

    try:
        for layer in layers:
            layer.backend = "reference"
        for name, cell in gated.items():
            cell.__dict__["step"] = listening(name, cell)
        yield heard
    finally:
        for cell in gated.values():
            cell.__dict__.pop("step", None)
        for layer, backend in layers.items():
            layer.backend = backend
