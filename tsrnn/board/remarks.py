"""What a reader of a board must know: what its groups and its classes mean, in sentences."""

import json

import polars as pl

from tsrnn.board.rows import ONLINE
from tsrnn.board.table import REFERENCE
from tsrnn.metrics import USUAL

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
