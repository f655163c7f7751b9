"""The listing is the registry: a plug-in's name is its file's name, and no list of names exists anywhere else.

Other packages add to a shelf by the entry points of the group `tsrnn.<shelf>`: a name that leads to a module written
like a file of that shelf, or to a class. None of them is imported before its name is asked for.
"""

import ast
import re
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tsrnn import syntax
from tsrnn.errors import InputError, unknown

ROOT = Path(__file__).parent
OPEN = ("models", "cells", "readers", "tasks")  # shelves to which other packages may add
_CITED = re.compile(r" \([^()]*\b(?:19|20)\d\d\b[^()]*\)")  # (Zeng et al. 2023, sec. 4)
_END = re.compile(r"(?<! al)\.(?= [A-Z])")  # of a sentence


class Unregistered(InputError):
    """A name that nothing installed goes by."""


@cache
def names(folder: str) -> dict[str, str]:
    """name -> where it lies, "package.module" or "package.module:Class", in alphabetical order, nothing imported.

    A file that declares `VARIANTS = {name: {...}, ...}` is known by those names instead of its own. A model that
    declares `TASKS = ("along",)` is for those tasks alone and stands under `names("models.along")`; one that declares
    none forecasts. `names("models.*")` are those of every task.

    A name that two claim leads to tsrnn's own, or to the first of two packages, and `load` refuses it.

    Raises:
        RuntimeError: two files claim one name.
    """
    folder, _, task = folder.partition(".")
    places = {point.name: point.value for point in reversed(_points(folder))} | _files(folder)
    if task != "*":
        tasks = {name: _tasks(place, is_own(folder, name)) for name, place in places.items()}
        places = {name: places[name] for name, those in tasks.items() if (task in those if task else not those)}
    return dict(sorted(places.items()))


@cache
def clashes(folder: str) -> dict[str, str]:
    """The names that another package claims although they are taken, each with a sentence that says by whom."""
    places, said = names(f"{folder}.*"), {}
    for point in _points(folder):
        if places[point.name] != point.value:
            package = point.dist.name if point.dist is not None else point.value.partition(".")[0].partition(":")[0]
            said[point.name] = (
                f"package {package} registers {point.name!r} in {point.group}, which {places[point.name]} is known by "
                "already; uninstall it, or have it take another name"
            )
    return said


def load(folder: str, name: str, kind: str) -> Any:
    """Import the file, or another package's module or class, that goes by `name`.

    Raises:
        Unregistered: there is none; the message names the nearest.
        InputError: two claim the name, or another package's cannot be imported.
    """
    place = place_of(folder, name)
    if place is None:
        raise Unregistered(str(unknown(kind, name, names(f"{folder}.*"))))
    if name in clashes(folder):
        raise InputError(clashes(folder)[name])
    if is_own(folder, name):
        return import_module(place)
    try:
        return EntryPoint(name, place, f"tsrnn.{folder}").load()
    except (Exception, SystemExit) as fault:  # whatever someone else's file raises when it is imported
        reason = f"cannot be imported: {type(fault).__name__}: {fault}" if place else "it says no place"
        raise broken(kind, name, place, reason) from fault


def place_of(folder: str, name: str) -> str | None:
    """Where a name lies, whatever task it is for; None: nothing goes by it."""
    return names(f"{folder}.*").get(name)


def broken(kind: str, name: str, place: str, reason: str) -> InputError:
    """What is wrong with a thing that another package registers."""
    return InputError(f"{kind} {name!r} is registered as {place or 'nothing'} ({reason}); mend or uninstall it")


def is_own(folder: str, name: str) -> bool:
    """Whether a name leads to a file of tsrnn's own."""
    return name in _files(folder)


def homes(folder: str, kind: type) -> list[str]:
    """The names by which a class may be known: those of its own module, or of its package outside tsrnn."""
    package = kind.__module__.partition(".")[0]
    return [
        name
        for name, place in names(f"{folder}.*").items()
        if place.partition(":")[0] == kind.__module__
        or (not is_own(folder, name) and place.partition(":")[0].partition(".")[0] == package)
    ]


def variant(source: Any, name: str) -> dict[str, Any]:
    """The settings that a variant's name stands for; empty for a file that goes by its own name."""
    return dict(getattr(source, "VARIANTS", {}).get(name, {}))


def about(folder: str, name: str) -> str:
    """What a plug-in is, without importing it: its line in `ABOUT`, else its docstring's first sentence, uncited."""
    if line := declared(folder, name, "ABOUT"):
        return line
    return sentence(ast.get_docstring(_tree(folder, name)) or "")


def sentence(docstring: str) -> str:
    """A docstring's first sentence, uncited."""
    text = docstring.partition("\n\n")[0].replace("\n", " ")
    return _END.split(_CITED.sub("", text), maxsplit=1)[0].rstrip(".")


def declared(folder: str, name: str, constant: str) -> str:
    """The text that a plug-in's file gives as `constant = "..."`, or for a variant as `constant = {name: "..."}`.

    Empty where it gives none. Nothing is imported, and of another package only what lies above the file.
    """
    for node in _tree(folder, name).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [constant]:
            value = ast.literal_eval(node.value)
            return str(value.get(name, "") if isinstance(value, dict) else value)
    return ""


def _tree(folder: str, name: str) -> ast.Module:
    """The file of a plug-in, read; empty where another package's cannot be."""
    return _parsed(place_of(folder, name) or "", is_own(folder, name))


def _parsed(place: str, own: bool) -> ast.Module:
    if own:
        return syntax.parse(ROOT.joinpath(*place.split(".")[1:]).with_suffix(".py").read_text(encoding="utf-8"))
    try:
        package, *rest = place.partition(":")[0].split(".")
        found = find_spec(package)  # imports nothing
        assert found is not None
        files = [Path(found.origin)] if found.origin and not rest else []
        for folder in found.submodule_search_locations or () if rest else ():
            files += [Path(folder, *rest).with_suffix(".py"), Path(folder, *rest, "__init__.py")]
        return syntax.parse(next(file for file in files if file.is_file()).read_text(encoding="utf-8"))
    except Exception:  # there is no such file, or it is not Python
        return syntax.parse("")


@cache
def _tasks(place: str, own: bool) -> tuple[str, ...]:
    """The tasks that a file says it is for, and no others; none where it says nothing."""
    for node in _parsed(place, own).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TASKS":
            return tuple(ast.literal_eval(node.value))
    return ()


def _variants(path: Path) -> tuple[str, ...]:
    text = path.read_text(encoding="utf-8")
    for node in syntax.parse(text).body if "VARIANTS" in text else ():
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == "VARIANTS" and isinstance(node.value, ast.Dict):  # type: ignore[attr-defined]  # both kinds of assignment have a value
            return tuple(ast.literal_eval(key) for key in node.value.keys if key is not None)  # type: ignore[attr-defined]
    return ()


@cache
def _files(folder: str) -> dict[str, str]:
    """name -> module, of tsrnn's own."""
    places: dict[str, str] = {}
    for path in sorted((ROOT / folder).glob("[!_]*.py")):
        for name in _variants(path) or (path.stem,):
            if name in places:
                raise RuntimeError(f"{path} and {places[name]} both claim the name {name!r}")
            places[name] = f"tsrnn.{folder}.{path.stem}"
    return places


def _points(folder: str) -> list[EntryPoint]:
    return list(entry_points(group=f"tsrnn.{folder}")) if folder in OPEN else []
