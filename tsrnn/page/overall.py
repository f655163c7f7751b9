"""What the page of many data sets says: every line over all tasks, who is ahead of whom, and each task's numbers.

A task is a data set and a horizon; its number is the mean over folds and seeds, of the configuration that is lowest on
validation. Errors of different data sets meet only as shares of the baseline's.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tsrnn.board import skill
from tsrnn.board.difference import LEAST_TASKS, Numbers
from tsrnn.board.ranks import chosen, several
from tsrnn.board.rows import apart, read
from tsrnn.metrics import USUAL
from tsrnn.page import cells, figures, origin
from tsrnn.page.drawn import Picture
from tsrnn.page.entries import NAIVE

_KEYS = ["dataset", "sha256", "horizon"]
Name = tuple[str, str]  # model and track


def overall(folder: Path) -> dict[str, Any]:
    """The context of `templates/overall.html`.

    Raises:
        InputError: there are fewer than two data sets, or a file is damaged.
    """
    rows = apart(read(folder))[0]
    best, measure = chosen(rows), USUAL[0]
    tasks = best.select(_KEYS).unique().sort(_KEYS)
    sets = sorted(several(rows, best, measure))
    names, scores = _scores(best, tasks, measure)
    base = _baseline(names, scores)
    units = tasks["dataset"].to_list()
    found = skill.standings(scores, units, base)
    order = sorted(range(len(names)), key=lambda k: _order(found[k]))
    lines = [(names[k], scores[k], found[k], f"a{k}") for k in order]
    means = np.stack([_mean(each) for _, each, _, _ in lines])  # [line task]
    baseline = None if base is None else _said(names[base])
    labels = [f"{name} {horizon}" for name, _, horizon in tasks.iter_rows()]
    texts = [_line(line, rows, baseline is not None) for line in lines]
    return {
        "title": "All data sets",
        "kind": "overall",
        "facts": _facts(rows, sets, len(labels)),
        "columns": ["tasks", *(["skill %"] if baseline else []), "wins %", "rank", "seeds", "s/fit"],
        "lines": texts,
        "baseline": baseline,
        "verdict": _verdict(lines, sets, len(labels)),
        "picture": _picture(lines),
        "heat": cells.heat(_relative(labels, lines, means, None if base is None else order.index(base)), relative=True),
        "matrix": _matrix(lines, means),
        "measure": cells.words(measure),
    }


def _scores(best: pl.DataFrame, tasks: pl.DataFrame, measure: str) -> tuple[list[Name], list[Numbers]]:
    """Model and track of every line, and its numbers [seed task]."""
    placed = best.join(tasks.with_row_index("task"), on=_KEYS)
    names, scores = [], []
    for (model, track), part in placed.group_by("model", "track", maintain_order=True):
        seeds = {seed: k for k, seed in enumerate(sorted(part["seed"].unique()))}
        table = np.full((len(seeds), tasks.height), np.nan)
        for seed, task, value in part.select("seed", "task", measure).iter_rows():
            table[seeds[seed], task] = np.nan if value is None else value
        names.append((str(model), str(track)))
        scores.append(table)
    return names, scores


def _baseline(names: Sequence[Name], scores: Sequence[Numbers]) -> int | None:
    """The naive line that has the most tasks."""
    naive = [k for k, (model, _) in enumerate(names) if model in NAIVE]
    return max(naive, key=lambda k: (np.isfinite(scores[k]).any(0).sum(), -NAIVE.index(names[k][0])), default=None)


def _order(standing: skill.Standing) -> tuple[float, float]:
    behind = -standing.skill if standing.skill is not None else 0.0
    return (np.inf if standing.rank is None else standing.rank, behind)


def _mean(scores: Numbers) -> Numbers:
    seen = np.isfinite(scores)
    with np.errstate(invalid="ignore"):
        mean: Numbers = np.where(seen, scores, 0).sum(0) / seen.sum(0)
    return mean


def _said(name: Name) -> str:
    return f"{name[0]} ({name[1]})"


def _line(line: Any, rows: pl.DataFrame, skilled: bool) -> dict[str, Any]:
    (model, track), _, standing, anchor = line
    own = rows.filter((pl.col("model") == model) & (pl.col("track") == track))
    texts = [str(standing.tasks), *(each[0] for each in cells.standing(standing, skilled))]
    texts += [str(own["seed"].n_unique()), f"{sum(own['seconds'].drop_nulls()) / own.height:.0f}"]
    shared = {name: value for name, value in origin.shared(own).items() if name not in ("sha256", "threads")}
    asked = own.group_by("dataset", maintain_order=True).agg(pl.col("horizon").unique(), pl.col("seed").unique())
    commands = [_command(model, *each) for each in asked.iter_rows()]
    return {"model": model, "track": track, "cells": texts, "anchor": anchor, "shared": shared, "commands": commands}


def _command(model: str, name: str, horizons: list[int], seeds: list[int]) -> str:
    """Of one data set's rows; the data set's own page has the file that goes with it."""
    words = ["tsrnn", "bench", name, "--full", "--models", model]
    return shlex.join([*words, "--horizons", origin.numbers(horizons), "--seeds", origin.numbers(seeds)])


def _facts(rows: pl.DataFrame, sets: Sequence[str], tasks: int) -> dict[str, str]:
    return {
        "data sets": f"{len(sets)}: {', '.join(sets)}" if len(sets) <= 12 else str(len(sets)),
        "tasks": f"{tasks}: a data set and a horizon each",
        "rows": f"{rows.height:,}",
        "hardware": origin.listed(rows["hardware"]),
        "measured": origin.span(rows["finished"]),
    }


def _verdict(lines: Sequence[Any], sets: Sequence[str], tasks: int) -> str:
    """Who leads, as far as intervals of the rank can say."""
    whole = [line for line in lines if line[2].rank is not None]
    if not whole:
        return "No line has every task, so there are no ranks; skill is over the tasks that a line has."
    if len(sets) < LEAST_TASKS:
        few = f"{len(sets)} data sets are too few to name a winner; {LEAST_TASKS} are needed."
        return f"{_said(whole[0][0])} has the lowest mean rank of {len(whole)} lines with all {tasks} tasks. {few}"
    high = whole[0][2].rank_interval[1]
    together = [_said(line[0]) for line in whole if line[2].rank_interval[0] <= high]
    if len(together) == 1:
        return f"{together[0]} has the lowest mean rank, and its interval lies below all others."
    return f"No winner can be named: the rank intervals of {', '.join(together)} overlap."


def _picture(lines: Sequence[Any]) -> Picture:
    marks = [
        figures.Mark(_said(name), standing.rank, *standing.rank_interval)
        for name, _, standing, _ in lines
        if standing.rank is not None
    ]
    first = ", ".join(f"{each.name} {each.value:.3g}" for each in marks[:5])
    said = f"Mean rank over tasks with its 95 % interval: {first}"
    drawn = figures.intervals("ranks", marks, "mean rank", said) if len(marks) > 1 else ""
    return Picture("Mean rank and its interval", drawn, "By drawing data sets, and each line's seeds, again.")


def _relative(labels: list[str], lines: Sequence[Any], means: Numbers, base: int | None) -> Any:
    under = means[base] if base is not None else np.nanmin(means, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = means / under
    return labels, {_said(line[0]): row.tolist() for line, row in zip(lines, shares, strict=True)}


def _matrix(lines: Sequence[Any], means: Numbers) -> dict[str, Any] | None:
    """How often, in per cent of the tasks that both have, the row's line is ahead of the column's."""
    if len(lines) < 2:
        return None
    both = np.isfinite(means)
    shared = (both[:, None] & both[None]).sum(2)
    lower = (means[:, None] < means[None]).sum(2) + (means[:, None] == means[None]).sum(2) / 2
    np.fill_diagonal(shared, 0)
    counts = zip(lower.tolist(), shared.tolist(), strict=True)
    table = [[_share(*pair) for pair in zip(*row, strict=True)] for row in counts]
    return {"names": [_said(line[0]) for line in lines], "cells": table}


def _share(won: float, tasks: int) -> tuple[str, str]:
    if not tasks:
        return "", "n"
    share = won / tasks
    return f"{100 * share:.0f}", "w" if share > 0.5 else "l" if share < 0.5 else ""
