"""What a tagger says of wells, beside what was measured there: truth and told side by side, probabilities, curves."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tsrnn.errors import InputError, quoted
from tsrnn.plot.tracks import Names, tracks
from tsrnn.reading import Column, Reading

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPANS = (("days", 86400.0), ("hours", 3600.0), ("seconds", 1.0))  # in which times are drawn
_FEWEST = 5  # of these, from the first to the last
_MOST = 3  # classes whose probabilities are drawn
TOLD, SHARE = "{}_told", "{}_p_{}"  # columns that are added, and those of `Tagger.predict`


def answers(tagger: Any, log: Reading, path: str | Path | None = None, **shown: Any) -> "Figure":
    """Draw a log in tracks with what a tagger says of its rows: `<target>_told`, beside the truth where there is one.

    Over the index that the tagger was fitted with, downwards; times are numbers since the first one.

    Of labels, strips, and the probabilities of the three classes that are told most often; of values a curve.

    Args:
        tagger: a fitted `Tagger`.
        log: what a reader gave, the truth in the target's column or no such column.
        path: a png, svg or pdf file to write; None: none.
        shown: `series`, `curves`, `strips`, `depth` and `template` of `tracks`.

    Returns:
        The figure, for a notebook.

    Raises:
        InputError: a column is missing or called as one that is added, or what `tracks` raises.
    """
    reading = tagger.preparation_.reading
    target, index = reading["targets"][0], reading["index"]
    if (name := TOLD.format(target)) in log.frame.columns:
        raise InputError(f"{log.source} has a column {quoted(name)}, which is to hold what is told; rename it")
    answer: pl.DataFrame = tagger.predict(log)
    asked = _several(shown.pop("curves", ()))
    shares = _shares(answer, target, tagger.classes_, asked)
    keys = [each for each in (reading["id"], index) if each in log.frame.columns and each in answer.columns]
    added = answer.select(
        *(pl.col(each).cast(log.frame.schema[each]) for each in keys), pl.col(target).alias(name), *shares
    )
    table = log.frame.join(added, on=keys, how="left", maintain_order="left")
    table, index = _numbered(table, index)
    units = {name: log.columns[target]} if target in log.columns else {}
    drawn = Reading(
        table,
        {**log.columns, **units, **dict.fromkeys(shares, Column())},
        index=index,
        id=reading["id"] or "",
        source=log.source,
    )
    if tagger.classes_ is None:
        return tracks(drawn, path, curves=[*asked, *([name] if asked else [])], also=[name], **shown)
    rocks = [*([target] if target in log.frame.columns else []), name]
    strips = [*rocks, *(each for each in _several(shown.pop("strips", None) or ()) if each not in rocks)]
    of_class = {SHARE.format(target, each): each for each in tagger.classes_}
    shown |= {"shares": {each: of_class[each] for each in shares}, "titles": _titles(tagger, name)}
    curves = [*asked, *(each for each in shares if asked and each not in asked)]
    return tracks(drawn, path, curves=curves, also=shares, strips=strips, **shown)


def _numbered(table: pl.DataFrame, index: str) -> tuple[pl.DataFrame, str]:
    """The table with times as a number since the first, and what that column is called; other indices as they are."""
    if index not in table.columns or not table.schema[index].is_temporal() or not len(table[index].drop_nulls()):
        return table, index
    first: Any = table[index].min()
    since = (pl.col(index) - first).dt.total_microseconds() / 1e6
    span = float(table.select(since.max()).item())
    word, seconds = next((each for each in _SPANS if span >= _FEWEST * each[1]), _SPANS[-1])
    name = f"{word} since {first}"
    return table.with_columns((since / seconds).alias(index)).rename({index: name}), name


def _shares(answer: pl.DataFrame, target: str, classes: Sequence[Any] | None, asked: Sequence[str]) -> list[str]:
    """The columns of probabilities that are drawn, if `asked` names none of them."""
    if classes is None:
        return []
    most = answer[target].value_counts(sort=True)[target].to_list()
    names = [SHARE.format(target, each) for each in [*most, *(each for each in classes if each not in most)]]
    named = [name for name in names if name in asked]
    return [name for name in named or names[:_MOST] if name in answer.columns]


def _titles(tagger: Any, name: str) -> dict[str, str]:
    """What is said over the strip of what is told, where that may be another class than the most probable one."""
    said = [] if tagger.lift_ is None else [f"least_share {tagger.least_share:g}"]
    said += [] if tagger.costs_ is None else ["least penalty"]
    return {name: f"told, {', '.join(said)}"} if said else {}


def _several(names: Names) -> list[str]:
    return [names] if isinstance(names, str) else list(names)
