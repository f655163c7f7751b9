"""Forecasters, one per file: a frozen `Config` and a `Model`. The file's name, or its `VARIANTS`, is what users type.

A model file names its paper and holds

    Config    a frozen dataclass; fields made with `_base.choice` or `_base.span` say what a sweep may try
    MODEL     a class derived from `_base.Model`; `MODEL(config, spec)` builds it
    VARIANTS  optional: {name: {field: value}}, the names by which the file is known instead of its own
"""

from dataclasses import fields
from typing import Any

from tsrnn import registry
from tsrnn.errors import InputError, unknown
from tsrnn.models._base import Model
from tsrnn.shapes import Spec


def configure(name: str, options: dict[str, Any]) -> Any:
    """The Config of the model called `name`, its variant's settings first, then the user's.

    Raises:
        InputError: no such model, or an option it does not have (the nearest is named).
    """
    found = registry.module("models", name, "model")
    known = {each.name for each in fields(found.Config)}
    for option in options:
        if option not in known:
            raise unknown(f"option of model {name!r}", option, known)
    try:
        return found.Config(**{**registry.variant(found, name), **options})
    except TypeError as error:
        raise InputError(f"model {name!r}: {error}") from None


def build(name: str, config: Any, spec: Spec) -> Model:
    """The untrained model called `name`. Weights come from torch's current generator."""
    model: Model = registry.module("models", name, "model").MODEL(config, spec)
    return model
