"""What a benchmark is run on: its data and splits, and what their cells tell where no file says it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tsrnn import catalog, classed, complete, gaps, labels, stratified, suites, tasks
from tsrnn.errors import InputError, notice, quoted
from tsrnn.panel import Panel
from tsrnn.split import folds, standard
from tsrnn.suites import Source
from tsrnn.suites.leads import step_of, unit

SHARES = {"ratios": [0.7, 0.1, 0.2]}  # the split of a file that the catalogue does not know
_FEW = 50  # whole numbers in a column that a benchmark takes for classes
_SPELT = {"m": ("m", "metre", "metres", "meter", "meters"), "ft": ("ft", "f", "feet", "foot")}


def opened(source: Source) -> tuple[Panel, Mapping[str, Any]]:
    """A benchmark's data, and its splits by the fold's name: the suite's, the data set's own, or shares of a file.

    Shares are of each series' rows, or of the series where one is told of as a whole.

    Raises:
        InputError: data that are not there or cannot be read, or that cannot be split so.
    """
    return _opened(source, _files(source.suite.data))


def _files(data: str) -> tuple[Any, ...]:
    """What tells a user's files from others of that path, in another folder or written again; none of a data set."""
    if data in catalog.names():
        return ()
    path = Path(data)
    files = [each for each in (sorted(path.iterdir()) if path.is_dir() else [path]) if each.is_file()]
    return path.resolve(), *((each.name, each.stat().st_mtime_ns, each.stat().st_size) for each in files)


@lru_cache(maxsize=2)
def _opened(source: Source, files: tuple[Any, ...]) -> tuple[Panel, Mapping[str, Any]]:
    """`opened`, once as long as `files` are what they were."""
    suite = source.suite
    suites.check_data(suite)
    labelled: dict[str, Any] = {} if tasks.find(suite.task).shows else {"labels": True}
    panel = catalog.load(suite.data, **source.columns, **labelled)
    panel = complete.counted(panel, suite.complete) if suite.complete else panel
    panel = panel if suite.gaps is None else gaps.cut(panel, suite.gaps)
    _check_leads(source, panel)
    usual = _of_series if tasks.find(suite.task).ends else _of_rows
    asked = suite.split or ("standard" if panel.split else usual(panel))
    try:
        rows = folds(panel.ids, panel.split if asked == "standard" else asked, panel.roles.id)
        for row in rows.values():
            standard(panel.arrays(), row, panel.source)
    except InputError as error:
        raise InputError(f"{suite.file}: {error}" if suite.split else str(error)) from None
    return panel, rows if asked != "standard" else {"": asked}


def _of_rows(_: Panel) -> dict[str, Any]:
    return SHARES


def _of_series(panel: Panel) -> dict[str, Any]:
    """The shares of `SHARES` in whole series, each class in its share, evenly spread.

    Raises:
        InputError: there is one series, more than one column to tell, or too few series.
    """
    name, id = labels.asked(panel, None, None, {})[0], panel.roles.id
    if id is None:
        raise InputError(f"{panel.source} holds one series and so one label; name the column that tells series as id=")
    first = panel.frame.group_by(id, maintain_order=True).agg(pl.col(name).drop_nulls().first())[name]
    codes = first.cast(pl.Float64).fill_null(np.nan).to_numpy()
    if panel.classes is None and not classed.are_whole(first):
        codes = 0 * codes  # values: as one class
    train, val, test = SHARES["ratios"]
    tests = stratified.held_out(codes, test)
    left = np.where(np.isin(np.arange(len(codes)), tests), np.nan, codes)
    vals = stratified.held_out(left, val / (train + val))
    if not tests or not vals:
        raise InputError(
            f"{panel.source} has {len(codes)} series, too few to validate on some of each label and to test others; "
            f"give more, or write a suite: {_example(panel, name, id)}"
        )
    return {"by_series": {"val": [panel.ids[row] for row in vals], "test": [panel.ids[row] for row in tests]}}


def _example(panel: Panel, target: str, id: str) -> str:
    """What a suite's file says that names the series held out."""
    data, index, column, key = map(json.dumps, (Path(panel.source).name, panel.roles.index, target, id))
    val, test = json.dumps(panel.ids[:1]), json.dumps(panel.ids[-1:])
    roles = f"roles = {{ id = {key}, time = {index}, target = {column} }}"
    held = f"split = {{ by_series = {{ val = {val}, test = {test} }} }}"
    return f'task = "whole", data = {data}, {roles}, {held} and models.rocket = {{}}, a line each'


def settled(source: Source) -> tuple[Source, dict[str, Any]]:
    """A source, and options, with what no file says and the target's cells tell: whether they are labels or values.

    Whole numbers, where they are few, are classes, and it is said.

    Raises:
        InputError: one column is to be told, and none of several is named.
    """
    panel, suite = opened(source)[0], source.suite
    if not suite.usual or not tasks.find(suite.task).of_values:
        return source, {}
    name, _, _ = labels.asked(panel, None, None, {})
    if panel.classes is not None:
        return source, {}
    column = panel.frame[name]
    if classed.are_whole(column) and column.n_unique() <= _FEW:
        notice(f"{panel.source}: column {quoted(name)} holds a few whole numbers, which are taken for classes")
        return source, {"loss": labels.CROSS_ENTROPY}
    return replace(source, values=True), dict(suites.SILENT)


def _check_leads(source: Source, panel: Panel) -> None:
    """Refuse leads in words that were counted in other steps, or another unit of depth, than the data have.

    Raises:
        InputError: which, and of what.
    """
    suite, index = source.suite, panel.roles.index
    step = step_of(suite.data, suite.roles)
    if suite.leads != suite.said_leads and source.columns.get("freq", step) != step:
        raise InputError(f"{suite.file} counts its leads in steps of {step!r}; leave --freq out, or change it there")
    known = panel.columns[index].unit if index in panel.columns else None
    if (asked := unit(suite.said_leads)) and known and known.lower() not in _SPELT[asked]:
        raise InputError(f"{suite.file}: leads are in {asked}, and {index!r} of {panel.source} is in {known}")
