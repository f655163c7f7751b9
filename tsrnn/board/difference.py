"""Is one forecast better than another, or was it luck: tests of an honest size, on losses alone.

Windows that begin one step apart share nearly all of their errors, and a plain t-test on them calls 70 to 84 % of
equal models different. So windows are taken one horizon apart (`spaced`), which share none; where the places of the
windows are not known and all must be used, their covariance is put into the error (`diebold_mariano`). Over data sets
there is one number per data set: signed ranks (`wilcoxon`), and mean ranks with intervals (`mean_ranks`,
`ranked_apart`). Several answers at once are paid for (`holm`), and what cannot be told apart shares a group (`groups`).

Sources: Diebold & Mariano (1995); Harvey, Leybourne & Newbold (1997); Wilcoxon (1945); Holm (1979); Demšar (2006).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsrnn.errors import InputError

Numbers = npt.NDArray[np.floating]
Steps = npt.NDArray[np.integer]

LEAST_APART = 8  # windows one horizon apart; fewer find nothing but the plainest differences
LEAST_HORIZONS = 20  # overlapping windows per step of the horizon: equal models differ in 7 % at 20, in 11 % at 8
LEAST_TASKS = 8  # data sets; signed ranks of five cannot reach 5 % at all


@dataclass(frozen=True)
class Difference:
    """A mean difference of losses, below 0 where the first is better, with what Student's t needs.

    `error` is the mean's standard error, `freedom` its degrees of freedom, `count` how many windows or seeds stand
    behind it.
    """

    mean: float
    error: float
    freedom: float
    count: int

    @property
    def p(self) -> float:
        """How often equals would differ by this much or more; 1 where the losses are no numbers."""
        from scipy.special import stdtr  # scipy is slow to import, and only a test needs it

        if not np.isfinite(self.mean) or not self.error >= 0:
            return 1.0
        if self.error == 0:
            return float(self.mean == 0)
        return float(2 * stdtr(self.freedom, -abs(self.mean) / self.error))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The interval that holds the true mean in a share `level` of worlds."""
        from scipy.special import stdtrit

        half = self.error * float(stdtrit(self.freedom, (1 + level) / 2))
        return self.mean - half, self.mean + half


def between(first: Numbers, second: Numbers, horizon: int, steps: Steps | None = None) -> Difference:
    """The difference of two forecasts' losses [window] on the same windows, by the test that fits.

    Args:
        first, second: mean loss of each window, in order of time; a pair with a missing one is left out.
        horizon: steps that a window's loss covers.
        steps: [window] where each window's targets begin, rising; None: not known, each one step after the last.

    Raises:
        InputError: too few windows; see `spaced` and `diebold_mariano`.
    """
    if steps is None:
        return diebold_mariano(first, second, horizon)
    return spaced(first, second, horizon, steps)


def apart(steps: Steps, horizon: int) -> npt.NDArray[np.intp]:
    """Which of the rising `steps` [window] to keep so that each is at least `horizon` after the one kept before it."""
    kept, position = [], 0
    while position < len(steps):
        kept.append(position)
        position = int(np.searchsorted(steps, steps[position] + horizon))
    return np.array(kept, np.intp)


def spaced(first: Numbers, second: Numbers, horizon: int, steps: Steps) -> Difference:
    """Paired t-test on windows that do not overlap; arguments as of `between`.

    Raises:
        InputError: fewer than `LEAST_APART` such windows.
    """
    difference = _difference(first, second)
    seen = np.isfinite(difference)
    difference = difference[seen][apart(steps[seen], horizon)]
    count = len(difference)
    if count < LEAST_APART:
        raise InputError(
            f"only {count} windows of horizon {horizon} do not overlap, and a test needs {LEAST_APART}; "
            "score a longer test part or compare at a shorter horizon"
        )
    return Difference(float(difference.mean()), float(difference.std(ddof=1) / count**0.5), count - 1, count)


def diebold_mariano(first: Numbers, second: Numbers, horizon: int) -> Difference:
    """Diebold-Mariano test on windows one step apart, with the small-sample correction of Harvey et al. (1997).

    The loss differences of such windows are correlated up to lag horizon - 1 (Diebold & Mariano 1995, section 1.1), so
    the variance of their mean sums the autocovariances that far (rectangular weights; triangular ones where that sum
    is not above 0). The error is widened to make the statistic S1* of Harvey et al., with n - 1 degrees of freedom.

    Raises:
        InputError: fewer windows than `LEAST_HORIZONS` horizons.
    """
    difference = _difference(first, second)
    difference = difference[np.isfinite(difference)]
    n = len(difference)
    if n < LEAST_HORIZONS * horizon:
        raise InputError(
            f"{n} overlapping windows of horizon {horizon} are too few for a test, which needs "
            f"{LEAST_HORIZONS * horizon}; score a longer test part or compare at a shorter horizon"
        )
    centred = difference - difference.mean()
    spectrum = np.fft.rfft(centred, 2 * n)  # padded, so that the ends do not meet
    covariance = np.fft.irfft(np.abs(spectrum) ** 2, 2 * n)[:horizon] / n  # [lag]
    variance = (covariance[0] + 2 * covariance[1:].sum()) / n
    if variance <= 0:
        weights = 1 - np.arange(1, horizon) / horizon
        variance = max(0.0, covariance[0] + 2 * weights @ covariance[1:]) / n
    correction = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    return Difference(float(difference.mean()), float(np.sqrt(variance / correction)), n - 1, n)


def averaged(parts: Sequence[Difference]) -> Difference:
    """The mean of differences that may depend on each other in any way: its error is at most the mean of theirs.

    Its degrees of freedom follow, as Welch's do, from the spread of that error: e of f degrees has e / sqrt(2 f).
    """
    means, errors, freedoms = (np.array([getattr(part, name) for part in parts]) for name in _SUMMED)
    freedom = errors.sum() ** 2 / (errors / freedoms**0.5).sum() ** 2 if errors.any() else freedoms.min()
    return Difference(float(means.mean()), float(errors.mean()), float(freedom), sum(part.count for part in parts))


_SUMMED = ("mean", "error", "freedom")


def wilcoxon(first: Numbers, second: Numbers) -> float:
    """Two-sided p of the signed-rank test on one number per task [task], equal tasks left out.

    Raises:
        InputError: fewer than `LEAST_TASKS` tasks.
    """
    if len(first) < LEAST_TASKS:
        raise InputError(f"a test over {len(first)} data sets says nothing; it needs {LEAST_TASKS}, so add some")
    from scipy import stats

    difference = _difference(first, second)
    difference = difference[difference != 0]
    return float(stats.wilcoxon(difference).pvalue) if len(difference) else 1.0


def holm(p: Numbers) -> Numbers:
    """Adjusted p [test]: calling those below 5 % different errs anywhere among them in at most 5 % of worlds."""
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(np.asarray(p)[order] * np.arange(len(p), 0, -1)))
    return adjusted


def mean_ranks(ranks: Numbers, level: float = 0.95, draws: int = 4000, seed: int = 0) -> tuple[Numbers, Numbers]:
    """Mean ranks [line] of `ranks` [line task] and their intervals [line 2], by resampling the tasks with repetition.

    Raises:
        InputError: fewer than two tasks.
    """
    tasks = ranks.shape[1]
    if tasks < 2:
        raise InputError("ranks over data sets need at least two of them; name one data set to see its board")
    drawn = np.random.default_rng(seed).multinomial(tasks, np.full(tasks, 1 / tasks), draws) / tasks  # [draw task]
    ends = np.quantile(ranks @ drawn.T, [(1 - level) / 2, (1 + level) / 2], axis=1).T
    return ranks.mean(1), ends


def ranked_apart(means: Numbers, intervals: Numbers, tasks: int) -> npt.NDArray[np.bool_]:
    """Which mean ranks over `tasks` tasks can be told apart: [line line].

    Their intervals share no point, and they are further apart than Nemenyi's critical difference (Demšar 2006,
    section 3.2.2), which pays for every pair: intervals alone split a board of 16 equal lines in two worlds of five.
    """
    from scipy.stats import studentized_range

    lines, (low, high) = len(means), intervals.T
    factor = float(studentized_range.ppf(0.95, lines, np.inf)) / 2**0.5
    critical = factor * (lines * (lines + 1) / (6 * tasks)) ** 0.5
    disjoint = (high[:, None] < low) | (low[:, None] > high)
    found: npt.NDArray[np.bool_] = disjoint & (np.abs(means[:, None] - means) > critical)
    return found


def groups(told_apart: npt.NDArray[np.bool_]) -> list[int]:
    """Tie groups, numbered from 1, of lines that stand best first: the group of each line.

    The best line without a group opens one, and every line without a group that is not told apart from it joins. A
    line alone in group 1 is therefore told apart from every other.

    Args:
        told_apart: [line line] bool, symmetric.
    """
    found = np.zeros(len(told_apart), np.int64)
    while not found.all():
        leader = int(np.argmin(found != 0))
        joining = (found == 0) & ~told_apart[leader]
        joining[leader] = True
        found[joining] = found.max() + 1
    return [int(group) for group in found]


def _difference(first: Numbers, second: Numbers) -> Numbers:
    if np.shape(first) != np.shape(second):
        raise InputError(
            f"losses of {len(first)} and of {len(second)} windows cannot be paired; give both on the same windows"
        )
    return np.asarray(first, np.float64) - np.asarray(second, np.float64)
