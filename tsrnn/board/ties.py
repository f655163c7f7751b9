"""Which lines of a board can be told apart: by their seeds, and by the windows they were scored on.

A line is all rows of one model, track and configuration. Two lines are told apart where all there is to judge by says
so: their seeds' mean losses (Welch's t-test), and the losses of their test windows, seeds averaged first, on windows
that do not overlap. Every pair of a board is paid for (Holm). Over data sets, mean ranks take the place of losses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tsrnn.board import difference
from tsrnn.board.difference import Difference, Numbers, Steps
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
    horizons: tuple[int, ...]  # those whose windows were enough for a test

    @property
    def known(self) -> bool:
        """Whether there is anything to judge by."""
        return self.by_seeds is not None or self.by_windows is not None

    @property
    def told_apart(self) -> bool:
        return self.p < LEVEL


def pairs(lines: Sequence[pl.DataFrame], horizons: Sequence[int], folder: Path | None = None) -> list[Pair]:
    """Every two of the lines, compared on the mean MSE over `horizons`.

    Args:
        lines: rows of each line, best line first; each has every horizon.
        folder: where the rows come from, and the losses of their windows; None: the seeds alone judge.
    """
    seeds = _seeds(lines, horizons)

    @cache
    def on_windows(line: int, horizon: int) -> tuple[Steps, Numbers] | None:
        return None if folder is None else _losses(lines[line], horizon, folder)

    found = []
    for i, j in combinations(range(len(lines)), 2):
        parts = {each: _difference(on_windows(i, each), on_windows(j, each), each) for each in horizons}
        known = {each: part for each, part in parts.items() if part is not None}
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


def standings(rows: pl.DataFrame) -> pl.DataFrame:
    """Models over all data sets in `rows`, lowest mean rank first; those that lack a task come last.

    A model's number on a task (data set and horizon) is its mean MSE over seeds, of the configuration that is lowest on
    validation. Ranks on a task are averaged over a data set's horizons, which share its rows: what is independent, and
    resampled, is the data set. Below `difference.LEAST_TASKS` of them there are neither groups nor p.

    Columns: group, model, track, tasks (how many it has), rank, low, high (95 % interval of the rank), wins (share of
    tasks on which it is the lowest), p (signed ranks of the log MSE against the first line, with Holm).

    Raises:
        InputError: fewer than two data sets, or no model has every task.
    """
    scores = _scores(rows)
    names = [tuple(key) for key in scores.select("model", "track").iter_rows()]
    table = scores.drop("model", "track").to_numpy()  # [line task]
    whole = np.isfinite(table).all(1)
    if not whole.any():
        raise InputError("no model has a row for every data set and horizon; name one data set to see its board")
    of = np.array([name.rpartition(" ")[0] for name in scores.columns[2:]])  # [task]
    sets = np.unique(of)
    ranks, logs = _ranks(table[whole]), np.log(np.maximum(table[whole], np.finfo(float).tiny))
    per_set = [np.stack([each[:, of == name].mean(1) for name in sets], 1) for each in (ranks, logs)]
    means, ends = difference.mean_ranks(per_set[0])
    order = np.argsort(means, kind="stable")
    enough = len(sets) >= difference.LEAST_TASKS
    together: list[int | None] = [None] * len(order)
    p: list[float | None] = [None] * len(order)
    if enough:
        together = [*difference.groups(difference.ranked_apart(means[order], ends[order], len(sets)))]
        against = [difference.wilcoxon(per_set[1][order[0]], per_set[1][line]) for line in order[1:]]
        p[1:] = [float(each) for each in difference.holm(np.array(against))]
    best = (ranks == ranks.min(0)).mean(1)
    found: list[dict[str, Any]] = []
    lines = np.flatnonzero(whole)
    for place, line in enumerate(order):
        model, track = names[lines[line]]
        low, high = (float(end) for end in ends[line])
        measured = {"tasks": table.shape[1], "rank": float(means[line]), "low": low, "high": high}
        end = {"wins": float(best[line]), "p": p[place]}
        found.append({"group": together[place], "model": model, "track": track, **measured, **end})
    for line in np.flatnonzero(~whole):
        lacking = dict.fromkeys(("rank", "low", "high", "wins", "p"))
        tasks = int(np.isfinite(table[line]).sum())
        found.append({"group": None, "model": names[line][0], "track": names[line][1], "tasks": tasks, **lacking})
    return pl.DataFrame(found, infer_schema_length=None)


def _by_seed(line: pl.DataFrame, horizons: Sequence[int]) -> Numbers:
    """The mean MSE over horizons of each seed that has them all: [seed]."""
    at = line.filter(pl.col("horizon").is_in(list(horizons)))
    seeds = at.group_by("seed", maintain_order=True).agg(pl.col("mse").mean(), pl.col("horizon").n_unique())
    return seeds.filter(pl.col("horizon") == len(horizons))["mse"].to_numpy()


def _seeds(lines: Sequence[pl.DataFrame], horizons: Sequence[int]) -> list[Difference | None]:
    """Each line's mean over seeds with its error.

    A line of one seed is given the widest spread on the board, and the freedom of all spreads there. A line for which
    nothing is drawn has no spread. Where no line has two seeds, or a line has none that is whole, nothing is known.
    """
    values = [_by_seed(line, horizons) for line in lines]
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


def _losses(line: pl.DataFrame, horizon: int, folder: Path) -> tuple[Steps, Numbers] | None:
    """Steps and MSE [window] of a line at a horizon: means over its seeds, and over series at the same step."""
    rows = line.filter(pl.col("horizon") == horizon).iter_rows(named=True)
    tables = [table for row in rows if (table := losses(folder, row)) is not None]
    if not tables:
        return None
    mean = pl.concat(tables).group_by("step").agg(pl.col("mse").cast(pl.Float64).drop_nans().mean()).sort("step")
    return mean["step"].to_numpy(), mean["mse"].to_numpy()


def _difference(
    first: tuple[Steps, Numbers] | None, second: tuple[Steps, Numbers] | None, horizon: int
) -> Difference | None:
    """The test on the windows that both have; None where they are too few."""
    if first is None or second is None:
        return None
    steps, i, j = np.intersect1d(first[0], second[0], assume_unique=True, return_indices=True)
    try:
        return difference.spaced(first[1][i], second[1][j], horizon, steps)
    except InputError:
        return None


def _scores(rows: pl.DataFrame) -> pl.DataFrame:
    """model, track, and a column of mean MSE per task, named "<data set> <its checksum> <horizon>"."""
    line = ["dataset", "sha256", "model", "track"]
    configured = [*line, "input_size", "config"]
    chosen = (
        rows.group_by(configured, maintain_order=True)
        .agg(pl.col("horizon").n_unique(), pl.col("val_mse").mean())
        .sort(["horizon", "val_mse"], descending=[True, False], nulls_last=True, maintain_order=True)
        .unique(line, keep="first", maintain_order=True)
    )
    kept = rows.join(chosen.select(configured), on=configured, how="semi")
    task = pl.format("{} {} {}", "dataset", "sha256", "horizon").alias("task")
    means = kept.group_by([*line, "horizon"], maintain_order=True).agg(pl.col("mse").mean()).with_columns(task)
    return means.pivot("task", index=["model", "track"], values="mse")


def _ranks(scores: Numbers) -> Numbers:
    """Places [line task] from 1, equal scores sharing the mean of theirs."""
    below = (scores[None] < scores[:, None]).sum(1)
    same = (scores[None] == scores[:, None]).sum(1)
    ranks: Numbers = below + (same + 1) / 2
    return ranks


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
        "horizons": ",".join(map(str, compared.horizons)),
        "seeds": None if compared.by_seeds is None else compared.by_seeds.count,
    }
