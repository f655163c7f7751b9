"""Rows -> table: what was measured here, among what others published, honestly ordered.

Scores are means over folds and seeds; a mean over places (horizons, as a rule) exists only where every place does.
Lines of ours that cannot be told apart share a group (`board/ties.py`), and a line is marked as the winner only where
it is alone in the first one.
"""

import json
from collections.abc import Mapping, Sequence
from math import isfinite, nan
from pathlib import Path
from typing import Any

import polars as pl

from tsrnn import registry
from tsrnn.board import ties
from tsrnn.board.lines import LINE, over_folds
from tsrnn.metrics import MEASURES, USUAL, ordering

Line = tuple[Any, ...]  # values of LINE
REFERENCE = "R"  # the class of a line of ours that knows what no model may


def board(
    rows: pl.DataFrame,
    by: str,
    measures: Sequence[str],
    others: pl.DataFrame | None = None,
    folder: Path | None = None,
) -> pl.DataFrame:
    """One line per model, track and configuration, lowest mean of the first measure first; incomplete lines come last.

    Columns: group (null for published lines, for incomplete ones, and where it is not known), model, options (what
    tells lines of one model and track apart), track, class ("" for ours, R for a reference, not ranked), seeds,
    `<measure>_<place>` for every measure and place, `spread_<place>` (deviation of the first measure over seeds,
    null for one), a column per measure (means over the places), spread (deviation of the first measure's mean over the
    seeds that have every place), parameters, seconds (mean per fit).

    Args:
        by: the column whose values are the places, such as "horizon".
        measures: columns of the rows; the first one orders.
        others: published numbers, where they have that column.
        folder: where the rows come from, and what lies beside them; None: there are no groups.
    """
    places = sorted(rows[by].unique())
    ours = _ours(rows, by, measures)
    whole = _whole(ours, measures[0])
    if folder is not None:
        for line, group in zip(whole, ties.groups(_rows_of(rows, whole), by, measures[0], folder), strict=True):
            ours[line]["group"] = group
    table = list(ours.values())
    if others is not None and by in others.columns:
        kinds = ("model", "input_size", "setting", "class")
        theirs = [_theirs(line, by, places, measures) for _, line in others.group_by(kinds, maintain_order=True)]
        table += [line for line in theirs if any(line[f"{measures[0]}_{place}"] is not None for place in places)]
    order = (measures[0], *(f"{measures[0]}_{place}" for place in places))
    return pl.DataFrame(table, infer_schema_length=None).sort(order, nulls_last=True)


def comparisons(
    rows: pl.DataFrame, by: str, measures: Sequence[str], folder: Path | None = None
) -> list[dict[str, Any]]:
    """Every two lines of ours that have every place, best lines first: what `board/ties.py` says of each by name."""
    ours = _ours(rows, by, measures)
    whole = _whole(ours, measures[0])
    tracks = {ours[line]["track"] for line in whole}
    names = []
    for line in whole:
        track = f"({ours[line]['track']})" if len(tracks) > 1 else None
        names.append(" ".join(filter(None, (ours[line]["model"], ours[line]["options"], track))))
    compared = ties.pairs(_rows_of(rows, whole), by, measures[0], folder)
    return [dict(ties.named(pair, names)) for pair in compared]


def lines(rows: pl.DataFrame) -> dict[tuple[str, str | None, str], pl.DataFrame]:
    """The rows of each line of ours, by what a board calls it: model, options and track."""
    parts = [line for _, line in rows.group_by(LINE, maintain_order=True)]
    options = _options(parts)
    return {(part["model"][0], text, part["track"][0]): part for part, text in zip(parts, options, strict=True)}


def winner(table: pl.DataFrame, measure: str = USUAL[0]) -> int | None:
    """The place on the board of the line of ours that is told apart from every other; None where there is none.

    A line with every place (a mean of the measure) whose group is not known is not told apart.
    """
    whole = table.filter((pl.col("class") == "") & pl.col(measure).is_not_null())["group"]
    if len(whole) < 2 or whole.null_count() or (whole == 1).sum() != 1:
        return None
    return int((table["group"] == 1).arg_true()[0])


def shortened(table: pl.DataFrame, others: int) -> pl.DataFrame:
    """Every line of ours, the best `others` of the published ones and the best zero-shot one (class Z)."""
    numbered, shot = table.with_row_index("place"), pl.col("class") == "Z"
    published = numbered.filter(~pl.col("class").is_in(["", REFERENCE]) & ~shot)["place"].to_list()
    dropped = published[others:] + numbered.filter(shot)["place"].to_list()[1 if others else 0 :]
    return numbered.filter(~pl.col("place").is_in(dropped)).drop("place")


def _rows_of(rows: pl.DataFrame, whole: Sequence[Line]) -> list[pl.DataFrame]:
    """The rows of each line."""
    lines = dict(iter(rows.group_by(LINE, maintain_order=True)))
    return [lines[line] for line in whole]


def _whole(ours: Mapping[Line, Mapping[str, Any]], measure: str) -> list[Line]:
    """The lines that have every place, and numbers there, lowest mean first; references are not among them."""
    means = {key: nan if line[measure] is None else line[measure] for key, line in ours.items()}
    ranked = [key for key, mean in means.items() if isfinite(mean) and not ours[key]["class"]]
    return sorted(ranked, key=means.__getitem__)


def _ours(rows: pl.DataFrame, by: str, measures: Sequence[str]) -> dict[Line, dict[str, Any]]:
    """The lines of the board, their folds averaged.

    Raises:
        InputError: the first measure orders nothing.
    """
    if measures[0] in MEASURES:
        ordering(measures[0])
    lines = dict(iter(over_folds(rows, by, measures).group_by(LINE, maintain_order=True)))
    options, places = _options(list(lines.values())), sorted(rows[by].unique())
    return {
        key: _summed(line, by, places, measures) | {"options": text}
        for (key, line), text in zip(lines.items(), options, strict=True)
    }


def _options(lines: Sequence[pl.DataFrame]) -> list[str | None]:
    """What is set in each line and not the same in all lines of its model and track, such as "hidden_size=8"."""
    first = [line.row(0, named=True) for line in lines]
    extra = [{"input_size": row["input_size"], "data": row["sha256"][:8]} for row in first]
    settings = [{**json.loads(row["config"]), **more} for row, more in zip(first, extra, strict=True)]
    texts: list[str | None] = []
    for row, setting in zip(first, settings, strict=True):
        kin = [each for other, each in zip(first, settings, strict=True) if _alike(other, row)]
        differing = [name for name in setting if any(each.get(name, _ABSENT) != setting[name] for each in kin)]
        texts.append(" ".join(f"{name}={_short(setting[name])}" for name in differing) or None)
    return texts


_ABSENT = object()


def _is_reference(model: str) -> bool:
    return registry.declared("models", model, "FAMILY") == "reference"


def _alike(row: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return (row["model"], row["track"]) == (other["model"], other["track"])


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _summed(line: pl.DataFrame, by: str, places: Sequence[Any], measures: Sequence[str]) -> dict[str, Any]:
    """A line of ours: means and spreads over seeds."""
    first = measures[0]
    cells: dict[str, Any] = {
        "group": None,
        "model": line["model"][0],
        "options": None,
        "track": line["track"][0],
        "class": REFERENCE if _is_reference(line["model"][0]) else "",
        "seeds": line["seed"].n_unique(),
    }
    for place in places:
        at = line.filter(pl.col(by) == place)
        cells |= {f"{name}_{place}": at[name].mean() for name in measures}
        cells |= {f"spread_{place}": at[first].std() if at.height > 1 else None}
    by_seed = line.group_by("seed").agg(pl.col(first).mean(), pl.len())
    whole = by_seed.filter(pl.col("len") == len(places))
    cells |= _means(cells, places, measures)
    cells |= {"spread": whole[first].std(), "parameters": line["parameters"].max()}
    return cells | {"seconds": line["seconds"].mean()}


def _theirs(line: pl.DataFrame, by: str, places: Sequence[Any], measures: Sequence[str]) -> dict[str, Any]:
    """A published line; null where nothing was published."""
    size, setting = line["input_size"][0], line["setting"][0].replace("searched", "L searched")
    cells: dict[str, Any] = {
        "group": None,
        "model": line["model"][0],
        "options": None,
        "track": f"L={size}" if size else setting,
        "class": line["class"][0],
        "seeds": line["seeds"][0],
    }
    for place in places:
        at = line.filter(pl.col(by) == place)
        cells |= {f"{name}_{place}": at[name][0] if at.height and name in at.columns else None for name in measures}
        cells |= {f"spread_{place}": None}
    return cells | _means(cells, places, measures) | {"spread": None, "parameters": None, "seconds": None}


def _means(cells: Mapping[str, Any], places: Sequence[Any], measures: Sequence[str]) -> dict[str, Any]:
    """Means over the places, of the measures that have a number at each."""
    means: dict[str, Any] = {}
    for name in measures:
        values = [cells[f"{name}_{place}"] for place in places]
        known = [value for value in values if isinstance(value, float)]
        means[name] = sum(known) / len(known) if len(known) == len(values) else None
    return means
