"""Numbers -> the cells of a page's tables: text alone, which the template escapes."""

from collections.abc import Sequence
from math import isfinite, nan
from typing import Any

from tsrnn import tasks
from tsrnn.board.skill import Standing
from tsrnn.board.ties import Pair
from tsrnn.page.entries import Entry
from tsrnn.page.slices import Table
from tsrnn.suites import Suite

NONE = "-"
SHADES = 6  # of a cell's background, the best one first
_FAR = 0.25  # above the best of a column, where shading ends


def board(lines: Sequence[Entry], suite: Suite) -> dict[str, Any]:
    """Headings and rows of a board; a cell is a list of texts, one per measure where these differ."""
    measures = suite.measures
    first = [name.removeprefix(f"{measures[0]}_") for name in lines[0].cells if name.startswith(f"{measures[0]}_")]
    first = first if tasks.find(suite.task).forecasts else []  # a label has no horizon
    named = dict(zip(map(str, suite.leads), map(str, suite.said_leads), strict=True))
    skill = any(line.standing and line.standing.skill is not None for line in lines)
    seeded = any(line.cells["spread"] is not None for line in lines)
    classed = any(line.cells["class"] for line in lines)
    columns = ["mean", *(["±"] if seeded else []), "group", *(["class"] if classed else [])]
    columns += [named.get(place, place) for place in first]
    columns += [*(["skill %"] if skill else []), "wins %", "rank", "seeds", "parameters", "s/fit"]
    rows = []
    for line in lines:
        cell = line.cells
        texts = [[_score(cell[name], line) for name in measures]]
        texts += [[_form(cell["spread"], ".4f")]] if seeded else []
        texts += [[_text(cell["group"])], *([[cell["class"]]] if classed else [])]
        texts += [[_score(cell[f"{name}_{place}"], line) for name in measures] for place in first]
        texts += standing(line.standing, skill)
        texts += [[_text(cell["seeds"])], [_form(cell["parameters"], ",")], [_form(cell["seconds"], ".0f")]]
        rows.append({"entry": line, "cells": texts})
    return {"columns": columns, "rows": rows}


def standing(found: Standing | None, skill: bool) -> list[list[str]]:
    """Skill (where there is a baseline), wins and rank; intervals in brackets."""
    if found is None:
        return [[""]] * (3 if skill else 2)
    texts = [[_between(found.skill, found.skill_interval, 100, ".0f")]] if skill else []
    texts.append([_form(None if found.wins is None else 100 * found.wins, ".0f")])
    return [*texts, [_between(found.rank, found.rank_interval, 1, ".1f")]]


def _between(value: float | None, interval: tuple[float, float] | None, by: float, form: str) -> str:
    if value is None:
        return ""
    if interval is None:
        return f"{by * value:{form}}"
    low, high = (f"{by * end:{form}}" for end in interval)
    return f"{by * value:{form}} ({low} to {high})"


def differences(lines: Sequence[Entry], pairs: Sequence[Pair], measure: str) -> dict[str, Any] | None:
    """By how many per cent of the column's mean error the row's is lower (below 0) or higher; None of fewer than two.

    A cell is (text, kind): w and l where the two are told apart, t where they are not, "" where it is not known.
    """
    if len(lines) < 2:
        return None
    table: list[list[tuple[str, str]]] = [[("", "n")] * len(lines) for _ in lines]
    for pair in pairs:
        better, worse = (float(lines[k].cells[measure]) for k in (pair.first, pair.second))
        kinds = {True: ("w", "l"), False: ("t", "t"), None: ("", "")}[pair.told_apart]
        table[pair.first][pair.second] = (_percent(better, worse), kinds[0])
        table[pair.second][pair.first] = (_percent(worse, better), kinds[1])
    return {"names": [line.name for line in lines], "cells": table}


def _percent(value: float, other: float) -> str:
    return f"{100 * (value / other - 1):+.1f}" if other else NONE


def heat(table: Table, relative: bool = False, higher: bool = False) -> dict[str, Any]:
    """A table whose cells are shaded by how far they lie behind the best of their column; `higher` is better, or lower.

    What is better higher is a share: it lies behind by their difference.
    """
    places, lines = table
    first = max if higher else min
    best = [first(filter(isfinite, column), default=nan) for column in zip(*lines.values(), strict=True)]
    rows = [
        (name, [(_short(value, relative), _shade(value, best[k], higher)) for k, value in enumerate(values)])
        for name, values in lines.items()
    ]
    return {"places": places, "rows": rows}


def _shade(value: float, best: float, higher: bool) -> str:
    if not isfinite(value) or not best > 0:
        return "n"
    behind = best - value if higher else value / best - 1
    return f"h{min(SHADES - 1, int(SHADES * behind / _FAR))}"


def _short(value: float, relative: bool) -> str:
    if not isfinite(value):
        return NONE
    return f"{value:.2f}" if relative else f"{value:.3g}"


def words(measure: str) -> str:
    """A measure as a heading says it: abbreviations in capitals."""
    return " ".join(part.upper() if part in _ABBREVIATED else part for part in measure.split("_"))


_ABBREVIATED = ("mse", "mae", "rmse", "smape", "nmae", "crps", "wql", "mase", "rmsse")


def _score(value: float | None, line: Entry) -> str:
    return _form(value, ".4f" if line.ours else ".3f")


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _form(value: Any, form: str) -> str:
    return "" if value is None else f"{value:{form}}"
