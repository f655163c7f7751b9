"""Parquet files: the frame as it was written."""

from pathlib import Path

import polars as pl

from tsrnn.errors import InputError
from tsrnn.readers._base import contents, opening

SUFFIXES = (".parquet", ".pq")
_MAGIC = b"PAR1"  # first and last four bytes, parquet-format's README


def check(path: Path) -> None:
    """Whether a file is a whole one by its first and last bytes.

    Raises:
        InputError: the file is missing, empty, cut off or not parquet.
    """
    if not opening(path).startswith(_MAGIC):
        raise InputError(f"{path} is not a parquet file; give it the ending of the format it has")
    with path.open("rb") as file:
        file.seek(-len(_MAGIC), 2)
        whole = file.read() == _MAGIC and path.stat().st_size > 2 * len(_MAGIC)
    if not whole:
        raise InputError(f"{path} is cut off: a parquet file ends with {_MAGIC.decode()}; copy or write it again")


def read(path: Path) -> pl.DataFrame:
    """One row per row of the file.

    Raises:
        InputError: as of `check`; the file is damaged, or holds no rows.
    """
    check(path)
    try:
        table = pl.read_parquet(contents(path))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{path} is damaged and cannot be read as parquet ({reason}); copy or write it again"
        ) from None
    if not table.height:
        raise InputError(f"{path} holds {table.width} columns but no rows")
    return table
