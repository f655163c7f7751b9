"""Pictures drawn by hand: scales, axes and marks as SVG, in the colours of the page that they stand on.

Colours are classes, which `templates/figure.css` gives both schemes; a figure that stands alone carries that sheet.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10
from pathlib import Path

SHEET = Path(__file__).parent / "templates" / "figure.css"
WIDTH = 600
_LETTER = 7.1  # units of a letter, in a wide font


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high` -> units from `begin` to `end`; what lies outside is held at the edge."""

    low: float
    high: float
    begin: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self.log:
            low, high, value = (log10(max(each, 1e-300)) for each in (low, high, value))
        share = (value - low) / (high - low) if high > low else 0.5
        return round(self.begin + (self.end - self.begin) * min(1.0, max(0.0, share)), 1)

    def ticks(self, most: int = 6) -> list[float]:
        """Round numbers within."""
        if self.log:
            first, last = floor(log10(self.low)), ceil(log10(self.high))
            steps = (1,) if last - first > 3 else (1, 2, 5)
            tens = [step * 10.0**power for power in range(first, last + 1) for step in steps]
            return [tick for tick in tens if self.low <= tick <= self.high]
        if not self.high > self.low:
            return [self.low]
        rough = (self.high - self.low) / most
        power = 10.0 ** floor(log10(rough))
        step = next(each * power for each in (1, 2, 5, 10) if each * power >= rough)
        return [k * step for k in range(ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9) + 1)]


def scale(values: Iterable[float], begin: float, end: float, log: bool = False, margin: float = 0.05) -> Scale:
    """A scale over the finite values, with some room at both ends."""
    known = [value for value in values if isfinite(value) and (value > 0 or not log)] or [1.0]
    low, high = min(known), max(known)
    if log:
        room = (high / low) ** margin if high > low else 2.0
        return Scale(low / room, high * room, begin, end, True)
    room = (high - low) * margin or abs(high) * 0.05 or 1.0
    return Scale(low - room, high + room, begin, end)


def short(value: float) -> str:
    """A number as an axis says it."""
    size = abs(value)
    for bound, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= bound:
            return f"{value / bound:.3g}{letter}"
    return f"{value:.3g}"


def labels_of(ticks: Sequence[float], log: bool = False) -> list[str]:
    """Evenly spaced numbers with as many digits as tell them apart; others by themselves."""
    if log or len(ticks) < 2 or max(map(abs, ticks)) >= 10_000:
        return [short(tick) for tick in ticks]
    digits = max(0, -floor(log10(ticks[1] - ticks[0]) + 1e-9))
    return [f"{tick + 0.0:.{digits}f}" for tick in ticks]


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "") -> str:
    style = (f' class="{kind}"' if kind else "") + (f' text-anchor="{anchor}"' if anchor else "")
    return f'<text x="{x:g}" y="{y:g}"{style}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<path class="{kind}" d="M{x1:g} {y1:g}L{x2:g} {y2:g}"/>'


def dot(x: float, y: float, kind: str, said: str = "", radius: float = 4) -> str:
    title = f"<title>{escape(said)}</title>" if said else ""
    return f'<circle class="{kind}" cx="{x:g}" cy="{y:g}" r="{radius:g}">{title}</circle>'


def peak(x: float, y: float, kind: str, said: str) -> str:
    """A mark at the upper edge of what lies above an axis, pointing there."""
    return f'<path class="{kind}" d="M{x:g} {y - 3:g}l6 9h-12z"><title>{escape(said)}</title></path>'


def fall(points: Sequence[tuple[float, float]], x: Scale, y: Scale) -> list[tuple[float, float]]:
    """Places of a line whose values never rise; one that begins above its axis, from where it comes into it."""
    above = sum(value > y.high for _, value in points)
    drawn = [(x(at), y(value)) for at, value in points[above:]]
    if above and drawn:
        (first, high), (second, low) = points[above - 1 : above + 1]
        share = (high - y.high) / (high - low)
        drawn.insert(0, (round(x(first) + share * (x(second) - x(first)), 1), y.end))
    return drawn


def path(points: Iterable[tuple[float, float]], kind: str, said: str = "") -> str:
    """A line through the points, broken where one is no number."""
    steps, broken = [], True
    for x, y in points:
        if not isfinite(y):
            broken = True
            continue
        steps.append(f"{'M' if broken else 'L'}{x:g} {y:g}")
        broken = False
    title = f"<title>{escape(said)}</title>" if said else ""
    return f'<path class="{kind}" d="{"".join(steps)}">{title}</path>' if steps else ""


def band(xs: Sequence[float], low: Sequence[float], high: Sequence[float], kind: str) -> str:
    """The area between two lines."""
    edge = [*zip(xs, low, strict=True), *reversed(list(zip(xs, high, strict=True)))]
    return f'<path class="{kind}" d="M{"L".join(f"{x:g} {y:g}" for x, y in edge)}Z"/>'


def across(axis: Scale, bottom: float, top: float, named: str, most: int = 6) -> str:
    """A horizontal axis with its grid, and what it measures below it."""
    ticks = axis.ticks(most)
    grid = "".join(line(axis(tick), top, axis(tick), bottom, "g") for tick in ticks)
    named_ticks = zip(ticks, labels_of(ticks, axis.log), strict=True)
    labels = "".join(text(axis(tick), bottom + 15, words, "t", "middle") for tick, words in named_ticks)
    return grid + labels + text((axis.begin + axis.end) / 2, bottom + 32, named, "a", "middle")


def upright(axis: Scale, left: float, right: float, named: str, most: int = 5) -> str:
    """A vertical axis with its grid, and what it measures above it."""
    ticks = axis.ticks(most)
    grid = "".join(line(left, axis(tick), right, axis(tick), "g") for tick in ticks)
    named_ticks = zip(ticks, labels_of(ticks, axis.log), strict=True)
    labels = "".join(text(left - 6, axis(tick) + 4, words, "t", "end") for tick, words in named_ticks)
    return grid + labels + text(2, min(axis.begin, axis.end) - 8, named, "a")


def apart(wanted: Sequence[float], least: float, low: float, high: float) -> list[float]:
    """Places near those wanted and at least so far apart, between two bounds: for labels beside the ends of lines."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    placed, floor_ = [0.0] * len(wanted), low
    for k in order:
        placed[k] = floor_ = max(wanted[k], floor_)
        floor_ += least
    over = max(placed, default=low) - high
    ceiling = high
    for k in reversed(order):
        if over > 0:
            placed[k] = min(placed[k], ceiling)
            ceiling = placed[k] - least
    return placed


def room(words: Iterable[str], least: float = 30) -> float:
    """Units that the longest of some labels takes."""
    return max(least, max((len(each) for each in words), default=0) * _LETTER + 10)


def figure(name: str, height: float, said: str, *parts: str, width: float = WIDTH) -> str:
    """An SVG element; `said` is what a reader hears who does not see it."""
    return (
        f'<svg class="f" role="img" aria-label="{escape(said)}" data-name="{escape(name)}" '
        f'viewBox="0 0 {width:g} {height:g}">{"".join(parts)}</svg>'
    )


def alone(drawn: str) -> str:
    """A figure as a file of its own, light or dark as its reader's screen is."""
    sheet = SHEET.read_text(encoding="utf-8")
    head, _, rest = drawn.partition(">")
    size = head[head.index('viewBox="0 0 ') + 13 : -1].split()
    head = head.replace("<svg ", f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" ')
    back = '<rect class="back" width="100%" height="100%"/>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}><style>{sheet}</style>{back}{rest}\n'
