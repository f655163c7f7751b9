"""Which lines of a board can be told apart: by the windows they were scored on, with the spread of their seeds added.

Two lines are compared on the losses of their test windows, seeds averaged first; that the seeds of a line differ makes
its mean less sure, and is added to the error. Where there are folds, what was held out (a well, a station) takes the
place of the windows, and on a board by lead, or where each has one window, the series of the test do. Seeds alone judge
nothing: they are drawn again on the same windows, and two lines that are equal in truth are called different by them in
most worlds. Without losses the answer is "not known".

Groups need the comparisons with the leader alone, paid for by Holm. Whichever line leads by luck, the line that is best
in truth is put behind it in at most 5 % of worlds (Hsu 1984, Constrained simultaneous confidence intervals for multiple
comparisons with the best). That none of many equal lines is put behind is not promised: of 5 equal ones some line is
in 10 % of worlds, of 24 in 21 %, and each one in 1 to 2 %.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tsrnn.board import beside, difference
from tsrnn.board.difference import Difference, Numbers
from tsrnn.board.lines import over_folds
from tsrnn.board.rows import losses, stem
from tsrnn.errors import InputError

LEVEL = 0.05


@dataclass(frozen=True)
class Pair:
    """Two lines by number, best first. `difference` and `p` are None where losses of windows (or folds) are missing.

    `difference` is over the places whose windows were enough for a test; `p` is Holm's once paid for with others.
    """

    first: int
    second: int
    mean: float  # the first line's mean over all places, less the second's
    difference: Difference | None = None
    windows: int | None = None
    seeds: int | None = None  # None: of no line is there more than one
    places: tuple[Any, ...] = ()
    p: float | None = None

    @property
    def told_apart(self) -> bool | None:
        return None if self.p is None else self.p < LEVEL


@dataclass(frozen=True)
class Units:
    """What judges a line at one place: losses [unit] by the units' names. Windows overlap by a horizon, folds never."""

    names: npt.NDArray[Any]
    losses: Numbers
    horizon: int | None  # None: folds


class Judge:
    """Compares lines on the mean of a measure over the places that the column `by` names.

    Args:
        lines: rows of each line, best line first; each has every place.
        folder: where the rows come from, and the losses of their windows; None: there are none.
    """

    def __init__(self, lines: Sequence[pl.DataFrame], by: str, measure: str, folder: Path | None = None) -> None:
        self.lines, self.by, self.measure, self.folder = lines, by, measure, folder
        self.places = sorted({place for line in lines for place in line[by].unique()})
        self.means = [float(np.mean(_by_place(line, by, measure))) for line in lines]
        self._units = cache(self._read)
        self._spread = cache(self._over_seeds)

    def pair(self, first: int, second: int) -> Pair:
        """Two lines, as if they were the only ones."""
        parts = {place: _difference(self._units(first, place), self._units(second, place)) for place in self.places}
        known = {place: part for place, part in parts.items() if part is not None}
        one, other = (self._spread(tuple(known or parts))[line] for line in (first, second))
        seeds = None if one is None or other is None else difference.welch(one, other, one.mean - other.mean)
        count = None if seeds is None else seeds.count
        blank = Pair(first, second, self.means[first] - self.means[second], seeds=count, places=tuple(known))
        if not known:
            return blank
        total = by_windows = difference.averaged(list(known.values()))
        if seeds is not None and seeds.error:
            total = difference.welch(by_windows, seeds, by_windows.mean)
        return replace(blank, difference=total, p=total.p, windows=by_windows.count)

    def _read(self, line: int, place: Any) -> Units | None:
        if self.folder is None:
            return None
        return _units(self.lines[line].filter(pl.col(self.by) == place), self.by, self.measure, self.folder)

    def _over_seeds(self, places: tuple[Any, ...]) -> list[Difference | None]:
        within = [line.filter(pl.col(self.by).is_in(list(places))) for line in self.lines]
        return _seeds(within, self.by, self.measure)


def pairs(lines: Sequence[pl.DataFrame], by: str, measure: str, folder: Path | None = None) -> list[Pair]:
    """Every two of the lines, each p paid for with the others of the same first line; arguments as of `Judge`.

    So the leader's are those that `groups` goes by.
    """
    judge, every = Judge(lines, by, measure, folder), range(len(lines))
    return [pair for first in every for pair in _paid([judge.pair(first, second) for second in every[first + 1 :]])]


def groups(lines: Sequence[pl.DataFrame], by: str, measure: str, folder: Path | None = None) -> list[int | None]:
    """Tie groups, numbered from 1: the group of each line, None where it is not known; arguments as of `Judge`.

    The best line opens a group, and each line that is not told apart from it joins; of the others, the best one opens
    the next. A line that cannot be compared with the leader has no group, and where none can, there are no groups.
    """
    judge, left, number = Judge(lines, by, measure, folder), list(range(len(lines))), 0
    together: list[int | None] = [None] * len(lines)
    while left:
        leader, number = left[0], number + 1
        compared = _paid([judge.pair(leader, line) for line in left[1:]])
        if number == 1 and all(pair.p is None for pair in compared):
            return together
        for line in (leader, *(pair.second for pair in compared if pair.told_apart is False)):
            together[line] = number
        left = [pair.second for pair in compared if pair.told_apart]
    return together


def _paid(compared: Sequence[Pair]) -> list[Pair]:
    """Comparisons with one line, paid for together; those not known count, for their lines might have led, too."""
    adjusted = difference.holm(np.array([1.0 if pair.p is None else pair.p for pair in compared]))
    return [pair if pair.p is None else replace(pair, p=float(p)) for pair, p in zip(compared, adjusted, strict=True)]


def _by_place(line: pl.DataFrame, by: str, measure: str) -> list[float]:
    """The mean at each place, of means over folds."""
    means = over_folds(line, by, (measure,)).group_by(by, maintain_order=True).agg(pl.col(measure).mean())
    return [float("nan") if mean is None else mean for mean in means[measure]]


def _by_seed(line: pl.DataFrame, by: str, measure: str) -> Numbers:
    """The mean over places of each seed that has them all: [seed]."""
    seeds = line.group_by("seed", maintain_order=True).agg(pl.col(measure).mean(), pl.col(by).n_unique())
    return seeds.filter(pl.col(by) == line[by].n_unique())[measure].to_numpy()


def _seeds(lines: Sequence[pl.DataFrame], by: str, measure: str) -> list[Difference | None]:
    """Each line's mean over seeds with its error.

    A line of one seed is given the widest spread on the board, and the freedom of all spreads there. A line for which
    nothing is drawn has no spread. Where no line has two seeds, or a line has none that is whole, nothing is known.
    """
    values = [_by_seed(over_folds(line, by, (measure,)), by, measure) for line in lines]
    spreads = [(float(seeds.std(ddof=1)), len(seeds) - 1) for seeds in values if len(seeds) > 1]
    if not spreads:
        return [None] * len(values)
    widest, freedom = max(spread for spread, _ in spreads), sum(freedom for _, freedom in spreads)
    means: list[Difference | None] = []
    for line, seeds in zip(lines, values, strict=True):
        count = len(seeds)
        if not count:
            means.append(None)
        elif not _drawn(line):
            means.append(Difference(float(seeds.mean()), 0.0, 1, count))
        elif count == 1:
            means.append(Difference(float(seeds[0]), widest, freedom, 1))
        else:
            means.append(Difference(float(seeds.mean()), float(seeds.std(ddof=1)) / count**0.5, count - 1, count))
    return means


def _drawn(line: pl.DataFrame) -> bool:
    """Whether a seed can matter: a naive or a solved model has no epochs."""
    return "epochs" not in line.columns or bool((line["epochs"].fill_null(1) > 0).any())


def _units(rows: pl.DataFrame, by: str, measure: str, folder: Path) -> Units | None:
    """What a line's rows at one place are judged by, means over seeds: its folds, or else its test windows.

    At a lead the series that the test holds take the place of windows, as folds do, and so do they where each has one
    window. Of windows, series at the same step count once, and every row must have its own. A window's loss covers the
    whole horizon, so that by another column there are none.
    """
    if rows["fold"].n_unique() > 1:
        mean = rows.group_by("fold").agg(pl.col(measure).mean()).sort("fold")
        return Units(mean["fold"].to_numpy(), mean[measure].to_numpy(), None)
    if by == "lead":
        return _series(rows, measure, folder)
    if by != "horizon":
        return None
    tables = [losses(folder, row) for row in rows.iter_rows(named=True)]
    stored = [table for table in tables if table is not None and measure in table.columns]
    if not stored or len(stored) < len(tables):
        return None
    alone = all(1 < table.height == table["series"].n_unique() for table in stored)
    unit = "series" if alone else "step"
    cells = pl.concat([table.select(unit, measure) for table in stored])
    mean = cells.group_by(unit).agg(pl.col(measure).cast(pl.Float64).drop_nans().mean()).sort(unit)
    return Units(mean[unit].to_numpy(), mean[measure].to_numpy(), None if alone else rows[by][0])


def _series(rows: pl.DataFrame, measure: str, folder: Path) -> Units | None:
    """The measure of each series at the rows' lead; None where a row has none, or the test holds one series alone."""
    wanted = (pl.col("measure") == measure) & (pl.col("lead") == rows["lead"][0]) & pl.col("series").is_not_null()
    tables = [beside.read(folder, "measures", stem(row)) for row in rows.iter_rows(named=True)]
    if any(table is None for table in tables):
        return None
    cells = pl.concat([table.filter(wanted) for table in tables if table is not None])
    mean = cells.group_by("series").agg(pl.col("value").mean()).sort("series")
    return Units(mean["series"].to_numpy(), mean["value"].to_numpy(), None) if mean.height > 1 else None


def _difference(first: Units | None, second: Units | None) -> Difference | None:
    """The test on the units that both have; None where they are too few."""
    if first is None or second is None or (first.horizon is None) != (second.horizon is None):
        return None
    names, i, j = np.intersect1d(first.names, second.names, assume_unique=True, return_indices=True)
    try:
        if first.horizon is None:
            return difference.paired(first.losses[i], second.losses[j])
        return difference.cosine(first.losses[i], second.losses[j], first.horizon, names)
    except InputError:
        return None


def named(compared: Pair, names: Sequence[str]) -> Mapping[str, Any]:
    """A pair as a record for a table: who, by how much (over its horizons, or else over all), how sure, and by what."""
    total = compared.difference
    low, high = (None, None) if total is None else total.interval()
    return {
        "first": names[compared.first],
        "second": names[compared.second],
        "difference": compared.mean if total is None else total.mean,
        "low": low,
        "high": high,
        "p": compared.p,
        "told apart": compared.told_apart,
        "windows": compared.windows,
        "horizons": ",".join(map(str, compared.places)),
        "seeds": compared.seeds,
    }
