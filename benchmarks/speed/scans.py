"""Scans against their loops over time, forward and backward: selective, linear, SSD and mLSTM.

All gradients are asked for, on one thread, float32; what the gradients flow from is drawn once, so that neither side
pays for a loss. The two sides take turns in one run.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch
from measuring import Row, at_least, one_thread, report, sides
from torch import Tensor
from torch.nn import functional

from tsrnn.recurrence.mlstm import mlstm
from tsrnn.recurrence.scan import linear_scan, selective_scan
from tsrnn.recurrence.ssd import ssd

STATES = 16
SELECTIVE = [(16, 96, 128), (16, 336, 128), (4, 1024, 128)]  # batch, time, channels
SSD = [(16, 96, 4, 32, 16), (16, 336, 4, 32, 64), (4, 1024, 4, 32, 64)]  # batch, time, heads, channels, states
MLSTM = [(16, 96, 2, 32), (16, 320, 4, 32), (4, 1024, 4, 32)]  # batch, time, heads, keys and values
LINEAR = [(32, 336, 64), (32, 336, 256), (8, 1024, 64)]


def both_ways(f: Callable[..., Tensor], given: list[Tensor], gradient: Tensor) -> Callable[[], object]:
    """A call that runs `f` and takes all its gradients."""
    leaves = [each.requires_grad_() for each in given]
    return lambda: torch.autograd.grad(f(*leaves), leaves, gradient)


def selective(batch: int, time: int, channels: int, method: str) -> Callable[[], object]:
    draw = torch.Generator().manual_seed(0)
    given = [
        torch.randn(batch, time, channels, generator=draw),
        torch.rand(batch, time, channels, generator=draw) * 0.1,
        -torch.arange(1.0, STATES + 1).repeat(channels, 1),
        torch.randn(batch, time, STATES, generator=draw),
        torch.randn(batch, time, STATES, generator=draw),
        torch.ones(channels),
    ]

    def run(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor) -> Tensor:
        return selective_scan(u, delta, A, B, C, D, method=method)[0]

    return both_ways(run, given, torch.ones_like(given[0]))


def linear(batch: int, time: int, channels: int, method: str) -> Callable[[], object]:
    draw = torch.Generator().manual_seed(0)
    given = [torch.rand(batch, time, channels, generator=draw), torch.randn(batch, time, channels, generator=draw)]
    return both_ways(partial(linear_scan, method=method), given, torch.ones_like(given[0]))


def heads_of_state_spaces(
    batch: int, time: int, heads: int, channels: int, states: int, method: str
) -> Callable[[], object]:
    draw = torch.Generator().manual_seed(0)
    given = [
        torch.randn(batch, time, heads, channels, generator=draw),
        torch.rand(batch, time, heads, generator=draw) * 0.1,
        -torch.arange(1.0, heads + 1),
        torch.randn(batch, time, states, generator=draw),
        torch.randn(batch, time, states, generator=draw),
        torch.ones(heads),
    ]

    def run(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor) -> Tensor:
        return ssd(u, delta, A, B, C, D, method=method)[0]

    return both_ways(run, given, torch.ones_like(given[0]))


def memories(batch: int, time: int, heads: int, width: int, method: str) -> Callable[[], object]:
    draw = torch.Generator().manual_seed(0)
    given = [torch.randn(batch, time, heads, width, generator=draw) for _ in range(3)]
    given += [torch.randn(batch, time, heads, generator=draw) for _ in range(2)]

    def run(q: Tensor, k: Tensor, v: Tensor, i: Tensor, f: Tensor) -> Tensor:
        return mlstm(q, k, v, i, functional.logsigmoid(f + 3), method=method)[0]

    return both_ways(run, given, torch.ones_like(given[2]))


def compared(
    what: str, loop: Callable[[], object], ours: Callable[[], object], reach: float, repeats: int
) -> Iterable[Row]:
    slow, fast = sides(loop, ours, repeats=repeats, warm_up=3)
    yield Row(f"{what}: the loop", 1e3 * slow, "ms")
    yield Row(f"{what}: ours", 1e3 * fast, "ms")
    yield at_least(f"{what}: times faster", slow / fast, "x", reach)


KINDS: list[tuple[str, Callable[..., Callable[[], object]], Sequence[tuple[int, ...]], str, float]] = [
    ("selective scan", selective, SELECTIVE, "auto", 10),
    ("linear scan", linear, LINEAR, "auto", 5),
    ("SSD", heads_of_state_spaces, SSD, "auto", 5),
    ("mLSTM", memories, MLSTM, "auto", 6),
]


def measure(repeats: int = 20) -> Iterable[Row]:
    one_thread()
    for what, make, sizes, method, reach in KINDS:
        for size in sizes:
            yield from compared(f"{what} {size}", make(*size, "plain"), make(*size, method), reach, repeats)


if __name__ == "__main__":
    report(__doc__.partition("\n")[0], measure)
