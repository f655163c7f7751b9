"""Pictures. The one door to matplotlib, which the extra `plot` installs."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tsrnn import files
from tsrnn.errors import InputError

Line = tuple[str, bool]  # whose it is, and whether it is trained

_KINDS = (".png", ".svg", ".pdf")
_DARKEST, _ROUND = 1e-16, 1.5  # of the largest value: what double precision could still tell from nothing


def by_lag(lines: Mapping[Line, Sequence[float]], path: Path, across: str, up: str) -> None:
    """Draw positive numbers by lag on a logarithmic scale: one colour per name, dashed before training, solid after.

    Raises:
        InputError: another kind of file than png, svg or pdf, a folder that cannot be written, no matplotlib.
    """
    figure = _figure(path)
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
    _write(figure, path)


def evidence(moments: Sequence[Any], curves: Mapping[str, Any], needed: float, path: Path) -> None:
    """Draw evidence by moment on a logarithmic scale, the first curve the heaviest, and the height that is enough.

    Raises:
        InputError: as `by_lag`.
    """
    figure = _figure(path)
    axes = figure.add_subplot()
    for place, (name, curve) in enumerate(curves.items()):
        axes.plot(moments, curve, color="black" if place == 0 else f"C{place - 1}", lw=1 if place else 2, label=name)
    axes.axhline(needed, color="C3", linestyle="--", label=f"drift: {needed:g}")
    axes.set_yscale("log")
    axes.set(ylabel="evidence")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.autofmt_xdate()
    _write(figure, path)


def _figure(path: Path) -> Any:
    """An empty figure, once it is known that the file can be one."""
    if path.suffix not in _KINDS:
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}; draw into a {', '.join(_KINDS)} file")
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError("pictures need matplotlib; install it, or tsrnn with its extra: tsrnn[plot]") from None
    return Figure(figsize=(8, 5), layout="constrained")


def _write(figure: Any, path: Path) -> None:
    files.replaced(path, partial(figure.savefig, format=path.suffix[1:], dpi=150))
