"""Measures of a forecast, the one place of each: arrays of one shape in, a number out; NaN cells are left out.

A measure is made of sums over cells (`Measure`): it is the same however the cells are batched, and one pass over the
windows gives it for each window, series and lead. One more is one function, marked `@measure`, whose name is what a
suite, a board and a sweep call it by. Lower is better, wherever one is compared: a measure that is best at some value
(`Measure.best`) can be shown, not compared.

In the units of what it is given: `mse` of a suite is in scaled units, `physical_mse` in the data's own. Sources: MASE,
Hyndman & Koehler 2006; RMSSE and weighted quantile loss, as in the M5 competition (Makridakis et al. 2022); anomaly
correlation, Murphy & Epstein 1989; pinball loss, Koenker & Bassett 1978; CRPS, Matheson & Winkler 1976; interval score,
Gneiting & Raftery 2007, eq. 43.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tsrnn.errors import InputError, unknown

Values = npt.NDArray[np.floating]
USUAL = ("mse", "mae")  # what is measured where nobody asks for others, and the columns of every result row
History = Literal["", "seasonal", "clock"]  # none; the mean seasonal difference; the mean at that place of the season
NO_SCALE = "whose history is shorter than a season or the same in each"  # of which such a measure knows nothing
_PHYSICAL = "physical_"
_DECILES = tuple(k / 10 for k in range(1, 10))
_MIDPOINTS = tuple(round(0.05 + k / 10, 2) for k in range(10))


@dataclass(frozen=True)
class Measure:
    """A measure as what is summed over cells, and what is made of the sums.

    Called with the truth and the forecast, and a mask where not every cell counts, it is a number.

        cells    (y, forecast) -> an array of that shape, or a tuple of them; operators alone, so that tensors will do
        whole    (count of cells, sum of each array) -> the measure; element by element
        levels   of the quantiles that `cells` takes in place of the forecast, if it does
        best     the value that is best; None: the lowest
    history  what `cells` takes of the past behind the forecast, by a word of `History`; truth and forecast are then in
             the data's own units
    """

    cells: Callable[..., Any]
    whole: Callable[..., Any]
    levels: tuple[float, ...] = ()
    best: float | None = None
    history: History = ""

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


def _mean(count: Any, total: Any, known: Any = None) -> Any:
    return total / (count if known is None else known)


def measure(
    whole: Callable[..., Any] = _mean,
    levels: tuple[float, ...] = (),
    best: float | None = None,
    history: History = "",
) -> Callable[[Callable[..., Any]], Measure]:
    """Make a measure of a function of cells; by default their mean."""
    return lambda cells: Measure(cells, whole, levels, best, history)


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


@measure(history="seasonal")
def mase(y: Any, forecast: Any, scale: Any) -> Any:
    """Mean absolute error over the seasonal naive forecast's inside the history; below 1 is better than it.

    A cell whose history never changed from one season to the next has no scale, and is left out.
    """
    known = scale > 0
    return abs(forecast - y) / (scale + 1.0 * ~known) * known, 1.0 * known + 0.0 * y


@measure(lambda count, both, told, came: both / np.sqrt(told * came), best=1.0, history="clock")
def acc(y: Any, forecast: Any, clock: Any) -> Any:
    """Anomaly correlation coefficient, 1 at best: do departures from what the clock says go together?

    Uncentred (Murphy & Epstein 1989): sum of f'y' over the root of the sums of their squares. The clock says
    the mean at the same place of the season over the newest 30 seasons (`tsrnn.yardsticks.clock`); from a climatology
    of many years slow departures would count as well.
    """
    told, came = forecast - clock, y - clock
    return told * came, told**2, came**2


@measure(levels=(0.1, 0.9), best=0.8)
def coverage(y: Any, low: Any, high: Any) -> Any:
    """Share of truths inside [low, high]; an 80 % interval should hold 0.8 of them."""
    return (low <= y) & (y <= high)


@measure(levels=(0.1, 0.9), best=0.0)
def width(y: Any, low: Any, high: Any) -> Any:
    """Mean width of an 80 % interval; the narrower the better only where coverage is as it should be."""
    return high - low + 0 * y


@measure(levels=(0.1, 0.9))
def interval_score(y: Any, low: Any, high: Any) -> Any:
    """Width of an 80 % interval and ten times how far a truth lies outside it."""
    return high - low + 10 * ((low - y) * (y < low) + (y - high) * (y > high))


@measure(levels=_DECILES)
def pinball(y: Any, *quantiles: Any) -> Any:
    """Pinball loss, a mean over the nine deciles."""
    return _pinball(y, quantiles, _DECILES)


@measure(levels=_MIDPOINTS)
def crps(y: Any, *quantiles: Any) -> Any:
    """Continuous ranked probability score: twice the pinball loss over all levels, by ten midpoints of them."""
    return 2 * _pinball(y, quantiles, _MIDPOINTS)


@measure(lambda count, loss, size: 2 * loss / size, levels=_DECILES)
def wql(y: Any, *quantiles: Any) -> Any:
    """Weighted quantile loss over the nine deciles: twice the summed pinball loss over the summed absolute truth."""
    return _pinball(y, quantiles, _DECILES), abs(y)


def _pinball(y: Any, quantiles: Sequence[Any], levels: Sequence[float]) -> Any:
    cells = [(y - each) * (level - 1.0 * (y < each)) for each, level in zip(quantiles, levels, strict=True)]
    return sum(cells[1:], start=cells[0]) / len(cells)


class Unmeasured(InputError):
    """A word that no measure goes by."""


MEASURES: dict[str, Measure] = {name: each for name, each in globals().items() if isinstance(each, Measure)}


def named(word: str) -> Measure:
    """The measure that a suite calls by this word, with or without `physical_` before it.

    Raises:
        InputError: there is none.
    """
    if word.removeprefix(_PHYSICAL) not in MEASURES:
        raise Unmeasured(str(unknown("measure", word, [*MEASURES, *(f"{_PHYSICAL}{name}" for name in MEASURES)])))
    return MEASURES[word.removeprefix(_PHYSICAL)]


def of_values() -> list[str]:
    """Words of the measures of values told once each: without quantiles, and without a past behind them."""
    plain = [name for name, each in MEASURES.items() if not each.levels and not each.history]
    return [*plain, *(f"{_PHYSICAL}{name}" for name in plain)]


def words(asked: Sequence[str] | str | None, usual: Sequence[str] = USUAL) -> tuple[str, ...]:
    """Words of measures as they are asked for: one alone or several, each once; the usual ones where none is.

    >>> words("mase"), words(["mae", "mse", "mae"]), words(None)
    (('mase',), ('mae', 'mse'), ('mse', 'mae'))

    Raises:
        InputError: they are no words.
    """
    several = [asked] if isinstance(asked, str) else asked or usual
    if not isinstance(several, Iterable) or not all(isinstance(each, str) for each in several):
        raise InputError(f"measures takes a word or several, such as {[*(usual or USUAL)]}, not {asked!r}")
    return tuple(dict.fromkeys(several))


def ordering(word: str) -> Measure:
    """The measure of that word, by which forecasts are to be compared.

    Raises:
        InputError: there is none, or its lowest value is not its best.
    """
    asked = named(word)
    if asked.best is not None:
        raise unordered(word, asked.best, "mae")
    return asked


def unordered(word: str, best: float, instead: str) -> InputError:
    """What is wrong with comparing by a measure whose best value is not its lowest."""
    return InputError(
        f"{word} orders nothing, for it is best at {best:g} and not where it is lowest; compare by another measure, "
        f"such as {instead}, and name it after that one"
    )


def physical(word: str) -> bool:
    """Whether the word asks for a measure in the data's own units."""
    return word.startswith(_PHYSICAL) or looks_back(word)


def looks_back(word: str) -> bool:
    """Whether the measure of that word, if there is one, is of forecasts against their history."""
    return word.removeprefix(_PHYSICAL) in MEASURES and bool(named(word).history)


def averages(word: str) -> bool:
    """Whether that word is of a mean over cells: over whole windows it is the mean of theirs."""
    return word.removeprefix(_PHYSICAL) in MEASURES and named(word).whole is _mean


def rmsse(y: Values, forecast: Values, history: Values, seasonality: int = 1) -> float:
    """Root mean squared error over the seasonal naive forecast's inside `history` [row]."""
    naive = rmse(history[seasonality:], history[:-seasonality])
    return rmse(y, forecast) / naive if naive > 0 else np.nan


def quantile_loss(y: Values, quantile: Values, level: float) -> float:
    """Mean pinball loss of one quantile forecast."""
    error = y - quantile
    return float(np.nanmean(np.maximum(level * error, (level - 1) * error)))


def weighted_quantile_loss(y: Values, quantiles: Values, levels: Sequence[float]) -> float:
    """`wql` of any levels, averaged over them.

    Args:
        y: [...]; quantiles: [... quantile].
    """
    seen = ~np.isnan(y)
    losses = [2 * quantile_loss(y[seen], quantiles[..., k][seen], level) * seen.sum() for k, level in enumerate(levels)]
    return float(np.mean(losses) / np.abs(y[seen]).sum())


def sampled_crps(y: Values, samples: Values) -> float:
    """Mean CRPS of samples, fair to however few there are (Ferro 2014): y [...], samples [... sample]."""
    count = samples.shape[-1]
    rising = np.sort(samples, -1)
    weights = 2 * np.arange(1, count + 1) - count - 1
    apart = (rising * weights).sum(-1) / (count * (count - 1))  # half the mean distance between two samples
    return float(np.nanmean(np.abs(samples - y[..., None]).mean(-1) - apart))


def energy_score(y: Values, samples: Values) -> float:
    """Energy score of whole paths, fair as `sampled_crps`: y [... step], samples [... sample step]; holes are none.

    Gneiting & Raftery 2007, eq. 22: it also sees how the steps of a path hang together.
    """
    count = samples.shape[-2]
    off = np.linalg.norm(samples - y[..., None, :], axis=-1).mean(-1)
    apart = np.linalg.norm(samples[..., :, None, :] - samples[..., None, :, :], axis=-1).sum((-1, -2))
    return float((off - apart / (2 * count * (count - 1))).mean())
