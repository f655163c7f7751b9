"""Forecasts of a few test windows, of the lines that stored them: several lines over the same truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tsrnn.board import beside
from tsrnn.board.rows import stem
from tsrnn.page import figures

MOST = 24  # pictures on a page
LINES = 4  # forecasts in one picture


@dataclass(frozen=True)
class Window:
    """A picture of one window: where it is, and what it shows."""

    title: str
    drawn: str


def windows(lines: Mapping[str, pl.DataFrame], folder: Path) -> list[Window]:
    """Pictures by horizon, target and window; `lines` are those to show, the best first, by name.

    A line's forecasts are those of its first seed that has any.
    """
    told = _told(lines, folder)
    if told is None:
        return []
    found = []
    colours = {name: k for k, name in enumerate(list(dict.fromkeys(told["line"]))[:LINES])}
    keys = ["horizon", "target", "series", "start"]
    for key, part in told.filter(pl.col("line").is_in(list(colours))).group_by(keys, maintain_order=True):
        horizon, target, series, _ = (str(each) for each in key)
        of = "" if told["series"].n_unique() == 1 else f" of {series}"
        title = f"{target}{of}, {horizon} steps from {part['at'][0]}"
        found.append(Window(title, _drawn(title, target, part, colours)))
    every = -(-len(found) // MOST) if found else 1
    return found[::every]


def _told(lines: Mapping[str, pl.DataFrame], folder: Path) -> pl.DataFrame | None:
    tables, shown = [], 0
    for name, rows in lines.items():
        stored = list(_stored(rows, folder))
        if stored and shown < LINES:
            tables += [table.with_columns(line=pl.lit(name), horizon=horizon) for horizon, table in stored]
            shown += 1
    return pl.concat(tables).sort("horizon", maintain_order=True) if tables else None


def _stored(rows: pl.DataFrame, folder: Path) -> "list[tuple[pl.Expr, pl.DataFrame]]":
    """The samples of the first seed at each horizon, and of each fold."""
    found, seen = [], set()
    for row in rows.sort("horizon", "fold", "seed").iter_rows(named=True):
        key = (row["horizon"], row["fold"])
        table = None if key in seen else beside.read(folder, "samples", stem(row))
        if table is not None:
            seen.add(key)
            found.append((pl.lit(row["horizon"], pl.Int64), table))
    return found


def _drawn(title: str, target: str, part: pl.DataFrame, colours: Mapping[str, int]) -> str:
    """One picture; every line has the same steps and the same truth."""
    lines = dict(iter(part.group_by("line", maintain_order=True)))
    first = next(iter(lines.values())).sort("step")
    steps = first["step"].to_list()
    forecasts, intervals = {}, {}
    for (name,), table in lines.items():
        table = first.select("step").join(table, on="step", how="left", maintain_order="left")
        numbers = {each: table[each].fill_null(float("nan")).to_list() for each in ("forecast", "low", "high")}
        forecasts[str(name)] = numbers["forecast"]
        if table["low"].is_not_null().any():
            intervals[str(name)] = (numbers["low"], numbers["high"])
    measured = first["measured"].fill_null(float("nan")).to_list()
    sample = figures.Sample(steps, measured, forecasts, intervals)
    ends = ", ".join(forecasts)
    return figures.sample(title, sample, target, colours, f"{title}: what was measured, and the forecasts of {ends}")
