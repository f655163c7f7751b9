"""What came before a forecast, by which its errors are counted: seasonal differences, and what the clock says."""

import numpy as np
import numpy.typing as npt

from tsrnn.arrays import Arrays, Rows

SEASONS = 30  # that the clock's mean is taken over: days of a month, where a season is a day

Cells = npt.NDArray[np.float64]


def seasonal_errors(arrays: Arrays, rows: Rows, season: int) -> Cells:
    """Mean absolute difference from a season before, over all that each row's series was until then: [row target].

    The scale of MASE (Hyndman & Koehler 2006) of a forecast whose first step is that row; NaN where no two measured
    values lie a season apart.
    """
    series = np.searchsorted(arrays.offsets, rows, side="right") - 1
    begin, scales = arrays.offsets[series], []
    for column in arrays.columns[: arrays.targets]:
        apart = np.full(arrays.rows, np.nan)
        apart[season:] = np.abs(column[season:] - column[:-season].astype(np.float64))
        apart[(np.arange(arrays.rows) - np.repeat(arrays.offsets[:-1], arrays.lengths)) < season] = np.nan
        known = np.concatenate([[0], np.cumsum(np.isfinite(apart))])
        total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(apart))])
        with np.errstate(invalid="ignore", divide="ignore"):
            scales.append((total[rows] - total[begin]) / (known[rows] - known[begin]))
    return np.stack(scales, -1)


def clock(arrays: Arrays, rows: Rows, season: int, horizon: int) -> Cells:
    """Mean at the same place of the season over the newest seasons before each row: [row horizon target].

    Of `SEASONS` seasons, or as many as the row's own stretch without a gap holds before it; the row is the first step
    of a forecast. NaN where nothing was measured there.
    """
    firsts, _ = arrays.segments()
    begin = firsts[np.searchsorted(firsts, rows, side="right") - 1, None]
    ahead = rows[:, None] + np.arange(min(season, horizon))
    total = np.zeros((*ahead.shape, arrays.targets))
    known = np.zeros_like(total)
    for back in range(season, (SEASONS + 1) * season, season):
        inside = ahead - back >= begin
        if not inside.any():
            break
        at = np.where(inside, ahead - back, 0)
        for target, column in enumerate(arrays.columns[: arrays.targets]):
            seen = inside & np.isfinite(column[at])
            total[..., target] += np.where(seen, column[at], 0.0)
            known[..., target] += seen
    with np.errstate(invalid="ignore"):
        mean: Cells = total / known
    return mean[:, np.arange(horizon) % season]
