"""Categories: words of a covariate -> one column of 0 and 1 per word, for covariates known ahead and for good.

The words are learnt once, from the frame that a model is fitted on, and saved with it. A word met later, and a missing
cell, is a row of zeros: its own level, which training may have seen only where cells were missing.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from tsrnn import figures
from tsrnn.arrays import Floats
from tsrnn.errors import InputError, listed, notice, quoted

MOST = 16  # words of a column that are read as categories

Levels = dict[str, tuple[str, ...]]


def learn(table: pl.DataFrame, names: tuple[str, ...], source: str) -> Levels:
    """The words of each column that holds words, in the order of the alphabet.

    Raises:
        InputError: a column holds more than 16, or words among numbers.
    """
    levels = {}
    for name in names:
        column = table[name]
        if not _holds_words(column):
            continue
        cells = figures.text(column)
        words = cells.drop_nulls().unique().sort().to_list()
        if column.dtype == pl.String and (numbers := cells.cast(pl.Float64, strict=False)).is_not_null().any():
            row = int((numbers.is_null() & cells.is_not_null()).arg_max() or 0)
            if numbers.null_count() > cells.null_count():
                raise InputError(
                    f"{source}: column {quoted(name)}, row {row + 1} holds {quoted(cells[row])} among numbers; mend "
                    "the cell, leave it empty, or make the column a category"
                )
        if len(words) > MOST:
            raise InputError(
                f"{source}: column {quoted(name)} holds {len(words)} different words, such as {quoted(words[0])}, "
                f"where categories may have {MOST}; group them, or give numbers in their place"
            )
        levels[name] = tuple(words)
    return levels


def encode(column: pl.Series, words: tuple[str, ...]) -> Floats:
    """0 and 1: [row word]. Words that were not learnt are said."""
    cells = figures.text(column.cast(pl.String) if not figures.is_text(column.dtype) else column)
    _say_strangers(cells, words)
    return np.stack([(cells == word).fill_null(False).to_numpy() for word in words], 1).astype(np.float32)


def _say_strangers(cells: pl.Series, words: tuple[str, ...]) -> None:
    strangers = cells.filter(cells.is_not_null() & ~cells.is_in(words)).unique(maintain_order=True).to_list()
    if strangers:
        notice(
            f"column {quoted(cells.name)} holds {listed(strangers)}, and the model knows {listed(words)}: other words "
            "are read as one, the unknown; write them as the training did, or fit again"
        )


def plain(reading: Mapping[str, Sequence[str]] | None) -> Levels:
    """Levels as a saved model has them.

    Raises:
        InputError: they are no lists of words by columns.
    """
    if reading is not None and not (
        isinstance(reading, Mapping)
        and all(isinstance(words, list | tuple) and len(words) <= MOST for words in reading.values())
        and all(isinstance(word, str) for words in reading.values() for word in words)
    ):
        raise InputError("levels must name the words of each column")
    return {name: tuple(words) for name, words in (reading or {}).items()}


def _holds_words(column: pl.Series) -> bool:
    """Categories, codes such as 007, and text that is not numbers alone."""
    if column.dtype == pl.Categorical or isinstance(column.dtype, pl.Enum):
        return True
    if not figures.is_text(column.dtype) or column.null_count() == len(column):
        return False
    cells = figures.text(column)
    return figures.are_codes(column) or cells.cast(pl.Float64, strict=False).null_count() > cells.null_count()
