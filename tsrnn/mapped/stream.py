"""Rows of Parquet files on their way into columns: read some at a time, each put behind the last one of its series."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tsrnn import pages
from tsrnn.mapped.columns import Writer
from tsrnn.mapped.sources import File, Sources, damaged

_ROWS = pages.BLOCK // 4  # read at once


def build(folder: Path, sources: Sources) -> tuple[int, list[dict[str, Any]]]:
    """Write the columns' files; the number of rows, and what there is to know of each column.

    Raises:
        OSError: the disk is full.
        InputError: a file is damaged, or a column cannot be kept.
    """
    counts, grouped = _counted(sources)
    rows, id = sum(counts.values()), sources.id
    columns = dict(sources.schema) if id is None or id in sources.schema else {id: pl.String(), **sources.schema}
    places = _Places(counts, grouped)
    with ExitStack() as stack:
        writers = [Writer(stack, folder, k, name, kind, rows) for k, (name, kind) in enumerate(columns.items())]
        for table in _tables(sources):
            at = places.of(table if id is None else table[id])
            for writer in writers:
                writer.put(at, table[writer.name])
        return rows, [asdict(writer.close()) for writer in writers]


def _tables(sources: Sources, alone: bool = False) -> Iterator[pl.DataFrame]:
    """The rows of all files; `alone`: the column of ids without the others."""
    id = sources.id
    for file in sources.files:
        if id is None or id in sources.schema:
            yield from _read(file, [id] if alone else None)
        else:
            named = pl.lit(file.series, pl.String).alias(id)
            for table in _read(file, list(sources.schema)[:1] if alone else None):
                yield table.select(named) if alone else table.with_columns(named)


def _read(file: File, columns: list[Any] | None) -> Iterator[pl.DataFrame]:
    asked = pl.scan_parquet(file.path)
    try:
        yield from (asked if columns is None else asked.select(columns)).collect_batches(
            chunk_size=_ROWS, maintain_order=True
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise damaged(file, error) from None


def _counted(sources: Sources) -> tuple[dict[Any, int], bool]:
    """Rows of each series in the order of their first row, and whether each one's rows stand together."""
    if sources.id is None or sources.id not in sources.schema:
        return {file.series: file.rows for file in sources.files}, True
    counts: dict[Any, int] = {}
    grouped, before = True, None
    for table in _tables(sources, alone=True):
        runs = table[sources.id].rle().struct.unnest()
        for length, name in zip(runs["len"].to_list(), runs["value"].to_list(), strict=True):
            grouped = grouped and (name == before or name not in counts)
            counts[name] = counts.get(name, 0) + length
            before = name
    return counts, grouped


class _Places:
    """Where rows go that come series by series, or mixed."""

    def __init__(self, counts: Mapping[Any, int], grouped: bool) -> None:
        self.codes = {name: code for code, name in enumerate(counts)}
        self.next = np.concatenate([[0], np.cumsum([*counts.values()])[:-1]]).astype(np.int64)
        self.done, self.grouped = 0, grouped

    def of(self, ids: pl.Series | pl.DataFrame) -> Any:
        """The rows of the next cells: a slice, or numbers."""
        if self.grouped or isinstance(ids, pl.DataFrame):
            self.done += len(ids)
            return slice(self.done - len(ids), self.done)
        runs = ids.rle().struct.unnest()
        codes = np.repeat([self.codes[name] for name in runs["value"].to_list()], runs["len"].to_numpy())
        order = np.argsort(codes, kind="stable")
        series, first, counts = np.unique(codes[order], return_index=True, return_counts=True)
        places = np.empty(len(ids), np.int64)
        places[order] = np.repeat(self.next[series] - first, counts) + np.arange(len(ids))
        self.next[series] += counts
        return places
