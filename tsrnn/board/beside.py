"""What may lie beside a result row, in Parquet, under `<kind>/<model>-<hash of the row's key>.parquet`.

windows     the losses of every test window: series (number), step at which its targets begin, a column per measure,
            in half precision where its numbers fit: rounded by at most 0.05 %, up or down, which a mean of hundreds
            of windows does not feel, at a quarter of the room
measures    the row's measures, long: measure, series (null: over all), lead (from 1; null: over all), value
slices      the same of parts of the test, long: axis (lead, channel, month), at (which, in their order), measure, value
confusion   of labels, long: series, what (label, boundary), true, told, rows: labelled rows by their class and by what
            was told of them; boundaries (yes, no) by whether they are there and whether they were told
samples     a few test windows, long: series, target, start (step at which the window's targets begin), at (its index
            value), step (from 1; below it what was measured before), measured, forecast, low and high (80 % interval)

Tests of difference need the first; boards by a measure that is no column of a row, or by lead, need the second; a page
shows `slices` and `samples` (`tsrnn/page/`); measures of the labels of several series together need `confusion`.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tsrnn import files
from tsrnn.agreement import Agreement
from tsrnn.errors import InputError

KINDS: dict[str, dict[str, type[pl.DataType]]] = {
    "windows": {"series": pl.Int32, "step": pl.Int32},
    "measures": {"measure": pl.String, "series": pl.String, "lead": pl.Int32, "value": pl.Float64},
    "slices": {"axis": pl.String, "at": pl.String, "measure": pl.String, "value": pl.Float32},
    "confusion": {**dict.fromkeys(("series", "what", "true", "told"), pl.String), "rows": pl.Int64},
    "samples": {
        **{"series": pl.String, "target": pl.String, "start": pl.Int32, "at": pl.String, "step": pl.Int32},
        **dict.fromkeys(("measured", "forecast", "low", "high"), pl.Float32),
    },
}
_SAID = {
    "windows": "losses of windows",
    "measures": "measures",
    "slices": "measures of parts",
    "confusion": "counts of labels",
    "samples": "forecasts",
}
LABEL, BOUNDARY = "label", "boundary"
MANY = 100  # series whose measures are kept lead by lead
_HALF = (2.0**-14, 65504.0)  # the least and largest numbers that half precision holds with all its digits
_ENCODINGS = {"series": "DELTA_BINARY_PACKED", "step": "DELTA_BINARY_PACKED"}  # whole numbers that rise


def long(
    val: Mapping[str, float],
    by_lead: Mapping[str, npt.NDArray[np.float64]],
    series: Sequence[str],
    kept: Sequence[int] = (),
) -> dict[str, list[Any]]:
    """The columns of `measures`, numbers alone: of the test by series and lead, and of validation over all.

    Args:
        val: measures on validation, which become `val_<measure>`.
        by_lead: measures on the test [series+1 horizon+1], the last row and column over all.
        series: names of the rows but the last.
        kept: the leads that are wanted; none: all of them, but of each of more than `MANY` series only the mean.
    """
    records: list[tuple[str, str | None, int | None, float]] = [
        (f"val_{name}", None, None, value) for name, value in val.items()
    ]
    for name, grid in by_lead.items():
        for row, values in zip((*series, None), grid.tolist(), strict=True):
            leads = (*range(1, len(values)), None)
            every = not kept and (row is None or len(series) <= MANY)
            pairs = zip(leads, values, strict=True)
            records += [(name, row, lead, value) for lead, value in pairs if every or lead is None or lead in kept]
    finite = [record for record in records if isfinite(record[-1])]
    return {column: [record[k] for record in finite] for k, column in enumerate(KINDS["measures"])}


def confusion(agreements: Sequence[Agreement], series: Sequence[str], classes: Sequence[Any]) -> dict[str, list[Any]]:
    """The columns of `confusion`, without cells that count nothing: agreements [series], of these classes."""
    records: list[tuple[str, str, str, str, int]] = []
    for name, told in zip(series, agreements, strict=True):
        for i, j in np.argwhere(told.counts).tolist():
            records.append((name, LABEL, str(classes[i]), str(classes[j]), int(told.counts[i, j])))
        matched, true, decided = told.contacts.tolist()
        cells = (("yes", "yes", matched), ("yes", "no", true - matched), ("no", "yes", decided - matched))
        records += [(name, BOUNDARY, *cell) for cell in cells if cell[2]]
    return {column: [record[k] for record in records] for k, column in enumerate(KINDS["confusion"])}


def write(folder: Path, kind: str, name: str, columns: Mapping[str, Any], mend: str) -> None:
    """Write one table; columns that are not the kind's own hold single-precision numbers, or half where these fit."""
    table = _typed(pl.DataFrame(dict(columns)), kind)
    (folder / kind).mkdir(exist_ok=True)
    files.replaced(folder / kind / f"{name}.parquet", lambda file: _save(table, kind, file), mend)


def _save(table: pl.DataFrame, kind: str, file: BinaryIO) -> None:
    if kind != "windows":
        table.write_parquet(file, compression="zstd", compression_level=19, statistics=False)
        return
    arrow = table.to_arrow()
    for place, name in enumerate(arrow.column_names):
        if name not in KINDS[kind] and _fits_half(table[name]):
            arrow = arrow.set_column(place, name, arrow[name].cast(pa.float16()))
    encodings = {name: _ENCODINGS.get(name, "BYTE_STREAM_SPLIT") for name in arrow.column_names}
    pq.write_table(
        arrow, file, use_dictionary=False, column_encoding=encodings, compression="zstd", compression_level=19
    )


def _fits_half(losses: pl.Series) -> bool:
    values = np.abs(losses.drop_nulls().drop_nans().to_numpy())
    return bool(((values == 0) | ((values >= _HALF[0]) & (values <= _HALF[1]))).all())


def read(folder: Path, kind: str, name: str) -> pl.DataFrame | None:
    """A table that lies in the folder or in one directly in it; None where there is none.

    Raises:
        InputError: the file is damaged or holds something else.
    """
    place = f"{kind}/{name}.parquet"
    for path in (folder / place, *sorted(folder.glob(f"*/{place}"))):
        if path.exists():
            try:
                return _typed(pl.read_parquet(path), kind)
            except (OSError, pl.exceptions.PolarsError) as error:
                reason = str(error).split("\n", 1)[0].rstrip(".")
                raise InputError(f"{path} cannot be read as {_SAID[kind]}: {reason}; delete it") from error
    return None


def _typed(table: pl.DataFrame, kind: str) -> pl.DataFrame:
    own = KINDS[kind]
    others = [name for name in table.columns if name not in own]
    return table.select(
        *(pl.col(name).cast(dtype) for name, dtype in own.items()), *(pl.col(name).cast(pl.Float32) for name in others)
    )
