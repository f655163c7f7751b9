"""What the last numbers of a model mean: a point, quantiles. One head per file; the file's name is the head's.

A head file has one class `HEAD`, derived from `_base.Head`.
"""

from collections.abc import Sequence

from tsrnn.heads._base import Head
from tsrnn.registry import module


def build(quantiles: Sequence[float] | None, loss: str) -> Head:
    """The quantile head where levels are given, else a point head trained by `loss`."""
    if quantiles is not None and len(quantiles):
        head: Head = module("heads", "quantile", "head").HEAD(quantiles)
    else:
        head = module("heads", "point", "head").HEAD(loss)
    return head
