"""An exported recurrent model read with numpy alone: no torch, no runtime, one row in and one forecast out.

    stepper = Stepper("exported")
    state = stepper.start(series=1)
    forecast, state = stepper.step(row, state)

It reads what `tsrnn export` writes of `rnn`, `lstm` and `gru` with centring="none" and segment=1, for points and
quantiles. Numbers are in the data's units on both sides; the equations are those of `tsrnn/cells`, in float32.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tsrnn import store
from tsrnn.errors import InputError

Floats = npt.NDArray[Any]
State = list[tuple[Floats, ...]]  # of each layer, each [row hidden]


def _sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def _lstm(x: Floats, r: Floats, state: tuple[Floats, ...], _: Any) -> tuple[Floats, ...]:
    i, f, g, o = np.split(x + r, 4, 1)
    c = _sigmoid(f) * state[1] + _sigmoid(i) * np.tanh(g)
    return _sigmoid(o) * np.tanh(c), c


def _gru(x: Floats, r: Floats, state: tuple[Floats, ...], _: Any) -> tuple[Floats, ...]:
    size = state[0].shape[1]
    gates = _sigmoid(x[:, : 2 * size] + r[:, : 2 * size])  # reset, update
    n = np.tanh(x[:, 2 * size :] + gates[:, :size] * r[:, 2 * size :])
    return (n + gates[:, size:] * (state[0] - n),)


def _elman(x: Floats, r: Floats, state: tuple[Floats, ...], options: Any) -> tuple[Floats, ...]:
    z = x + r
    return (np.maximum(z, 0) if options.get("nonlinearity") == "relu" else np.tanh(z),)


_CELLS: dict[str, Callable[..., tuple[Floats, ...]]] = {"lstm": _lstm, "gru": _gru, "elman": _elman}


def readable(model: str, options: dict[str, Any], spec: dict[str, Any]) -> bool:
    """Whether numpy can read a model that carries its state, by its name, options and task."""
    heads = spec["params"] == max(1, len(spec["levels"]))
    return model in ("rnn", "lstm", "gru") and options.get("cell") in _CELLS and heads


class Stepper:
    """A folder that `tsrnn export` wrote, as a recurrence in numpy.

    Raises:
        InputError: it is no such folder, is damaged, or numpy cannot read its model.
    """

    def __init__(self, folder: str | Path) -> None:
        config, tensors = store.read(folder)
        if config.get("kind") != "export" or not config.get("numpy"):
            raise InputError(
                f"{folder} holds no exported model that numpy can read; those are rnn, lstm and gru fitted with "
                "centring='none', segment=1 for points or quantiles: run its graphs in onnxruntime instead"
            )
        self.config, self.spec, self.options = config, config["spec"], config["options"]
        self.cell = _CELLS[self.options["cell"]]
        self.layers = [self._layer(tensors, k) for k in range(int(self.options["num_layers"]))]
        self.first = [self._first(tensors, k) for k in range(len(self.layers))]
        self.head = tensors["model.head.weight"].T.copy(), tensors["model.head.bias"]
        self.ahead = {
            name.removeprefix("model.ahead."): each for name, each in tensors.items() if name.startswith("model.ahead.")
        }
        self.scaling = {
            name: (tensors[f"{name}.loc"], tensors[f"{name}.scale"])
            for name in ("scale", "known", "static")
            if f"{name}.loc" in tensors
        }

    def start(self, series: int = 1) -> State:
        """The state before anything was read."""
        rows = series * (self.spec["targets"] if self.options["shared"] else 1)
        return [tuple(np.repeat(part[None], rows, 0) for part in layer) for layer in self.first]

    def step(
        self,
        row: Floats,
        state: State,
        known: Floats | None = None,
        static: Floats | None = None,
        series: Floats | None = None,
    ) -> tuple[Floats, State]:
        """One row of each series, in the data's units.

        Args:
            row: [series channel]; a missing cell holds the value before it.
            state: what `start` or the step before gave.
            known: [series 1+horizon feature] covariates known ahead, of this row and those to come.
            static: [series feature].
            series: [series] places in `config["series"]`, where each has a scaling of its own.

        Returns:
            The forecast [series horizon target], or [series horizon target level] of a model with quantiles, and the
            state after the row.
        """
        loc, scale = self.scaling["scale"]
        loc, scale = (loc[:1], scale[:1]) if series is None else (loc[series], scale[series])
        told = None if known is None else self._scaled("known", known)
        kind = None if static is None else self._scaled("static", static)
        row, response = _apply(row, loc, scale), self._response(told, kind)
        row[:, : self.spec["targets"]] -= response[:, 0]
        x = self._inputs(row, told, kind)
        after: State = []
        for (inward, across, bias), before in zip(self.layers, state, strict=True):
            following = self.cell(
                x @ inward + bias[0], before[0] @ across + bias[1], before, self.options["cell_options"]
            )
            after.append(following)
            x = following[0]
        spec = self.spec
        params = (x @ self.head[0] + self.head[1]).reshape(-1, spec["targets"], spec["horizon"], spec["params"])
        params = params.swapaxes(1, 2)  # [series horizon target params]
        params = self._situated(params, told, kind, x) + response[:, 1:, :, None]
        targets = slice(spec["targets"])
        loc, scale = loc[:, None, targets, None], scale[:, None, targets, None]
        values = np.sort(params, -1).astype(np.float64) * scale + loc
        return (values if spec["levels"] else values[..., 0]), after

    def _inputs(self, row: Floats, known: Floats | None, static: Floats | None) -> Floats:
        """What a step reads: [row width], a row per target or one for all."""
        targets = self.spec["targets"]
        beside = [row[:, targets:], *([] if known is None else [known[:, 0]]), *([] if static is None else [static])]
        if not self.options["shared"]:
            return np.concatenate([row[:, :targets], *beside], 1)
        own = row[:, :targets].reshape(-1, 1)
        return np.concatenate([own, *(np.repeat(each, targets, 0) for each in beside)], 1)

    def _response(self, known: Floats | None, static: Floats | None) -> Floats:
        """What known features do to the row and the steps ahead: [series 1+horizon target] (tsrnn/layers/ahead.py)."""
        if known is None or "response.last.weight" not in self.ahead:
            return np.zeros((1, 1 + self.spec["horizon"], self.spec["targets"]), np.float32)
        response: Floats = self._linear(self._hidden(_beside(known, static), "response"), "response.last")
        return response

    def _situated(self, params: Floats, known: Floats | None, static: Floats | None, state: Floats) -> Floats:
        """The params [series horizon target params] with what covariates do at each step, weighed by the state."""
        if known is not None and "effect.weight" in self.ahead:
            params = params + (known[:, 1:] @ self.ahead["effect.weight"].T).reshape(params.shape)
        if "situation.last.weight" not in self.ahead:
            return params
        horizon, width = self.spec["horizon"], self.ahead["situation.last.weight"].shape[1]
        step = np.broadcast_to(
            np.arange(1, horizon + 1, dtype=np.float32)[:, None] / horizon, (len(params), horizon, 1)
        )
        hidden = self._hidden(_beside(step, static), "situation")[:, :, None, None]  # [series horizon 1 1 hidden]
        gate = 1 + (state @ self.ahead["situation.gate.weight"].T).reshape(len(params), 1, -1, 1, width)
        weight = self.ahead["situation.last.weight"].reshape(*params.shape[2:], width)
        added: Floats = (hidden * gate * weight).sum(-1)
        return params + added + self.ahead["situation.last.bias"].reshape(params.shape[2:])

    def _hidden(self, x: Floats, part: str) -> Floats:
        return self._rectified(self._rectified(x, f"{part}.hidden.0"), f"{part}.hidden.2")

    def _rectified(self, x: Floats, layer: str) -> Floats:
        return np.maximum(self._linear(x, layer), 0)

    def _linear(self, x: Floats, layer: str) -> Floats:
        y: Floats = x @ self.ahead[f"{layer}.weight"].T + self.ahead[f"{layer}.bias"]
        return y

    def _scaled(self, name: str, values: Floats) -> Floats:
        return _apply(np.asarray(values, np.float32), *self.scaling[name])  # single before scaling, as in a panel

    def _layer(self, tensors: dict[str, Floats], k: int) -> tuple[Floats, Floats, tuple[Floats, Floats]]:
        start = f"model.recurrent.cells.{k}."
        inward, across = (tensors[f"{start}weight_{side}"].T.copy() for side in ("ih", "hh"))
        return inward, across, (tensors[f"{start}bias_ih"], tensors[f"{start}bias_hh"])

    def _first(self, tensors: dict[str, Floats], k: int) -> tuple[Floats, ...]:
        names = sorted(name for name in tensors if name.startswith(f"first.{k}."))
        return tuple(tensors[name] for name in names)


def _beside(steps: Floats, static: Floats | None) -> Floats:
    """[series step feature], with the features of the series at each step."""
    if static is None:
        return steps
    return np.concatenate([steps, np.broadcast_to(static[:, None], (*steps.shape[:2], static.shape[1]))], -1)


def _apply(values: Floats, loc: Floats, scale: Floats) -> Floats:
    scaled: Floats = ((values - loc) / np.where(scale == 0, 1.0, scale)).astype(np.float32)
    return scaled
