"""Rows -> lines of a board: measures that lie beside the rows put into columns, folds averaged.

A line is all rows of one model, track and configuration on one data set.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tsrnn.board import beside
from tsrnn.board.rows import stem

LINE = ("dataset", "sha256", "model", "input_size", "track", "config")


def measured(rows: pl.DataFrame, measures: Sequence[str], folder: Path, leads: Sequence[int] = ()) -> pl.DataFrame:
    """The rows with a column for each of the measures, null where one was not stored.

    With `leads`, a row stands once for each of them, the steps ahead in a column `lead`, and its measures are of that
    lead alone.

    Raises:
        InputError: a file beside a row is damaged or holds something else.
    """
    wanted = [name for name in measures if leads or name not in rows.columns]
    if not wanted:
        return rows
    chosen = pl.col("lead").is_in(list(leads)) if leads else pl.col("lead").is_null()
    tables = [pl.DataFrame(schema={**beside.KINDS["measures"], "place": pl.UInt32})]
    for place, row in enumerate(rows.iter_rows(named=True)):
        table = beside.read(folder, "measures", stem(row))
        if table is not None:
            tables.append(
                table.filter(pl.col("series").is_null() & chosen).with_columns(place=pl.lit(place, pl.UInt32))
            )
    long = pl.concat(tables)
    wide, keys = rows.drop(wanted, strict=False).with_row_index("place"), ["place"]
    if leads:
        wide, keys = wide.join(pl.DataFrame({"lead": leads}, {"lead": pl.Int32}), how="cross"), ["place", "lead"]
    for name in wanted:
        column = long.filter(pl.col("measure") == name).select(*keys, pl.col("value").alias(name))
        wide = wide.join(column, on=keys, how="left", maintain_order="left")
    return wide.drop("place")


def over_folds(rows: pl.DataFrame, by: str, measures: Sequence[str]) -> pl.DataFrame:
    """One row per line, place of `by` and seed: means over its folds, where every fold that any line has is there."""
    keys = list(dict.fromkeys((*LINE, by, "seed")))
    others = [pl.col(name).max() for name in ("parameters", "epochs") if name in rows.columns]
    means = rows.group_by(keys, maintain_order=True).agg(
        *(pl.when(pl.col(name).null_count() == 0).then(pl.col(name).mean()).alias(name) for name in measures),
        *others,
        pl.col("seconds").mean(),
        pl.col("fold").n_unique().alias("folds"),
    )
    return means.filter(pl.col("folds") == pl.col("folds").max().over("dataset", "sha256", by)).drop("folds")
