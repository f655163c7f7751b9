"""Which model validation would have chosen: what a board may claim, beside what its order shows.

A model's options are chosen on validation, but which model heads a board is read on the test, among all of them, and a
reader who takes the first line takes it from there. So each board says what a choice on validation would have given:
among all models, and of each kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tsrnn import registry
from tsrnn.metrics import USUAL

ALL = "all"
KINDS = ("naive", "linear", "feed-forward", "recurrent", "mixed")  # the words of FAMILY in a model's file


@dataclass(frozen=True)
class Choice:
    """Of one kind of models, the board's line that is lowest on validation and the one that is lowest on the test.

    Places count from 1 among all `lines` of ours that are whole.
    """

    kind: str
    chosen: dict[str, Any]
    place: int
    best: dict[str, Any]
    best_place: int
    lines: int


def criterion(measures: Sequence[str]) -> str:
    """The measure on validation that chooses: MAE, which sweeps go by, where the board has it, else the board's own."""
    return f"val_{USUAL[1] if USUAL[1] in measures else measures[0]}"


def choices(table: pl.DataFrame, measures: Sequence[str]) -> list[Choice]:
    """The choice among all of the board's lines, then of each kind that it has; none where validation is not known.

    Args:
        table: a board with a column of `criterion(measures)`: its mean over all places.
        measures: the board's own; the first one orders it.
    """
    first, chooses = measures[0], criterion(measures)
    whole = table.filter((pl.col("class") == "") & pl.col(first).is_not_null()).sort(first).with_row_index("place", 1)
    ours = whole.filter(pl.col(chooses).is_not_null() & pl.col(chooses).is_not_nan())
    if ours.height < 2:
        return []
    kinds = [registry.declared("models", model, "FAMILY") for model in ours["model"]]  # none of a class of one's own
    ours = ours.with_columns(kind=pl.Series(kinds, dtype=pl.String))
    some = [(kind, ours.filter(pl.col("kind") == kind)) for kind in KINDS if kind in kinds]
    found = []
    for kind, lines in [(ALL, ours), *some]:
        chosen, best = (lines.sort(name).row(0, named=True) for name in (chooses, first))
        found.append(Choice(kind, chosen, chosen["place"], best, best["place"], whole.height))
    return found


def said(table: pl.DataFrame, measures: Sequence[str]) -> list[str]:
    """In sentences: the choice among all, on each track of the board, and the best of each kind on the whole of it."""
    tracks = table.filter(pl.col("class") == "")["track"].unique(maintain_order=True).to_list()
    sentences = []
    for track in tracks:
        for among in choices(table.filter(pl.col("track") == track), measures)[:1]:
            sentences.append(_among(among, measures, track if len(tracks) > 1 else ""))
    best = [f"{kind.kind} {kind.best['model']} {kind.best[measures[0]]:.4f}" for kind in choices(table, measures)[1:]]
    return sentences + ([f"Best of each kind on the test: {', '.join(best)}."] if best else [])


def _among(choice: Choice, measures: Sequence[str], track: str) -> str:
    by = _words(criterion(measures).removeprefix("val_"))
    known = [name for name in measures if choice.chosen[name] is not None]
    scores = ", ".join(f"{_words(name)} {choice.chosen[name]:.4f}" for name in known)
    return (
        f"Validation ({by}) would have chosen {choice.chosen['model']} among all{f' ({track})' if track else ''}: "
        f"{scores}, place {choice.place} of {choice.lines}."
    )


def _words(measure: str) -> str:
    return measure.replace("_", " ").upper()
