"""Folders where data lie: those of `TSRNN_DATA`, those that a project names, and the user's cache."""

import os
from pathlib import Path

from tsrnn import settings
from tsrnn.errors import InputError, quoted


def search_path() -> list[Path]:
    """Folders that are searched for data, first to last; the last one is the user's cache."""
    named = [Path(os.path.expanduser(each)) for each in os.environ.get("TSRNN_DATA", "").split(os.pathsep) if each]
    return [*named, *_project_folders(), cache()]


def _project_folders() -> list[Path]:
    """The folders that `[tool.tsrnn] data` names, relative to the file that says so.

    Raises:
        InputError: what it says is no folder and no list of folders.
    """
    path, said = settings.named("data") or (Path(), [])
    listed = [said] if isinstance(said, str) else said
    if not isinstance(listed, list) or not all(isinstance(each, str) and "\0" not in each for each in listed):
        raise InputError(f'{path}: data in [tool.tsrnn] takes a folder or a list such as ["data"], not {quoted(said)}')
    return [Path(os.path.realpath(path.parent / os.path.expanduser(each))) for each in listed]


def cache() -> Path:
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("tsrnn"))
