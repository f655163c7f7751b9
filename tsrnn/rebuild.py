"""A saved model read back: its parts held against one another, its network built only once its sizes agree.

A line of configuration may ask for any amount of memory. So the network is first built on torch's meta device, where a
tensor has a shape and no numbers, and stopped there as soon as it asks for more parameters than were saved. Where its
names, shapes and types are those of the file, it is built again, and costs what the file is long.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, get_type_hints

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from tsrnn import models
from tsrnn.errors import InputError
from tsrnn.header import Kind
from tsrnn.models import Model
from tsrnn.options import check_types
from tsrnn.registry import Unregistered
from tsrnn.shapes import Spec
from tsrnn.store import Saved

_WORDS = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_PREFIX = "model."  # of the weights' names
_SPARE = 64  # parameters that a constructor may make and throw away
_LONGEST = 300  # characters of a reason
_SEGMENTS, _SEGMENT = {"rnn": 1, "lstm": 1, "gru": 1, "bilstm": 1, "seq2seq": 1}, 24  # where 0.1 names none
_MEMBERS = [{"model": "nlinear"}, {"model": "gru", "segment": 24}, {"model": "segrnn"}]  # likewise
_UNSAVED = 4_000_000  # numbers of buffers that are made anew and not saved


class Unfit(ValueError):
    """What was saved does not fit together; the message says where it parts."""


@contextmanager
def blaming(saved: Saved, what: str = "model") -> Iterator[None]:
    """Whatever goes wrong inside is what the folder holds, a model or else: one sentence names it."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError) as fault:
        name = "" if isinstance(fault, Unfit | InputError) else f"{type(fault).__name__}: "
        said = (name + str(fault)).splitlines()[0][:_LONGEST]
        said = "".join(each if each.isprintable() else "?" for each in said).rstrip(".")
        unknown = isinstance(fault, Unregistered)
        mend = "install the package that registers it" if unknown else "save it again, or fit it again"
        raise InputError(f"{saved.folder} holds no {what} that this tsrnn can use ({said}); {mend}") from None


def params(config: Mapping[str, Any]) -> dict[str, Any]:
    """The saved parameters; where 0.1 saved them, with the segment that it read where none was named."""
    saved: dict[str, Any] = config["params"]
    return saved if "segment" in config["spec"] else _with_segment(saved)


def _with_segment(params: Mapping[str, Any]) -> dict[str, Any]:
    """One model's, and those of an ensemble's members."""
    named, model = dict(params), params["model"]
    entry = models.find(model)
    options = {each.name for each in fields(entry.config)} if models.is_own(entry.kind) else set()
    if "members" in options:
        named["members"] = [_with_segment(member) for member in params.get("members", _MEMBERS)]
    if "segment" in options:
        named.setdefault("segment", _SEGMENTS.get(model, _SEGMENT))
    return named


def spec(table: Any, known: Mapping[str, Any]) -> Spec:
    """A task from its saved table, held against what is `known` of it from elsewhere.

    Raises:
        Unfit: a value is of another type, is too small, or is another one than known.
        TypeError: a value is missing, or one too many is there.
    """
    check_types(table, get_type_hints(Spec), "spec")
    made = Spec(**table)
    for name, value in known.items():
        if getattr(made, name) != value:
            raise Unfit(f"{name} of spec is {getattr(made, name)!r} where the rest says {value!r}")
    inside = all(1 <= (size or 0) <= made.input_size for size in (made.seasonality, made.segment))
    some = all(type(k) is int and 0 <= k < made.known for k in made.placed)
    if min(made.known, made.static) < 0 or not inside or not some or [*made.placed] != sorted({*made.placed}):
        raise Unfit(f"spec asks for what cannot be: {made}")
    return made


def weights(kinds: Mapping[str, Kind], others: Mapping[str, tuple[int, ...]]) -> dict[str, Kind]:
    """The kinds of the weights by their names in the model; what else is there must be `others`, of their shapes.

    Raises:
        Unfit: one of the others is missing, one too many is there, or one has another shape or type.
    """
    names = [name for name in kinds if not name.startswith(_PREFIX)]
    for name in (*others, *names):
        word, shape = kinds.get(name, ("", None))
        if shape != others.get(name) or word not in ("F64", "F32"):
            wanted = ("F64", others[name]) if name in others else None
            raise Unfit(f"tensor {name!r} is {_said(kinds.get(name))}, and {_said(wanted)} by config.json")
    return {name.removeprefix(_PREFIX): kind for name, kind in kinds.items() if name not in others}


def build(model: str | type, config: Any, spec: Spec, kinds: Mapping[str, Kind]) -> Model:
    """The untrained model, if its weights are of the given kinds; torch's generator is left as it was.

    Args:
        model: a name, or a class.
        config: its Config.
        spec: of the task.
        kinds: type and shape of every weight that was saved, by name.

    Raises:
        Unfit: they are not this model's.
        InputError: as the model.
    """
    numbers = sum(torch.Size(shape).numel() for _, shape in kinds.values())
    own = models.find(model).kind
    if own.weights is Model.weights and own.set_weights is Model.set_weights:
        outline = _outline(model, config, spec, len(kinds))
        if outline is not None:
            _compare(outline, kinds)
    with torch.random.fork_rng(devices=[]), _at_most(len(kinds), numbers):
        return models.build(model, config, spec)


def _outline(model: str | type, config: Any, spec: Spec, tensors: int) -> Model | None:
    """The model without numbers; None where its constructor needs some."""
    try:
        with torch.random.fork_rng(devices=[]), torch.device("meta"), _at_most(tensors):
            return models.build(model, config, spec)
    except (NotImplementedError, RuntimeError) as fault:
        if "meta" in str(fault):
            return None
        raise


def _compare(outline: Model, kinds: Mapping[str, Kind]) -> None:
    asked = {
        name: (_WORDS.get(each.dtype, str(each.dtype)), tuple(each.shape))
        for name, each in outline.state_dict().items()
    }
    lacking = (names for names in outline.younger() if not names & kinds.keys())
    for name in sorted({*asked, *kinds}.difference(*lacking)):
        if asked.get(name) != kinds.get(name):
            raise Unfit(f"weight {name!r} is {_said(kinds.get(name))}, and {_said(asked.get(name))} by config.json")
    unsaved = sum(each.numel() for name, each in outline.named_buffers() if name not in asked)
    if unsaved > _UNSAVED:
        raise Unfit(f"it asks for {unsaved:,} numbers beside its weights")


def _said(kind: Kind | None) -> str:
    return "not there" if kind is None else f"{kind[0]} {list(kind[1])}"


@contextmanager
def _at_most(tensors: int, numbers: int | None = None) -> Iterator[None]:
    """Stop a constructor of this thread that registers more parameters than were saved."""
    here, seen, total = threading.get_ident(), 0, 0

    def count(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        nonlocal seen, total
        if threading.get_ident() != here or parameter is None:
            return
        seen, total = seen + 1, total + parameter.numel()
        if seen > tensors + _SPARE or (numbers is not None and total > 2 * numbers + _UNSAVED):
            raise Unfit("it asks for more parameters than were saved")

    handle = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        handle.remove()
