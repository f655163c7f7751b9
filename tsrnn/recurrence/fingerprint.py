"""What a cell's step computes, as a hash: so that a cell seen before need not be traced again, in this process or later.

The hash covers the step's byte code and that of every function it calls by name, the numbers and texts it can reach
(closures, globals, class and instance attributes), and the versions of torch and of the tracer. Where it meets anything
else, it gives no hash, and the step is traced: slower, never wrong.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import torch

from tsrnn.cells import Cell

_PLAIN = (bool, int, float, complex, str, bytes, type(None))


class _Opaque(Exception):
    """Something whose meaning a hash cannot hold."""


def fingerprint(cell: Cell) -> str | None:
    """The hash of all that shapes the cell's traced step, except its weights and sizes; None where it cannot be told."""
    seen: set[int] = set()
    try:
        text = "\n".join([_tools(), *_cell(cell, seen)])
    except _Opaque:
        return None
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _cell(cell: Cell, seen: set[int]) -> Iterator[str]:
    yield f"hidden 1: {cell.hidden_size == 1}"  # then [hidden] and scalars look alike to a tracer
    yield from (f"parameter {name}: {each.dim()}" for name, each in cell.named_parameters())
    sizes = ("input_size", "hidden_size", "training")
    plain = {name: value for name, value in vars(cell).items() if not name.startswith("_") and name not in sizes}
    yield _value(plain, seen)
    for kind in type(cell).__mro__:
        if kind.__module__.startswith("torch.") or kind is object:
            continue
        yield kind.__qualname__
        for name, value in sorted(vars(kind).items()):
            if isinstance(value, FunctionType):
                if name not in ("__init__", "reset_parameters", "initial", "project", "extra_repr"):
                    yield f"{name}: {_function(value, seen)}"
            elif not name.startswith("__") and isinstance(value, (*_PLAIN, tuple, list, dict)):
                yield f"{name}: {_value(value, seen)}"


def _function(function: FunctionType, seen: set[int]) -> str:
    if id(function) in seen:
        return function.__qualname__
    seen.add(id(function))
    inside = [_value(each.cell_contents, seen) for each in function.__closure__ or ()]
    reached = [
        f"{name}={_value(function.__globals__[name], seen)}"
        for name in sorted(_names(function.__code__))
        if name in function.__globals__
    ]
    defaults = _value(function.__defaults__ or (), seen)
    return "|".join([_code(function.__code__), defaults, *inside, *reached])


def _names(code: CodeType) -> set[str]:
    nested = [each for each in code.co_consts if isinstance(each, CodeType)]
    return set(code.co_names).union(*map(_names, nested)) if nested else set(code.co_names)


def _code(code: CodeType) -> str:
    constants = [_code(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {constants}"


def _value(value: Any, seen: set[int]) -> str:
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_value(each, seen) for each in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {_value(value[key], seen)}' for key in sorted(value, key=repr))}}}"
    if isinstance(value, ModuleType):
        return value.__name__
    home = getattr(value, "__module__", None) or ""
    if home.partition(".")[0] in ("torch", "builtins", "typing") or isinstance(value, type):
        return f"{home}.{getattr(value, '__qualname__', type(value).__qualname__)}"
    if isinstance(value, FunctionType):
        return _function(value, seen)
    raise _Opaque


@cache
def _tools() -> str:
    """The tracer's own text, and torch's version."""
    return torch.__version__ + Path(__file__).with_name("trace.py").read_text(encoding="utf-8")
