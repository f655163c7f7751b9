"""A state on disk, and whose it is: numbers beside words, in a folder as a saved model's, and nothing that runs."""

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from tsrnn import rebuild, store
from tsrnn.errors import InputError
from tsrnn.models import Model
from tsrnn.prepare import Preparation
from tsrnn.scale import Affine
from tsrnn.shapes import Batch
from tsrnn.streaming import written
from tsrnn.streaming.state import Stream
from tsrnn.version import VERSION

KIND = "state"
_PARTS = ("past", "observed", "known", "static", "lengths")  # of the batch
_KNOWN: WeakKeyDictionary[Model, tuple[int, str]] = WeakKeyDictionary()


def fingerprint(network: Model, prepared: Preparation) -> str:
    """What tells a fitted model from every other: sha256 of its task, its weights and what it learnt of the numbers."""
    known = _KNOWN.get(network)
    if known is not None and known[0] == id(prepared):
        return known[1]
    digest = hashlib.sha256(json.dumps([asdict(network.spec), prepared.reading, list(prepared.ids)]).encode())
    for tensors in (network.weights(), prepared.tensors()):
        for name in sorted(tensors):
            digest.update(name.encode() + np.ascontiguousarray(tensors[name]).tobytes())
    _KNOWN[network] = (id(prepared), digest.hexdigest())
    return digest.hexdigest()


def save(stream: Stream, folder: str | Path) -> None:
    """Write config.json and weights.safetensors into `folder`: of a state they hold the numbers of its newest rows.

    Raises:
        InputError: it is no state; the folder cannot be written, or holds something else than one.
    """
    if not isinstance(stream, Stream):
        raise InputError(f"save_state takes the state that warm_up or step gave, not a {type(stream).__name__}")
    words, arrays = written.plain(stream.tail)
    batch, undo = stream.batch, stream.batch.undo
    tensors: dict[str, Tensor | None] = {name: getattr(batch, name) for name in _PARTS}
    assert undo is not None
    tensors |= {"undo.loc": undo.loc, "undo.scale": undo.scale}
    for layer, parts in enumerate(stream.hidden or ()):
        tensors |= {f"hidden.{layer}.{part}": each for part, each in enumerate(parts)}
    numbers = {name: each.numpy() for name, each in tensors.items() if each is not None}
    scaling = {"scaling.loc": stream.scaling.loc, "scaling.scale": stream.scaling.scale}
    config = {"kind": KIND, "version": VERSION, "model": stream.model, **words}
    store.write(folder, config, numbers | scaling | arrays)


def resume(folder: str | Path, network: Model, prepared: Preparation) -> Stream:
    """Read a saved state.

    Raises:
        InputError: it is none, is damaged, or is another model's.
    """
    saved = store.opened(folder)
    if saved.config.get("kind") != KIND:
        raise InputError(f"{folder} holds a saved model, and no state; give the folder that a state was saved into")
    model = fingerprint(network, prepared)
    if saved.config.get("model") != model:
        raise InputError(
            f"the state in {folder} is another model's (fingerprint {str(saved.config.get('model'))[:12]}, and this "
            f"model's is {model[:12]}); read it with the model that it was saved beside, or warm up again"
        )
    arrays = saved.tensors()
    with rebuild.blaming(saved, "state"):
        tail = written.tail(saved.config, arrays, prepared.reading)
        tensors = {name: torch.from_numpy(each) for name, each in arrays.items()}
        targets = len(prepared.reading["targets"])
        undo = replace(_affine(tensors, "undo"), logs=tuple(k for k in prepared.logs if k < targets))
        batch = Batch(**{name: tensors.get(name) for name in _PARTS}, undo=undo)  # type: ignore[arg-type]  # past is checked below
        layers = sorted({name.split(".")[1] for name in tensors if name.startswith("hidden.")}, key=int)
        hidden = [tuple(tensors[name] for name in _named(tensors, f"hidden.{layer}.")) for layer in layers]
        stream = Stream(tail, _affine(arrays, "scaling"), batch, tuple(hidden) or None, model)
        _check(stream, network, prepared)
    return stream


def _check(stream: Stream, network: Model, prepared: Preparation) -> None:
    """Refuse shapes that the model cannot read.

    Raises:
        rebuild.Unfit: names the first of them.
    """
    spec, series, channels = network.spec, len(stream.ids), prepared.scaling.loc.shape[1]
    time = spec.input_size if stream.hidden is None else 1
    wanted = {
        "past": (series, time, channels),
        "observed": (series, time, channels),
        "known": (series, time, spec.known),
        "static": (series, spec.static),
        "lengths": (series,),
    }
    for name, shape in wanted.items():
        tensor = getattr(stream.batch, name)
        if (tensor is not None or name == "past") and tuple(getattr(tensor, "shape", ())) != shape:
            raise rebuild.Unfit(f"{name} is not of shape {list(shape)}")
    for name in ("starts", "phase"):
        if getattr(stream.tail, name).shape != (series,):
            raise rebuild.Unfit(f"{name} is not of shape {[series]}")
    if len(stream.tail.panel.frame) % series or stream.scaling.loc.shape != (series, channels):
        raise rebuild.Unfit("index or scaling is not of as many series")


def _affine(tensors: dict[str, Any], name: str) -> Affine:
    return Affine(tensors[f"{name}.loc"], tensors[f"{name}.scale"])


def _named(tensors: dict[str, Tensor], start: str) -> list[str]:
    return sorted((name for name in tensors if name.startswith(start)), key=lambda name: int(name.split(".")[2]))
