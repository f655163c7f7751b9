"""What a reader of a board must know: what its groups and classes mean, what a measure leaves out, in sentences."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tsrnn.board import beside
from tsrnn.board.rows import ONLINE, losses, stem
from tsrnn.board.table import REFERENCE
from tsrnn.errors import listed, singular
from tsrnn.metrics import NO_SCALE, USUAL, looks_back

UNKNOWN = "losses of test windows are not stored beside its rows and the first line's, or the windows are too few"
CAPTION = (
    "Lines with a class are published numbers, not run here. A: every test window, one configuration. "
    "B: every test window, best per horizon of a search, on the test or on a split that is not documented. "
    "T: trained on these data elsewhere, among others. Z: zero-shot, the best such line."
)
TRIAL = (
    "Critics learnt for {steps} steps at most, where the published measures have up to 5,000: scores of a trial run, "
    "to be compared with no others."
)
FOLLOWING = (
    "Class O, online: a forecast is corrected by what had come true when it was issued, and then is final. No "
    "published number stands beside it, for those learn nothing after their training."
)
KNOWING = "R: a reference that was run here and reads the labels of the very series that it tells; it is not ranked."


def captions(table: pl.DataFrame) -> list[str]:
    """What classes on a board mean."""
    kinds = {*table["class"]}
    said = [CAPTION] * bool(kinds - {"", REFERENCE}) + [KNOWING] * (REFERENCE in kinds)
    return said + [FOLLOWING] * (ONLINE in {*table["track"]})


def notes(table: pl.DataFrame, measure: str = USUAL[0]) -> list[str]:
    """What a reader of the column `group` must know, of a table with the mean of `measure` where a line is whole."""
    ours = table.filter((pl.col("class") == "") & pl.col(measure).is_not_null())
    if ours.height < 2:
        return []
    if ours["group"].is_null().all():
        return [f"Which lines can be told apart is not known: {UNKNOWN}."]
    blank = [f"A line without a group: not known, {UNKNOWN}."] if ours["group"].null_count() else []
    lone = ["With one seed each, groups compare these fits, not the models."] if ours["seeds"].max() == 1 else []
    return ["Lines of one group cannot be told apart from its first.", *blank, *lone]


def trials(rows: pl.DataFrame) -> list[str]:
    """That made sequences were judged by critics which learnt less than their measures are published with."""
    steps = {json.loads(config).get("judging_steps") for config in rows["config"].unique()} - {None}
    return [TRIAL.format(steps=" or ".join(map(str, sorted(steps))))] if steps else []


def uncounted(rows: pl.DataFrame, measures: Sequence[str], folder: Path) -> list[str]:
    """Of how much of the test a measure that looks back knows nothing, as it lies beside the rows: of every line alike.

    Windows are counted, or series where the losses of windows are not stored, as of folds and leads; and targets.

    Raises:
        InputError: a file beside a row is damaged.
    """
    alike, said = rows.unique(["horizon", "fold"], keep="first", maintain_order=True).to_dicts(), []
    for name in filter(looks_back, measures):
        windows = [table[name] for row in alike if (table := losses(folder, row)) is not None and name in table.columns]
        known = pl.concat(windows).is_finite() if windows else pl.Series([], dtype=pl.Boolean)
        counts = {"test windows": (len(known) - int(known.sum()), len(known))}
        counts = counts if windows else {"series": _places(folder, alike, "measures", "series", name)}
        for what, (lost, every) in {**counts, "targets": _places(folder, alike, "slices", "at", name)}.items():
            if lost:
                word = name.replace("_", " ").upper()
                said.append(singular(f"{word} leaves out {lost:,} of {every:,} {what}, {NO_SCALE}."))
    return said


def unstored(rows: pl.DataFrame, measures: Sequence[str], folder: Path, leads: Sequence[int] = ()) -> list[str]:
    """Which measures of the board do not lie beside whose rows, so that it has no number there.

    Raises:
        InputError: a file beside a row is damaged.
    """
    wanted = [name for name in measures if leads or name not in USUAL]
    lacking, models = dict.fromkeys(wanted, False), list[str]()
    for row in rows.iter_rows(named=True) if wanted else ():
        table = beside.read(folder, "measures", stem(row))
        there = set[str]() if table is None else {*table["measure"]}
        lost = [name for name in wanted if not {name, f"val_{name}"} & there]
        lacking |= dict.fromkeys(lost, True)
        models += [row["model"]] if lost and row["model"] not in models else []
    names = " or ".join(name.replace("_", " ").upper() for name, lost in lacking.items() if lost)
    why = "lost, not measured, or no number on these data; `tsrnn bench` runs rows again that are deleted"
    return [f"No {names} is stored beside rows of {listed(models)}: {why}."] if models else []


def _places(folder: Path, rows: Sequence[Mapping[str, Any]], kind: str, column: str, name: str) -> tuple[int, int]:
    """Series or targets of which a measure knows nothing at all, and how many there are, by tables beside the rows."""
    every, known = set[str](), set[str]()
    for row in rows:
        table = beside.read(folder, kind, stem(row))
        if table is not None:
            table = table.filter(pl.col("axis") == "channel") if "axis" in table.columns else table
            for places, measure in ((every, USUAL[0]), (known, name)):
                places |= {*table.filter(pl.col("measure") == measure)[column].drop_nulls()}
    return len(every - known), len(every)
