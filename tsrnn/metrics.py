"""Measures of a forecast, one function each: arrays of one shape in, a number out; NaN cells are left out.

Units are the data's own unless said. Sources: MASE, Hyndman & Koehler 2006; pinball loss, Koenker & Bassett 1978;
weighted quantile loss, as in the M5 competition (Makridakis et al. 2022).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.floating]


def mse(y: Values, forecast: Values) -> float:
    """Mean squared error."""
    return float(np.nanmean((forecast - y) ** 2))


def rmse(y: Values, forecast: Values) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(mse(y, forecast)))


def mae(y: Values, forecast: Values) -> float:
    """Mean absolute error."""
    return float(np.nanmean(np.abs(forecast - y)))


def bias(y: Values, forecast: Values) -> float:
    """Mean of forecast minus truth: above 0 where the forecast is too high."""
    return float(np.nanmean(forecast - y))


def smape(y: Values, forecast: Values) -> float:
    """Symmetric mean absolute percentage error, 0 to 200 %; a cell where both are 0 counts as 0."""
    size = np.abs(y) + np.abs(forecast)
    share = np.divide(2 * np.abs(forecast - y), size, out=np.where(np.isnan(size), np.nan, 0.0), where=size > 0)
    return float(100 * np.nanmean(share))


def mase(y: Values, forecast: Values, history: Values, seasonality: int = 1) -> float:
    """Mean absolute error over the seasonal naive forecast's inside `history` [row]; below 1 is better than it."""
    naive = float(np.nanmean(np.abs(history[seasonality:] - history[:-seasonality])))
    return mae(y, forecast) / naive if naive > 0 else np.nan


def pinball(y: Values, quantile: Values, level: float) -> float:
    """Mean pinball loss of one quantile forecast."""
    error = y - quantile
    return float(np.nanmean(np.maximum(level * error, (level - 1) * error)))


def wql(y: Values, quantiles: Values, levels: Sequence[float]) -> float:
    """Weighted quantile loss: twice the summed pinball loss over the summed absolute truth, averaged over the levels.

    Args:
        y: [...]; quantiles: [... quantile].
    """
    seen = ~np.isnan(y)
    losses = [2 * pinball(y[seen], quantiles[..., k][seen], level) * seen.sum() for k, level in enumerate(levels)]
    return float(np.mean(losses) / np.abs(y[seen]).sum())


def coverage(y: Values, low: Values, high: Values) -> float:
    """Share of truths inside [low, high]; an 80 % interval should hold 0.8 of them."""
    seen = ~np.isnan(y)
    return float(np.mean((low[seen] <= y[seen]) & (y[seen] <= high[seen])))
