"""Gated units whose recurrent product waits for a gate, on one sequence, each equation as printed: Cho et al. (2014),
Jozefowicz et al. (2015) and Zhou et al. (2016). Where a paper adds x itself, W x + b stands."""

from collections.abc import Callable

import torch
from torch import Tensor

Run = Callable[[Tensor, dict[str, Tensor], tuple[Tensor, ...]], tuple[Tensor, tuple[Tensor, ...]]]


def unit(gates: str, fed: str, step: Callable[..., Tensor]) -> Run:
    """A twin from one step: `W(gate)` is that gate's input product, `U(gate, v)` its recurrent product of v."""

    def run(x: Tensor, w: dict[str, Tensor], state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        (h,) = state
        n = len(h)
        outputs = []
        for t in range(len(x)):
            past = x[t]

            def W(gate: str, past: Tensor = past) -> Tensor:
                rows = slice(gates.index(gate) * n, (gates.index(gate) + 1) * n)
                return w["weight_ih"][rows] @ past + w["bias_ih"][rows]

            def U(gate: str, v: Tensor) -> Tensor:
                rows = slice(fed.index(gate) * n, (fed.index(gate) + 1) * n)
                return w["weight_hh"][rows] @ v + w["bias_hh"][rows]

            h = step(W, U, h)
            outputs.append(h)
        return torch.stack(outputs), (h,)

    return run


def sigmoid(a: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-a))


def gru_before(W: Callable[[str], Tensor], U: Callable[[str, Tensor], Tensor], h: Tensor) -> Tensor:
    r = sigmoid(W("r") + U("r", h))  # Cho et al. (2014), eq. 5
    z = sigmoid(W("z") + U("z", h))  # eq. 6
    return z * h + (1 - z) * torch.tanh(W("n") + U("n", r * h))  # eq. 7, 8


def mut1(W: Callable[[str], Tensor], U: Callable[[str, Tensor], Tensor], h: Tensor) -> Tensor:
    z = sigmoid(W("z"))
    r = sigmoid(W("r") + U("r", h))
    return torch.tanh(U("n", r * h) + torch.tanh(W("n"))) * z + h * (1 - z)


def mut2(W: Callable[[str], Tensor], U: Callable[[str, Tensor], Tensor], h: Tensor) -> Tensor:
    z = sigmoid(W("z") + U("z", h))
    r = sigmoid(W("r") + U("r", h))
    return torch.tanh(U("n", r * h) + W("n")) * z + h * (1 - z)


def mut3(W: Callable[[str], Tensor], U: Callable[[str, Tensor], Tensor], h: Tensor) -> Tensor:
    z = sigmoid(W("z") + U("z", torch.tanh(h)))
    r = sigmoid(W("r") + U("r", h))
    return torch.tanh(U("n", r * h) + W("n")) * z + h * (1 - z)


def mgu(W: Callable[[str], Tensor], U: Callable[[str, Tensor], Tensor], h: Tensor) -> Tensor:
    f = sigmoid(W("f") + U("f", h))
    return (1 - f) * h + f * torch.tanh(W("n") + U("n", f * h))


TWINS = {
    "gru_before": unit("rzn", "rzn", gru_before),
    "mut1": unit("rzn", "rn", mut1),
    "mut2": unit("rzn", "rzn", mut2),
    "mut3": unit("rzn", "rzn", mut3),
    "mgu": unit("fn", "fn", mgu),
}
