"""Categories: words of a covariate -> numbers, for covariates known ahead and for good, the series' id among them.

The words are learnt once, from the frame that a model is fitted on, and saved with it. Up to 16 are one column of 0 and
1 each. More of them are a code of 16 numbers each: a direction drawn by the word's own hash, so that it is the same
whatever stands beside it, and after a refit with more series. A layer that reads such codes makes a learnt embedding of
them, `weight @ code`, of rank 16 at most: what a table of learnt vectors would give beyond that, every model file, and
every graph and stream of one, would have to know of. Hashed features (Weinberger et al. 2009, arXiv 0902.2206) rest on
the same.

A word met later, and a missing cell, is a row of zeros: a level of its own, which training may have seen only where
cells were missing; of codes it is their middle. What is met is said.
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from tsrnn import figures
from tsrnn.arrays import Floats
from tsrnn.errors import InputError, listed, notice, quoted

MOST = 16  # words of a column that have a column of 0 and 1 each
WIDTH = 16  # numbers in the code of a word, where there are more
CEILING = 65_536  # words of a column

Levels = dict[str, tuple[str, ...]]


def learn(table: pl.DataFrame, known: Sequence[str], static: Sequence[str], id: str | None, source: str) -> Levels:
    """The words of each column that holds words, and of the id's, in the order of the alphabet.

    Raises:
        InputError: a column holds words among numbers, too many, or in a column known ahead hardly one of them twice.
    """
    levels = {}
    for name in (*known, *static):
        column = table[name]
        if name != id and not _holds_words(column):
            continue
        cells = _cells(column)
        words = cells.drop_nulls().unique().sort().to_list()
        if name != id and column.dtype == pl.String:
            _refuse_figures(cells, name, source)
        once = name in known and len(words) > MOST and 2 * len(words) > len(cells) - cells.null_count()
        if once or len(words) > CEILING:
            raise InputError(
                f"{source}: column {quoted(name)} holds {len(words)} different words in {len(cells)} rows, such as "
                f"{quoted(words[0])}, where a category comes again and again; group them, or give numbers in their "
                "place"
            )
        levels[name] = tuple(words)
    return levels


def encode(column: pl.Series, words: tuple[str, ...]) -> Floats:
    """0 and 1: [row word], or the words' codes: [row 16]; zeros for others, which is said."""
    cells = _cells(column)
    _say_strangers(cells, words)
    if len(words) <= MOST:
        return np.stack([(cells == word).fill_null(False).to_numpy() for word in words], 1).astype(np.float32)
    place = cells.replace_strict(list(words), np.arange(len(words)), default=len(words), return_dtype=pl.Int64)
    table = np.concatenate([_codes(words), np.zeros((1, WIDTH), np.float32)])
    coded: Floats = table[place.fill_null(len(words)).to_numpy()]
    return coded


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
        and all(isinstance(words, list | tuple) and len(words) <= CEILING for words in reading.values())
        and all(isinstance(word, str) for words in reading.values() for word in words)
    ):
        raise InputError("levels must name the words of each column")
    return {name: tuple(words) for name, words in (reading or {}).items()}


def _cells(column: pl.Series) -> pl.Series:
    """As text; whole numbers alike, whatever type holds them."""
    if figures.is_text(column.dtype):
        return figures.text(column)
    whole = column.dtype.is_float() and bool((column == column.round()).all())
    return figures.text((column.cast(pl.Int64) if whole else column).cast(pl.String))


def _codes(words: Sequence[str]) -> Floats:
    """A direction for each word, of length 1: [word 16]."""
    drawn = b"".join(hashlib.blake2b(word.encode(), digest_size=2 * WIDTH).digest() for word in words)
    code = np.frombuffer(drawn, "<u2").reshape(len(words), WIDTH) / 32767.5 - 1
    unit: Floats = (code / np.linalg.norm(code, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _refuse_figures(cells: pl.Series, name: str, source: str) -> None:
    """Raise one sentence where a column of numbers holds a word."""
    if not (numbers := cells.cast(pl.Float64, strict=False)).is_not_null().any():
        return
    row = int((numbers.is_null() & cells.is_not_null()).arg_max() or 0)
    if numbers.null_count() > cells.null_count():
        raise InputError(
            f"{source}: column {quoted(name)}, row {row + 1} holds {quoted(cells[row])} among numbers; mend "
            "the cell, leave it empty, or make the column a category"
        )


def _holds_words(column: pl.Series) -> bool:
    """Categories, codes such as 007, and text that is not numbers alone."""
    if column.dtype == pl.Categorical or isinstance(column.dtype, pl.Enum):
        return True
    if not figures.is_text(column.dtype) or column.null_count() == len(column):
        return False
    cells = figures.text(column)
    return figures.are_codes(column) or cells.cast(pl.Float64, strict=False).null_count() > cells.null_count()
