"""Models over many data sets: mean ranks, with their intervals, take the place of losses."""

from typing import Any

import numpy as np
import polars as pl

from tsrnn.board import difference
from tsrnn.board.difference import Numbers
from tsrnn.board.lines import LINE, over_folds
from tsrnn.errors import InputError, quoted
from tsrnn.metrics import USUAL


def standings(rows: pl.DataFrame, by: str = "horizon", measure: str = USUAL[0]) -> pl.DataFrame:
    """Models over all data sets in `rows`, lowest mean rank first; those that lack a task come last.

    A model's number on a task (data set and place) is its mean over folds and seeds, of the configuration that is
    lowest on validation. Ranks on a task are averaged over a data set's places, which share its rows: what is
    independent, and resampled, is the data set. Below `difference.LEAST_TASKS` of them there are neither groups nor p.

    Columns: group, model, track, tasks (how many it has), rank, low, high (95 % interval of the rank), wins (share of
    tasks on which it is the lowest), p (signed ranks of the log measure against the first line, with Holm).

    Raises:
        InputError: fewer than two data sets, or no model has every task.
    """
    best = chosen(rows, by, measure)
    several(rows, best, measure)
    scores = _scores(best, by, measure)
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


def several(rows: pl.DataFrame, best: pl.DataFrame, measure: str = USUAL[0]) -> list[str]:
    """The data sets over which `best`, the rows that `chosen` took of `rows`, can be ranked.

    Raises:
        InputError: there are fewer than two.
    """
    sets, held = (each["dataset"].unique(maintain_order=True).to_list() for each in (best, rows))
    if len(sets) < 2:
        where = f"have it of {quoted(sets[0])} alone" if sets else "have it of none"
        where = where if len(held) > 1 else f"are of {quoted(held[0])} alone"
        raise InputError(f"ranks of {measure} need two data sets, and these rows {where}; name one to see its board")
    return sets


def _scores(best: pl.DataFrame, by: str, measure: str) -> pl.DataFrame:
    """model, track, and a column of the mean per task, named "<data set> <its checksum> <place>"."""
    task = pl.format("{} {} {}", "dataset", "sha256", by).alias("task")
    line = ["dataset", "sha256", "model", "track", by]
    means = best.group_by(line, maintain_order=True).agg(pl.col(measure).mean())
    return means.with_columns(task).pivot("task", index=["model", "track"], values=measure)


def chosen(rows: pl.DataFrame, by: str = "horizon", measure: str = USUAL[0]) -> pl.DataFrame:
    """One row per data set, place, model, track and seed: of the configuration that is lowest on validation.

    Rows without a number of that measure, as those of labels are, are left out.
    """
    rows = rows.filter(pl.col(measure).is_finite())
    validated = f"val_{measure}"
    line, configured = ["dataset", "sha256", "model", "track"], list(LINE)
    rows = over_folds(rows, by, (measure, validated))
    best = (
        rows.group_by(configured, maintain_order=True)
        .agg(pl.col(by).n_unique(), pl.col(validated).mean())
        .sort([by, validated], descending=[True, False], nulls_last=True, maintain_order=True)
        .unique(line, keep="first", maintain_order=True)
    )
    return rows.join(best.select(configured), on=configured, how="semi", maintain_order="left")


def _ranks(scores: Numbers) -> Numbers:
    """Places [line task] from 1, equal scores sharing the mean of theirs."""
    below = (scores[None] < scores[:, None]).sum(1)
    same = (scores[None] == scores[:, None]).sum(1)
    ranks: Numbers = below + (same + 1) / 2
    return ranks
