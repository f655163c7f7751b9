"""Real and made sequences as points on a plane: where the ones lie and the others do not, something is not alike."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tsrnn.arrays import Floats
from tsrnn.errors import InputError
from tsrnn.plot._base import canvas, check, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 1000  # sequences drawn of each
_COLOURS = {"real": "#222222", "made": "#d1495b"}
_NEIGHBOURS = 30.0  # t-SNE's perplexity, where there are so many sequences


def likeness(real: Floats, made: Floats, path: str | Path | None = None, seed: int = 0) -> "Figure":
    """Draw sequences by their two principal components and, where scikit-learn is installed, by t-SNE.

    Principal axes are those of the real ones (as in Yoon et al. 2019, TimeGAN, figure 3); t-SNE is van der Maaten &
    Hinton 2008, of both together. Channels count alike, each by its range.

    Args:
        real: [sequence time channel].
        made: [sequence time channel].
        path: a png, svg or pdf file; None: nothing is written.
        seed: of which ones are drawn, where there are more than a thousand.

    Raises:
        InputError: the file is no picture by its name or cannot be written, or the two are no sequences of one shape.
    """
    if path is not None:
        check(path := Path(path))
    if real.ndim != 3 or real.shape[1:] != made.shape[1:] or min(len(real), len(made)) < 3:
        raise InputError(
            f"a picture takes three sequences or more of one shape [sequence time channel], not {list(real.shape)} and "
            f"{list(made.shape)}"
        )
    low, high = real.min((0, 1)), real.max((0, 1))
    rng = np.random.default_rng(seed)
    true, false = (_rows((each - low) / np.where(high > low, high - low, 1.0), rng) for each in (real, made))
    planes = {"principal components": _principal(true, false)}
    if find_spec("sklearn"):
        planes["t-SNE"] = _neighbours(true, false, seed)
    with canvas(4.5 * len(planes), 4.2) as figure:
        for place, (name, points) in enumerate(planes.items()):
            axes = figure.add_subplot(1, len(planes), place + 1)
            for (kind, colour), cloud in zip(_COLOURS.items(), points, strict=True):
                axes.scatter(cloud[:, 0], cloud[:, 1], s=8, color=colour, alpha=0.35, linewidths=0, label=kind)
            axes.set(title=name, xticks=[], yticks=[])
            axes.legend(loc="upper right", markerscale=2)
        if path is not None:
            save(figure, path)
    return figure


def _rows(sequences: Floats, rng: np.random.Generator) -> Floats:
    drawn = rng.permutation(len(sequences))[:_MOST]
    rows: Floats = sequences[drawn].reshape(len(drawn), -1)
    return rows


def _principal(real: Floats, made: Floats) -> tuple[Floats, Floats]:
    centre = real.mean(0)
    axes = np.linalg.svd(real - centre, full_matrices=False)[2][:2].T
    return (real - centre) @ axes, (made - centre) @ axes


def _neighbours(real: Floats, made: Floats, seed: int) -> tuple[Floats, Floats]:
    from sklearn.manifold import TSNE

    both = np.concatenate([real, made])
    maps: Any = TSNE(2, perplexity=min(_NEIGHBOURS, (len(both) - 1) / 3), init="pca", random_state=seed)
    points: Floats = maps.fit_transform(both)
    return points[: len(real)], points[len(real) :]
