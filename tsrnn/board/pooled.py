"""Boards of labels: each measure as a mean over wells (or other series), and of all their rows together.

A mean over wells gives every well the same weight, and a class that a well lacks is not in its macro F1. Pooled, the
rows of all wells are counted in one table of true and told classes, and F1 is of that table. They are two numbers, and
people publish either. Intervals draw wells again with repetition, the same ones for every line; seeds are averaged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tsrnn import agreement, tasks
from tsrnn.agreement import Agreement
from tsrnn.board import beside
from tsrnn.board.apart import LINE, named
from tsrnn.board.rows import stem
from tsrnn.suites import Suite

WAYS = ("mean of series", "pooled")
BOTH = (
    "A mean of series gives each well, or other series, the same weight; pooled, the rows of all are counted together, "
    "and F1 is of the classes of all. 90 % intervals draw series again. Seeds are averaged."
)
CLASSES = "Of the rows of all series together; seeds are averaged. Else told: what a class is most often taken for."
_DRAWS, _LEVEL = 500, 0.9
_COUNTED = ("macro_f1", "boundary_f1")  # made of counts; the others are means over rows
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """What one seed of a line says of its wells: counts [well class class], boundaries [well 3], measures [well]."""

    counts: npt.NDArray[np.int64]
    contacts: npt.NDArray[np.int64]
    measures: Mapping[str, Numbers]


def of_labels(suite: Suite) -> bool:
    """Whether a suite's measures are all of labels, of which a series has many."""
    task = tasks.find(suite.task)
    return not task.ends and "macro_f1" in task.told and {*suite.measures} <= {*agreement.BEST}


def summary(rows: pl.DataFrame, suite: Suite, folder: Path) -> list[dict[str, Any]]:
    """A record per line and measure: the mean of wells and the pooled one, each with its 90 % interval.

    Lines that lack a well which another one has, or beside whose rows nothing was counted, are left out; where there
    are fewer than two wells, all are; and a suite of no labels has none.
    """
    if not of_labels(suite):
        return []
    lines, wells, _ = _read(rows, suite, folder)
    if len(wells) < 2:
        return []
    drawn = np.random.default_rng(0).multinomial(len(wells), np.full(len(wells), 1 / len(wells)), _DRAWS)
    weights = np.vstack([np.ones((1, len(wells)), np.int64), drawn])  # [draw well], the first as it is
    records = []
    for key, fits in lines.items():
        for word in suite.measures:
            means = _interval(WAYS[0], [_mean(each.measures[word], weights) for each in fits])
            pooled = _interval(WAYS[1], [_pooled(word, each, weights) for each in fits])
            sizes = {"series": len(wells), "seeds": len(fits)}
            records.append({**named(key, lines), "measure": word, **means, **pooled, **sizes})
    return records


def by_class(rows: pl.DataFrame, suite: Suite, folder: Path) -> list[dict[str, Any]]:
    """A record per line and class, of the rows of all wells: how many, precision, recall, F1, what it is taken for."""
    lines, _, classes = _read(rows, suite, folder)
    records = []
    for key, fits in lines.items():
        counts = np.mean([each.counts.sum(0) for each in fits], 0)  # [true told]
        for k, label in enumerate(classes):
            true, told, right = counts[k].sum(), counts[:, k].sum(), counts[k, k]
            if not true:
                continue
            other = int(np.argmax(np.where(np.arange(len(classes)) == k, -1, counts[k])))
            records.append(
                {
                    **named(key, lines),
                    "class": label,
                    "rows": round(float(true)),
                    "precision": float(right / told) if told else None,
                    "recall": float(right / true),
                    "F1": float(2 * right / (true + told)),
                    "else told": classes[other] if counts[k, other] else None,
                    "of its rows": float(counts[k, other] / true),
                }
            )
    return records


def _read(
    rows: pl.DataFrame, suite: Suite, folder: Path
) -> tuple[dict[tuple[Any, ...], list[Fit]], list[str], list[str]]:
    """Each line's seeds that have every well, the wells, the classes."""
    counted: dict[tuple[Any, ...], dict[int, list[pl.DataFrame]]] = {}
    stored: dict[tuple[Any, ...], dict[int, list[pl.DataFrame]]] = {}
    for row in rows.iter_rows(named=True):
        confusion, measures = (beside.read(folder, kind, stem(row)) for kind in ("confusion", "measures"))
        if confusion is not None and measures is not None:
            key = tuple(row[name] for name in LINE)
            counted.setdefault(key, {}).setdefault(row["seed"], []).append(confusion)
            stored.setdefault(key, {}).setdefault(row["seed"], []).append(measures)
    whole = {key: {seed: pl.concat(parts) for seed, parts in seeds.items()} for key, seeds in counted.items()}
    tables = [table for seeds in whole.values() for table in seeds.values()]
    wells = sorted({well for table in tables for well in table["series"]})
    labels = [table.filter(what=beside.LABEL) for table in tables]
    classes = sorted({label for table in labels for label in (*table["true"], *table["told"])})
    lines = {
        key: [
            _fit(table, pl.concat(stored[key][seed]), suite.measures, wells, classes)
            for seed, table in seeds.items()
            if {*table["series"]} == {*wells}
        ]
        for key, seeds in whole.items()
    }
    return {key: fits for key, fits in lines.items() if fits}, wells, classes


def _fit(
    counted: pl.DataFrame, stored: pl.DataFrame, measures: Sequence[str], wells: Sequence[str], classes: Sequence[str]
) -> Fit:
    """The tables of one seed's folds, one below the other, as arrays."""
    well, label = ({each: k for k, each in enumerate(names)} for names in (wells, classes))
    counts = np.zeros((len(wells), len(classes), len(classes)), np.int64)
    bounds = np.zeros((len(wells), 2, 2), np.int64)  # there, told
    for series, what, true, told, count in counted.iter_rows():
        if what == beside.LABEL:
            counts[well[series], label[true], label[told]] += count
        else:
            bounds[well[series], int(true == "yes"), int(told == "yes")] += count
    contacts = np.stack([bounds[:, 1, 1], bounds[:, 1].sum(1), bounds[:, :, 1].sum(1)], 1)
    values = {word: np.full(len(wells), np.nan) for word in measures}
    for series, word, value in stored.select("series", "measure", "value").iter_rows():
        if word in values and series in well:
            values[word][well[series]] = value
    return Fit(counts, contacts, values)


def _mean(values: Numbers, weights: npt.NDArray[np.int64]) -> Numbers:
    """Means over wells that have a number: [draw]."""
    seen = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Numbers = (weights @ np.where(seen, values, 0.0)) / (weights @ seen.astype(float))
    return mean


def _pooled(word: str, fit: Fit, weights: npt.NDArray[np.int64]) -> Numbers:
    """A measure of the rows of drawn wells together: [draw]."""
    if word not in _COUNTED:
        return _mean(fit.measures[word], weights * fit.counts.sum((1, 2)))
    counts, contacts = np.tensordot(weights, fit.counts, 1), weights @ fit.contacts
    told = [Agreement(*each) for each in zip(counts, contacts, strict=True)]
    return np.array([agreement.measures([word], each)[word] for each in told])


def _interval(name: str, seeds: Sequence[Numbers]) -> dict[str, float | None]:
    """A number and its interval: [draw] of each seed, of which the first is what was measured."""
    values = np.mean(seeds, 0)
    known = values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]) or not len(known):
        return {name: None, f"{name} low": None, f"{name} high": None}
    low, high = np.quantile(known, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return {name: float(values[0]), f"{name} low": float(low), f"{name} high": float(high)}
