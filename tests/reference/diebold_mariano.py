"""Diebold & Mariano (1995) with the correction of Harvey, Leybourne & Newbold (1997), sum by sum."""

import math
from collections.abc import Sequence


def statistic(d: Sequence[float], h: int) -> float:
    """S1* of Harvey et al., of the loss differences `d` [window] of forecasts `h` steps ahead."""
    n = len(d)
    mean = sum(d) / n
    gamma = [sum((d[t] - mean) * (d[t - k] - mean) for t in range(k, n)) / n for k in range(h)]
    variance = (gamma[0] + 2 * sum(gamma[1:])) / n
    s1 = mean / math.sqrt(variance)
    return s1 * math.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)
