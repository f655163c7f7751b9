"""Other people's numbers, as published: `published.csv` holds them with a class and where each was read.

Those of whole sequences, told by their labels, are in `published_whole.csv`, those of competitions' series in
`published_competitions.csv`: in its columns but for the measures.

Classes: A, every test window and one configuration; B, every test window, best per horizon of a search, on the test
(TFB, DUET) or on a split that is not documented (FITS, xPatch, PhaseFormer); C, part of the test left out; Z,
zero-shot: not trained on the data set; T, trained on it elsewhere, among others. Whether a published configuration was
chosen on validation alone is not known of any.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import polars as pl

from tsrnn.errors import unknown

TABLE = Path(__file__).with_name("published.csv")
WHOLE = Path(__file__).with_name("published_whole.csv")
COMPETITIONS = Path(__file__).with_name("published_competitions.csv")
SHOWN = ("A", "B", "T", "Z")  # on boards; of Z the best line alone
_CLASSES = "ABCTZ"


def published(dataset: str, classes: Sequence[str] = ("A", "B")) -> pl.DataFrame:
    """Other people's numbers: one row per model, setting and horizon, with class and source.

    Raises:
        InputError: a class that there is not.
    """
    for name in classes:
        if name not in set(_CLASSES):
            raise unknown("class of published numbers", name, _CLASSES)
    table = pl.read_csv(_tables().get(dataset, TABLE), infer_schema_length=None)
    return table.filter((pl.col("dataset") == dataset) & pl.col("class").is_in(list(classes)))


@cache
def _tables() -> dict[str, Path]:
    """The table that a data set's numbers are in, where it is not the usual one."""
    others = (WHOLE, COMPETITIONS)
    return {name: path for path in others for name in pl.read_csv(path, columns=["dataset"])["dataset"].unique()}
