"""Arrow files, which feather also names: the frame as it was written."""

from pathlib import Path

import polars as pl

from tsrnn.errors import InputError
from tsrnn.readers._base import opening

SUFFIXES = (".arrow", ".feather", ".ipc")
_MAGIC = b"ARROW1"  # first bytes of the file format, Arrow's columnar format, section "IPC file format"


def read(path: Path) -> pl.DataFrame:
    """One row per row of the file.

    Raises:
        InputError: the file is missing, empty, of another format, damaged, or holds no rows.
    """
    if not opening(path).startswith(_MAGIC):
        raise InputError(f"{path} is not an arrow file; give it the ending of the format it has")
    try:
        table = pl.read_ipc(path.read_bytes())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} is damaged and cannot be read as arrow ({reason}); copy or write it again") from None
    if not table.height:
        raise InputError(f"{path} holds {table.width} columns but no rows")
    return table
