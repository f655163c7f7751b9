"""The figures of a page: lines with their spread, error against cost, error by step, forecasts beside the truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

from tsrnn.page import svg
from tsrnn.page.svg import WIDTH

COLOURS = 6  # that figure.css has
_ROW = 19  # units of a line of names
_TALL = 260  # of a chart
_LEFT, _TOP, _FOOT = 46, 26, 42
_FEW = 5  # lines of which an axis shows all
_FAR = 2.5  # widths of the better two thirds of a board, beyond which a mark stands at the edge


@dataclass(frozen=True)
class Mark:
    """A line of a board at a place of a figure, with the interval around it."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    ours: bool = True
    first: bool = False  # in the first tie group


def intervals(name: str, marks: Sequence[Mark], measured: str, said: str) -> str:
    """Dots and their intervals, a line of names below each other; what others published is hollow."""
    left = svg.room(mark.name for mark in marks)
    ends = [each for mark in marks for each in (mark.low, mark.high, mark.value) if each is not None]
    axis = svg.scale(_near([mark.value for mark in marks], ends), left + 8, WIDTH - 70)
    bottom = 12 + _ROW * len(marks)
    over = [any(each is not None and each > axis.high for each in (mark.value, mark.high)) for mark in marks]
    parts = [svg.across(axis, bottom, 4, measured + (" (>: beyond the axis)" if any(over) else ""))]
    for place, mark in enumerate(marks):
        y = 16 + _ROW * place
        kind = "s0" if mark.first else "q" if mark.ours else "o"
        if mark.low is not None and mark.high is not None and mark.high > mark.low:
            parts.append(svg.line(axis(mark.low), y, axis(mark.high), y, "l0" if mark.first else "i"))
        parts.append(svg.dot(axis(mark.value), y, kind, radius=4.5))
        parts.append(svg.text(left, y + 4, mark.name, "" if mark.ours else "q", "end"))
        beyond = " >" if over[place] else ""
        parts.append(svg.text(WIDTH, y + 4, f"{mark.value:.4g}{beyond}", "t", "end"))
    return svg.figure(name, bottom + 40, said, *parts)


def _near(values: Sequence[float], ends: Sequence[float]) -> list[float]:
    """The ends that an axis shows: a naive line far behind does not press all others together."""
    ordered = sorted(values)
    if len(ordered) < _FEW:
        return list(ends)
    far = ordered[0] + _FAR * max(ordered[(len(ordered) - 1) * 2 // 3] - ordered[0], 1e-9)
    return [each for each in ends if each <= far]


@dataclass(frozen=True)
class Cost:
    """What a line costs, and its error."""

    name: str
    cost: float
    error: float
    naive: bool = False


def costs(name: str, points: Sequence[Cost], across: str, measured: str, said: str) -> str:
    """Error against cost on a logarithmic axis, and the line of those that nothing cheaper beats.

    One far behind the others stands as a peak at the upper edge; the line comes from where it would be.
    """
    points = [point for point in points if point.cost > 0 and isfinite(point.error)]
    if len(points) < 2:
        return ""
    x = svg.scale([point.cost for point in points], _LEFT, WIDTH - 90, log=True)
    y = svg.scale(_near([point.error for point in points], [point.error for point in points]), _TALL, _TOP)
    front = _front(points)
    above = [point for point in points if point.error > y.high]
    stairs = svg.fall([(point.cost, point.error) for point in front], x, y)
    upright = svg.upright(y, _LEFT, WIDTH - 90, measured + (" (▲: above the axis)" if above else ""))
    parts = [svg.across(x, _TALL, _TOP, across), upright, svg.path(stairs, "d")]
    beside = svg.apart([y(point.error) for point in front], 12, _TOP, _TALL)
    for point in points:
        kind, draw = "s0" if point in front else "q", svg.peak if point in above else svg.dot
        words = f"{point.name}: {point.error:.4g}, {point.cost:.4g}"
        parts.append(draw(x(point.cost), y(point.error), kind, words))
    for point, height in zip(front, beside, strict=True):
        words = f"{point.name} {point.error:.4g}" if point in above else point.name
        parts.append(svg.text(x(point.cost) + 7, height + 4, words, "t"))
    return svg.figure(name, _TALL + _FOOT, said, *parts)


def _front(points: Sequence[Cost]) -> list[Cost]:
    """Those that nothing as cheap is as good as, cheapest first."""
    front: list[Cost] = []
    for point in sorted(points, key=lambda each: (each.cost, each.error)):
        if not front or point.error < front[-1].error:
            front.append(point)
    return front


@dataclass(frozen=True)
class Course:
    """A line's values at places along an axis; NaN where it has none."""

    name: str
    values: Sequence[float]


def courses(name: str, lines: Sequence[Course], places: Sequence[str], axes: tuple[str, str], said: str) -> str:
    """Values by place, evenly spaced, each line with its name at its end.

    Args:
        axes: what is along the horizontal one, and what is measured.
    """
    lines = lines[:COLOURS]
    right = WIDTH - svg.room((line.name for line in lines), 60)
    y = svg.scale((each for line in lines for each in line.values), _TALL, _TOP)
    steps = [_LEFT + 10 + (right - _LEFT - 20) * k / max(1, len(places) - 1) for k in range(len(places))]
    every = max(1, -(-len(places) // 12))
    parts = [svg.upright(y, _LEFT, right, axes[1]), svg.text((_LEFT + right) / 2, _TALL + 32, axes[0], "a", "middle")]
    parts += [svg.text(steps[k], _TALL + 15, places[k], "t", "middle") for k in range(0, len(places), every)]
    ends = [next((each for each in reversed(line.values) if isfinite(each)), y.low) for line in lines]
    heights = svg.apart([y(end) for end in ends], 13, _TOP, _TALL)
    for k, (line, height) in enumerate(zip(lines, heights, strict=True)):
        points = [(at, y(each) if isfinite(each) else each) for at, each in zip(steps, line.values, strict=True)]
        parts.append(svg.path(points, f"l{k}", line.name))
        if len(places) <= 24:
            parts += [svg.dot(at, each, f"s{k}", radius=2.5) for at, each in points if isfinite(each)]
        parts.append(svg.text(right + 4, height + 4, line.name, f"s{k}"))
    return svg.figure(name, _TALL + _FOOT, said, *parts)


@dataclass(frozen=True)
class Sample:
    """What was measured around one test window, and what lines forecast of it."""

    steps: Sequence[float]  # from the first target, which is step 1
    measured: Sequence[float]
    forecasts: Mapping[str, Sequence[float]] = field(default_factory=dict)
    intervals: Mapping[str, tuple[Sequence[float], Sequence[float]]] = field(default_factory=dict)


def sample(name: str, drawn: Sample, measured: str, colours: Mapping[str, int], said: str) -> str:
    """Forecasts over what came true, with their intervals; the names of lines at the right."""
    names = list(drawn.forecasts)
    right = WIDTH - svg.room([*names, "measured"], 60)
    values = [*drawn.measured, *(each for line in drawn.forecasts.values() for each in line)]
    values += [each for edges in drawn.intervals.values() for edge in edges for each in edge]
    x = svg.Scale(min(drawn.steps), max(drawn.steps), _LEFT, right)
    y = svg.scale(values, _TALL - 40, _TOP)
    parts = [svg.upright(y, _LEFT, right, measured, 4), svg.across(x, _TALL - 40, _TOP, "steps ahead", 8)]
    parts.append(svg.line(x(0.5), _TOP, x(0.5), _TALL - 40, "d"))
    ahead = [(k, step) for k, step in enumerate(drawn.steps) if step > 0]
    at = [x(step) for _, step in ahead]
    for line, (low, high) in drawn.intervals.items():
        under, over = ([y(edge[k]) for k, _ in ahead] for edge in (low, high))
        parts.append(svg.band(at, under, over, f"b{colours[line]}"))
    truth = zip(drawn.steps, drawn.measured, strict=True)
    points = [(x(step), y(each) if isfinite(each) else each) for step, each in truth]
    parts.append(svg.path(points, "i", "measured"))
    ends, labels = [], [(line, f"s{colours[line]}") for line in names] + [("measured", "")]
    for line, forecast in drawn.forecasts.items():
        parts.append(svg.path([(x(step), y(forecast[k])) for k, step in ahead], f"l{colours[line]}", line))
        ends.append(y(forecast[ahead[-1][0]]))
    ends.append(points[-1][1] if isfinite(points[-1][1]) else _TOP)
    for (line, kind), height in zip(labels, svg.apart(ends, 13, _TOP, _TALL - 40), strict=True):
        parts.append(svg.text(right + 4, height + 4, line, kind))
    return svg.figure(name, _TALL, said, *parts)
