"""Greff et al. (2015), section II, on one sequence, and what each of the eight variants of section III changes."""

from functools import partial

import torch
from torch import Tensor


def run(x: Tensor, w: dict[str, Tensor], state: tuple[Tensor, ...], variant: str) -> tuple[Tensor, tuple[Tensor, ...]]:
    """x [time input], h, c and with FGR i, f, o [hidden] -> outputs [time hidden], the last state."""
    gates = {"NIG": "fgo", "NFG": "igo", "NOG": "ifg", "CIFG": "igo"}.get(variant, "ifgo")
    h, c, *before = state
    n = len(h)
    one = torch.ones_like(h)
    outputs = []

    def sums(name: str, t: int) -> Tensor:
        k = gates.index(name)
        rows = slice(k * n, (k + 1) * n)
        total = w["weight_ih"][rows] @ x[t] + w["bias_ih"][rows] + w["weight_hh"][rows] @ h + w["bias_hh"][rows]
        if variant == "FGR" and name != "g":
            line = "ifo".index(name) * n
            for column, gate in enumerate(before):
                total = total + w["weight_gates"][line : line + n, column * n : (column + 1) * n] @ gate
        return total

    def gate(name: str, t: int, cell: Tensor) -> Tensor:
        peephole = 0 * cell if variant == "NP" else w[f"peephole_{name}"] * cell
        return 1 / (1 + torch.exp(-(sums(name, t) + peephole)))

    for t in range(len(x)):
        z = sums("g", t) if variant == "NIAF" else torch.tanh(sums("g", t))
        i = one if variant == "NIG" else gate("i", t, c)
        f = one if variant == "NFG" else 1 - i if variant == "CIFG" else gate("f", t, c)
        c = z * i + c * f
        o = one if variant == "NOG" else gate("o", t, c)
        h = (c if variant == "NOAF" else torch.tanh(c)) * o
        before = [i, f, o] if variant == "FGR" else []
        outputs.append(h)
    return torch.stack(outputs), (h, c, *before)


VARIANTS = ("NIG", "NFG", "NOG", "NIAF", "NOAF", "CIFG", "NP", "FGR")
TWINS = {f"lstm_{name.lower()}": partial(run, variant=name) for name in VARIANTS}
