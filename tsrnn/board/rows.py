"""Result rows on disk: one CSV per model, in one fixed order of columns, safe against two writers and a kill.

A row holds what is needed to run it again: the data's checksum, the configuration, the seed, the version, the commit.
More may lie beside it (`board/beside.py`): the losses of its test windows, and measures that are no columns.
"""

import hashlib
import json
import re
import warnings
from collections.abc import Hashable, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import polars as pl
from filelock import FileLock

from tsrnn import files
from tsrnn.board import beside
from tsrnn.errors import InputError, Notice, listed
from tsrnn.metrics import USUAL

COLUMNS: dict[str, type[pl.DataType]] = {
    "dataset": pl.String,
    "model": pl.String,
    "horizon": pl.Int64,
    "input_size": pl.Int64,
    "track": pl.String,
    "seed": pl.Int64,
    "mse": pl.Float64,
    "mae": pl.Float64,
    "windows": pl.Int64,
    "parameters": pl.Int64,
    "seconds": pl.Float64,
    "val_mse": pl.Float64,
    "val_mae": pl.Float64,
    "epochs": pl.Int64,
    "preset": pl.String,
    "config": pl.String,
    "sha256": pl.String,
    "version": pl.String,
    "commit": pl.String,
    "torch": pl.String,
    "device": pl.String,
    "hardware": pl.String,
    "finished": pl.String,
    "fold": pl.String,  # what was held out; empty where a benchmark has one split
    "threads": pl.Int64,  # of the fit; not known of rows from before they were fixed
    "seen": pl.String,  # whether the model had read the data before its training: no, or what it had read
}
OPTIONAL = ("fold", "threads", "seen")  # empty in every row: no column of the file
KEY = ("dataset", "sha256", "model", "horizon", "input_size", "track", "seed", "config", "fold")
CHOSEN = "L chosen"  # the track of models each with a look-back of its own; "L=96" of those that all look back so far
ONLINE = "online"  # the track of forecasts that learn from what has come true since
AS_IT_COMES = "as it comes"  # the track of models that were told nothing; no board mixes it with others
REQUIRED = (*(name for name in KEY if name not in OPTIONAL), *USUAL, "finished")
_MEND = "name a folder you may write"
_LONG = 60  # letters of a bad configuration that are shown


def prepare(folder: Path) -> None:
    """Make the folder and see that it can be written, before hours are spent on what shall go into it.

    Raises:
        InputError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"cannot write results to {folder}: {error.strerror or error}; {_MEND}") from error


def append(
    folder: Path,
    row: Mapping[str, Any],
    windows: Mapping[str, Any] | None = None,
    measures: Mapping[str, Any] | None = None,
    shown: Mapping[str, Mapping[str, Any]] | None = None,
) -> bool:
    """Add one row to `<folder>/<model>.csv`, and first, where they are given, the tables beside it to files.

    A row whose key is there already adds nothing: the first one stays, with what lies beside it.

    A new file is written beside the old one and takes its name in one step, under a lock on the folder: a kill
    leaves the old file or the new one, and two writers lose nothing.

    Args:
        folder: made where it is missing.
        row: values by the names in `COLUMNS`; those in `REQUIRED` must be there, the others may be missing or None.
            `config` is JSON text with sorted keys, `finished` an ISO time.
        windows, measures: the columns of the first two tables of `board/beside.py`.
        shown: the columns of its others, by their kinds.

    Returns:
        Whether the row was added.

    Raises:
        InputError: the folder cannot be written, or the file in it is damaged.
        ValueError: the row has an unknown column or lacks a required one.
    """
    strange, lacking = sorted(set(row) - set(COLUMNS)), [name for name in REQUIRED if row.get(name) in (None, "")]
    if strange or lacking:
        raise ValueError(f"a result row has unknown columns {strange} or lacks {lacking}")
    if not re.fullmatch(r"\w[\w.+-]*", row["model"]):
        raise ValueError(f"model {row['model']!r} cannot be a file's name")
    new = pl.DataFrame({name: [row.get(name)] for name in COLUMNS}, schema=COLUMNS)
    new = new.with_columns(pl.col("fold").fill_null(""))
    path = folder / f"{row['model']}.csv"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            table = pl.concat([load(path), new]) if path.exists() else new
            if table.select(KEY).is_duplicated()[-1]:
                return False
            for kind, columns in {"windows": windows, "measures": measures, **(shown or {})}.items():
                if columns:
                    beside.write(folder, kind, stem(row), columns, _MEND)
            empty = [name for name in OPTIONAL if table[name].cast(pl.String).fill_null("").eq("").all()]
            files.replaced(path, table.drop(empty).write_csv, _MEND)
    except OSError as error:
        raise InputError(f"cannot write results to {path}: {error.strerror or error}; {_MEND}") from error
    return True


def existing(folder: Path) -> pl.DataFrame | None:
    """All rows of the CSV files in `folder` and in the folders directly in it; None where there is no such file.

    Rows of equal keys are one result, which the first of them stands for, and a `Notice` says so.

    Raises:
        InputError: a file is damaged or holds something else.
    """
    rows = _as_stored(folder)
    if rows is None or not (again := rows.height - rows.select(KEY).n_unique()):
        return rows
    said = f"{folder} holds {again} rows more than results: of rows with equal keys the first counts; delete the others"
    warnings.warn(said, Notice, stacklevel=2)
    return rows.unique(KEY, keep="first", maintain_order=True)


def _as_stored(folder: Path) -> pl.DataFrame | None:
    paths = sorted(path for pattern in ("*.csv", "*/*.csv") for path in folder.glob(pattern))
    return pl.concat([load(path) for path in paths]) if paths else None


def read(folder: Path, dataset: str | None = None) -> pl.DataFrame:
    """The rows of every results file in `folder` and in the folders directly in it, of one data set if named.

    Raises:
        InputError: there are none, a file is damaged, or a configuration is no object of JSON.
    """
    rows = stored = existing(folder)
    if rows is not None and dataset is not None:
        rows = rows.filter(pl.col("dataset") == dataset)
    if rows is None or not rows.height:
        of = f" of {dataset}" if dataset else ""
        others = [] if stored is None else stored["dataset"].unique(maintain_order=True).to_list()
        instead = f", but of {listed(others)}" if others else ""
        raise InputError(
            f"{folder} holds no result rows{of}{instead}; run `tsrnn bench {dataset or 'ETTh1'}` or name another folder"
        )
    for model, config in rows.select("model", "config").unique(maintain_order=True).iter_rows():
        if not _is_object(config):
            shown = config if len(config) <= _LONG else f"{config[:_LONG]}..."
            raise InputError(
                f"{folder}: a row of {model} has the config {shown!r}, which is no object of JSON; mend it or delete it"
            )
    return rows


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def apart(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """The rows of models that were told something, and those of models as they come; either where there are any."""
    told = pl.col("track") != AS_IT_COMES
    return [part for part in (rows.filter(told), rows.filter(~told)) if part.height]


def seen(folder: Path) -> set[tuple[Hashable, ...]]:
    """The values of `KEY` of every row in `folder`: what need not run again."""
    rows = _as_stored(folder)
    return set() if rows is None else set(rows.select(KEY).iter_rows())


def losses(folder: Path, row: Mapping[str, Any]) -> pl.DataFrame | None:
    """The losses of a row's windows; None where none were stored. `folder` is what `existing` was given.

    Raises:
        InputError: the file is damaged or holds something else.
    """
    return beside.read(folder, "windows", stem(row))


def load(path: Path) -> pl.DataFrame:
    """One results file.

    Raises:
        InputError: it cannot be read, its columns are not `COLUMNS`, or a cell is missing or not of its column's type.
    """
    try:
        text = pl.read_csv(path, infer_schema=False, encoding="utf8")
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).split("\n", 1)[0].rstrip(".")
        raise InputError(
            f"{path} cannot be read as a results file: {reason}; mend it or move it out of the folder"
        ) from error
    absent = [name for name in OPTIONAL if name not in text.columns]
    if text.columns != [name for name in COLUMNS if name not in absent]:
        lacking = [name for name in COLUMNS if name not in (*text.columns, *absent)]
        wrong = f"it has no column {lacking[0]!r}" if lacking else "its columns are others or in another order"
        raise InputError(f"{path} is not a results file: {wrong}; move it out of the folder")
    text = text.with_columns(pl.lit(None, pl.String).alias(name) for name in absent)
    table = text.select(pl.col(name).cast(kind, strict=False) for name, kind in COLUMNS.items())
    for name in COLUMNS:
        bad = table[name].is_null() & (text[name].is_not_null() | (name in REQUIRED))
        if bad.any():
            row = bad.arg_true()[0]
            value = text[name][row]
            wrong = "is empty" if value is None else f"cannot be {value!r}"
            raise InputError(f"{path}, row {row + 1}: {name} {wrong}; mend the row or take it out")
    return table.with_columns(pl.col("fold").fill_null(""))


def stem(row: Mapping[str, Any]) -> str:
    """What the files beside a row are called; a row without a fold is called as before there were any."""
    key = [row[name] for name in KEY if name not in OPTIONAL or row.get(name)]
    return f"{row['model']}-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]}"
