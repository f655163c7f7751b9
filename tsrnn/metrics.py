"""Measures of a forecast, the one place of each: arrays of one shape in, a number out; NaN cells are left out.

A measure is made of sums over cells (`Measure`): it is the same however the cells are batched, and one pass over the
windows gives it for each window, series and lead. One more is one function, marked `@measure`, whose name is what a
suite, a board and a sweep call it by. Lower is better, wherever one is compared: a measure that is best at some value
(`Measure.best`) can be shown, not compared.

In the units of what it is given: `mse` of a suite is in scaled units, `physical_mse` in the data's own. Sources: MASE,
Hyndman & Koehler 2006; pinball loss, Koenker & Bassett 1978; weighted quantile loss, as in the M5 competition
(Makridakis et al. 2022).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tsrnn.errors import InputError, unknown

Values = npt.NDArray[np.floating]
USUAL = ("mse", "mae")  # what is measured where nobody asks for others, and the columns of every result row
_PHYSICAL = "physical_"


@dataclass(frozen=True)
class Measure:
    """A measure as what is summed over cells, and what is made of the sums.

    Called with the truth and the forecast, and a mask where not every cell counts, it is a number.

    cells    (y, forecast) -> an array of that shape, or a tuple of them; operators alone, so that tensors will do
    whole    (count of cells, sum of each array) -> the measure; element by element
    levels   of the quantiles that `cells` takes in place of the forecast, if it does
    best     the value that is best; None: the lowest
    """

    cells: Callable[..., Any]
    whole: Callable[..., Any]
    levels: tuple[float, ...] = ()
    best: float | None = None

    def __call__(self, y: Values, *forecast: Values, mask: npt.NDArray[np.bool_] | None = None) -> float:
        seen = ~np.isnan(sum(forecast, start=y))
        if mask is not None:
            seen &= mask
        arrays = self.arrays(y[seen], *(each[seen] for each in forecast))
        return float(self.of(seen.sum(), *(np.sum(each, dtype=np.float64) for each in arrays)))

    def arrays(self, y: Any, *forecast: Any) -> tuple[Any, ...]:
        """What `cells` says, always as a tuple."""
        found = self.cells(y, *forecast)
        return found if isinstance(found, tuple) else (found,)

    def of(self, count: Any, *sums: Any) -> Any:
        """What `whole` says; NaN where there is no cell."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.whole(count, *sums)


def _mean(count: Any, total: Any) -> Any:
    return total / count


def measure(
    whole: Callable[..., Any] = _mean, levels: tuple[float, ...] = (), best: float | None = None
) -> Callable[[Callable[..., Any]], Measure]:
    """Make a measure of a function of cells; by default their mean."""
    return lambda cells: Measure(cells, whole, levels, best)


@measure()
def mse(y: Any, forecast: Any) -> Any:
    """Mean squared error."""
    return (forecast - y) ** 2


@measure(lambda count, total: np.sqrt(total / count))
def rmse(y: Any, forecast: Any) -> Any:
    """Root of the mean squared error."""
    return (forecast - y) ** 2


@measure()
def mae(y: Any, forecast: Any) -> Any:
    """Mean absolute error."""
    return abs(forecast - y)


@measure(best=0.0)
def bias(y: Any, forecast: Any) -> Any:
    """Mean of forecast minus truth: above 0 where the forecast is too high."""
    return forecast - y


@measure()
def smape(y: Any, forecast: Any) -> Any:
    """Symmetric mean absolute percentage error, 0 to 200 %; a cell where both are 0 counts as 0."""
    size = abs(y) + abs(forecast)
    return 200 * abs(forecast - y) / (size + (size == 0))


@measure(lambda count, error, size: error / size)
def nmae(y: Any, forecast: Any) -> Any:
    """Summed absolute error over the summed absolute truth, the normalised deviation of Salinas et al. 2017."""
    return abs(forecast - y), abs(y)


@measure(levels=(0.1, 0.9), best=0.8)
def coverage(y: Any, low: Any, high: Any) -> Any:
    """Share of truths inside [low, high]; an 80 % interval should hold 0.8 of them."""
    return (low <= y) & (y <= high)


MEASURES: dict[str, Measure] = {name: each for name, each in globals().items() if isinstance(each, Measure)}


def named(word: str) -> Measure:
    """The measure that a suite calls by this word, with or without `physical_` before it.

    Raises:
        InputError: there is none.
    """
    if word.removeprefix(_PHYSICAL) not in MEASURES:
        raise unknown("measure", word, [*MEASURES, *(f"{_PHYSICAL}{name}" for name in MEASURES)])
    return MEASURES[word.removeprefix(_PHYSICAL)]


def ordering(word: str) -> Measure:
    """The measure of that word, by which forecasts are to be compared.

    Raises:
        InputError: there is none, or its lowest value is not its best.
    """
    asked = named(word)
    if asked.best is not None:
        raise InputError(
            f"{word} orders nothing, for it is best at {asked.best:g} and not where it is lowest; compare by another "
            "measure, such as mae, and name it after that one"
        )
    return asked


def physical(word: str) -> bool:
    """Whether the word asks for a measure in the data's own units."""
    return word.startswith(_PHYSICAL)


def mase(y: Values, forecast: Values, history: Values, seasonality: int = 1) -> float:
    """Mean absolute error over the seasonal naive forecast's inside `history` [row]; below 1 is better than it."""
    naive = mae(history[seasonality:], history[:-seasonality])
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
