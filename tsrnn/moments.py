"""Location and scale of more numbers than one would copy: block by block, in float64, several passes over them.

`tsrnn.scale` asks here from `MANY` numbers on, whether they lie in memory or in a file: sums are those of blocks, added
without rounding (`math.fsum`), and quantiles are exact, chosen digit by digit of their bits (radix selection).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tsrnn.arrays import Floats, Rows

MANY = 1 << 24
_BLOCK = 1 << 20
_DIGIT = 16  # bits of a number that one pass looks at
Blocks = Callable[[], Iterator[Floats]]  # the numbers, from the beginning
Statistic = Callable[[Blocks], tuple[float, float]]


def blocks(pieces: Sequence[Floats]) -> Blocks:
    """The finite numbers of the pieces, some at a time."""

    def run() -> Iterator[Floats]:
        for piece in pieces:
            for begin in range(0, len(piece), _BLOCK):
                x = piece[begin : begin + _BLOCK]
                yield x[np.isfinite(x)]

    return run


def count(of: Blocks) -> int:
    return sum(map(len, of()))


def ends(of: Blocks) -> tuple[float, float]:
    """The lowest and the highest number."""
    pairs = [(float(x.min()), float(x.max())) for x in of() if len(x)]
    return min(low for low, _ in pairs), max(high for _, high in pairs)


def standard(of: Blocks) -> tuple[float, float]:
    """Mean and population deviation."""
    many = count(of)
    mean = math.fsum(float(x.sum(dtype=np.float64)) for x in of()) / many
    squares = math.fsum(float(np.square(x - np.float64(mean)).sum()) for x in of())
    return mean, math.sqrt(squares / many)


def mean_abs(of: Blocks) -> tuple[float, float]:
    """0 and the mean of absolute values."""
    return 0.0, math.fsum(float(np.abs(x).sum(dtype=np.float64)) for x in of()) / count(of)


def quantiles(of: Blocks, shares: Sequence[float]) -> list[float]:
    """Quantiles, straight between two neighbours, as `numpy.quantile` has them."""
    places = [share * (count(of) - 1) for share in shares]
    ranks = sorted({rank for place in places for rank in (math.floor(place), math.ceil(place))})
    known = dict(zip(ranks, _ranked(of, ranks), strict=True))
    pairs = [(known[math.floor(place)], known[math.ceil(place)], place % 1) for place in places]
    return [low + (high - low) * part for low, high, part in pairs]


def _ranked(of: Blocks, ranks: Sequence[int]) -> list[float]:
    """The numbers that stand at these places among all, in order."""
    kind = next(of()).dtype
    width = 8 * kind.itemsize
    found, left = [0] * len(ranks), [*ranks]  # leading digits of each; its place among the numbers that share them
    for shift in range(width - _DIGIT, -1, -_DIGIT):
        tables: dict[int, Rows] = {head: np.zeros(1 << _DIGIT, np.int64) for head in found}
        for x in of():
            digits = _sortable(x) >> np.uint64(shift)
            heads, digits = digits >> np.uint64(_DIGIT), digits & np.uint64((1 << _DIGIT) - 1)
            for head, table in tables.items():
                table += np.bincount(digits[heads == np.uint64(head)].astype(np.int64), minlength=len(table))
        for k, head in enumerate(found):
            total = np.cumsum(tables[head])
            digit = int(np.searchsorted(total, left[k], side="right"))
            left[k] -= int(total[digit - 1]) if digit else 0
            found[k] = (head << _DIGIT) | digit
    return [_number(each, kind) for each in found]


def _sortable(x: Floats) -> npt.NDArray[np.uint64]:
    """Whole numbers in the order of the floats: negative ones turned over, the others above them."""
    bits: npt.NDArray[Any] = np.ascontiguousarray(x).view(f"u{x.dtype.itemsize}")
    top = bits.dtype.type(1 << (8 * x.dtype.itemsize - 1))
    turned: npt.NDArray[Any] = np.where(bits & top, ~bits, bits | top)
    return turned.astype(np.uint64)


def _number(sortable: int, kind: np.dtype[Any]) -> float:
    width = 8 * kind.itemsize
    top = 1 << (width - 1)
    bits = sortable & ~top if sortable & top else ~sortable & ((1 << width) - 1)
    return float(np.array(bits, f"u{kind.itemsize}").view(kind))
