"""The frame of steps ahead: read as the history was, and matched with the steps to forecast by id and index.

What the history is refused for, it is refused for too: rows that stand twice, cells that are no numbers, keys that
are missing. Rows beyond the steps asked for are let be; their order does not matter.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from tsrnn import dates, figures, station
from tsrnn.arrays import Floats
from tsrnn.errors import InputError, quoted
from tsrnn.frames import NAMELESS, to_polars
from tsrnn.panel import Panel
from tsrnn.series import check_ids, id_text

_NEAR = 1e-3  # of a step: depths that differ by less are the same


def known_ahead(panel: Panel, future: Any, horizon: int, beyond: pl.DataFrame | None = None) -> Floats | None:
    """Future covariates of the next `horizon` steps, from a frame that holds them: [series*horizon feature].

    `beyond`: rows of the history's own frame after its last measured target; what `future` leaves empty stands there.

    Raises:
        InputError: the frame is missing, lacks a column or a step, or holds a step twice; or it holds another value of
            a static covariate than the history.
    """
    names = panel.roles.future
    if not names:
        return None
    if future is None and beyond is None:
        raise InputError(
            f"the model was given future covariates ({', '.join(names)}); pass future=... with the next steps'"
        )
    asked = panel.future(horizon)
    tables = [] if future is None else [keyed(panel, future, names, "future")]
    _refuse_other_static(panel, tables)
    tables += [] if beyond is None else [beyond]
    told = [_matched(table, asked, panel, names) for table in tables]
    matched = told[0] if len(told) == 1 else told[0].select(pl.coalesce(pl.col(name), told[1][name]) for name in names)
    for row in np.flatnonzero(matched.select(pl.any_horizontal(pl.all().is_null())).to_series())[:1]:
        where = ", ".join(f"{key} {asked[key][int(row)]}" for key in asked.columns)
        raise InputError(f"future lacks {', '.join(names)} at {where}; give a row for each of the {horizon} steps")
    return panel.features(matched, names)


def keyed(panel: Panel, frame: Any, names: Sequence[str], source: str) -> pl.DataFrame:
    """A table of further rows with the history's id and index, each in a column of its own, and the columns `names`.

    Args:
        source: how messages call the frame: "future", or "rows" of a step.

    Raises:
        InputError: a column is missing, an id or an index is empty or cannot be read.
    """
    table, origin = (frame.frame, frame.origin) if isinstance(frame, Panel) else to_polars(frame, source)
    index, id = panel.roles.index, panel.roles.id
    levels = [name for name, label in origin.levels if label is None and name not in (id, *names)]
    if index not in table.columns and len(levels) == 1:
        table = table.rename({levels[0]: index})
    elif index in NAMELESS and index not in table.columns and len(origin.levels) == 1:
        table = table.rename({origin.levels[0][0]: index})
    table = station.further(table, vars(panel), names, index, source)
    keys = [id, index] if id else [index]
    missing = [name for name in (*keys, *names) if name not in table.columns]
    if missing:
        start = panel.frame[index][-1] + 1 if panel.numbered else None
        hint = "" if start is None else f"; the history's rows were numbered, so that the {source}'s begin with {start}"
        needed = ", ".join((*keys, *names))
        raise InputError(f"{source} has no column {quoted(missing[0])}; it needs {needed}{hint}")
    table = check_ids(table, id, source)
    read = dates.read(table[index], source, panel.date_format, None if id is None else table[id], again=True)[0]
    if read.null_count():
        row = int(read.is_null().arg_max() or 0)
        raise InputError(f"{source}: column {quoted(index)} is empty in row {row + 1}; fill it or drop the row")
    return table.with_columns(read)


def _matched(table: pl.DataFrame, asked: pl.DataFrame, panel: Panel, names: Sequence[str]) -> pl.DataFrame:
    """The columns `names` of the table's rows at the steps asked for, null where it has no such row."""
    keys = asked.columns
    ahead, rows = _keys(asked, asked, panel), _keys(table, asked, panel)
    rows = rows.with_row_index("__row").join(ahead, on=keys, how="semi", maintain_order="left")
    rows = _without_twins(rows, table, keys, panel)
    chosen = table[rows["__row"]]
    cells = [numbers(chosen[name], rows["__row"], panel, name, "future") for name in names]
    values = [column.alias(f"__{k}") for k, column in enumerate(cells)]
    matched = ahead.join(rows.drop("__row").with_columns(values), on=keys, how="left", maintain_order="left")
    return matched.select(pl.col(f"__{k}").alias(name) for k, name in enumerate(names))


def _refuse_other_static(panel: Panel, tables: Sequence[pl.DataFrame]) -> None:
    """A static covariate is the history's, whatever stands beside the steps ahead."""
    id = panel.roles.id
    names = [name for name in panel.roles.static if name != id]
    for table, name in ((table, name) for table in tables for name in names if name in table.columns):
        kind = pl.Float64 if panel.frame.schema[name].is_numeric() else pl.String
        known, told = (
            pl.DataFrame(
                {
                    "series": pl.repeat("", each.height, eager=True) if id is None else id_text(each[id]),
                    "value": each[name].cast(kind, strict=False),
                }
            ).drop_nulls()
            for each in (panel.frame, table)
        )
        both = told.join(known.unique("series", keep="first"), on="series", suffix=" known")
        if (other := both.filter(pl.col("value") != pl.col("value known"))).height:
            series, here, there = other.row(0)
            whose = f" of series {quoted(series)}" if id is not None else ""
            raise InputError(
                f"future: {quoted(name)}{whose} is {here} here and {there} in the history, and a static covariate is "
                "one for good; leave it out of future, or fit it as a future covariate"
            )


def empty(panel: Panel, horizon: int) -> pl.DataFrame:
    """The frame that `known_ahead` asks for, its covariates to be filled: ids and index of the next steps."""
    columns = [pl.Series(name, [], panel.frame.schema[name]) for name in panel.roles.future]
    return pl.concat([panel.future(horizon), pl.DataFrame(columns)], how="diagonal")


def _keys(table: pl.DataFrame, asked: pl.DataFrame, panel: Panel) -> pl.DataFrame:
    """Id and index as both frames can be matched by; null where a value cannot be any of the history's."""
    index, id = panel.roles.index, panel.roles.id
    ids = None if id is None else id_text(table[id])
    if asked.schema[index].is_float():
        at = _steps_after(table[index].cast(pl.Float64), ids, panel)
    else:
        at = alike(table[index], asked[index], "future")
    return pl.DataFrame([at] if ids is None else [ids, at])


def alike(column: pl.Series, asked: pl.Series, source: str) -> pl.Series:
    """Dates or counts in the history's type; null where they cannot be held by it.

    Raises:
        InputError: one is dates where the other is none, or has a time zone where the other has none.
    """
    zones = [getattr(each.dtype, "time_zone", None) for each in (column, asked)]
    alike = column.dtype.is_temporal() == asked.dtype.is_temporal() and (column.dtype == pl.Duration) == (
        asked.dtype == pl.Duration
    )
    if not alike or (zones[0] is None) != (zones[1] is None):
        raise InputError(
            f"{source}: column {quoted(asked.name)} is of type {column.dtype} where the history's is {asked.dtype}; "
            "give both alike, time zones too"
        )
    if isinstance(asked.dtype, pl.Datetime) and zones[1] is not None:
        column = column.dt.convert_time_zone(zones[1])
    cast = column.cast(asked.dtype, strict=False)
    return cast.set((cast.cast(column.dtype, strict=False) != column).fill_null(True), None)


def _steps_after(depths: pl.Series, ids: pl.Series | None, panel: Panel) -> pl.Series:
    """Depths as steps after their series' end; null between two steps, and in series that the history lacks."""
    last = panel.frame[panel.offsets[1:] - 1]
    ends: pl.Series | float = float(last[panel.roles.index][0])
    if ids is not None and panel.roles.id is not None:
        ends = ids.replace_strict(id_text(last[panel.roles.id]), last[panel.roles.index].cast(pl.Float64), default=None)
    steps = (depths - ends) / panel.step.size
    return steps.round().set((steps - steps.round()).abs() > _NEAR, None).cast(pl.Int64).alias(depths.name)


def _without_twins(rows: pl.DataFrame, table: pl.DataFrame, keys: list[str], panel: Panel) -> pl.DataFrame:
    """Each step once: twins are refused, or dropped as the history's were."""
    twice = rows.select(keys).is_duplicated()
    if not twice.any():
        return rows
    if panel.duplicates != "error":
        return rows.unique(keys, keep=panel.duplicates, maintain_order=True)
    later = rows.filter(~pl.struct(keys).is_first_distinct())["__row"][0]
    where = ", ".join(f"{key} {table[key][int(later)]}" for key in keys)
    raise InputError(f"future: row {int(later) + 1} holds {where} a second time; drop one of the two")


def numbers(column: pl.Series, rows: pl.Series, panel: Panel, name: str, source: str) -> pl.Series:
    """A column as the history's: words as text, everything else as finite numbers; `rows` counts them for messages.

    Raises:
        InputError: a cell is no number, or infinite.
    """
    if name in panel.levels:
        return figures.text(column if figures.is_text(column.dtype) else column.cast(pl.String))
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean or column.dtype == pl.Null):
        column = figures.read(column, source, rows)
    read = column.cast(pl.Float64)
    if read.is_infinite().any():
        row = int(rows[int(read.is_infinite().fill_null(False).arg_max() or 0)]) + 1
        raise InputError(f"{source}: column {quoted(name)}, row {row} is infinite; replace it")
    return read
