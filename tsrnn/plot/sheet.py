"""The page of a picture of logs: every well's heads, tracks and strips at their place in inches, one legend below."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tsrnn.plot import pen, strips
from tsrnn.plot._base import canvas, legend_shape, named, save, text
from tsrnn.plot.bit import Ahead
from tsrnn.plot.logs import Curve, Logs
from tsrnn.plot.strips import Strip
from tsrnn.plot.template import Track

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TRACK, _NARROW, _STRIP = 1.5, 1.2, 0.42  # inches of a track, of one beside other wells', of a strip
_BETWEEN, _DEPTHS, _EDGE = 0.07, 0.72, 0.15  # inches between tracks, left of a well, around the page
_BODY, _HEAD, _TITLE, _LINE = 8.6, 0.34, 0.24, 0.2  # inches of the logs, a curve's head, a line above, one below
_LEAST = 2.4  # inches of all tracks together
_UPRIGHT = 1.5  # inches of the head above a strip, whose name stands upright, at most
_LONGEST = 1.5  # wells share their depths where all of them span no more than so many times the longest
_SMALL, _LETTER = 7.0, 0.058  # points of the letters of heads, and inches of one
_TICKS = 16  # of depths, at most


@dataclass(frozen=True)
class Well:
    """What is drawn of one well."""

    name: str
    tracks: list[list[Curve]]
    strips: list[Strip]
    ahead: list[Ahead]
    top: float
    bottom: float


class _Place:
    """Where things are on the page, in inches from the left and the bottom."""

    def __init__(self, figure: "Figure") -> None:
        self.figure = figure
        self.width, self.height = figure.get_size_inches()

    def axes(self, left: float, bottom: float, width: float, height: float) -> "Axes":
        return self.figure.add_axes((left / self.width, bottom / self.height, width / self.width, height / self.height))

    def write(self, words: str, left: float, bottom: float, **how: Any) -> None:
        said: dict[str, Any] = {"va": "center", "fontsize": _SMALL, **how}
        self.figure.text(left / self.width, bottom / self.height, text(words), **said)

    def line(self, left: float, right: float, height: float, **how: Any) -> None:
        from matplotlib.lines import Line2D

        across, up = (left / self.width, right / self.width), (height / self.height,) * 2
        self.figure.add_artist(Line2D(across, up, **how))


def page(wells: Sequence[Well], tracks: Sequence[Track], logs: Logs, path: str | Path | None = None) -> "Figure":
    """A figure of wells, each with the tracks in which any of them has a curve, and its strips."""
    used = [k for k in range(len(tracks)) if any(well.tracks[k] for well in wells)]
    track = max(_TRACK if len(wells) == 1 else _NARROW, _LEAST / (len(used) * len(wells) or 1))
    across = len(used) * (track + _BETWEEN) + len(wells[0].strips) * (_STRIP + _BETWEEN) - _BETWEEN
    heads = max((len(well.tracks[k]) for well in wells for k in used), default=1)
    upright = max((0.12 + _LETTER * len(strip.name) for strip in wells[0].strips), default=0.0)
    head = max(_HEAD * heads, min(upright, _UPRIGHT))
    width = 2 * _EDGE + len(wells) * (_DEPTHS + across)
    with canvas(width, 1, layout=None) as figure:
        handles = pen.handles(
            [each for well in wells for each in well.ahead], [each for well in wells for each in well.strips]
        )
        columns, lines = legend_shape(handles, width)
        foot = _EDGE + lines * _LINE
        titles = _TITLE * (1 + any(well.ahead for well in wells))
        figure.set_size_inches(width, foot + _BODY + head + titles + _EDGE)
        place = _Place(figure)
        for number, (well, limits) in enumerate(zip(wells, _limits(wells), strict=True)):
            left = _EDGE + number * (_DEPTHS + across) + _DEPTHS
            _well(place, well, (left, foot, track), [(well.tracks[k], tracks[k].log) for k in used])
            first, *_ = axes = figure.axes[-len(used) - len(well.strips) :]
            _depths(axes, limits)
            unit = logs.unit(logs.index)
            first.set_ylabel(text(named(logs.index, unit)))
            first.tick_params(labelleft=True)
            _title(place, well, left + across / 2, foot + _BODY + head, unit)
        if handles:
            figure.legend(
                list(handles.values()), list(handles), loc="lower center", ncols=columns, frameon=False, fontsize=8
            )
        if path is not None:
            save(figure, Path(path))
    return figure


def _well(
    place: _Place, well: Well, at: tuple[float, float, float], tracks: Sequence[tuple[list[Curve], bool]]
) -> None:
    left, bottom, width = at
    top = bottom + _BODY
    for curves, log in tracks:
        axes = place.axes(left, bottom, width, _BODY)
        pen.grid(axes, curves, log)
        for curve in curves:
            bits = [each.bits[0] for each in well.ahead if each.curve == curve.name]
            pen.curve(axes, curve, min(bits, default=np.inf))
        for each in well.ahead:
            for curve in (curve for curve in curves if curve.name == each.curve):
                pen.forecast(axes, curve, each)
        if not curves:
            place.write("not measured", left + width / 2, top + 0.1, ha="center")
        for row, curve in enumerate(reversed(curves)):
            _head(place, curve, (left, width, top + row * _HEAD))
        left += width + _BETWEEN
    for strip in well.strips:
        strips.draw(place.axes(left, bottom, _STRIP, _BODY), strip)
        name = _short(strip.name[::-1], _UPRIGHT - 0.1)[::-1]  # its end tells more than its beginning
        place.write(name, left + _STRIP / 2, top + 0.06, rotation=90, ha="center", va="bottom")
        left += _STRIP + _BETWEEN


def _head(place: _Place, curve: Curve, at: tuple[float, float, float]) -> None:
    """A curve's name, unit and scale, and what its line looks like."""
    left, width, bottom = at
    place.write(_short(named(curve.name, curve.unit), width), left + width / 2, bottom + 0.25, ha="center")
    low, high = (f"{edge:.6g}" for edge in curve.scale)
    place.write(low, left + 0.02, bottom + 0.1, ha="left")
    place.write(high, left + width - 0.02, bottom + 0.1, ha="right")
    ends = left + 0.09 + _LETTER * len(low), left + width - 0.09 - _LETTER * len(high)
    place.line(*ends, bottom + 0.1, color=curve.trace.colour, linestyle=curve.trace.style, linewidth=1.4)


def _title(place: _Place, well: Well, middle: float, bottom: float, unit: str) -> None:
    """The well's name, and how far down it was measured."""
    up = _TITLE * (0.5 + bool(well.ahead))
    place.write(well.name, middle, bottom + up, ha="center", fontsize=10, fontweight="bold")
    ends = {each.curve: f"{each.bits[-1]:.1f}{' ' + unit if unit else ''}" for each in well.ahead}
    if not ends:
        return
    alike = len(set(ends.values())) == 1
    told = next(iter(ends.values())) if alike else ", ".join(f"{name} {end}" for name, end in ends.items())
    count = max(len(each.fans) for each in well.ahead)
    words = f"last measured at {told}" if count == 1 else f"{count} forecasts, the last from {told}"
    place.write(words, middle, bottom + 0.5 * _TITLE, ha="center")


def _depths(places: Sequence["Axes"], limits: tuple[float, float]) -> None:
    """One scale of depths for all tracks of a well, growing downwards."""
    from matplotlib.ticker import MaxNLocator

    ticks = np.asarray(MaxNLocator(_TICKS, steps=[1, 2, 2.5, 5, 10]).tick_values(*limits))
    ticks = ticks[(ticks >= limits[0]) & (ticks <= limits[1])]
    for axes in places:
        axes.set(xlim=(0, 1), ylim=limits[::-1], xticks=[], yticks=ticks)
        axes.grid(axis="y", color=pen.GRID, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0, labelleft=False, labelsize=8)
        axes.spines[:].set(visible=True, linewidth=0.6)
        axes.ticklabel_format(axis="y", useOffset=False, style="plain")


def _limits(wells: Sequence[Well]) -> list[tuple[float, float]]:
    """Depths of each well's axes: a metre is as long in every one, and where they overlap they stand side by side."""
    longest = max(well.bottom - well.top for well in wells)
    top, bottom = min(well.top for well in wells), max(well.bottom for well in wells)
    margin = 0.01 * longest if longest > 0 else 1.0
    if bottom - top <= _LONGEST * longest:
        return [(top - margin, bottom + margin)] * len(wells)
    return [(well.top - margin, well.top + longest + margin) for well in wells]


def _short(words: str, width: float) -> str:
    """Words that fit into so many inches."""
    most = max(4, int(width / _LETTER))
    return words if len(words) <= most else words[: most - 1] + "…"
