"""Compiled recurrences against torch's own layers and against the loop over time, forward and backward.

One thread unless a row says otherwise, float32, pages kept (`TSRNN_ALLOCATOR`) on both sides. Where nothing else is
said a call makes the output and all gradients, the input's too; the two sides take turns in one run. What the gradients
flow from is drawn once, so that neither side pays for a loss. A share of the peak is the products' multiply-adds alone
against those of a large matrix product.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib import import_module

import torch
from measuring import Row, at_least, at_most, in_child, one_thread, report, seconds, sides
from torch import Tensor, nn
from torch.utils.mkldnn import to_mkldnn

from tsrnn.cells import Cell, Gates, get
from tsrnn.recurrence import Recurrent, generated
from tsrnn.registry import names
from tsrnn.shapes import State

Call = Callable[[], object]
GRU = [
    ((336, 32, 64, 64), 3.5),
    ((336, 64, 64, 128), 2.0),
    ((96, 8, 16, 16), 20.0),
]  # time, batch, input, hidden; reach
LSTM = [
    *((336, 1, 7, 16), (96, 256, 16, 16), (336, 32, 64, 64), (96, 256, 64, 128)),
    *((96, 8, 64, 128), (96, 32, 64, 256), (96, 1, 64, 512), (48, 64, 64, 512)),
]
LOOP = [((336, 32, 64), 4.0), ((336, 32, 128), 2.5), ((96, 8, 16), 40.0)]  # time, batch, hidden; reach
TWO_LAYERS = (96, 256, 16, 128)


class Leaky(Cell):
    """A cell that nobody has compiled before: a leaky unit with a gate on its leak."""

    gates = ("a", "u")
    states = ("h",)

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        (h,) = state
        a = torch.sigmoid(x[0] + r[0])
        h = h + a * (torch.tanh(x[1] + r[1] - 0.1 * h) - h)
        return (h,), h


def training(layer: nn.Module, size: tuple[int, ...], lengths: Tensor | None = None) -> Call:
    """A call that runs a layer and takes all its gradients."""
    steps, batch, width = size[:3]
    x = torch.randn(batch, steps, width, requires_grad=True)
    weights = [x, *layer.parameters()]
    given = (x,) if lengths is None else (x, None, lengths)
    slope = torch.randn_like(layer(*given)[0].detach())
    return lambda: torch.autograd.grad(layer(*given)[0], weights, slope)


def inference(layer: nn.Module, size: tuple[int, ...]) -> Call:
    x = torch.randn(size[1], size[0], size[2])
    return torch.no_grad()(lambda: layer(x))


def turns(theirs: Call, ours: Call, budget: float = 1.5) -> tuple[float, float]:
    """Median seconds of a call of both, in turns of some 20 ms: a short call finds the caches as its like left them."""
    blocks = [_block(call) for call in (theirs, ours)]
    repeats = max(5, min(60, int(budget / max(seconds(call) for call, _ in blocks))))
    laps = sides(*(call for call, _ in blocks), repeats=repeats, warm_up=2)
    first, second = (lap / count for lap, (_, count) in zip(laps, blocks, strict=True))
    return first, second


def _block(call: Call) -> tuple[Call, int]:
    call()
    count = max(1, int(0.02 / seconds(call)))
    return lambda: [call() for _ in range(count)], count


def peak() -> float:
    """Multiply-adds per second of a large product by torch's fastest library here, MKL or oneDNN: the best of many."""
    size = 768
    a, layer = torch.randn(size, size), nn.Linear(size, size).requires_grad_(False)
    calls: list[Call] = [lambda: layer(a)]
    if torch.backends.mkldnn.is_available():
        dense, given = to_mkldnn(layer), a.to_mkldnn()  # type: ignore[no-untyped-call]
        calls.append(lambda: dense(given))
    return size**3 / min(seconds(call) for call in calls for _ in range(40))


def share(layer: Recurrent, size: tuple[int, ...], spent: float, most: float) -> float:
    """Per cent of the peak: the products of a training call, thrice those of its forward pass."""
    weights = sum(each.numel() for each in layer.parameters() if each.ndim == 2)
    return 100 * 3 * size[0] * size[1] * weights / spent / most


def against_torch(most: float) -> Iterable[Row]:
    for size, reach in GRU:
        ours, theirs = Recurrent("gru", *size[2:]), nn.GRU(*size[2:], batch_first=True)
        slow, fast = turns(training(theirs, size), training(ours, size))
        what = "GRU T{} B{} I{} H{}".format(*size)
        yield Row(f"{what}: torch", 1e3 * slow, "ms")
        yield Row(f"{what}: ours", 1e3 * fast, "ms")
        yield Row(f"{what}: of the GEMM peak", share(ours, size, fast, most), "%")
        yield at_least(f"{what}: times faster", slow / fast, "x", reach)
    yield from against_torchs_lstm()


def against_torchs_lstm() -> Iterable[Row]:
    ratios = []
    for size in LSTM:
        ours, theirs = Recurrent("lstm", *size[2:]), nn.LSTM(*size[2:], batch_first=True)
        for kind, make in (("training", training), ("inference", inference)):
            slow, fast = turns(make(theirs, size), make(ours, size))
            ratios.append(slow / fast)
            yield Row("LSTM T{} B{} I{} H{}, {}: times faster".format(*size, kind), ratios[-1], "x")
    yield at_least("LSTM, the lowest of these", min(ratios), "x", 0.97)


def two_layers(own: bool, repeats: int) -> float:
    """Median seconds in a fresh process."""
    one_thread()
    sizes = TWO_LAYERS[2:]
    layer = Recurrent("lstm", *sizes, num_layers=2) if own else nn.LSTM(*sizes, num_layers=2, batch_first=True)
    return sides(training(layer, TWO_LAYERS), repeats=repeats, warm_up=2)[0]


def against_the_untuned(laps: int = 3, repeats: int = 7) -> Iterable[Row]:
    """Torch as it comes, without kept pages, and ours as it comes."""
    found = []
    for _ in range(laps):
        os.environ["TSRNN_ALLOCATOR"] = "default"
        slow = in_child(two_layers, False, repeats)
        del os.environ["TSRNN_ALLOCATOR"]
        found.append((slow, in_child(two_layers, True, repeats)))
    slow, fast = (statistics.median(each) for each in zip(*found, strict=True))
    what = "LSTM of two layers, T{} B{} I{} H{}".format(*TWO_LAYERS)
    yield Row(f"{what}: torch, default allocator", 1e3 * slow, "ms")
    yield Row(f"{what}: ours", 1e3 * fast, "ms")
    yield at_least(f"{what}: times faster", slow / fast, "x", 1.8)


def against_the_loop(most: float) -> Iterable[Row]:
    for cell in ("slstm", "peephole", Leaky):
        name = cell if isinstance(cell, str) else "one of one's own"
        for size, reach in LOOP:
            steps, batch, hidden = size
            whole = (steps, batch, hidden, hidden)
            ours, loop = (Recurrent(cell, hidden, hidden, backend=each) for each in ("generated", "reference"))
            slow, fast = turns(training(loop, whole), training(ours, whole))
            what = f"{name} T{steps} B{batch} H{hidden}"
            yield Row(f"{what}: ours", 1e3 * fast, "ms")
            yield Row(f"{what}: of the GEMM peak", share(ours, whole, fast, most), "%")
            yield at_least(f"{what}: times faster than the loop", slow / fast, "x", reach)


def first_use(folder: str, tracing: bool) -> float:
    """Seconds until a new cell's kernel is ready, torch's imports not counted, and in `tracing` not those for it."""
    os.environ["TSRNN_CACHE"] = folder
    torch.set_num_threads(1)
    if tracing:
        import_module("torch._decomp")
        import_module("torch.fx.experimental.proxy_tensor")
    cell, x = Leaky(3, 16), torch.zeros(2, 4, 3)
    began = time.perf_counter()
    able, reason = generated.supports(cell, x, None)
    assert able, reason
    return time.perf_counter() - began


def building(laps: int = 3) -> Iterable[Row]:
    found: list[list[float]] = [[], [], []]
    for _ in range(laps):
        with tempfile.TemporaryDirectory() as folder:
            found[0].append(in_child(first_use, folder, True))
            found[1].append(in_child(first_use, folder, False))
        with tempfile.TemporaryDirectory() as folder:
            found[2].append(in_child(first_use, folder, False))
    first, again, imports = (statistics.median(each) for each in found)
    yield at_most("a new cell, traced and compiled", first, "s", 3)
    yield Row("a new cell, with what torch imports to trace", imports, "s")
    yield at_most("the same cell in a later process", 1e3 * again, "ms", 50)


def ragged() -> Iterable[Row]:
    size = (336, 32, 64, 64)
    lengths = torch.linspace(size[0] / 4, size[0], size[1]).long()
    layer = Recurrent("gru", *size[2:])
    full, mixed = turns(training(layer, size), training(layer, size, lengths))
    part = float(lengths.sum()) / (size[0] * size[1])
    yield at_most("GRU, rows of T/4 to T steps: time over that of full rows", mixed / full, "x", 1.1)
    yield Row("GRU, rows of T/4 to T steps: time per step over that of full rows", mixed / full / part, "x")


def threads() -> Iterable[Row]:
    size = (336, 64, 64, 128)
    call = training(Recurrent("gru", *size[2:]), size)

    def using(count: int) -> object:
        torch.set_num_threads(count)
        return call()

    one, two = turns(lambda: using(1), lambda: using(2))
    torch.set_num_threads(1)
    yield at_least("GRU T{} B{} I{} H{}: two threads over one".format(*size), one / two, "x", 1.6)


def distance(cell: str, backend: str, steps: int = 100) -> float:
    """The largest relative error (norm over norm) of a float32 layer's gradients, from the float64 loop."""
    torch.manual_seed(0)
    ours, truth = (Recurrent(cell, 8, 32, backend=each) for each in (backend, "reference"))
    truth.load_state_dict(ours.state_dict())
    x, slope = torch.randn(16, steps, 8), torch.randn(16, steps, 32)
    found, wanted = (
        _gradients(layer, x.to(dtype), slope.to(dtype))
        for layer, dtype in ((ours, x.dtype), (truth.double(), torch.float64))
    )
    return max(float((one.double() - other).norm() / other.norm()) for one, other in zip(found, wanted, strict=True))


def _gradients(layer: Recurrent, x: Tensor, slope: Tensor) -> tuple[Tensor, ...]:
    x.requires_grad_()
    return torch.autograd.grad(layer(x)[0], [x, *layer.parameters()], slope)


def exactness(cells: Iterable[str]) -> Iterable[Row]:
    found: dict[str, tuple[float, float]] = {}
    for cell in cells:
        if generated.supports(get(cell)(1, 1), torch.zeros(1, 1, 1), None)[0]:
            found[cell] = distance(cell, "generated"), distance(cell, "reference")
    worst = max(found, key=lambda cell: found[cell][0])
    yield Row(
        "the float32 loop's gradients against float64, T100, worst cell", max(loop for _, loop in found.values()), ""
    )
    yield at_most(f"ours, worst of {len(found)} cells ({worst})", found[worst][0], "", 1e-5)


def measure() -> Iterable[Row]:
    one_thread()
    torch.manual_seed(0)
    most = peak()
    yield Row("GEMM peak, one thread", 2 * most / 1e9, "Gflop/s")
    yield from against_torch(most)
    yield from against_the_untuned()
    yield from against_the_loop(most)
    yield from building()
    yield from ragged()
    yield from threads()
    yield from exactness(names("cells"))


if __name__ == "__main__":
    report(__doc__.partition("\n")[0], measure)
