"""What a cell's step computes, as a hash: so that a cell seen before need not be traced again, now or later.

The hash covers the byte code of the class and of every function that it reaches by name, the numbers and texts within
reach (closures, defaults, globals, class and instance attributes), the versions of Python and torch, and the text of
every file that shapes what is noted.
Where it meets anything else, it gives no hash, and the step is traced: slower, never wrong.
"""

import hashlib
import sys
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodDescriptorType, MethodType, ModuleType
from typing import Any

import torch
from torch import nn

from tsrnn.cells import Cell

_PLAIN = (bool, int, float, complex, str, bytes, type(None), torch.dtype)
_KNOWN = ("torch", "builtins", "math", "operator", "typing", "_operator")  # their versions are in the hash
_UNUSED = ("__init__", "reset_parameters", "initial", "project", "products", "extra_repr", "stock", "_abc_impl")
_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
_IF_READ = ("input_size", "hidden_size", "training")
_MODULE = frozenset(vars(nn.Module()))
_PACKAGE = Path(__file__).parents[1]
_TOOLS = ("cells/_base.py", "recurrence/emit.py", "recurrence/fingerprint.py", "recurrence/trace.py")


class _Opaque(Exception):
    """Something whose meaning a hash cannot hold."""


def fingerprint(cell: Cell) -> str | None:
    """The hash of all that shapes the cell's traced step, except its weights; None where it cannot be told."""
    try:
        text = "\n".join([_tools(), *_Reader(cell).lines()])
    except (_Opaque, RecursionError):
        return None
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class _Reader:
    """What one cell's class and attributes say, as lines of text."""

    def __init__(self, cell: Cell) -> None:
        self.cell, self.seen, self.names = cell, set[int](), set[str]()

    def lines(self) -> Iterator[str]:
        cell = self.cell
        if cell._modules or any(name not in _WEIGHTS for name, _ in cell.named_buffers()):
            raise _Opaque
        yield f"hidden 1: {cell.hidden_size == 1}"  # then [hidden] and scalars look alike to a tracer
        yield f"regular: {cell.regular}"
        yield from (f"parameter {name}: {each.dim()}" for name, each in cell.named_parameters())
        yield self.value({k: v for k, v in vars(cell).items() if k not in _MODULE and k not in _IF_READ})
        for kind in type(cell).__mro__:
            if kind.__module__.partition(".")[0] not in (*_KNOWN, "abc") and kind.__module__ != Cell.__module__:
                yield kind.__qualname__
                yield from self.members(kind)
        yield from (f"{name}: {getattr(cell, name)}" for name in _IF_READ if name in self.names)

    def members(self, kind: type) -> Iterator[str]:
        for name, value in sorted(vars(kind).items()):
            if name in _UNUSED or (name.startswith("__") and not isinstance(value, FunctionType)):
                continue
            if not name.startswith("__annotat"):
                yield f"{name}: {self.value(_bare(value))}"

    def value(self, value: Any) -> str:
        """One value's text: by what it holds, or by its name where the name tells all."""
        if isinstance(value, _PLAIN):
            return repr(value)
        if isinstance(value, (tuple, list)):
            return f"[{', '.join(map(self.value, value))}]"
        if isinstance(value, (set, frozenset)):
            return f"{{{', '.join(sorted(map(self.value, value)))}}}"
        if isinstance(value, dict):
            return f"{{{', '.join(f'{key!r}: {self.value(value[key])}' for key in sorted(value, key=repr))}}}"
        if isinstance(value, partial):
            return f"partial({self.value([value.func, value.args, value.keywords])})"
        if isinstance(value, MethodType) and value.__self__ is self.cell:
            return self.value(value.__func__)
        return self.named(value)

    def named(self, value: Any) -> str:
        home = _home(value)
        known = home.partition(".")[0] in _KNOWN
        if isinstance(value, ModuleType) and known:
            return home
        if isinstance(value, type) and (known or value in type(self.cell).__mro__):
            return f"{home}.{value.__qualname__}"
        if isinstance(value, FunctionType):
            return f"{home}.{value.__qualname__}" if known else self.function(value)
        if isinstance(value, MethodDescriptorType):
            return f"{value.__objclass__.__qualname__}.{value.__name__}"
        owner = getattr(value, "__self__", None)
        if (
            isinstance(value, BuiltinFunctionType)
            and known
            and (owner is None or isinstance(owner, (ModuleType, type)))
        ):
            return f"{home}.{value.__qualname__}"
        raise _Opaque

    def function(self, function: FunctionType) -> str:
        if id(function) in self.seen:
            return function.__qualname__
        self.seen.add(id(function))
        try:
            inside = [self.value(each.cell_contents) for each in function.__closure__ or ()]
        except ValueError:  # a name not bound yet
            raise _Opaque from None
        names = _names(function.__code__)
        self.names |= names
        found = function.__globals__
        reached = [f"{name}={self.value(found[name])}" for name in sorted(names) if name in found]
        defaults = self.value([function.__defaults__, function.__kwdefaults__])
        return "|".join([_code(function.__code__), defaults, *inside, *reached])


def _home(value: Any) -> str:
    """The module that a value comes from; a wrapper may bear another's `__module__`, but not its globals."""
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, FunctionType):
        return str(value.__globals__.get("__name__"))
    return getattr(value, "__module__", None) or "builtins"


def _bare(value: Any) -> Any:
    """The function in a method's or property's wrapping."""
    if isinstance(value, (staticmethod, classmethod)):
        return value.__func__
    return value.fget if isinstance(value, property) else value


def _names(code: CodeType) -> set[str]:
    nested = [each for each in code.co_consts if isinstance(each, CodeType)]
    return set(code.co_names).union(*map(_names, nested)) if nested else set(code.co_names)


def _code(code: CodeType) -> str:
    constants = [_code(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {code.co_freevars} {constants}"


@cache
def _tools() -> str:
    """The versions of Python and torch, and the text of all that turns a cell into a note."""
    texts = [(_PACKAGE / name).read_text(encoding="utf-8") for name in _TOOLS]
    return "\n".join([sys.version, torch.__version__, *texts])
