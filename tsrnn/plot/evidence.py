"""Evidence by moment: how sure one may be that the world has drifted."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tsrnn.plot._base import canvas, check, save, text


def evidence(moments: Sequence[Any], curves: Mapping[str, Any], needed: float, path: Path) -> None:
    """Draw evidence by moment on a logarithmic scale, the first curve the heaviest, and the height that is enough.

    Raises:
        InputError: as `by_lag`.
    """
    check(path)
    with canvas(8, 5) as figure:
        axes = figure.add_subplot()
        for place, (name, curve) in enumerate(curves.items()):
            colour = "black" if place == 0 else f"C{place - 1}"
            axes.plot(moments, curve, color=colour, lw=1 if place else 2, label=text(name))
        axes.axhline(needed, color="C3", linestyle="--", label=f"drift: {needed:g}")
        axes.set_yscale("log")
        axes.set(ylabel="evidence")
        axes.grid(alpha=0.3)
        axes.legend()
        figure.autofmt_xdate()
        save(figure, path)
