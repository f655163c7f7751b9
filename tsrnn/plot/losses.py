"""Losses of a training by epoch."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from tsrnn.errors import InputError
from tsrnn.plot._base import canvas, check, save


def losses(pairs: Sequence[tuple[float, float]], best: int, path: Path) -> None:
    """Draw the training's and the validation's loss of each epoch, and the epoch whose weights were kept.

    Args:
        pairs: (training, validation) of each epoch, as `Report.losses` has them; NaN where nothing was validated on.
        best: the number of the best epoch, from 1; 0: none.

    Raises:
        InputError: another kind of file, a place that cannot be written, no matplotlib, or nothing was trained.
    """
    check(path)
    if not pairs:
        raise InputError("there are no losses to draw: this model is solved, not trained by epochs; leave --plot out")
    epochs = range(1, len(pairs) + 1)
    with canvas(7, 4) as figure:
        from matplotlib.ticker import MaxNLocator

        axes = figure.add_subplot()
        for place, (name, colour, mark) in enumerate((("training", "#0072B2", "o"), ("validation", "#D55E00", "s"))):
            values = [pair[place] for pair in pairs]
            if any(map(isfinite, values)):
                axes.plot(epochs, values, color=colour, marker=mark, markersize=3.5, linewidth=1.5, label=name)
        if best:
            axes.axvline(best, color="#888888", linestyle=(0, (2, 2)), linewidth=1, label=f"kept: epoch {best}")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel="epoch", ylabel="loss")
        axes.grid(alpha=0.25, linewidth=0.6)
        axes.legend(frameon=False)
        save(figure, path)
