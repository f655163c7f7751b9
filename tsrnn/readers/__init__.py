"""One file per format; a reader's name is its file's name.

Each holds `SUFFIXES`, the endings it answers to, and `read(path) -> Reading` (or a polars frame, where there is nothing
to say of it): the table as the file has it, numbers as numbers, dates as dates, missing cells null; units and notes on
what was met. What each column is for is `Panel.of`'s business.
"""

from importlib import import_module
from typing import Any

from tsrnn import registry
from tsrnn.errors import InputError, notice


def by_suffix() -> dict[str, Any]:
    """Ending -> reader: tsrnn's own, then those of other packages; what is wrong with one of these is a `Notice`."""
    readers: dict[str, Any] = {}
    for name, place in registry.names("readers").items():
        if registry.is_own("readers", name):
            module = import_module(place)
            readers.update(dict.fromkeys(module.SUFFIXES, module))
    for clash in registry.clashes("readers").values():
        notice(f"{clash}; its files are not read by it")
    for name in registry.names("readers"):
        if not registry.is_own("readers", name) and name not in registry.clashes("readers"):
            _add(readers, name)
    return readers


def _add(readers: dict[str, Any], name: str) -> None:
    place = registry.names("readers")[name]
    try:
        reader = registry.load("readers", name, "reader")
        suffixes = getattr(reader, "SUFFIXES", None)
        fits = isinstance(suffixes, tuple | list) and all(
            isinstance(each, str) and each[:1] == "." for each in suffixes
        )
        if not fits or not suffixes or not callable(getattr(reader, "read", None)):
            reason = 'it has no read, or no SUFFIXES such as (".xyz",)'
            raise registry.broken("reader", name, place, reason)
        for suffix in suffixes:
            if suffix.lower() in readers:
                other = getattr(readers[suffix.lower()], "__name__", "another")
                raise registry.broken("reader", name, place, f"it claims {suffix}, which {other} reads already")
    except InputError as fault:
        notice(f"{fault}; other files are read without it")
        return
    readers.update({suffix.lower(): reader for suffix in suffixes})
