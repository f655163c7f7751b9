"""Forecasters, one per file: a frozen `Config` and a `Model`. The file's name, or its `VARIANTS`, is what users type.

A model file names its paper and holds

    Config    a frozen dataclass; fields made with `options.choice` or `options.span` say what a sweep may try
    MODEL     a class derived from `_base.Model`; `MODEL(config, spec)` builds it
    VARIANTS  optional: {name: {field: value}}, the names by which the file is known instead of its own
    PAPER     optional: whose it is, in a few words; {name: words} with variants
    TASKS     optional: the tasks that it is for, if not for forecasting: ("along",)
    FAMILY    optional: naive, linear, feed-forward, recurrent or mixed, of which boards name the best; or reference
    ABOUT     optional: {name: sentence}, what each variant is; else the docstring's first sentence speaks for the file

A MODEL whose weights come from elsewhere says in its attribute `SEEN` which data they had read: result rows repeat it.
A class of one's own, derived from `Model`, stands wherever a name may; its `Config` is an attribute of it.
"""

from dataclasses import dataclass, field, fields, is_dataclass, replace
from numbers import Integral
from typing import Any, get_type_hints

from tsrnn import cells, registry, tasks
from tsrnn.errors import InputError, unknown
from tsrnn.models._base import Generative as Generative
from tsrnn.models._base import Model as Model
from tsrnn.models._base import Naive as Naive
from tsrnn.models._base import Recalling as Recalling
from tsrnn.options import check_types
from tsrnn.shapes import Spec

MOST = 1_000_000  # of any size or count: what is larger is a slip, or asks for all the memory there is


@dataclass(frozen=True)
class Entry:
    """A model as the registry knows it, or a class of one's own. `word` is its name there, None where it has none."""

    word: str | None
    kind: type[Model]
    config: type
    settings: dict[str, Any] = field(default_factory=dict)  # what a variant's name stands for

    @property
    def name(self) -> str:
        """What messages, rows and files call it: its word, or the class's own name."""
        return self.word or self.kind.__name__


def find(model: str | type) -> Entry:
    """The model that goes by a name, or a class.

    Raises:
        InputError: no such model (the nearest is named), a class that is no model, or one whose name another has.
    """
    if isinstance(model, str):
        return _registered(model)
    _check_kind(model)
    for name in registry.homes("models", model):
        try:
            entry = find(name)
        except InputError:  # another name of its package is broken
            continue
        if entry.kind is model and all(getattr(entry.config(), key) == value for key, value in entry.settings.items()):
            return entry
    if model.__name__ in registry.names("models"):
        raise InputError(f"class {model.__name__} is named as a model of tsrnn is; give it a name of its own")
    return Entry(None, model, _config_of(model))


def configure(model: str | type, options: dict[str, Any]) -> Any:
    """The Config of a model, its variant's settings first, then the user's.

    Raises:
        InputError: no such model, an option that it or its cell does not have, a value of another type or size than the
            option takes, or a word that it does not know (the nearest is named).
    """
    entry = find(model)
    known = {each.name for each in fields(entry.config)}
    for option in options:
        if option not in known:
            raise unknown(f"option of model {entry.name!r}", option, known)
    check_types(options, get_type_hints(entry.config), f"model {entry.name!r}")
    try:
        config = entry.config(**{**entry.settings, **options})
    except TypeError as error:  # an option without a default was left out
        raise InputError(f"model {entry.name!r}: {error}") from None
    _check_sizes(config, entry.name)
    if "cell_options" in known:
        _check_cell(config.cell, config.cell_options)
    return config


def build(model: str | type, config: Any, spec: Spec) -> Model:
    """The untrained model. Weights come from torch's current generator.

    Raises:
        InputError: a class of one's own cannot be built so.
    """
    kind = find(model).kind
    if is_own(kind) and getattr(config, "segment", spec.segment) is None:
        config = replace(config, segment=spec.segment)
    try:
        return kind(config, spec)
    except (TypeError, AttributeError, LookupError) as fault:
        if is_own(kind):
            raise
        raise InputError(
            f"model {kind.__name__} cannot be built as {kind.__name__}(config, spec) "
            f"({type(fault).__name__}: {fault}); see tsrnn.models.Model"
        ) from fault


def check_task(model: str | type, task: str) -> None:
    """Refuse a model that is for other tasks.

    Raises:
        InputError: it is, or there is no such model.
    """
    entry = find(model)
    if task not in entry.kind.tasks:
        known = ", ".join(tasks.models_of(task))
        raise InputError(
            f"model {entry.name!r} is for the task {' or '.join(sorted(entry.kind.tasks))!r}, not for {task!r}; take "
            f"one of {known}"
        )


def check_filed(model: str | type, config: Any) -> None:
    """Refuse a model that can lie in no file, before hours of training that shall be kept.

    Raises:
        InputError: it can lie in none, or there is no such model.
    """
    if why := find(model).kind.unfiled(config):
        raise InputError(f"{why} and cannot be saved; save a model of another name")


def is_own(kind: type) -> bool:
    """Whether a class is one of tsrnn's."""
    return kind.__module__.partition(".")[0] == "tsrnn"


def seen(model: str | type) -> str:
    """What a model's weights had read before any training here: "no" of all that begin at random, or are solved."""
    return str(getattr(find(model).kind, "SEEN", "no"))


def reads(model: str | type, config: Any) -> frozenset[str]:
    """The kinds of covariates, and whether the mask, that a model of this Config reads (`_base.READABLE`)."""
    return find(model).kind.reads_with(config)


def _registered(name: str) -> Entry:
    source = registry.load("models", name, "model")
    place = str(registry.place_of("models", name))
    try:
        if isinstance(source, type):
            _check_kind(source)
            return Entry(name, source, _config_of(source))
        if not hasattr(source, "MODEL") or not hasattr(source, "Config"):
            raise InputError("it is no class, and has no MODEL and Config")
        if not registry.is_own("models", name):
            _check_kind(source.MODEL)
            _check_config(source.Config, f"{place}.Config")
        return Entry(name, source.MODEL, source.Config, registry.variant(source, name))
    except InputError as fault:
        raise registry.broken("model", name, place, str(fault)) from None


def _check_kind(model: Any) -> None:
    if not isinstance(model, type) or not issubclass(model, Model):
        called = getattr(model, "__name__", repr(model))
        raise InputError(
            f"{called} is no model; give a name that `tsrnn models` lists, or a class of tsrnn.models.Model"
        )
    if model.forward is Model.forward:
        raise InputError(f"class {model.__name__} has no forward; derive it from tsrnn.models.Model and write one")


def _config_of(kind: type[Model]) -> type:
    _check_config(kind.Config, f"{kind.__name__}.Config")
    return kind.Config


def _check_config(config: Any, called: str) -> None:
    if not isinstance(config, type) or not is_dataclass(config) or not config.__dataclass_params__.frozen:  # type: ignore[attr-defined]  # every dataclass has them
        raise InputError(f"{called} must be a frozen dataclass of the model's options, the class itself, no instance")


def _check_sizes(config: Any, name: str) -> None:
    """Whole numbers are sizes and counts, 0 only where it is the default, none above MOST; dropout is a probability."""
    kinds = get_type_hints(type(config))
    for each in fields(config):
        value = getattr(config, each.name)
        least = 0 if each.default == 0 else 1
        if isinstance(value, Integral) and int(value) > MOST:
            raise InputError(f"{each.name} of model {name!r} must be at most {MOST:,}, not {str(value)[:20]}")
        if kinds[each.name] is int and value < least:
            raise InputError(f"{each.name} of model {name!r} must be at least {least}, not {value}")
        if each.name == "segment" and value is not None and value < 1:
            raise InputError(f"segment of model {name!r} must be at least 1, or None, not {value}")
        if each.name == "dropout" and not 0 <= value < 1:
            raise InputError(f"dropout of model {name!r} must be at least 0 and below 1, not {value}")


def _check_cell(cell: str | type, options: Any) -> None:
    known, called = cells.get(cell).options, cell if isinstance(cell, str) else cell.__name__
    if not isinstance(options, dict):
        raise InputError(f"cell_options takes names and values, such as {{forget_bias = 2.0}}, not {options!r}")
    for name, value in options.items():
        if name not in known:
            raise unknown(f"option of cell {called!r}", name, known)
        if not isinstance(value, str if isinstance(known[name], str) else int | float | None):
            raise InputError(f"option {name!r} of cell {called!r} takes a value such as {known[name]!r}, not {value!r}")
