"""A fitted model as one graph: numbers in the data's own units in, forecasts in them out, of any number of windows.

Scaling and its undo are inside, in float64, as ours are: whoever runs the graph cannot get them wrong, and large
numbers that move little keep their digits. Between them the model computes in float32.

    Window    past [batch time channel]... -> forecast [batch horizon target], quantiles [batch horizon target level]
    Step      row [batch channel], state... -> the same, and the state after it; of models that carry a state
"""

import copy
import warnings
from typing import Any

import torch
from torch import Tensor, nn

from tsrnn.errors import InputError
from tsrnn.heads import Head
from tsrnn.models import Model
from tsrnn.prepare import Preparation
from tsrnn.recurrence import Recurrent
from tsrnn.shapes import Batch, Spec

_ROWS = 3  # of the example; any number but 0 and 1, which torch takes for constants
_REASON = 200  # characters of torch's


class Scaled(nn.Module):
    """What both graphs share: a model between its scaling and the undo of it."""

    loc: Tensor  # [series-or-1 channel] float64
    unit: Tensor

    def __init__(self, model: Model, head: Head, prepared: Preparation, levels: list[float]) -> None:
        super().__init__()
        if head.counts:
            raise InputError("a forecast of counts has no graph; fit with another loss to export")
        self.model, self.levels = ready(model), levels
        self.read = _read(Reading(head, levels), model.spec)
        self.spec = model.spec
        self.logs = prepared.logs
        for name, affine in (("", prepared.scaling), ("known_", prepared.known), ("static_", prepared.static)):
            if affine is not None:
                loc, scale = (torch.as_tensor(each, dtype=torch.float64) for each in (affine.loc, affine.scale))
                if not name and not prepared.scale_per_series:
                    loc, scale = loc[:1], scale[:1]
                self.register_buffer(f"{name}loc", loc)
                self.register_buffer(f"{name}unit", scale + (scale == 0))
                self.register_buffer(f"{name}moves", (scale != 0).double())

    def batch(self, past: Tensor, series: Tensor | None, given: dict[str, Tensor | None]) -> Batch:
        """Scaled inputs: past [batch time channel]; `series` [batch] their places among those of the training."""
        loc, unit = self._of(self.loc, series), self._of(self.unit, series)  # each [batch-or-1 1 channel]
        for channel in self.logs:
            past = torch.cat([past[..., :channel], past[..., [channel]].log10(), past[..., channel + 1 :]], -1)
        known, static = given.get("known"), given.get("static")
        return Batch(
            ((past - loc) / unit).float(),
            observed=given.get("observed"),
            known=None if known is None else self._scaled("known_", known),
            static=None if static is None else self._scaled("static_", static),
            lengths=given.get("lengths"),
            phase=given.get("phase"),
        )

    def undone(self, params: Tensor, series: Tensor | None) -> list[Tensor]:
        """Forecast and quantiles in the data's units, from params [batch horizon target params]."""
        targets = self.spec.targets
        loc, unit, moves = (
            self._of(each, series)[..., :targets] for each in (self.loc, self.unit, self.get_buffer("moves"))
        )
        point, *quantiles = self.read(params)
        width = unit * moves
        values = [
            point.double() * width + loc,
            *(each.double() * width[..., None] + loc[..., None] for each in quantiles),
        ]
        for target in (channel for channel in self.logs if channel < targets):
            powers = [10.0 ** value[:, :, [target]] for value in values]
            parts = [(value[:, :, :target], value[:, :, target + 1 :]) for value in values]
            values = [torch.cat([a, power, b], 2) for (a, b), power in zip(parts, powers, strict=True)]
        return values

    def _of(self, table: Tensor, series: Tensor | None) -> Tensor:
        return table[:, None] if series is None else table.index_select(0, series)[:, None]

    def _scaled(self, name: str, values: Tensor) -> Tensor:
        values = values.float().double()  # covariates are single before they are scaled, here as in a panel
        return ((values - self.get_buffer(f"{name}loc")) / self.get_buffer(f"{name}unit")).float()


class Reading(nn.Module):
    """What params say: the point, and quantiles where levels are asked for."""

    def __init__(self, head: Head, levels: list[float]) -> None:
        super().__init__()
        self.head, self.levels = head, levels

    def forward(self, params: Tensor) -> list[Tensor]:
        point = self.head.point(params)
        return [point, self.head.quantiles(params, self.levels)] if self.levels else [point]


class Window(Scaled):
    """The forecast that follows windows of `input_size` rows."""

    def forward(
        self,
        past: Tensor,
        known: Tensor | None = None,
        static: Tensor | None = None,
        observed: Tensor | None = None,
        lengths: Tensor | None = None,
        phase: Tensor | None = None,
        series: Tensor | None = None,
    ) -> list[Tensor]:
        given = {"known": known, "static": static, "observed": observed, "lengths": lengths, "phase": phase}
        return self.undone(self.model(self.batch(past, series, given)), series)


class Step(Scaled):
    """The forecast after one more row, and the state after it: parts of [batch row hidden], a row per target or one."""

    def forward(
        self,
        row: Tensor,
        state: list[Tensor],
        known: Tensor | None = None,
        static: Tensor | None = None,
        series: Tensor | None = None,
    ) -> list[Tensor]:
        batch = self.batch(row[:, None], series, {"known": known, "static": static})
        parts, shape = self.parts, state[0].shape
        flat = [part.flatten(0, 1) for part in state]
        layers = tuple(tuple(flat[k : k + parts]) for k in range(0, len(flat), parts))
        params, after = self.model.read_on(batch, layers)
        return [*self.undone(params, series), *(part.view(shape) for layer in after for part in layer)]

    @property
    def parts(self) -> int:
        """Parts of a layer's state."""
        return len(self.cells[0].states)

    @property
    def cells(self) -> list[Any]:
        """The cells whose states are carried, in their order."""
        return list(next(each for each in self.model.modules() if isinstance(each, Recurrent)).cells)


def ready(model: Model) -> Model:
    """A copy whose recurrences are nodes of a graph: ONNX's own where it has the cell, else its Scan."""
    copied = copy.deepcopy(model).eval().requires_grad_(False)
    for layer in copied.modules():
        if isinstance(layer, Recurrent):
            known = all(cell.stock is not None and "stock" in vars(type(cell)) for cell in layer.cells)
            layer.backend = "stock" if known else "scanned"
    return copied


def _read(reading: Reading, spec: Spec) -> nn.Module:
    """The reading as a graph of its own, traced by running it: heads look numbers up in tables that no graph needs."""
    params = torch.zeros(_ROWS, spec.horizon, spec.targets, spec.params)
    shapes = ({0: torch.export.Dim.DYNAMIC},)
    with torch.no_grad():
        program = torch.export.export(reading, (params,), dynamic_shapes=shapes, strict=False)
    return program.module(check_guards=False)


def reads_phase(model: Model) -> bool:
    """Whether forecasts hang on the absolute step number: without it the model fails, or says something else."""
    spec = model.spec
    batch = Batch(torch.zeros(2, spec.input_size, spec.channels))
    batch.known = torch.zeros(2, spec.input_size + spec.horizon, spec.known) if spec.known else None
    batch.static = torch.zeros(2, spec.static) if spec.static else None
    with torch.no_grad():
        try:
            without = model(batch)
        except InputError:
            return True
        batch.phase = torch.tensor([1, 2])
        return not torch.equal(model(batch), without)


def example(graph: Scaled, prepared: Preparation, pad: bool) -> dict[str, Any]:
    """Inputs by name, of `_ROWS` windows: those that the model reads."""
    spec, rows, double = graph.spec, _ROWS, torch.float64
    steps = 1 if isinstance(graph, Step) else spec.input_size
    inputs: dict[str, Any] = {}
    if isinstance(graph, Step):
        held = 1 if getattr(graph.model, "channels_joined", 1) > 1 else spec.targets
        inputs["row"] = torch.randn(rows, spec.channels, dtype=double)
        inputs["state"] = [torch.zeros(rows, held, cell.hidden_size) for cell in graph.cells for _ in cell.states]
    else:
        inputs["past"] = torch.randn(rows, steps, spec.channels, dtype=double)
    if spec.known:
        inputs["known"] = torch.randn(rows, steps + spec.horizon, spec.known, dtype=double)
    if spec.static:
        inputs["static"] = torch.randn(rows, spec.static, dtype=double)
    if isinstance(graph, Window):
        if "mask" in graph.model.reads:
            inputs["observed"] = torch.ones(rows, steps, spec.channels, dtype=torch.bool)
        if pad:
            inputs["lengths"] = torch.arange(1, rows + 1).clamp(max=steps)
        if reads_phase(graph.model):
            inputs["phase"] = torch.arange(rows)
    if prepared.scale_per_series:
        inputs["series"] = torch.arange(rows) % len(prepared.ids)
    return inputs


def traced(graph: Scaled, inputs: dict[str, Any], name: str) -> torch.export.ExportedProgram:
    """One graph of any number of windows.

    Raises:
        InputError: the model has none.
    """
    free = {0: torch.export.Dim.DYNAMIC}
    shapes = {key: [free] * len(each) if isinstance(each, list) else free for key, each in inputs.items()}
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of caches that are not looked into
            return torch.export.export(graph, (), inputs, dynamic_shapes=shapes, strict=True)
    except Exception as error:  # torch has many of its own for what it cannot trace
        reason = " ".join(str(error).split())[:_REASON]
        raise InputError(
            f"model {name!r} has no graph that could be exported: torch.export says {type(error).__name__}: {reason}"
        ) from error
