"""Scaling that can be undone: every scaler returns `Affine(loc, scale)`, fitted on the training rows alone.

`Affine` is bare arithmetic, so the same object serves numpy arrays here and torch tensors inside a batch.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsrnn import moments
from tsrnn.arrays import Arrays, Floats
from tsrnn.errors import notice, quoted, unknown
from tsrnn.split import Part

_ROUNDING = 4  # units in the last place by which equal values may differ
_STEPS = 256  # of a float32 in which a series should move at least
_SAMPLE = 64  # rows of a series that say where most of it lies
_FAR = 1000  # times as wide as that, from which a value is far out
_QUARTERS, _NORMAL = (0.25, 0.5, 0.75), 1.349  # the interquartile range of a unit Gaussian
_SQUARES = 1e-150  # the square of a smaller one is too near to 0 for a float64


@dataclass(frozen=True)
class Affine:
    """scaled = (value - loc) / scale, and back. `loc` and `scale` broadcast against the values.

    A scale of 0 says that all values were `loc`: others keep their unit, both ways, and a forecast of such a channel is
    `loc`, whatever a model says (`held`). `logs`: channels whose values are the logarithms of what was measured
    (`tsrnn.transforms`), which whoever brings a forecast back to its unit undoes last.
    """

    loc: Any
    scale: Any
    logs: tuple[int, ...] = ()

    def mapped(self, of: Callable[[Any], Any]) -> "Affine":
        """The same with some rows, or another type, of both."""
        return Affine(of(self.loc), of(self.scale), self.logs)

    def apply(self, value: Any) -> Any:
        return (value - self.loc) / self._unit

    def invert(self, scaled: Any) -> Any:
        return scaled * self._unit + self.loc

    def held(self, scaled: Any) -> Any:
        """A forecast in scaled units, 0 where all values were one."""
        return scaled * (self.scale != 0)

    def of_labels(self) -> "Affine":
        """The same where the first channel holds the numbers of classes, which stay as they are."""
        loc, scale = self.loc.copy(), self.scale.copy()
        loc[:, :1], scale[:, :1] = 0.0, 1.0
        return Affine(loc, scale)

    @property
    def _unit(self) -> Any:
        return self.scale + (self.scale == 0)


def _standard(x: Floats) -> tuple[float, float]:
    return float(x.mean(dtype=np.float64)), float(x.std(dtype=np.float64))


def _robust(x: Floats) -> tuple[float, float]:
    low, middle, high = np.quantile(x, _QUARTERS)
    return float(middle), float(high - low) / _NORMAL or _standard(x)[1]  # half the values may be one, as of rain


def _robust_of_many(of: moments.Blocks) -> tuple[float, float]:
    low, middle, high = moments.quantiles(of, _QUARTERS)
    return middle, (high - low) / _NORMAL or moments.standard(of)[1]


def _mean_abs(x: Floats) -> tuple[float, float]:
    return 0.0, float(np.abs(x).mean(dtype=np.float64))


def _none(x: Floats) -> tuple[float, float]:
    return 0.0, 1.0


SCALERS: dict[str, Callable[[Floats], tuple[float, float]]] = {
    "standard": _standard,
    "robust": _robust,
    "mean_abs": _mean_abs,
    "none": _none,
}
_OF_MANY = {_standard: moments.standard, _robust: _robust_of_many, _mean_abs: moments.mean_abs}


def fit(name: str, arrays: Arrays, train: Part, per_series: bool = False) -> Affine:
    """Fit the scaler called `name` on the rows that the split calls training.

    Args:
        name: standard (population mean and deviation), robust (median and interquartile range), mean_abs, none.
        arrays: the panel's numbers; missing cells (NaN) are left out.
        train: the training part of the split.
        per_series: one loc and scale per series instead of one for the whole panel. A series without
            training rows (a well left out) takes the panel's.

    Returns:
        Affine with float64 loc and scale of shape [series channel]; a scale of 0 where all values are one. Where a
        series moves by so little beside its scaled values that float32 loses it, or all but a few far values of it,
        that is said.

    Raises:
        InputError: no scaler has that name.
    """
    if name not in SCALERS:
        raise unknown("scaler", name, SCALERS)
    statistic = SCALERS[name]
    series, channels = len(arrays.ids), len(arrays.columns)
    loc, scale = np.zeros((series, channels)), np.ones((series, channels))
    for channel, column in enumerate(arrays.columns):
        pieces = [column[a:b] for a, b in zip(train.begin, train.end, strict=True)]
        loc[:, channel], scale[:, channel] = _statistic(statistic, pieces)
        if per_series:
            for row, piece in enumerate(pieces):
                if np.isfinite(piece).any():
                    loc[row, channel], scale[row, channel] = _statistic(statistic, [piece])
    if not _say_what_is_far(arrays, train, Affine(loc, scale)):
        _say_what_is_lost(name, arrays, train, Affine(loc, scale))
    return Affine(loc, scale)


def _say_what_is_far(arrays: Arrays, train: Part, scaling: Affine) -> bool:
    """Notice the first value so far out that most of its series is lost to float32 beside it; whether there is one.

    Most of a series is what lies between the tenths of a sample, which a few far values do not move.
    """
    rows = np.flatnonzero(train.end > train.begin)
    begin, end = train.begin[rows], train.end[rows]
    places = begin[:, None] + ((end - begin)[:, None] * np.arange(_SAMPLE)) // _SAMPLE  # [series sample]
    for channel, column in enumerate(arrays.columns if len(rows) else ()):
        drawn = np.sort(column[places].astype(np.float64), axis=1)  # missing cells last
        known = np.isfinite(drawn).sum(1)
        low, high = (drawn[np.arange(len(rows)), (known * tenth) // 10 - (known > 0)] for tenth in (1, 9))
        loc, scale = scaling.loc[rows, channel], scaling.scale[rows, channel]
        with np.errstate(over="ignore", invalid="ignore"):
            step = np.maximum(np.abs(low - loc), np.abs(high - loc)) * float(np.finfo(np.float32).eps)
            close = high - low < _STEPS * step
        for series in np.flatnonzero((known > 1) & (scale != 0) & (high > low) & close):
            inside = column[begin[series] : end[series]].astype(np.float64)
            with np.errstate(over="ignore"):
                away = np.nan_to_num(np.abs(inside - low[series]))
            row = int(away.argmax())
            if away[row] < _FAR * (high[series] - low[series]):  # it moves by little as a whole
                continue
            place = begin[series] + row - arrays.offsets[rows[series]]
            notice(
                f"column {quoted(arrays.names[channel])}, row {place + 1} of series {quoted(arrays.ids[rows[series]])} "
                f"holds {inside[row]:g}, so far out that float32 keeps little of the others, most of which lie between "
                f"{low[series]:g} and {high[series]:g}; mend the cell or leave it empty"
            )
            return True
    return False


def _say_what_is_lost(name: str, arrays: Arrays, train: Part, scaling: Affine) -> None:
    """Notice the first channel of which a series moves in fewer than `_STEPS` steps of a float32, once it is scaled."""
    rows = np.flatnonzero(train.end > train.begin)
    bounds = np.stack([train.begin[rows], train.end[rows]], axis=1).ravel()
    for channel, column in enumerate(arrays.columns if len(rows) else ()):
        inside = column[: bounds[-1]]
        low, high = (each.reduceat(inside, bounds[:-1])[::2].astype(np.float64) for each in (np.fmin, np.fmax))
        loc, scale = scaling.loc[rows, channel], scaling.scale[rows, channel]
        with np.errstate(over="ignore", invalid="ignore"):
            far = np.maximum(np.abs(low - loc), np.abs(high - loc))
            step = far * float(np.finfo(np.float32).eps)
            rounding = _ROUNDING * float(np.finfo(column.dtype).eps) * np.maximum(np.abs(low), np.abs(high))
            lost = (scale != 0) & (high - low > rounding) & (high - low < _STEPS * step)
        if lost.any():
            row = int(np.argmax(lost))
            mend = "scale_per_series=True" if name in ("standard", "robust") else "scaler='standard'"
            notice(
                f"{quoted(arrays.names[channel])} of series {quoted(arrays.ids[rows[row]])} moves by "
                f"{high[row] - low[row]:.3g} about {low[row]:.6g}, of which little is left in float32 by this scaling; "
                f"take {mend}"
            )
            return


def fit_features(matrix: Floats, train: Part) -> Affine:
    """Standardise covariates [row feature] by training rows; a constant one becomes 0. loc, scale: [feature]."""
    rows = np.concatenate([matrix[a:b] for a, b in zip(train.begin, train.end, strict=True)])
    pairs = [_statistic(_standard, [rows[:, k]]) for k in range(matrix.shape[1])]
    return Affine(np.array([loc for loc, _ in pairs]), np.array([scale for _, scale in pairs]))


def fit_static(matrix: Floats, train: Part) -> Affine:
    """Standardise features of whole series [series feature] by the series that have training rows."""
    seen = matrix[train.end > train.begin]
    pairs = [_statistic(_standard, [seen[:, k]]) for k in range(matrix.shape[1])]
    return Affine(np.array([loc for loc, _ in pairs]), np.array([scale for _, scale in pairs]))


def _statistic(statistic: Callable[[Floats], tuple[float, float]], pieces: list[Floats]) -> tuple[float, float]:
    """Location and scale of the numbers there are; of values that differ by rounding alone, one of them and 0."""
    if statistic in _OF_MANY and sum(map(len, pieces)) > moments.MANY:
        return _of_many(_OF_MANY[statistic], moments.blocks(pieces), pieces[0].dtype)
    x = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    finite = np.isfinite(x)
    if not finite.all():
        x = x[finite]
    if not x.size:
        return 0.0, 1.0
    if statistic is _none:
        return statistic(x)
    loc, scale = _measured(statistic, x)
    unit = _ROUNDING * float(np.finfo(x.dtype).eps)
    if scale > 2 * unit * abs(loc) and loc:  # a deviation is at most the range: no need to look for it
        return loc, scale
    low, high = float(x.min()), float(x.max())
    rounding = unit * max(abs(low), abs(high))
    if x.size == 1:
        return low, 1.0
    if high - low <= rounding:
        return low if low == high else float(x.mean(dtype=np.float64)), 0.0
    return loc, scale


def _of_many(statistic: moments.Statistic, of: moments.Blocks, kind: np.dtype[Any]) -> tuple[float, float]:
    """`_statistic` of more numbers than one would copy."""
    if not moments.count(of):
        return 0.0, 1.0
    low, high = moments.ends(of)
    furthest = max(abs(low), abs(high))
    if high - low <= _ROUNDING * float(np.finfo(kind).eps) * furthest:
        return low if low == high else moments.standard(of)[0], 0.0
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            loc, scale = statistic(of)
    except (OverflowError, ValueError):  # of sums beyond float64
        loc, scale = math.inf, math.inf
    if _SQUARES < scale < math.inf:
        return loc, scale
    power = math.frexp(furthest)[1]
    loc, scale = statistic(lambda: (np.ldexp(x.astype(np.float64), -power) for x in of()))
    return math.ldexp(loc, power), math.ldexp(scale, power)


def _measured(statistic: Callable[[Floats], tuple[float, float]], x: Floats) -> tuple[float, float]:
    """Location and scale, in another unit where sums or squares of the numbers are beyond float64."""
    with np.errstate(over="ignore", invalid="ignore"):
        loc, scale = statistic(x)
    if _SQUARES < scale < math.inf:
        return loc, scale
    power = math.frexp(float(np.abs(x).max()))[1]
    loc, scale = statistic(np.ldexp(x.astype(np.float64), -power))
    return math.ldexp(loc, power), math.ldexp(scale, power)
