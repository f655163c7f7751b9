"""Which lines of a board can be told apart: by their seeds, and by the windows they were scored on.

Two lines are told apart where all there is to judge by says so: their seeds' mean losses (Welch's t-test), and the
losses of their test windows, seeds averaged first, on windows that do not overlap. Where there are folds, what was held
out (a well, a station) takes the place of the windows. Every pair of a board is paid for (Holm).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tsrnn.board import difference
from tsrnn.board.difference import Difference, Numbers
from tsrnn.board.lines import over_folds
from tsrnn.board.rows import losses
from tsrnn.errors import InputError

LEVEL = 0.05


@dataclass(frozen=True)
class Pair:
    """Two lines by number, best first; what is not known is None. `p` is Holm's, over all pairs of the board."""

    first: int
    second: int
    p: float
    by_seeds: Difference | None
    by_windows: Difference | None
    places: tuple[Any, ...]  # those whose windows (or folds) were enough for a test

    @property
    def known(self) -> bool:
        """Whether there is anything to judge by."""
        return self.by_seeds is not None or self.by_windows is not None

    @property
    def told_apart(self) -> bool:
        return self.p < LEVEL


@dataclass(frozen=True)
class Units:
    """What judges a line at one place: losses [unit] by the units' names; those `spacing` apart share nothing."""

    names: npt.NDArray[Any]
    losses: Numbers
    spacing: int


def pairs(lines: Sequence[pl.DataFrame], by: str, measure: str, folder: Path | None = None) -> list[Pair]:
    """Every two of the lines, compared on the mean of a measure over the places that the column `by` names.

    Args:
        lines: rows of each line, best line first; each has every place.
        folder: where the rows come from, and the losses of their windows; None: the seeds alone judge.
    """
    places = sorted({place for line in lines for place in line[by].unique()})
    seeds = _seeds(lines, by, measure)

    @cache
    def units(line: int, place: Any) -> Units | None:
        return None if folder is None else _units(lines[line].filter(pl.col(by) == place), by, measure, folder)

    found = []
    for i, j in combinations(range(len(lines)), 2):
        parts = {place: _difference(units(i, place), units(j, place)) for place in places}
        known = {place: part for place, part in parts.items() if part is not None}
        by_windows = difference.averaged(list(known.values())) if known else None
        by_seeds = _welch(seeds[i], seeds[j])
        p = max((each.p for each in (by_seeds, by_windows) if each is not None), default=1.0)
        found.append(Pair(i, j, p, by_seeds, by_windows, tuple(known)))
    adjusted = difference.holm(np.array([pair.p for pair in found]))
    return [Pair(**{**vars(pair), "p": float(p)}) for pair, p in zip(found, adjusted, strict=True)]


def groups(lines: int, compared: Sequence[Pair]) -> list[int]:
    """The tie group of each of the `lines`, best first; see `tsrnn.board.difference.groups`."""
    told_apart = np.zeros((lines, lines), bool)
    for pair in compared:
        told_apart[pair.first, pair.second] = told_apart[pair.second, pair.first] = pair.told_apart
    return difference.groups(told_apart)


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
    spreads = [(float(each.std(ddof=1)), len(each) - 1) for each in values if len(each) > 1]
    if not spreads:
        return [None] * len(values)
    widest, freedom = max(spread for spread, _ in spreads), sum(freedom for _, freedom in spreads)
    found: list[Difference | None] = []
    for line, each in zip(lines, values, strict=True):
        count = len(each)
        if not count:
            found.append(None)
        elif not _drawn(line):
            found.append(Difference(float(each.mean()), 0.0, 1, count))
        elif count == 1:
            found.append(Difference(float(each[0]), widest, freedom, 1))
        else:
            found.append(Difference(float(each.mean()), float(each.std(ddof=1)) / count**0.5, count - 1, count))
    return found


def _drawn(line: pl.DataFrame) -> bool:
    """Whether a seed can matter: a naive or a solved model has no epochs."""
    return "epochs" not in line.columns or bool((line["epochs"].fill_null(1) > 0).any())


def _welch(first: Difference | None, second: Difference | None) -> Difference | None:
    """The difference of two means over seeds, with Welch's degrees of freedom."""
    if first is None or second is None:
        return None
    squares = np.array([first.error, second.error]) ** 2
    parts = float((squares**2 / [first.freedom, second.freedom]).sum())
    freedom = float(squares.sum()) ** 2 / parts if parts > 0 else first.freedom + second.freedom
    return Difference(first.mean - second.mean, float(squares.sum()) ** 0.5, freedom, first.count + second.count)


def _units(rows: pl.DataFrame, by: str, measure: str, folder: Path) -> Units | None:
    """What a line's rows at one place are judged by, means over seeds: its folds, or else its test windows.

    Of windows, series at the same step count once. A window's loss covers the whole horizon, so that by another column
    there are none.
    """
    if rows["fold"].n_unique() > 1:
        mean = rows.group_by("fold").agg(pl.col(measure).mean()).sort("fold")
        return Units(mean["fold"].to_numpy(), mean[measure].to_numpy(), 1)
    tables = [table for row in rows.iter_rows(named=True) if (table := losses(folder, row)) is not None]
    if by != "horizon" or not tables or any(measure not in table.columns for table in tables):
        return None
    whole = pl.concat([table.select("step", measure) for table in tables])
    mean = whole.group_by("step").agg(pl.col(measure).cast(pl.Float64).drop_nans().mean()).sort("step")
    return Units(mean["step"].to_numpy(), mean[measure].to_numpy(), rows[by][0])


def _difference(first: Units | None, second: Units | None) -> Difference | None:
    """The test on the units that both have; None where they are too few."""
    if first is None or second is None:
        return None
    names, i, j = np.intersect1d(first.names, second.names, assume_unique=True, return_indices=True)
    steps = names if names.dtype.kind == "i" else np.arange(len(names))
    try:
        return difference.spaced(first.losses[i], second.losses[j], first.spacing, steps)
    except InputError:
        return None


def named(compared: Pair, names: Sequence[str]) -> Mapping[str, Any]:
    """A pair as a record for a table: who, by how much (windows first, else seeds), how sure, and by what."""
    by = compared.by_windows or compared.by_seeds
    low, high = (None, None) if by is None else by.interval()
    return {
        "first": names[compared.first],
        "second": names[compared.second],
        "difference": None if by is None else by.mean,
        "low": low,
        "high": high,
        "p": compared.p,
        "told apart": compared.told_apart,
        "windows": None if compared.by_windows is None else compared.by_windows.count,
        "horizons": ",".join(map(str, compared.places)),
        "seeds": None if compared.by_seeds is None else compared.by_seeds.count,
    }
