"""What a reader of a board must know: what its groups and its classes mean, in sentences."""

import polars as pl

from tsrnn.board.table import REFERENCE
from tsrnn.metrics import USUAL

UNKNOWN = "losses of test windows are not stored beside its rows and the first line's, or the windows are too few"
CAPTION = (
    "Lines with a class are published numbers, not run here. A: every test window, one configuration. "
    "B: every test window, best per horizon of a search, on the test or on a split that is not documented. "
    "T: trained on these data elsewhere, among others. Z: zero-shot, the best such line."
)
KNOWING = "R: a reference that was run here and reads the labels of the very series that it tells; it is not ranked."


def captions(table: pl.DataFrame) -> list[str]:
    """What classes on a board mean."""
    kinds = {*table["class"]}
    return [CAPTION] * bool(kinds - {"", REFERENCE}) + [KNOWING] * (REFERENCE in kinds)


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
