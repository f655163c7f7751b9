"""Several suites of many series side by side: errors as shares of the seasonal naive forecast's, ours and published.

Of a model that was run with several configurations the one counts whose first measure is lowest on validation. The
intervals of ours draw suites again and, within each, its series, ours and the naive forecast's together; those of
published lines, whose series are not known, suites alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, log
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tsrnn.board import beside
from tsrnn.board.difference import Numbers
from tsrnn.board.lines import LINE, measured
from tsrnn.board.own import own
from tsrnn.board.published import SHOWN, published
from tsrnn.board.remarks import uncounted, unstored
from tsrnn.board.rows import apart, existing, stem
from tsrnn.board.skill import standings
from tsrnn.console import show
from tsrnn.errors import InputError, listed
from tsrnn.suites import Suite

_DRAWS, _LEVEL = 500, 0.95
_NAIVE = "Seasonal naive"  # the published one, of which all are shares
CAPTION = (
    "Geometric means over suites of errors as shares of the published seasonal naive forecast's (its quantiles are "
    "statsforecast's; ours scores the same MASE to 0.0012). low, high: the 95 % interval, by drawing suites, of ours "
    "series too. wins: share of the other lines that a line is ahead of, a mean over suites. Lines with a class are "
    "published. A: fitted to each series; Z: zero-shot; T: trained on these series elsewhere, among others."
)


@dataclass
class _Line:
    """Of each suite that a line has: the measures, the mean over seeds of each series' first one, seconds of a fit."""

    model: str
    kind: str = ""  # class of a published line
    means: dict[str, dict[str, float]] = field(default_factory=dict)
    series: dict[str, Numbers] = field(default_factory=dict)
    seconds: float | None = None
    seeds: int | None = None


def stored(name: str, suites: Sequence[Suite], folder: Path, as_json: bool, others: int | None = None) -> None:
    """Print the group's lines, lowest share of the first measure first.

    Args:
        name: of the group.
        others: how many published lines are shown, the best first; None: all.

    Raises:
        InputError: a suite has no rows, or no published seasonal naive forecast.
    """
    found = existing(folder)
    here = set() if found is None else {*found["dataset"]}
    if lack := [suite.name for suite in suites if suite.name not in here]:
        missed = "no result rows" if len(lack) == len(suites) else f"no result rows of {listed(lack)}"
        raise InputError(f"{folder} holds {missed}; run `tsrnn bench {name}` or name another folder")
    records = lines(suites, folder)
    best = [record for record in records if record["class"]][:others]
    records = [record for record in records if not record["class"] or record in best]
    shown = [{name: _short(value) for name, value in record.items()} for record in records]
    lost = [f"{suite.name}: {said}" for suite in suites for said in _lost(apart(own(folder, suite))[0], suite, folder)]
    show(records if as_json else shown, as_json, " ".join((CAPTION, *lost)), keys=2)


def _lost(rows: pl.DataFrame, suite: Suite, folder: Path) -> list[str]:
    """What the group's board does not know of a suite."""
    return [said for remark in (unstored, uncounted) for said in remark(rows, suite.measures[:2], folder)]


def lines(suites: Sequence[Suite], folder: Path) -> list[dict[str, Any]]:
    """A record per line: shares, interval and wins over the suites, then its first measure of each suite."""
    first, second = suites[0].measures[:2]
    names, found = [suite.name for suite in suites], dict[tuple[str, str], _Line]()
    for suite in suites:
        _add_ours(found, suite, folder)
        _add_published(found, suite)
    base, naive = found.get((_NAIVE, "A")), found.get((str(suites[0].baseline), ""))
    if base is None or len(base.means) < len(names):
        raise InputError(f"no seasonal naive forecast was published of all of {', '.join(names)}; name other suites")
    every = list(found.values())
    scores = [np.array([[line.means.get(name, {}).get(first, np.nan) for name in names]]) for line in every]
    records = []
    for line, place in zip(every, standings(scores, names, every.index(base), draws=1), strict=True):
        low, high = _interval(line, naive, base, names, first)
        record = {"model": line.model, "class": line.kind, first: _share(line, base, first)}
        record |= {"low": low, "high": high, second: _share(line, base, second), "wins": place.wins}
        records.append(record | {"suites": len(line.means), "seeds": line.seeds, "s/fit": line.seconds})
        records[-1] |= {name: line.means.get(name, {}).get(first) for name in names}
    return sorted(records, key=lambda record: (record["suites"] < len(names), record[first]))


def _add_ours(found: dict[tuple[str, str], _Line], suite: Suite, folder: Path) -> None:
    first, chooses = suite.measures[0], f"val_{suite.measures[0]}"
    rows = measured(apart(own(folder, suite))[0], (*suite.measures[:2], chooses), folder)
    for (model,), part in rows.group_by("model", maintain_order=True):
        kept = min(
            (line for _, line in part.group_by(LINE, maintain_order=True)), key=lambda line: _mean(line, chooses)
        )
        means = {name: _mean(kept, name) for name in suite.measures[:2]}
        if not np.isfinite([*means.values()]).all():  # the line lacks this suite, as is said below the board
            continue
        line = found.setdefault((str(model), ""), _Line(str(model)))
        line.means[suite.name] = means
        line.seeds = max(line.seeds or 0, kept["seed"].n_unique())
        line.seconds = (line.seconds or 0.0) + _mean(kept, "seconds")
        tables = [beside.read(folder, "windows", stem(row)) for row in kept.iter_rows(named=True)]
        known = [table.sort("series")[first].to_numpy() for table in tables if table is not None]
        if known and len(known) == len(tables):
            line.series[suite.name] = np.mean(np.stack(known).astype(np.float64), 0)


def _mean(rows: pl.DataFrame, name: str) -> float:
    value = rows[name].mean()
    return float(value) if isinstance(value, int | float) else np.inf


def _add_published(found: dict[tuple[str, str], _Line], suite: Suite) -> None:
    table = published(suite.data, SHOWN)
    for row in table.iter_rows(named=True) if {*suite.measures[:2]} <= {*table.columns} else ():
        line = found.setdefault((row["model"], row["class"]), _Line(row["model"], row["class"]))
        line.means[suite.name] = {name: row[name] for name in suite.measures[:2]}


def _share(line: _Line, base: _Line, measure: str) -> float:
    """The geometric mean over the suites that a line has."""
    logs = [log(means[measure] / base.means[name][measure]) for name, means in line.means.items()]
    return exp(sum(logs) / len(logs))


def _interval(
    line: _Line, naive: _Line | None, base: _Line, names: Sequence[str], measure: str
) -> tuple[float | None, float | None]:
    """The interval of a line's share; None of a line that lacks a suite."""
    if len(line.means) < len(names) or line.model == base.model:
        return None, None
    rng, logs = np.random.default_rng(0), np.zeros((_DRAWS, len(names)))
    for k, name in enumerate(names):
        ours, theirs = line.series.get(name), None if naive is None else naive.series.get(name)
        if ours is None or theirs is None or len(ours) != len(theirs):
            logs[:, k] = log(line.means[name][measure] / base.means[name][measure])
            continue
        both = np.isfinite(ours) & np.isfinite(theirs)
        drawn = rng.integers(0, both.sum(), (_DRAWS, both.sum()))
        logs[:, k] = np.log(ours[both][drawn].mean(1) / theirs[both][drawn].mean(1))
    suites = rng.integers(0, len(names), (_DRAWS, len(names)))
    low, high = np.exp(np.quantile(np.take_along_axis(logs, suites, 1).mean(1), [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2]))
    return float(low), float(high)


def _short(value: Any) -> Any:
    return (
        f"{value:.0f}"
        if isinstance(value, float) and value >= 100
        else f"{value:.3f}"
        if isinstance(value, float)
        else value
    )
