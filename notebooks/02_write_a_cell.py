# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Write a cell
# A recurrence is ten lines: its gates, its states, one step. Everything else (the loop over time, layers, directions,
# lengths, a compiled kernel for the forward and the backward pass) comes by itself.

# %%
import statistics
import time

import torch
from torch import Tensor

from tsrnn.cells import Cell, Gates
from tsrnn.probe import influence
from tsrnn.recurrence import Recurrent
from tsrnn.shapes import State

# %% [markdown]
# A leaky cell with two clocks: a fast state follows the input, a slow one follows the fast one. `x` holds the input's
# pre-activations by gate, `r` the recurrent ones, each [batch hidden]; the first state feeds the recurrent product.


# %%
class TwoClocks(Cell):
    gates = ("pace", "value")
    states = ("fast", "slow")

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        fast, slow = state
        pace = torch.sigmoid(x[0] + r[0])  # [batch hidden]
        fast = fast + pace * (torch.tanh(x[1] + r[1]) - fast)  # [batch hidden]
        slow = 0.95 * slow + 0.05 * fast  # [batch hidden]
        return (fast, slow), fast + slow


# %% [markdown]
# ## It runs, and says how
# The equations are traced once and compiled, if there is a C++ compiler; otherwise the loop in torch runs them.

# %%
torch.manual_seed(0)
x = torch.randn(8, 96, 16)  # [batch time channel]
layer = Recurrent(TwoClocks, input_size=16, hidden_size=16)
print(layer.explain(x))

# %% [markdown]
# ## It agrees with the loop
# The plain loop over time is what every backend answers to: outputs and gradients.

# %%
loop = Recurrent(TwoClocks, input_size=16, hidden_size=16, backend="reference")
loop.load_state_dict(layer.state_dict())
gradients = []
for each in (layer, loop):
    each(x)[0].square().mean().backward()
    gradients.append(torch.cat([weight.grad.flatten() for weight in each.parameters()]))
print("largest difference of a gradient:", float((gradients[0] - gradients[1]).abs().max()))
assert torch.allclose(gradients[0], gradients[1], rtol=1e-4, atol=1e-6)

# %% [markdown]
# ## It is quick


# %%
def milliseconds(each: Recurrent, repeats: int = 9) -> float:
    laps = []
    for _ in range(repeats):
        began = time.perf_counter()
        each(x)[0].sum().backward()
        laps.append(time.perf_counter() - began)
    return 1e3 * statistics.median(laps)


print(f"forward and backward: {milliseconds(layer):.2f} ms, the loop {milliseconds(loop):.2f} ms")

# %% [markdown]
# ## How far back does it look?
# The norm of d output / d input by lag, from the newest step to older ones. A cell forgets where this falls to nothing.

# %%
series = torch.randn(2, 96, 1)
for kind in (TwoClocks, "elman", "lstm"):
    cell = Recurrent(kind, input_size=1, hidden_size=16)
    reach = influence(lambda past, cell=cell: cell(past)[0][:, -1], series)
    shown = ", ".join(f"{float(reach[lag] / reach[0]):.0e}" for lag in (1, 10, 30, 60))
    name = kind if isinstance(kind, str) else kind.__name__
    print(f"{name:>10}: influence of lags 1, 10, 30, 60 over that of lag 0: {shown}")

# %% [markdown]
# ## It forecasts
# A class stands wherever a name may: the cell in any recurrent forecaster, and a model of your own in place of ours.

# %%
from dataclasses import dataclass  # noqa: E402  a notebook imports where a reader needs it
from pathlib import Path  # noqa: E402
from tempfile import TemporaryDirectory  # noqa: E402

from torch import nn  # noqa: E402

from tsrnn import Forecaster, InputError, bench, load, tune  # noqa: E402
from tsrnn.models import Model  # noqa: E402
from tsrnn.options import choice  # noqa: E402
from tsrnn.shapes import Batch, Spec  # noqa: E402

station = load("transformer")  # a simulated one
task = {"input_size": 48, "horizon": 12, "max_epochs": 1, "max_windows": 640}
leaky = Forecaster("segrnn", cell=TwoClocks, segment=12, hidden_size=16, **task).fit(station, split="standard")
print(leaky.predict().head(3))

# %% [markdown]
# ## A model
# `forward` maps the window to the horizon; the Config's fields say what a sweep may try.


# %%
@dataclass(frozen=True)
class Widths:
    hidden_size: int = choice(8, 8, 16)


class TwoMaps(Model):
    """Each target from its own past, through a bottleneck."""

    Config = Widths

    def __init__(self, config: Widths, spec: Spec) -> None:
        super().__init__(config, spec)
        self.inward = nn.Linear(spec.input_size, config.hidden_size)
        self.outward = nn.Linear(config.hidden_size, spec.horizon * spec.params)

    def forward(self, batch: Batch) -> Tensor:
        past = batch.past[..., : self.spec.targets].transpose(1, 2)  # [batch target time]
        rows = self.outward(self.inward(past))  # [batch target horizon*params]
        return rows.unflatten(-1, (self.spec.horizon, self.spec.params)).transpose(
            1, 2
        )  # [batch horizon target params]


own = Forecaster(TwoMaps, **task).fit(station, split="standard")
print(own.forecasts(part="test", every=12).head(3))

# %% [markdown]
# The benchmark and the sweep take it too. Only what has a name can be saved, since nothing else could be loaded again:
# a package gives it one in its entry points `tsrnn.models` or `tsrnn.cells`.

# %%
with TemporaryDirectory() as folder:
    source = bench.Source("transformer")
    wishes = bench.Wishes(models=[TwoMaps, "repeat_last"], horizons=[12], input_size=48)
    for outcome in bench.run(bench.plan(source, "smoke", wishes), Path(folder), workers=0):
        print(outcome.result["model"], f"{outcome.result['mse']:.3f}")

    asked = tune.Sweep(TwoMaps, horizon=12, input_sizes=(48,), fixed={"max_epochs": 1, "max_windows": 640})
    study = tune.run(station, asked, trials=2, url=tune.sqlite(Path(folder) / "sweep.sqlite3"), name="own")
    print({name: value for name, value in tune.best(study, asked).items() if name != "chosen"})

try:
    own.save("two-maps")
except InputError as refused:
    print(refused)
