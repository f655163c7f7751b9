"""What is in a panel before anybody models it: series, columns, coverage, gaps, ranges, units, steps, and all notes.

`content` is tables of plain values, for a person or a program:

    series     a row each: rows, first and last index, step, rows after which the index has a gap
    columns    a row each, over all series: unit, the file's name and words, role, coverage, gaps, range, words
    coverage   a row per series, a column per column: the share of its rows that were measured, in percent
    each       a row per series and column: coverage, gaps and the longest, range, where it is measured from and to
    notes      what was met in the file and in the frame, and how often
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from tsrnn import ends
from tsrnn import index as indexing
from tsrnn.errors import singular
from tsrnn.panel import Panel
from tsrnn.reading import Column
from tsrnn.steps import unit_of

_DIGITS = 5  # of a number that is told
_SAMPLE = 4096  # rows of a series whose step is looked at
_FEW = 3  # columns of which the same is told one by one
_WORDED = (pl.String, pl.Categorical, pl.Enum)
_WORDS = 5  # of a column of labels that are told
_MANY = 16  # series whose coverage stands side by side

Record = dict[str, Any]


def content(panel: Panel) -> dict[str, list[Record]]:
    """Tables of records by name; see the module. Lengths of gaps are in the index's unit, times in hours."""
    panel = _in_words(panel)
    names = [name for name, kind in panel.frame.schema.items() if _counts(panel, name, kind)]
    each = [_cell(panel, name, series) for series in range(len(panel.ids)) for name in names]
    strange = () if panel.rows_as_they_stand else ends.strides(panel, panel.freq or panel.step.word or None)
    series = [_series(panel, row, name in strange) for row, name in enumerate(panel.ids)]
    columns = [_column(panel, name, [cell for cell in each if cell["column"] == name]) for name in names]
    coverage = [
        {"series": row["series"]} | {cell["column"]: cell["%"] for cell in each if cell["series"] == row["series"]}
        for row in series
    ]
    notes = [
        {"series": note.source, "column": note.column, "count": note.count, "what": note.what, "loud": note.loud}
        for note in panel.notes
    ]
    return {"series": series, "columns": columns, "coverage": coverage, "each": each, "notes": notes}


def told(tables: Mapping[str, list[Record]], by_series: bool = False) -> dict[str, list[Record]]:
    """The tables as a person reads them, numbers in few digits.

    The coverage is turned over: a row per column, a number per series; of very many series it is left out. Notes that
    are alike but for their series are one, with the sum of their counts.

    Args:
        tables: as of `content`.
        by_series: give a row per series and column instead of the coverage, and every note.
    """
    series = [{"#": str(row), **each} for row, each in enumerate(tables["series"], 1)]
    rest: dict[str, list[Record]] = {"each": tables["each"]} if by_series else {}
    if not by_series and 1 < len(series) <= _MANY:
        shares = [(each["column"], [row[each["column"]] for row in tables["coverage"]]) for each in tables["columns"]]
        rest["coverage, %"] = [
            {"column": name} | {each["#"]: f"{share:.0f}" for each, share in zip(series, cells, strict=True)}
            for name, cells in shares
        ]
    notes = tables["notes"] if by_series else _alike(tables["notes"])
    notes = [{name: value for name, value in note.items() if name != "loud"} for note in notes]
    columns = [each | {"about": "" if each["about"] == each["column"] else each["about"]} for each in tables["columns"]]
    sections = {"series": series, "columns": columns, **rest, "notes": notes}
    return {name: _short(rows) for name, rows in sections.items()}


def _alike(notes: list[Record]) -> list[Record]:
    """One note for all series of which it says the same of a column, and for many columns of which it quietly does."""
    columns: dict[str, set[str]] = {}
    for note in notes:
        columns.setdefault(note["what"], set()).add(note["column"] if not note["loud"] else "")
    kinds: dict[tuple[str, str], list[Record]] = {}
    for note in notes:
        few = note["loud"] or len(columns[note["what"]]) <= _FEW
        kinds.setdefault((note["column"] if few else f"{len(columns[note['what']])} columns", note["what"]), []).append(
            note
        )
    return [
        {
            "series": f"{len(names)} series"
            if len(names := {note["series"] for note in same}) > 1
            else same[0]["series"],
            "column": column,
            "count": (count := sum(note["count"] for note in same)),
            "what": singular(f"{count} {what}").removeprefix(f"{count} "),
        }
        for (column, what), same in kinds.items()
    ]


def _short(rows: list[Record]) -> list[Record]:
    """Records without columns that hold nothing, numbers as text."""
    held = [name for name in (rows[0] if rows else ()) if any(row[name] not in (None, "") for row in rows)]
    return [{name: f"{row[name]:g}" if isinstance(row[name], float) else row[name] for name in held} for row in rows]


def _counts(panel: Panel, name: str, kind: pl.DataType) -> bool:
    told = kind.is_numeric() or kind == pl.Boolean or kind == pl.String
    return told and name not in (panel.roles.index, panel.roles.id)


def _in_words(panel: Panel) -> Panel:
    """The panel with every label as a word, and no blank for one."""
    frame, target = panel.frame, panel.roles.targets[0]
    if panel.classes is not None:
        words = [None if code is None else str(panel.classes[int(code)]) for code in frame[target]]
        frame = frame.with_columns(pl.Series(target, words, pl.String))
    worded = [pl.col(name).cast(pl.String) for name, kind in frame.schema.items() if kind in _WORDED]
    frame = frame.with_columns(pl.when(each.str.strip_chars() != "").then(each) for each in worded)
    return replace(panel, frame=frame) if worded else panel


def _ends(values: pl.Series) -> Record:
    """The smallest and the largest number; of words, which there are, the commonest first."""
    if values.dtype != pl.String:
        return {"low": _plain(values.min()), "high": _plain(values.max()), "words": None}
    counts = values.drop_nulls().value_counts(sort=True).sort("count", values.name, descending=[True, False])
    shown = [f"{word} {count}" for word, count in counts.head(_WORDS).iter_rows()]
    rest = [f"{counts.height - _WORDS} more"] if counts.height > _WORDS else []
    return {"low": None, "high": None, "words": ", ".join([*shown, *rest])}


def _series(panel: Panel, row: int, strange: bool) -> Record:
    """What there is to say of a series as a whole; `strange`: gaps are counted by a step of its own."""
    first, last = (int(place) for place in panel.offsets[row : row + 2])
    index = panel.frame[panel.roles.index][first:last]
    gaps = 0
    if not panel.rows_as_they_stand:
        whole = np.array([0, len(index)])
        step = indexing.step_of(index, whole, None) if strange else panel.step
        gaps = len(indexing.breaks(index, whole, step))
    return {
        "series": panel.ids[row],
        "rows": last - first,
        "first": _plain(index[0]),
        "last": _plain(index[-1]),
        "step": _step(index),
        "unit": panel.columns.get(panel.roles.index, Column()).unit,
        "gaps": gaps,
    }


def _step(index: pl.Series) -> Any:
    """The step that the rows of one series keep, in a word; None where there are too few."""
    if len(index) < 2:
        return None
    sample = index[:_SAMPLE]
    if index.dtype.is_temporal():
        return indexing.step_of(sample, np.array([0, len(sample)]), None, strict=False).word
    return _plain(float(np.median(np.diff(sample.to_numpy().astype(np.float64)))))


def _cell(panel: Panel, name: str, row: int) -> Record:
    """A column in one series; null where nothing was measured."""
    first, last = (int(place) for place in panel.offsets[row : row + 2])
    values, index = panel.frame[name][first:last], panel.frame[panel.roles.index][first:last]
    seen = np.flatnonzero(values.is_not_null().to_numpy())
    record: Record = {"series": panel.ids[row], "column": name, "%": _plain(100 * len(seen) / len(values))}
    if not len(seen):
        return record | dict.fromkeys(("low", "high", "words", "gaps", "longest", "from", "to"))
    jumps = np.diff(seen)
    holes = np.flatnonzero(jumps > 1)
    lengths = [_apart(index, int(seen[hole]), int(seen[hole + 1])) for hole in holes]
    return record | {
        **_ends(values),
        "gaps": len(holes),
        "longest": _plain(max(lengths, default=0.0)),
        "from": _plain(index[int(seen[0])]),
        "to": _plain(index[int(seen[-1])]),
    }


def _apart(index: pl.Series, one: int, other: int) -> float:
    """From one row to another: in the index's unit, of times in hours."""
    values = index.gather([one, other]).to_physical().cast(pl.Float64)
    length = float(values[1] - values[0])
    return length * unit_of(index) / 3.6e12 if index.dtype.is_temporal() else length


def _column(panel: Panel, name: str, cells: list[Record]) -> Record:
    """A column over all series."""
    said, held = panel.columns.get(name, Column()), [cell for cell in cells if cell["%"]]
    values = panel.frame[name]
    return {
        "column": name,
        "unit": said.unit,
        "role": _role(panel, name),
        "series": len(held),
        "%": _plain(100 * values.count() / len(values)),
        "gaps": sum(cell["gaps"] for cell in held),
        "longest": max((cell["longest"] for cell in held), default=None),
        **_ends(values),
        "original": said.original,
        "about": said.description,
    }


def _role(panel: Panel, name: str) -> str:
    roles = {"target": panel.roles.targets, **panel.roles.covariates}
    return next((role for role, names in roles.items() if name in names), "")


def _plain(value: Any) -> Any:
    """A number or a date as JSON has it."""
    if isinstance(value, bool) or value is None or isinstance(value, int | str):
        return value
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None
    return str(value)
