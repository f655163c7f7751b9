"""What the last numbers of a model mean: a point, quantiles, a distribution. One head per file, named as the file is.

A head file has one class `HEAD`, derived from `_base.Head`, or from `_base.Distribution`: then its name is a loss that
`build` knows, and a likelihood that a model can be trained by.
"""

from collections.abc import Sequence, Sized
from functools import cache

from tsrnn.errors import unknown
from tsrnn.heads._base import LOSSES as LOSSES
from tsrnn.heads._base import Distribution as Distribution
from tsrnn.heads._base import Head as Head
from tsrnn.heads._base import checked as checked
from tsrnn.registry import load, names
from tsrnn.shapes import Spec


@cache
def distributions() -> dict[str, type[Distribution]]:
    """name -> class of every head that is a whole distribution."""
    found = {name: load("heads", name, "head").HEAD for name in names("heads")}
    return {name: head for name, head in found.items() if issubclass(head, Distribution)}


def build(quantiles: Sequence[float] | None, loss: str, params: int | None = None) -> Head:
    """A distribution where `loss` names one, quantiles where levels are given, else a point trained by `loss`.

    Args:
        quantiles: levels between 0 and 1, or none.
        loss: of a point, whether quantiles stand beside it or not; or a distribution's name.
        params: numbers per forecast cell of a model that is there already; None: of a new one.

    Raises:
        InputError: no such loss, or levels that are none.
    """
    asked = () if quantiles is None else quantiles
    levels = () if isinstance(asked, Sized) and not len(asked) else checked(asked)
    if loss in distributions():
        return likelihood(loss)
    if loss not in LOSSES:
        raise unknown("loss", loss, [*LOSSES, *distributions()])
    shelf = load("heads", "quantile" if levels else "point", "head")
    head: Head = shelf.HEAD(levels, loss, params) if levels else shelf.HEAD(loss)
    return head


def of(spec: Spec) -> Head:
    """The head that a model of this task was made for."""
    return build(spec.levels, spec.loss, spec.params)


def likelihood(name: str) -> Distribution:
    """The distribution called `name`.

    Raises:
        InputError: there is none; the message names the nearest.
    """
    if name not in distributions():
        raise unknown("likelihood", name, distributions())
    return distributions()[name]()
