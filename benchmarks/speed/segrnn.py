"""Training steps of the segment RNN against its official formulation in plain torch, on one thread and on two.

Both sides hold the same weights (`tied`, as the paper has it), read the same batch and take the same steps: forecast,
squared error, gradients, AdamW. They take turns in one run, with pages kept on both sides (`TSRNN_ALLOCATOR`). The
official formulation repeats the encoder's final state for every future segment and runs `nn.GRU` over one step of
all of them; with dropout left out both give the same numbers, which the last rows check.
"""

from collections.abc import Callable, Iterable

import torch
from measuring import Row, at_least, at_most, one_thread, report, sides
from torch import Tensor, nn

from tsrnn import models
from tsrnn.models._base import Model
from tsrnn.shapes import Batch, Spec

CHANNELS, HORIZON, SEGMENT, HIDDEN, ROWS, DROPOUT = 7, 336, 24, 512, 64, 0.5
TRAINING = 8640  # hours of ETTh1's training part, whose windows are an epoch
CASES = [(720, 1.4, 1), (96, 3.0, 4)]  # input size, reach, steps a lap
Forecast = Callable[[Tensor], Tensor]


class Official(nn.Module):
    """Lin et al. (2023) as the paper has it: one GRU that encodes and decodes, the last value taken off the window."""

    def __init__(self, hidden: int = HIDDEN, dropout: float = DROPOUT) -> None:
        super().__init__()
        steps = HORIZON // SEGMENT
        self.embed = nn.Sequential(nn.Linear(SEGMENT, hidden), nn.ReLU())
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.position = nn.Parameter(torch.randn(steps, hidden // 2))
        self.channel = nn.Parameter(torch.randn(CHANNELS, hidden // 2))
        self.readout = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, SEGMENT))

    def forward(self, past: Tensor) -> Tensor:
        """[batch time channel] -> [batch horizon channel]."""
        (batch, _, channels), steps = past.shape, len(self.position)
        last = past[:, -1:]
        read = (past - last).transpose(1, 2).reshape(batch * channels, -1, SEGMENT)
        _, state = self.gru(self.embed(read))  # [1 batch*channel hidden]
        positions = self.position.repeat(channels, 1)  # [channel*step hidden/2]
        places = torch.cat([positions, self.channel.repeat_interleave(steps, 0)], -1)  # [channel*step hidden]
        _, states = self.gru(places.repeat(batch, 1)[:, None], state.repeat_interleave(steps, 1))
        forecast: Tensor = self.readout(states[0]).view(batch, channels, -1).transpose(1, 2) + last
        return forecast


def twin(official: Official, input_size: int, hidden: int = HIDDEN) -> Model:
    """Our model with the same weights."""
    options = {"segment": SEGMENT, "hidden_size": hidden, "dropout": official.readout[0].p}
    config = models.configure("segrnn", {**options, "tied": True, "centring": "last"})
    model = models.build("segrnn", config, Spec(input_size, HORIZON, CHANNELS, CHANNELS))
    model.load_state_dict({renamed(name): weight for name, weight in official.state_dict().items()})
    return model


def renamed(name: str) -> str:
    """An official weight's name in our model."""
    if name in ("position", "channel"):
        return f"places.{name}"
    return name.replace("gru.", "encoder.cells.0.").replace("_l0", "")


def forecasting(model: Model) -> Forecast:
    return lambda past: model(Batch(past))[..., 0]


def training(model: nn.Module, forecast: Forecast, past: Tensor, target: Tensor, steps: int) -> Callable[[], None]:
    """A call that takes so many steps."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

    def call() -> None:
        for _ in range(steps):
            loss = (forecast(past) - target).square().mean()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimizer.step()

    return call


def batch_of(input_size: int, rows: int) -> tuple[Tensor, Tensor]:
    return torch.randn(rows, input_size, CHANNELS), torch.randn(rows, HORIZON, CHANNELS)


def against_torch(input_size: int, reach: float, steps: int, repeats: int, rows: int, hidden: int) -> Iterable[Row]:
    past, target = batch_of(input_size, rows)
    official = Official(hidden)
    ours = twin(official, input_size, hidden)
    calls = [
        training(official, official, past, target, steps),
        training(ours, forecasting(ours), past, target, steps),
    ]
    epoch = (TRAINING - input_size - HORIZON + 1) // rows
    for threads in (1, 2):
        torch.set_num_threads(threads)
        slow, fast = sides(*calls, repeats=repeats, warm_up=1)
        what = f"{input_size} -> {HORIZON}, {threads} thread{'s' * (threads > 1)}"
        yield Row(f"{what}: a step, torch", 1e3 * slow / steps, "ms")
        yield Row(f"{what}: a step, ours", 1e3 * fast / steps, "ms")
        yield Row(f"{what}: an epoch of ETTh1 ({epoch} steps), ours", epoch * fast / steps, "s")
        yield at_least(f"{what}: times faster", slow / fast, "x", reach)


def exactness(input_size: int, rows: int, hidden: int) -> Row:
    """The largest relative distance (norm over norm) of forecasts and gradients between the two formulations."""
    past, target = batch_of(input_size, rows)
    official = Official(hidden, dropout=0.0)
    ours = twin(official, input_size, hidden)
    theirs = {renamed(name): value for name, value in _results(official, official, past, target).items()}
    found = _results(ours, forecasting(ours), past, target)
    distances = [float((found[name] - value).norm() / value.norm()) for name, value in theirs.items()]
    return at_most(f"{input_size} -> {HORIZON}: forecasts and gradients apart by", max(distances), "", 1e-4)


def _results(model: nn.Module, forecast: Forecast, past: Tensor, target: Tensor) -> dict[str, Tensor]:
    """The forecasts, and the gradients by parameter."""
    made = forecast(past)
    (made - target).square().mean().backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    gradients = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
    return {"forecast": made.detach(), **gradients}


def measure(repeats: int = 5, rows: int = ROWS, hidden: int = HIDDEN) -> Iterable[Row]:
    one_thread()
    torch.manual_seed(0)
    for input_size, reach, steps in CASES:
        yield from against_torch(input_size, reach, steps, repeats, rows, hidden)
    torch.set_num_threads(1)
    for input_size, _, _ in CASES:
        yield exactness(input_size, rows, hidden)


if __name__ == "__main__":
    report(__doc__.partition("\n")[0], measure)
