"""Where the errors lie: by step ahead, channel, month and series, of the lines that stored it (`board/beside.py`)."""

from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path

import polars as pl

from tsrnn.board import beside
from tsrnn.board.rows import stem
from tsrnn.suites import Suite

AXES = {"lead": "Error by step ahead", "channel": "Error by channel", "month": "Error by time of year"}
Table = tuple[list[str], dict[str, list[float]]]  # places, and each line's values there


def by_axis(lines: Mapping[str, pl.DataFrame], axis: str, measure: str, horizon: int, folder: Path) -> Table | None:
    """What the lines stored of one axis at one horizon, means over seeds and folds; None where none did."""
    found: dict[str, dict[str, float]] = {}
    for name, rows in lines.items():
        tables = [beside.read(folder, "slices", stem(row)) for row in rows.filter(horizon=horizon).to_dicts()]
        stored = [table.filter(axis=axis, measure=measure) for table in tables if table is not None]
        if stored and (long := pl.concat(stored)).height:
            means = long.group_by("at", maintain_order=True).agg(pl.col("value").mean())
            found[name] = dict(means.iter_rows())
    return _table(found)


def by_lead(lines: Mapping[str, pl.DataFrame], suite: Suite, measure: str) -> Table | None:
    """A board by lead, as lines over its leads."""
    if not suite.leads:
        return None
    named = dict(zip(suite.leads, map(str, suite.said_leads), strict=True))
    found = {}
    for name, rows in lines.items():
        means = rows.group_by("lead", maintain_order=True).agg(pl.col(measure).mean()).drop_nulls()
        found[name] = {named[lead]: value for lead, value in means.iter_rows()}
    return _table(found)


def by_place(lines: Mapping[str, pl.DataFrame], by: str, measure: str) -> Table | None:
    """A board by horizon, as lines over its horizons."""
    found = {}
    for name, rows in lines.items():
        means = rows.group_by(by).agg(pl.col(measure).mean()).sort(by)
        found[name] = {str(place): value for place, value in means.iter_rows()}
    table = _table(found)
    return table if table is not None and len(table[0]) > 1 else None


def by_series(lines: Mapping[str, pl.DataFrame], measure: str, folder: Path) -> Table | None:
    """Each series (a well, a station) over all leads, means over seeds; None where there is one alone, or nothing."""
    found: dict[str, dict[str, float]] = {}
    for name, rows in lines.items():
        keys = rows.unique(["horizon", "seed", "fold"], keep="first", maintain_order=True).to_dicts()
        tables = [beside.read(folder, "measures", stem(row)) for row in keys]
        stored = [_whole(table, measure) for table in tables if table is not None]
        if stored and (long := pl.concat(stored)).height:
            means = long.group_by("series", maintain_order=True).agg(pl.col("value").mean())
            found[name] = dict(means.iter_rows())
    table = _table(found)
    return table if table is not None and len(table[0]) > 1 else None


def _whole(table: pl.DataFrame, measure: str) -> pl.DataFrame:
    return table.filter(pl.col("series").is_not_null() & pl.col("lead").is_null() & (pl.col("measure") == measure))


def _table(found: Mapping[str, Mapping[str, float]]) -> Table | None:
    places = _order([place for values in found.values() for place in values])
    if not places:
        return None
    return places, {name: [values.get(place, nan) for place in places] for name, values in found.items() if values}


def _order(places: Sequence[str]) -> list[str]:
    """Places as they came, whole numbers by size."""
    unique = list(dict.fromkeys(places))
    return sorted(unique, key=int) if all(place.isdigit() for place in unique) else unique
