"""Series with labelled anomalies that another package carries: three of aeon's wheel (extra `boards`).

The csv files are read where they lie, a column per channel and `is_anomaly`, with rows numbered from 0:

    InternalBleeding16   the whole series; its archive's first 1,200 rows are known to be sound
    EcgDiffCount3        a sound series, and behind it one with three anomalies
    DaphnetFaults        as it is carried it has no label: our own faults are put into it (`tsrnn.faults`)
"""

import hashlib
from dataclasses import dataclass

import polars as pl

from tsrnn import faults, packaged
from tsrnn.errors import InputError
from tsrnn.reading import Reading


@dataclass(frozen=True)
class _Files:
    paths: tuple[str, ...]  # in aeon's folder of data, one behind the other
    season: int = 0  # of faults to be put in; 0: none
    begin: int = 0  # their first row


_FILES = {
    "InternalBleeding16": _Files(("KDD-TSAD_135/135_UCR_Anomaly_InternalBleeding16_TEST.csv",)),
    "EcgDiffCount3": _Files(("UnitTest/ecg-diff-count-3_TRAIN_NA.csv", "UnitTest/ecg-diff-count-3_TEST.csv")),
    "DaphnetFaults": _Files(("Daphnet_S06R02E0/S06R02E0.csv",), season=64, begin=3000),
}
_FAULTS = 16


def read(name: str, known: str | None = None) -> tuple[Reading, str]:
    """A data set's table (row, channels, is_anomaly), and the sha256 of its files.

    Raises:
        InputError: aeon is not there, or has no such files, or others than the ones `known` by their sha256.
    """
    files = _FILES[name]
    contents = [packaged.content(path) for path in files.paths]
    sums = hashlib.sha256(b"".join(contents)).hexdigest()
    if known and sums != known:
        raise InputError(f"{files.paths[0]} is not {name}: its sha256 is {sums}, not {known}; {packaged.MEND}")
    table = pl.concat([_table(each) for each in contents]).with_row_index("row")
    if files.season:
        channels = [column for column in table.columns if column not in ("row", faults.LABEL)]
        table = faults.inject(table, channels, files.season, files.begin, count=_FAULTS)
    return Reading(table.with_columns(pl.col("row").cast(pl.Int64))), sums


def _table(content: bytes) -> pl.DataFrame:
    table = pl.read_csv(content).drop("timestamp")
    return table.with_columns(pl.all().exclude(faults.LABEL).cast(pl.Float64), pl.col(faults.LABEL).cast(pl.Int8))
