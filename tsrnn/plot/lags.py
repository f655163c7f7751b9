"""Positive numbers by lag: how far back a network feels its input."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tsrnn.plot._base import canvas, check, save

Line = tuple[str, bool]  # whose it is, and whether it is trained

_DARKEST, _ROUND = 1e-16, 1.5  # of the largest value: what double precision could still tell from nothing


def by_lag(lines: Mapping[Line, Sequence[float]], path: Path, across: str, up: str) -> None:
    """Draw positive numbers by lag on a logarithmic scale: one colour per name, dashed before training, solid after.

    Raises:
        InputError: another kind of file than png, svg or pdf, a folder that cannot be written, no matplotlib.
    """
    check(path)
    with canvas(8, 5) as figure:
        axes = figure.add_subplot()
        colours = {name: f"C{k}" for k, name in enumerate(dict.fromkeys(name for name, _ in lines))}
        for (name, trained), values in lines.items():
            label = f"{name}, {'trained' if trained else 'fresh'}"
            shown = [value if value > 0 else float("nan") for value in values]
            axes.plot(shown, color=colours[name], linestyle="-" if trained else "--", label=label)
        largest = max((value for values in lines.values() for value in values), default=0.0)
        axes.set_yscale("log")
        if largest > 0:
            axes.set_ylim(bottom=_DARKEST * largest, top=_ROUND * largest)
        axes.set(xlabel=across, ylabel=up)
        axes.grid(alpha=0.3)
        axes.legend()
        save(figure, path)
