"""What an exported graph says of itself: names, types and shapes of what goes in and out, in words."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tsrnn.exporting.graphs import Scaled, Step
from tsrnn.models import Model
from tsrnn.prepare import Preparation
from tsrnn.recurrence import Recurrent
from tsrnn.version import VERSION

KIND = "export"
_TYPES = {torch.float64: "float64", torch.float32: "float32", torch.int64: "int64", torch.bool: "bool"}
_ABOUT = {
    "past": "the newest rows, oldest first, in the data's units; a missing cell holds the value before it",
    "row": "the newest row, in the data's units; a missing cell holds the value before it",
    "state": "what the step before gave; of a new series what weights.safetensors calls first.*",
    "known": "covariates known ahead, in their units: those rows, then the horizon's",
    "static": "covariates of the series",
    "observed": "which cells were measured",
    "lengths": "how many of the newest rows are real; those before them hold the first real one",
    "phase": "absolute number of the first forecast step: steps since 1970 began (UTC), or the index over the step",
    "series": "the series' place in `series`, which has its scaling",
    "forecast": "the forecast, in the data's units",
    "quantiles": "its quantiles at `levels`, rising",
}
_CALENDAR = {2: ("year",), 4: ("week", "year"), 6: ("day", "week", "year")}  # by how many features there are


def outputs(graph: Scaled) -> list[str]:
    """Names of what comes out, in order."""
    states = _states(graph, "after") if isinstance(graph, Step) else []
    return ["forecast", *(["quantiles"] if graph.levels else []), *states]


def entry(graph: Scaled, inputs: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """Inputs and outputs of a graph, each with its name, type, shape and meaning."""
    going: list[dict[str, Any]] = []
    for name, tensors in inputs.items():
        if isinstance(tensors, list):
            going += [_told(each, part, "state") for each, part in zip(_states(graph, name), tensors, strict=True)]
        else:
            going.append(_told(name, tensors, name))
    spec = graph.spec
    shapes = {"forecast": [spec.horizon, spec.targets], "quantiles": [spec.horizon, spec.targets, len(graph.levels)]}
    coming: list[dict[str, Any]] = [
        {"name": name, "type": "float64", "shape": ["batch", *shapes[name]], "about": _ABOUT[name]}
        for name in names
        if name in shapes
    ]
    if isinstance(graph, Step):
        like = inputs["state"]
        coming += [_told(name, part, "state") for name, part in zip(names[-len(like) :], like, strict=True)]
    return {"inputs": going, "outputs": coming}


def config(model: Model, prepared: Preparation, levels: list[float], words: Mapping[str, Any]) -> dict[str, Any]:
    """What the folder is, of which model, and how its data are read."""
    reading, spec = prepared.reading, model.spec
    return {
        "kind": KIND,
        "version": VERSION,
        "model": words["name"],
        "fingerprint": words["fingerprint"],
        "spec": asdict(spec),
        "options": {key: value for key, value in vars(model.config).items() if not isinstance(value, type)},
        "levels": levels,
        "channels": [*reading["targets"], *reading["past"]],
        "targets": list(reading["targets"]),
        "known": _features(reading, "future") + _calendar(prepared, spec.known, reading),
        "static": _features(reading, "static"),
        "step": reading.get("freq"),
        "scaler": {"name": prepared.scaler, "per_series": prepared.scale_per_series, "inside_the_graphs": True},
        "series": list(prepared.ids) if prepared.scale_per_series else None,
    }


def first_states(model: Model) -> dict[str, Any]:
    """The state before anything was read: first.<layer>.<part> [hidden]."""
    layer = next(each for each in model.modules() if isinstance(each, Recurrent))
    states = layer._states(1, None)
    return {
        f"first.{k}.{part}": np.ascontiguousarray(each[0].detach().numpy())
        for k, state in enumerate(states)
        for part, each in enumerate(state)
    }


def _states(graph: Scaled, start: str) -> list[str]:
    assert isinstance(graph, Step)
    return [f"{start}_{layer}_{part}" for layer, cell in enumerate(graph.cells) for part in cell.states]


def _told(name: str, example: Tensor, about: str) -> dict[str, Any]:
    shape = ["batch", *example.shape[1:]]
    return {"name": name, "type": _TYPES[example.dtype], "shape": shape, "about": _ABOUT[about]}


def _features(reading: Mapping[str, Any], kind: str) -> list[str]:
    """Columns as a model reads them: those of words are one for each word."""
    levels = reading.get("levels") or {}
    return [
        f"{name}={word}" if word is not None else name for name in reading[kind] for word in levels.get(name, [None])
    ]


def _calendar(prepared: Preparation, known: int, reading: Mapping[str, Any]) -> list[str]:
    """Names of the calendar's features, in their order."""
    if not prepared.calendar:
        return []
    count = known - len(_features(reading, "future"))
    if isinstance(reading.get("freq"), str):
        return [f"{part} of the {cycle}" for cycle in _CALENDAR.get(count, ()) for part in ("sine", "cosine")]
    return ["distance from the start, in ten thousand steps", "depth, in ten thousand steps"][:count]
