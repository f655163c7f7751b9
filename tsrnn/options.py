"""Options: the types that a Config declares for what users type, and the ranges beside them that a sweep may try."""

from collections.abc import Mapping
from dataclasses import field
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from tsrnn.errors import InputError, unknown

if TYPE_CHECKING:
    Settled = int
else:
    Settled = int | None  # an option that may be left open, and is a number before a model is built

_KINDS: dict[Any, tuple[type, str]] = {
    bool: (bool, "True or False"),
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    str: (str, "a word"),
    type: (type, "a class"),
    NoneType: (NoneType, "None"),
}


def choice(default: Any, *values: Any, first: Any = None) -> Any:
    """A Config field and the values a sweep may give it; it begins with `first` where the default is none of them."""
    return field(default=default, metadata={"choices": list(values), "first": default if first is None else first})


def left_open() -> Any:
    """A Config field that the data decide where nothing is said; no sweep tries it."""
    return field(default=None)


def span(default: Any, low: float, high: float, log: bool = False) -> Any:
    """A Config field and the range (inclusive) a sweep may take it from; whole numbers where `default` is one."""
    return field(default=default, metadata={"low": low, "high": high, "log": log})


def check_types(given: Mapping[str, Any], declared: Mapping[str, Any], owner: str = "") -> None:
    """Refuse a value that is not of its option's type.

    NumPy's numbers are numbers, True and False are none. Lists and tables are left to the Config that reads them.

    Args:
        given: option -> value.
        declared: option -> type, as `typing.get_type_hints` says it.
        owner: whose options they are, for the message: "model 'lstm'".

    Raises:
        InputError: the first such option, with what it takes.
    """
    of = f" of {owner}" if owner else ""
    for name, value in given.items():
        kind = declared.get(name, Any)
        if get_origin(kind) is Literal:
            if value not in get_args(kind):
                raise unknown(f"{name}{of}", str(value), get_args(kind))
            continue
        kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
        if all(each in _KINDS for each in kinds) and not any(_is(value, each) for each in kinds):
            takes = " or ".join(_KINDS[each][1] for each in kinds)
            raise InputError(f"{name}{of} takes {takes}, not {value!r}")


def _is(value: Any, kind: Any) -> bool:
    return isinstance(value, _KINDS[kind][0]) and (kind is bool or not isinstance(value, bool))
