"""Other people's numbers, as published: `published.csv` holds them with a class and where each was read.

Classes: A, every test window and one configuration; B, every test window, best of a search that saw the test; C, part
of the test left out; Z, not trained on the data set.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tsrnn.errors import unknown

TABLE = Path(__file__).with_name("published.csv")
_CLASSES = "ABCZ"


def published(dataset: str, classes: Sequence[str] = ("A", "B")) -> pl.DataFrame:
    """Other people's numbers: one row per model, setting and horizon, with class and source.

    Raises:
        InputError: a class that there is not.
    """
    for name in classes:
        if name not in set(_CLASSES):
            raise unknown("class of published numbers", name, _CLASSES)
    table = pl.read_csv(TABLE, infer_schema_length=None)
    return table.filter((pl.col("dataset") == dataset) & pl.col("class").is_in(list(classes)))
