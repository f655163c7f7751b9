"""Result rows on disk: one CSV per model, in one fixed order of columns, safe against two writers and a kill.

A row holds what is needed to run it again: the data's checksum, the configuration, the seed, the version, the commit.
The losses of its test windows may stand beside it, in `windows/<model>-<hash of the row's key>.parquet`: tests of
difference need them, boards do not.
"""

import hashlib
import json
import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import polars as pl
from filelock import FileLock

from tsrnn import files
from tsrnn.errors import InputError

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
}
KEY = ("dataset", "sha256", "model", "horizon", "input_size", "track", "seed", "config")
REQUIRED = (*KEY, "mse", "mae", "finished")
_MEND = "name a folder you may write"
WINDOW: dict[str, type[pl.DataType]] = {"series": pl.Int32, "step": pl.Int32, "mse": pl.Float32, "mae": pl.Float32}


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


def append(folder: Path, row: Mapping[str, Any], windows: Mapping[str, Any] | None = None) -> None:
    """Add one row to `<folder>/<model>.csv`, and first, where they are given, the losses of its windows to a file.

    A new file is written beside the old one and takes its name in one step, under a lock on the folder: a kill
    leaves the old file or the new one, and two writers lose nothing.

    Args:
        folder: made where it is missing.
        row: values by the names in `COLUMNS`; those in `REQUIRED` must be there, the others may be missing or None.
            `config` is JSON text with sorted keys, `finished` an ISO time.
        windows: the columns of `WINDOW`, each [window]: the series' number, the step of it at which the window's
            targets begin, the window's own mse and mae.

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
    path = folder / f"{row['model']}.csv"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            table = pl.concat([load(path), new]) if path.exists() else new
            if windows:
                losses = pl.DataFrame({name: windows[name] for name in WINDOW}).cast(WINDOW)  # type: ignore[arg-type]
                (folder / "windows").mkdir(exist_ok=True)
                files.replaced(folder / _windows(row), losses.write_parquet, _MEND)
            files.replaced(path, table.write_csv, _MEND)
    except OSError as error:
        raise InputError(f"cannot write results to {path}: {error.strerror or error}; {_MEND}") from error


def existing(folder: Path) -> pl.DataFrame | None:
    """All rows of the CSV files in `folder` and in the folders directly in it; None where there is no such file.

    Raises:
        InputError: a file is damaged or holds something else.
    """
    paths = sorted(path for pattern in ("*.csv", "*/*.csv") for path in folder.glob(pattern))
    return pl.concat([load(path) for path in paths]) if paths else None


def read(folder: Path, dataset: str | None = None) -> pl.DataFrame:
    """The rows of every results file in `folder` and in the folders directly in it, of one data set if named.

    Raises:
        InputError: there are none, or a file is damaged.
    """
    rows = existing(folder)
    if rows is not None and dataset is not None:
        rows = rows.filter(pl.col("dataset") == dataset)
    if rows is None or not rows.height:
        of = f" of {dataset}" if dataset else ""
        raise InputError(
            f"{folder} holds no result rows{of}; run `tsrnn bench {dataset or 'ETTh1'}` or name another folder"
        )
    return rows


def seen(folder: Path) -> set[tuple[Hashable, ...]]:
    """The values of `KEY` of every row in `folder`: what need not run again."""
    rows = existing(folder)
    return set() if rows is None else set(rows.select(KEY).iter_rows())


def losses(folder: Path, row: Mapping[str, Any]) -> pl.DataFrame | None:
    """The losses of a row's windows, columns as in `WINDOW`; None where none were stored.

    Args:
        folder: what `existing` was given: the file is looked for in it and in the folders directly in it.

    Raises:
        InputError: the file is damaged or holds something else.
    """
    name = _windows(row)
    for path in (folder / name, *sorted(folder.glob(f"*/{name}"))):
        if path.exists():
            try:
                return pl.read_parquet(path).select(pl.col(each).cast(kind) for each, kind in WINDOW.items())
            except (OSError, pl.exceptions.PolarsError) as error:
                reason = str(error).split("\n", 1)[0].rstrip(".")
                raise InputError(f"{path} cannot be read as losses of windows: {reason}; delete it") from error
    return None


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
    if text.columns != list(COLUMNS):
        lacking = [name for name in COLUMNS if name not in text.columns]
        wrong = f"it has no column {lacking[0]!r}" if lacking else "its columns are others or in another order"
        raise InputError(f"{path} is not a results file: {wrong}; move it out of the folder")
    table = text.select(pl.col(name).cast(kind, strict=False) for name, kind in COLUMNS.items())
    for name in COLUMNS:
        bad = table[name].is_null() & (text[name].is_not_null() | (name in REQUIRED))
        if bad.any():
            row = bad.arg_true()[0]
            value = text[name][row]
            wrong = "is empty" if value is None else f"cannot be {value!r}"
            raise InputError(f"{path}, row {row + 1}: {name} {wrong}; mend the row or take it out")
    return table


def _windows(row: Mapping[str, Any]) -> str:
    """Where the losses of a row's windows lie, from its folder."""
    key = hashlib.sha256(json.dumps([row[name] for name in KEY]).encode()).hexdigest()
    return f"windows/{row['model']}-{key[:16]}.parquet"
