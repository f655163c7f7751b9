"""Looking inside a recurrence: how far back it feels its input, whether its gradients explode, what its gates forget.

Influence by lag is the Frobenius norm of d output[T] / d input[T - lag], from autograd, a mean over rows. In a plain
recurrent network it is a product of as many factors as there are steps between, and dies out or blows up like a power
(Hochreiter 1991; Bengio, Simard & Frasconi 1994); a gate that stays open keeps the factor near one (Hochreiter &
Schmidhuber 1997). Gradients that explode are cut to a largest norm (Pascanu, Mikolov & Bengio 2013, algorithm 1).

A network may remember without feeling: a bit held by a saturated unit is recalled although the gradient to it has
vanished, which is why such a memory is hard to learn (Bengio et al. 1994, theorem 4). So the share of recalled inputs
stands beside the reach of the trained cells.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tsrnn import models, plot, windows
from tsrnn.cells import Cell
from tsrnn.forecaster import Forecaster
from tsrnn.probe import forget_gates, influence, norm
from tsrnn.recurrence import Recurrent
from tsrnn.shapes import Batch
from tsrnn.split import whole

THRESHOLD = 0.01  # of the influence at lag 0: what still counts as reached
_ROWS = 64  # sequences of a training step


@dataclass(frozen=True)
class Settings:
    """How cells are examined."""

    hidden_size: int = 16
    updates: int = 300  # steps of the training on the recall task; 0: fresh weights alone
    rows: int = 8  # sequences that influence is averaged over
    gain: float = 4.0  # recurrent weights are so many times larger than usual where gradients are to explode
    clip: float = 1.0  # largest norm of the whole gradient
    steps: int = 20  # of gradient descent, with and without clipping
    seed: int = 0


@dataclass(frozen=True)
class Reach:
    """How strongly the newest output depends on the input `lag` steps before it."""

    name: str
    weights: str  # fresh or trained
    length: int
    norms: tuple[float, ...]  # by lag, from 0
    recalled: float | None = None  # share of first inputs that the trained cell names after `length` steps

    @property
    def reach(self) -> int:
        """The largest lag whose influence is above 1 % of that of lag 0."""
        return max((lag for lag, norm in enumerate(self.norms) if norm > THRESHOLD * self.norms[0]), default=0)


@dataclass(frozen=True)
class Forgetting:
    """The forget gate's activation, sigmoid(x + r), over steps, rows and units: 1 keeps everything."""

    name: str
    weights: str
    length: int
    layer: str  # the cell's place in the model
    mean: float
    low: float  # 5 % quantile
    high: float  # 95 % quantile


@dataclass(frozen=True)
class Growth:
    """Gradient descent from recurrent weights that are too large."""

    name: str
    length: int
    clip: float | None
    norms: tuple[float, ...]  # of the whole gradient at each step, before clipping
    moved: float  # distance that the weights have gone

    @property
    def largest(self) -> float:
        return max(self.norms) if all(math.isfinite(norm) for norm in self.norms) else math.inf


@dataclass
class Diagnosis:
    reaches: list[Reach] = field(default_factory=list)
    forgetting: list[Forgetting] = field(default_factory=list)
    growths: list[Growth] = field(default_factory=list)

    def records(self) -> dict[str, list[dict[str, Any]]]:
        """Plain records by section, for tables and JSON; what is not finite is None."""
        reaches = [
            {**asdict(each), "reach": each.reach, "last_to_first": each.norms[-1] / (each.norms[0] or math.nan)}
            for each in self.reaches
        ]
        growths = [{**asdict(each), "largest": each.largest} for each in self.growths]
        sections = {
            "influence": reaches,
            "forget_gates": [asdict(each) for each in self.forgetting],
            "gradients": growths,
        }
        return {name: [_finite(record) for record in records] for name, records in sections.items()}


def cells(names: Sequence[str], lengths: Sequence[int], settings: Settings | None = None) -> Diagnosis:
    """Every cell at every length, before and after a short training on the recall task.

    Raises:
        InputError: there is no such cell.
    """
    settings, found = settings or Settings(), Diagnosis()
    for name in names:
        for length in lengths:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(settings.seed)
                _examine(found, name, length, settings)
                found.growths += [_growth(name, length, settings, clip) for clip in (None, settings.clip)]
    return found


def model(forecaster: Forecaster, frame: Any = None, rows: int = 8) -> Diagnosis:
    """A trained forecaster on windows of a frame, beside the same model with fresh weights.

    Inputs are the past's channels, outputs the point forecasts of all steps and targets, both in scaled units.

    Raises:
        InputError: the forecaster is not fitted, or no window of the frame is long enough.
    """
    batch, size = _windows(forecaster, frame, rows), forecaster.spec_.input_size
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        fresh = models.build(forecaster.model, forecaster.model_.config, forecaster.spec_)
    found, name = Diagnosis(), models.find(forecaster.model).name
    for weights, each in (("fresh", fresh), ("trained", forecaster.model_)):
        if weights == "fresh" and not list(each.parameters()):
            continue
        each.eval()

        def run(past: Tensor, each: nn.Module = each) -> Tensor:
            return forecaster.head_.point(each(replace(batch, past=past))).flatten(1)  # [batch horizon*target]

        found.reaches.append(Reach(name, weights, size, influence(run, batch.past)))
        found.forgetting += _forgetting(name, weights, size, each, batch)
    return found


class _Recaller(nn.Module):
    """A cell that reads a sequence and then says what its first input was."""

    def __init__(self, cell: str, hidden_size: int) -> None:
        super().__init__()
        self.recurrent = Recurrent(cell, 2, hidden_size)
        self.readout = nn.Linear(self.recurrent.output_size, 1)

    def newest(self, x: Tensor) -> Tensor:
        """[row time 2] -> the last output [row hidden]."""
        output: Tensor = self.recurrent(x)[0][:, -1]
        return output

    def loss(self, x: Tensor, sign: Tensor) -> Tensor:
        return F.softplus(-self.score(x, sign)).mean()

    def score(self, x: Tensor, sign: Tensor) -> Tensor:
        """Above zero where the sign is recalled: [row]."""
        logit: Tensor = self.readout(self.newest(x))[:, 0]
        return logit * sign


def recall(rows: int, length: int) -> tuple[Tensor, Tensor]:
    """A sign to be remembered, then noise: [row length 2] (value, and a mark on the first step), [row]."""
    sign = torch.randint(0, 2, (rows,)) * 2.0 - 1
    x = torch.randn(rows, length, 2)
    x[..., 1] = 0.0
    x[:, 0] = torch.stack([sign, torch.ones(rows)], -1)
    return x, sign


def draw(found: Diagnosis, path: Path) -> None:
    """Influence by lag, one line per cell or model, before and after training, as a picture.

    Raises:
        InputError: what `tsrnn.plot.by_lag` refuses.
    """
    several = len({each.length for each in found.reaches}) > 1
    lines = {
        (f"{each.name} over {each.length} steps" if several else each.name, each.weights == "trained"): each.norms
        for each in found.reaches
    }
    plot.by_lag(lines, path, "lag, steps", "norm of d newest output / d input")


def _examine(found: Diagnosis, name: str, length: int, settings: Settings) -> None:
    """Influence and forget gates with fresh weights, then with trained ones."""
    network, x = _Recaller(name, settings.hidden_size), recall(settings.rows, length)[0]
    for weights in ("fresh", "trained")[: 2 if settings.updates else 1]:
        recalled = None
        if weights == "trained":
            _train(network, length, settings)
            with torch.no_grad():
                recalled = float((network.score(*recall(512, length)) > 0).double().mean())
        network.double()  # norms far below single precision's smallest
        norms = influence(network.newest, x.double())
        network.float()
        found.reaches.append(Reach(name, weights, length, norms, recalled))
        found.forgetting += _forgetting(name, weights, length, network.recurrent, x)


def _train(network: _Recaller, length: int, settings: Settings) -> None:
    """Recall over ever longer stretches: what cannot be learnt at once is learnt step by step."""
    weights = list(network.parameters())
    optimizer = torch.optim.Adam(weights, lr=1e-2)
    for update in range(1, settings.updates + 1):
        steps = min(length, max(2, round(1.25 * length * update / settings.updates)))
        optimizer.zero_grad()
        torch.autograd.backward(network.loss(*recall(_ROWS, steps)))
        nn.utils.clip_grad_norm_(weights, settings.clip)
        optimizer.step()


def _growth(name: str, length: int, settings: Settings, clip: float | None) -> Growth:
    """Plain gradient descent on the recall task, with a rate of 0.1."""
    torch.manual_seed(settings.seed)
    network = _Recaller(name, settings.hidden_size)
    weights = list(network.parameters())
    with torch.no_grad():
        for each in network.modules():
            if isinstance(each, Cell):
                each.weight_hh.mul_(settings.gain)
    start = [each.detach().double().clone() for each in weights]
    norms: list[float] = []
    for _ in range(settings.steps):
        slopes = torch.autograd.grad(network.loss(*recall(_ROWS, length)), weights)
        norms.append(norm(slopes))
        share = 1.0 if clip is None else min(1.0, clip / norms[-1])  # (Pascanu et al. 2013, algorithm 1)
        with torch.no_grad():
            for weight, slope in zip(weights, slopes, strict=True):
                weight.sub_(slope, alpha=0.1 * share)
    moved = norm([each.detach().double() - first for each, first in zip(weights, start, strict=True)])
    return Growth(name, length, clip, tuple(norms), moved)


@torch.no_grad()
def _forgetting(name: str, weights: str, length: int, module: nn.Module, x: Any) -> list[Forgetting]:
    """One line per cell in `module` that has a forget gate, from what it does on `x`."""
    with forget_gates(module) as heard:
        module(x)
    found = []
    for layer, parts in heard.items():
        gate = torch.cat(parts).double()
        low, high = torch.quantile(gate[:: max(1, len(gate) // 1_000_000)], gate.new_tensor([0.05, 0.95])).tolist()
        found.append(Forgetting(name, weights, length, layer, float(gate.mean()), low, high))
    return found


def _windows(forecaster: Forecaster, frame: Any, rows: int) -> Batch:
    """Windows evenly spread over a frame, without padding where there are such."""
    laid = forecaster.laid(frame)
    everything = whole(laid.arrays)
    cut = windows.cut(laid, everything, forecaster.spec_.input_size, forecaster.spec_.horizon)
    windows.refuse_empty(cut, everything)
    which = torch.arange(len(cut))
    if cut.lengths is not None and bool((cut.lengths == cut.input_size).any()):
        which = which[cut.lengths == cut.input_size]
    spread = torch.linspace(0, len(which) - 1, min(rows, len(which))).round().long()
    return cut.gather(which[spread])


def _finite(record: dict[str, Any]) -> dict[str, Any]:
    def clean(value: Any) -> Any:
        if isinstance(value, tuple):
            return [clean(each) for each in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return {name: clean(value) for name, value in record.items()}
