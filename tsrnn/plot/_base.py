"""A canvas, dark on light whatever the user's style is, and how it becomes a file."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsrnn import files
from tsrnn.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = (".png", ".svg", ".pdf")
_INK = "#222222"
_HANDLE, _LETTER = 0.7, 0.075  # inches of what stands before a label of a legend, and of a letter
_STYLE = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "auto",
    "axes.grid": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 9.0,
    "path.simplify_threshold": 0.5,  # of a pixel
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK),
}


@contextmanager
def canvas(width: float, height: float, layout: str | None = "constrained") -> Iterator["Figure"]:
    """An empty figure of so many inches, to be drawn on inside the block.

    `layout`: None where everything has its place in inches.

    Raises:
        InputError: there is no matplotlib.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError("pictures need matplotlib; install it, or tsrnn with its extra: tsrnn[plot]") from None
    with rc_context(_STYLE):  # type: ignore[arg-type]  # its keys are a Literal of hundreds
        yield Figure(figsize=(width, height), layout=layout)  # type: ignore[arg-type]  # its names are a Literal


def check(path: Path) -> None:
    """Refuse a file that is no picture by its name.

    Raises:
        InputError: names the kinds there are.
    """
    if path.suffix not in KINDS:
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}; draw into a {', '.join(KINDS)} file")


def save(figure: "Figure", path: Path) -> None:
    """Write a figure to a png, svg or pdf file.

    Raises:
        InputError: the place cannot be written.
    """
    files.replaced(path, partial(figure.savefig, format=path.suffix[1:], dpi=150))


def handles_of(places: Iterable["Axes"]) -> dict[str, Any]:
    """What a legend explains, by label: one handle for all that are called alike."""
    handles: dict[str, Any] = {}
    for axes in places:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    return handles


def legend_shape(labels: Collection[str], width: float) -> tuple[int, int]:
    """Columns that fit into so many inches, and the lines they need."""
    columns = max(1, int(width / (_HANDLE + _LETTER * max(map(len, labels), default=1))))
    return columns, ceil(len(labels) / columns)


def named(name: str, unit: str | None) -> str:
    """A column's name with its unit, unless the name ends in one: GR (gAPI), T (degC)."""
    return f"{name} ({unit})" if unit and not name.endswith((")", "]")) else name


def text(words: str) -> str:
    """Words as they are, dollar signs too, which would begin a formula."""
    return words.replace("$", r"\$")
