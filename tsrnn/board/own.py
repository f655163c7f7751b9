"""Which rows are a suite's own: of its data and its split. A folder goes by a name, which two suites may share."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tsrnn import catalog
from tsrnn.board import beside
from tsrnn.board.published import SHOWN, published
from tsrnn.board.rows import existing, read, stem
from tsrnn.errors import InputError, listed, notice
from tsrnn.heads import LOSSES
from tsrnn.suites import Suite, under
from tsrnn.tasks import AHEAD, find


def own(folder: Path, suite: Suite) -> pl.DataFrame:
    """The rows in the folder (or in those directly in it) of the suite's name, its data's checksum and its split.

    Others of that name are left out, and a `Notice` says how many there are. Where the data are not at hand, their
    checksum is not compared.

    Raises:
        InputError: there are none, or a file is damaged.
    """
    rows = read(folder, suite.name)
    checksum, split = catalog.checksum(suite.data), _split(suite.split)
    same = [
        checksum in (None, row["sha256"])
        and _split(_config(row).get("split")) == split
        and (not suite.usual or _asked(row) == (suite.task, suite.measures == find(suite.task).of_values))
        for row in rows.iter_rows(named=True)
    ]
    mine, others = rows.filter(pl.Series(same, dtype=pl.Boolean)), len(same) - sum(same)
    mend = f"name the file of their suite, such as {suite.name}.toml"
    strange = "of other data, another split or another task"
    if not mine.height:
        raise InputError(f"all {others} rows of {suite.name} in {folder} are {strange}; {mend}")
    if others:
        notice(f"{suite.name} in {folder}: {others} rows {strange}, left out; {mend}")
    bare = suite.usual and suite.task == AHEAD.name
    if bare and any(beside.read(folder, "measures", stem(row)) is not None for row in _sample(mine)):
        notice(f"rows of {suite.name} in {folder} were measured for a suite, but this is the usual board; {mend}")
    return mine


def asked(folder: Path, suite: Suite) -> Suite:
    """The suite for the task of the rows in the folder, where no file says one: a forecast, if any row is one."""
    found = [_asked(row) for row in read(folder, suite.name).iter_rows(named=True)] if suite.usual else []
    return under(suite, *found[0]) if found and (AHEAD.name, False) not in found else suite


def refuse_others(folder: Path, suite: Suite, targets: Sequence[str] = ()) -> None:
    """Refuse to add to rows of another question where no file of a suite says it: a folder has one board.

    Args:
        targets: columns that are to be forecast or told, where they were named.

    Raises:
        InputError: the folder holds rows of that name, of another task or of other named targets.
    """
    rows = existing(folder) if suite.usual else None
    if rows is None:
        return
    asked = (suite.task, suite.measures == find(suite.task).of_values)
    for row in rows.filter(pl.col("dataset") == suite.name).iter_rows(named=True):
        mend = "a board is of one; name another folder with --out"
        if (held := _asked(row)) != asked:
            kind = "" if held[0] != asked[0] else " that tell values" if held[1] else " that tell labels"
            raise InputError(f"{folder} holds rows of the task {held[0]!r}{kind}, and {mend}")
        named = several(_config(row).get("roles", {}).get("target"))
        if named and targets and {*named} != {*targets}:
            raise InputError(f"{folder} holds rows of the target {listed(named)}, and {mend}")


def comparable(rows: pl.DataFrame, suite: Suite) -> pl.DataFrame:
    """Published numbers that may stand beside the rows: on the same data, by their own split and with all columns.

    None beside forecasts that learn from what has come true, as published ones did not.
    """
    table = published(suite.data, SHOWN)
    usual = (
        not suite.online
        and _split(suite.split) is None
        and any("roles" not in _config(row) for row in rows.iter_rows(named=True))
    )
    return table if usual else table.clear()


def _sample(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """A row of each model: a suite measures all in one way."""
    return rows.unique("model", keep="first", maintain_order=True).to_dicts()


def _config(row: Mapping[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(row["config"])
    return config


def _asked(row: Mapping[str, Any]) -> tuple[str, bool]:
    """The task, and whether values are told where it tells labels, too."""
    config = _config(row)
    task = find(str(config.get("task", AHEAD.name)))
    return task.name, bool(task.of_values) and config.get("loss") in LOSSES


def several(named: Any) -> list[str]:
    """Names of columns, however they were written."""
    return [named] if isinstance(named, str) else list(named or ())


def _split(declared: Any) -> Any:
    """None for the data set's own, whatever it is called."""
    return None if declared == "standard" else declared
