"""NetCDF files, of the classic format and of HDF5, through xarray (extra `weather`)."""

from pathlib import Path

from tsrnn import gridded
from tsrnn.errors import InputError
from tsrnn.readers._base import opening
from tsrnn.reading import Reading

SUFFIXES = (".nc", ".nc4", ".cdf", ".netcdf")
_ENGINES = {b"CDF": "scipy", b"\x89HDF": "h5netcdf"}  # by their first bytes


def read(path: Path) -> Reading:
    """One row per time, or per station and time, as `tsrnn.gridded` lays them.

    Raises:
        InputError: the file is missing, empty, damaged or of another format, or what `tsrnn.gridded` refuses.
    """
    head = opening(path)
    engine = next((name for magic, name in _ENGINES.items() if head.startswith(magic)), None)
    if engine is None:
        raise InputError(f"{path} is not a NetCDF file; give it the ending of the format it has")
    return gridded.read(path, engine)
