"""Forecasters, one per file: a frozen `Config` and a `Model`. The file's name, or its `VARIANTS`, is what users type.

A model file names its paper and holds

    Config    a frozen dataclass; fields made with `options.choice` or `options.span` say what a sweep may try
    MODEL     a class derived from `_base.Model`; `MODEL(config, spec)` builds it
    VARIANTS  optional: {name: {field: value}}, the names by which the file is known instead of its own
    PAPER     optional: whose it is, in a few words; {name: words} with variants
    ABOUT     optional: {name: sentence}, what each variant is; else the docstring's first sentence speaks for the file
"""

from dataclasses import fields
from typing import Any, get_type_hints

from tsrnn import cells, registry
from tsrnn.errors import InputError, unknown
from tsrnn.models._base import Model
from tsrnn.options import check_types
from tsrnn.shapes import Spec


def configure(name: str, options: dict[str, Any]) -> Any:
    """The Config of the model called `name`, its variant's settings first, then the user's.

    Raises:
        InputError: no such model, an option that it or its cell does not have, a value of another type or size than the
            option takes, or a word that it does not know (the nearest is named).
    """
    found = registry.module("models", name, "model")
    known = {each.name for each in fields(found.Config)}
    for option in options:
        if option not in known:
            raise unknown(f"option of model {name!r}", option, known)
    check_types(options, get_type_hints(found.Config), f"model {name!r}")
    try:
        config = found.Config(**{**registry.variant(found, name), **options})
    except TypeError as error:  # an option without a default was left out
        raise InputError(f"model {name!r}: {error}") from None
    _check_sizes(config, name)
    if "cell_options" in known:
        _check_cell(config.cell, config.cell_options)
    return config


def build(name: str, config: Any, spec: Spec) -> Model:
    """The untrained model called `name`. Weights come from torch's current generator."""
    model: Model = registry.module("models", name, "model").MODEL(config, spec)
    return model


def _check_sizes(config: Any, name: str) -> None:
    """Whole numbers are sizes and counts, 0 only where it is the default; dropout is a probability."""
    kinds = get_type_hints(type(config))
    for each in fields(config):
        value = getattr(config, each.name)
        least = 0 if each.default == 0 else 1
        if kinds[each.name] is int and value < least:
            raise InputError(f"{each.name} of model {name!r} must be at least {least}, not {value}")
        if each.name == "dropout" and not 0 <= value < 1:
            raise InputError(f"dropout of model {name!r} must be at least 0 and below 1, not {value}")


def _check_cell(cell: str, options: Any) -> None:
    known = cells.get(cell).options
    if not isinstance(options, dict):
        raise InputError(f"cell_options takes names and values, such as {{forget_bias = 2.0}}, not {options!r}")
    for name, value in options.items():
        if name not in known:
            raise unknown(f"option of cell {cell!r}", name, known)
        if not isinstance(value, str if isinstance(known[name], str) else int | float | None):
            raise InputError(f"option {name!r} of cell {cell!r} takes a value such as {known[name]!r}, not {value!r}")
