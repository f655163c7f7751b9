"""What a project says to tsrnn: `[tool.tsrnn]` in the nearest `pyproject.toml` upward."""

import tomllib
from pathlib import Path
from typing import Any

from tsrnn import files

_MOST = 1 << 22  # bytes of a pyproject.toml


def named(word: str) -> tuple[Path, Any] | None:
    """The file that says something of a word, the nearest upward from the current folder, and what it says.

    A file that cannot be read, or says nothing to tsrnn, is another project's.
    """
    try:
        here = Path.cwd()
    except OSError:  # a folder that was deleted
        return None
    for folder in (here, *here.parents):
        path = folder / "pyproject.toml"
        try:
            return path, tomllib.loads(files.content(path, _MOST, "").decode())["tool"]["tsrnn"][word]
        except (ValueError, LookupError, TypeError, RecursionError):
            continue
    return None
