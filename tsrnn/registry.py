"""The listing is the registry: a plug-in's name is its file's name, and no list of names exists anywhere else."""

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from tsrnn.errors import unknown

ROOT = Path(__file__).parent
_CITED = re.compile(r" \([^()]*\b(?:19|20)\d\d\b[^()]*\)")  # (Zeng et al. 2023, sec. 4)
_END = re.compile(r"(?<! al)\.(?= [A-Z])")  # of a sentence


@cache
def names(folder: str) -> dict[str, str]:
    """name -> module of everything in `tsrnn/<folder>`, in alphabetical order, without importing any of it.

    A file that declares `VARIANTS = {name: {...}, ...}` is known by those names instead of its own.

    Raises:
        RuntimeError: two files claim one name.
    """
    found: dict[str, str] = {}
    for path in sorted((ROOT / folder).glob("[!_]*.py")):
        for name in _variants(path) or (path.stem,):
            if name in found:
                raise RuntimeError(f"{path} and tsrnn/{folder}/{found[name]}.py both claim the name {name!r}")
            found[name] = path.stem
    return dict(sorted(found.items()))


def module(folder: str, name: str, kind: str) -> ModuleType:
    """Import the file that goes by `name`.

    Raises:
        InputError: there is none; the message names the nearest.
    """
    known = names(folder)
    if name not in known:
        raise unknown(kind, name, known)
    return import_module(f"tsrnn.{folder}.{known[name]}")


def variant(found: ModuleType, name: str) -> dict[str, Any]:
    """The settings that a variant's name stands for; empty for a file that goes by its own name."""
    return dict(getattr(found, "VARIANTS", {}).get(name, {}))


def about(folder: str, name: str) -> str:
    """What a plug-in is, without importing it: its line in `ABOUT`, else its docstring's first sentence, uncited."""
    if line := declared(folder, name, "ABOUT"):
        return line
    text = (ast.get_docstring(_tree(folder, name)) or "").partition("\n\n")[0].replace("\n", " ")
    return _END.split(_CITED.sub("", text), maxsplit=1)[0].rstrip(".")


def declared(folder: str, name: str, constant: str) -> str:
    """The text that a plug-in's file gives as `constant = "..."`, or for a variant as `constant = {name: "..."}`.

    Empty where it gives none. Nothing is imported.
    """
    for node in _tree(folder, name).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [constant]:
            value = ast.literal_eval(node.value)
            return str(value.get(name, "") if isinstance(value, dict) else value)
    return ""


def _tree(folder: str, name: str) -> ast.Module:
    return ast.parse((ROOT / folder / f"{names(folder)[name]}.py").read_text(encoding="utf-8"))


def _variants(path: Path) -> tuple[str, ...]:
    text = path.read_text(encoding="utf-8")
    for node in ast.parse(text).body if "VARIANTS" in text else ():
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == "VARIANTS" and isinstance(node.value, ast.Dict):  # type: ignore[attr-defined]  # both kinds of assignment have a value
            return tuple(ast.literal_eval(key) for key in node.value.keys if key is not None)  # type: ignore[attr-defined]
    return ()
