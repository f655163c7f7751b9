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
