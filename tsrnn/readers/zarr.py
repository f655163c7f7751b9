"""Zarr stores, which are folders, through xarray (extra `weather`)."""

from pathlib import Path

from tsrnn import gridded
from tsrnn.errors import InputError
from tsrnn.reading import Reading

SUFFIXES = (".zarr",)


def read(path: Path) -> Reading:
    """One row per time, or per station and time, as `tsrnn.gridded` lays them.

    Raises:
        InputError: there is no such folder, it is damaged, or what `tsrnn.gridded` refuses.
    """
    if not path.is_dir():
        raise InputError(f"there is no folder {path}; a Zarr store is one, check the path")
    return gridded.read(path, "zarr")
