"""Classes by depth as coloured strips: rocks as `rocks.toml` has them, others with colours in turn."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tsrnn.errors import unknown
from tsrnn.plot.facets import Values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OTHERS = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#0072B2", "#D55E00")  # Okabe & Ito 2008
_HATCHES = ("", "///", "...", "xxx", "---")  # in turn, once each colour has been used


@dataclass(frozen=True)
class Rock:
    """What a class looks like."""

    name: str
    colour: str
    hatch: str = ""


@dataclass(frozen=True)
class Strip:
    """A column of classes in one well, as stretches of one class each: [stretch] each."""

    name: str
    top: Values
    bottom: Values
    rocks: Sequence[Rock]


def columns(frame: pl.DataFrame, asked: Sequence[str] | None) -> list[str]:
    """The columns to be drawn: those asked for, else those that are called as classes of rock are.

    Raises:
        InputError: one is not there.
    """
    if asked is None:
        usual = {name.lower() for name in _table()["columns"]}
        return [name for name in frame.columns if name.lower() in usual and frame[name].null_count() < frame.height]
    for name in asked:
        if name not in frame.columns:
            raise unknown("column of classes", name, frame.columns)
    return list(asked)


def rocks(classes: Sequence[Any]) -> dict[Any, Rock]:
    """What each class looks like: words and codes that `rocks.toml` knows as it says, others with colours in turn."""
    known, words = _by_word(), {each: _word(each) for each in classes}
    others = [word for word in words.values() if word.lower() not in known]
    looks = {
        word: Rock(word, _OTHERS[k % len(_OTHERS)], _HATCHES[k // len(_OTHERS) % len(_HATCHES)])
        for k, word in enumerate(others)
    }
    return {each: known.get(word.lower()) or looks[word] for each, word in words.items()}


def _word(each: Any) -> str:
    """A class in words: a code without a fraction, a name without underscores."""
    return str(int(each)) if isinstance(each, float) and each.is_integer() else str(each).strip().replace("_", " ")


def of(at: Values, column: pl.Series, cuts: Values, looks: Mapping[Any, Rock]) -> Strip:
    """A strip of a well: a class reaches half a step beyond its rows, and never over a cut or a missing cell.

    Args:
        at: depths, rising: [row].
        column: classes: [row].
        cuts: rows before which rows are missing.
        looks: of every class.
    """
    cells = column.to_list()
    steps = np.diff(at)
    half = float(np.median(steps)) / 2 if len(steps) else 0.5
    middle = at[:-1] + steps / 2
    edges = sorted({0, len(cells), *cuts.tolist(), *(k for k, (a, b) in enumerate(pairwise(cells), 1) if a != b)})
    spans = [(a, b) for a, b in pairwise(edges) if cells[a] is not None]
    broken = set(cuts.tolist())
    top = [at[a] - half if a == 0 or a in broken else middle[a - 1] for a, _ in spans]
    bottom = [at[b - 1] + half if b == len(cells) or b in broken else middle[b - 1] for _, b in spans]
    return Strip(column.name, np.array(top), np.array(bottom), [looks[cells[a]] for a, _ in spans])


def draw(axes: "Axes", strip: Strip) -> None:
    """Fill the axes, whose x goes from 0 to 1, with the strip's stretches; labelled by class for a legend."""
    from matplotlib.collections import PolyCollection

    for rock in dict.fromkeys(strip.rocks):
        spans = [(a, b) for a, b, each in zip(strip.top, strip.bottom, strip.rocks, strict=True) if each == rock]
        boxes = [((0, a), (1, a), (1, b), (0, b)) for a, b in spans]
        axes.add_collection(PolyCollection(boxes, **look(rock)), autolim=False)


def look(rock: Rock) -> dict[str, Any]:
    """How matplotlib is told of it."""
    return {"facecolor": rock.colour, "hatch": rock.hatch, "edgecolor": "#00000066", "linewidth": 0, "label": rock.name}


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("rocks.toml").read_text(encoding="utf-8"))


@cache
def _by_word() -> dict[str, Rock]:
    """Rocks by their names, other names and codes."""
    known: dict[str, Rock] = {}
    for name, entry in _table()["rocks"].items():
        rock = Rock(name, entry["colour"], entry.get("hatch", ""))
        words = (name, *entry.get("names", ()), *map(str, entry.get("codes", ())))
        known |= {word.lower(): rock for word in words}
    return known
