"""The equal-weighted cosine test of Lazarus, Lewis, Stock & Watson (2018), sum by sum."""

import math
from collections.abc import Sequence


def statistic(d: Sequence[float], cosines: int) -> float:
    """The mean of `d` [window] over its error, from projections on so many cosines of type II."""
    n = len(d)
    mean = sum(d) / n
    squares = 0.0
    for j in range(1, cosines + 1):
        wave = [math.sqrt(2 / n) * math.cos(math.pi * j * (t - 0.5) / n) for t in range(1, n + 1)]
        squares += sum(w * x for w, x in zip(wave, d, strict=True)) ** 2
    return mean / math.sqrt(squares / cosines / n)
