"""What is drawn into a track: its grid, curves and what is forecast of them; and how a legend explains it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tsrnn.plot import strips
from tsrnn.plot._base import text
from tsrnn.plot.bit import Ahead
from tsrnn.plot.logs import Curve
from tsrnn.plot.strips import Strip

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GRID = "#d8d8d8"
_INK, _FORECAST, _BIT = "#222222", "#111111", "#c2185b"
_DASHES = (0, (4, 2))  # of the bit
_PALE, _FILL = 0.22, 0.18  # of one interval, of a filled curve
_MANY = 2500  # rows from which lines are thinner


def grid(axes: "Axes", curves: Sequence[Curve], log: bool) -> None:
    """Tenths of a track, or the decades of its first curve and what lies between."""
    lines, heavy = np.arange(1, 10) / 10, np.arange(1, 10) == 5
    if log and curves:
        low, high = sorted(curves[0].scale)
        tens = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        lines = curves[0].place((tens[:, None] * np.arange(1, 10)).ravel())
        heavy = np.arange(len(lines)) % 9 == 0
    for line, wide in zip(lines, heavy, strict=True):
        if 0 < line < 1:
            axes.axvline(line, color=GRID, linewidth=0.8 if wide else 0.3, zorder=0)


def curve(axes: "Axes", drawn: Curve, until: float) -> None:
    """A line, filled down to a depth: below it, intervals are."""
    across, seen, trace = drawn.place(drawn.values), np.isfinite(drawn.values), drawn.trace
    alone = seen & ~np.append(False, seen[:-1]) & ~np.append(seen[1:], False)
    if trace.fill:
        edge, filled = 0.0 if trace.fill == "left" else 1.0, drawn.at <= until
        axes.fill_betweenx(drawn.at, edge, across, filled, color=trace.colour, alpha=_FILL, linewidth=0)
    thick = 0.9 if len(drawn.at) <= _MANY else 0.55
    axes.plot(across, drawn.at, color=trace.colour, linestyle=trace.style, linewidth=thick)
    axes.plot(across[alone], drawn.at[alone], ".", color=trace.colour, markersize=1.5)


def forecast(axes: "Axes", drawn: Curve, ahead: Ahead) -> None:
    """Intervals in the curve's colour, the forecast in black, and the depths to which the curve had been measured."""
    trace = drawn.trace
    for fan in ahead.fans:
        for low, high in fan.intervals.values():
            edges = drawn.place(low), drawn.place(high)
            axes.fill_betweenx(fan.at, *edges, color=trace.colour, alpha=_PALE, linewidth=0, zorder=1.5)
        mark = "o" if len(fan.at) == 1 else None
        line: dict[str, Any] = {
            "color": _FORECAST,
            "linestyle": trace.style,
            "linewidth": 1.5,
            "marker": mark,
            "markersize": 3,
        }
        axes.plot(drawn.place(fan.point), fan.at, **line)
    for depth in np.unique(ahead.bits):
        axes.axhline(depth, color=_BIT, linewidth=1.0, linestyle=_DASHES, zorder=3)


def handles(told: Sequence[Ahead], classes: Sequence[Strip]) -> dict[str, Any]:
    """What a legend explains, by its words: what is ahead of the bit, and classes."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    explained: dict[str, Any] = {}
    shares = dict.fromkeys(share for each in told for fan in each.fans for share in fan.intervals)
    if told:
        explained["forecast"] = Line2D([], [], color=_FORECAST, linewidth=1.5)
        for depth, share in enumerate(shares, 1):  # a narrow interval lies on the wider ones
            explained[f"{share} % interval"] = Patch(facecolor=_INK, alpha=1 - (1 - _PALE) ** depth)
        explained["last measurement"] = Line2D([], [], color=_BIT, linewidth=1.0, linestyle=_DASHES)
    for rock in dict.fromkeys(rock for strip in classes for rock in strip.rocks):
        explained.setdefault(rock.name, Patch(**{**strips.look(rock), "label": None}))
    return {text(name): handle for name, handle in explained.items()}
