"""Is one forecast better than another, or was it luck: tests of an honest size, on losses alone.

Windows that begin one step apart share nearly all of their errors, and a plain t-test on them calls 70 to 84 % of
equal models different; to look at one window per horizon is honest, but throws nearly all of the test away. So the mean
is over all windows, and its error comes from their slowest waves, which are longer than what windows share (`cosine`).
What shares nothing, such as folds, is compared by a paired t-test (`paired`). Over data sets there is one number per
data set: signed ranks (`wilcoxon`), and mean ranks with intervals (`mean_ranks`, `ranked_apart`). Several answers at
once are paid for (`holm`), and what cannot be told apart shares a group (`groups`).

Sources: Lazarus, Lewis, Stock & Watson (2018), HAR inference: recommendations for practice; Datta & Du (2012),
Nonparametric HAC estimation for time series data with missing observations; Wilcoxon (1945); Holm (1979); Demšar
(2006).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsrnn.errors import InputError

Numbers = npt.NDArray[np.floating]
Steps = npt.NDArray[np.integer]

LEAST_HORIZONS = 5  # windows over windows that overlap: equal models differ in 8 % at 5, in 9 % at 4, in 13 % at 3
LEAST_COSINES = 4
LEAST_UNITS = 8  # of what shares nothing; fewer find nothing but the plainest differences
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


def cosine(first: Numbers, second: Numbers, horizon: int, steps: Steps | None = None) -> Difference:
    """The equal-weighted cosine test of the difference of two forecasts' losses [window], on all windows.

    The long-run variance of the differences is the mean of squares of their projections on the first cosines (type II,
    orthonormal), max(4, n // (2 horizon)) of n windows, and the mean over its error has Student's t with as many
    degrees of freedom. Even the fastest of these waves is longer than what two windows share.

    Windows need not follow each other step by step, and some may be missing: those that are there are numbered in order
    of time and their gaps closed ("equal spacing" of Datta & Du 2012), and `horizon` counts in windows, the most that
    begin within one horizon. Beside a gap they share less than that, so the number of cosines is on the safe side.

    Args:
        first, second: mean loss of each window, in order of time; a pair with a missing one is left out.
        horizon: steps that a window's loss covers.
        steps: [window] where each window's targets begin, rising; None: each one step after the last.

    Raises:
        InputError: fewer windows than `LEAST_HORIZONS` times those that overlap.
    """
    difference = _difference(first, second)
    seen = np.isfinite(difference)
    steps, difference = (np.arange(len(seen)) if steps is None else steps)[seen], difference[seen]
    n, overlap = len(difference), overlapping(steps, horizon)
    if n < LEAST_HORIZONS * overlap or not n:
        raise InputError(
            f"{n} windows, of which {overlap} overlap at horizon {horizon}, are too few for a test, which needs "
            f"{LEAST_HORIZONS * max(1, overlap)}; score a longer test part or compare at a shorter horizon"
        )
    number = max(LEAST_COSINES, n // (2 * overlap))
    waves = np.cos(np.pi / n * np.outer(np.arange(1, number + 1), np.arange(n) + 0.5))  # [cosine window]
    mean = float(difference.mean())
    variance = float((2 / n * (waves @ (difference - mean)) ** 2).mean())
    return Difference(mean, (variance / n) ** 0.5, number, n)


def overlapping(steps: Steps, horizon: int) -> int:
    """The most windows that begin within one horizon; `steps` [window] rise."""
    return int((np.searchsorted(steps, steps + horizon) - np.arange(len(steps))).max(initial=0))


def paired(first: Numbers, second: Numbers) -> Difference:
    """Paired t-test on losses [unit] of units that share nothing; a pair with a missing one is left out.

    Raises:
        InputError: fewer than `LEAST_UNITS` units.
    """
    difference = _difference(first, second)
    difference = difference[np.isfinite(difference)]
    count = len(difference)
    if count < LEAST_UNITS:
        raise InputError(f"a test on {count} folds says nothing; it needs {LEAST_UNITS}, so hold out more, one by one")
    return Difference(float(difference.mean()), float(difference.std(ddof=1) / count**0.5), count - 1, count)


def averaged(parts: Sequence[Difference]) -> Difference:
    """The mean of differences that may depend on each other in any way: its error is at most the mean of theirs.

    Its degrees of freedom follow, as Welch's do, from the spread of that error: e of f degrees has e / sqrt(2 f).
    """
    means, errors, freedoms = (np.array([getattr(part, name) for part in parts]) for name in _SUMMED)
    freedom = errors.sum() ** 2 / (errors / freedoms**0.5).sum() ** 2 if errors.any() else freedoms.min()
    return Difference(float(means.mean()), float(errors.mean()), float(freedom), sum(part.count for part in parts))


_SUMMED = ("mean", "error", "freedom")


def welch(first: Difference, second: Difference, mean: float) -> Difference:
    """A mean with two independent errors: squares add up, and degrees of freedom are Welch's; counts add up, too."""
    squares = np.array([first.error, second.error]) ** 2
    parts = float((squares**2 / [first.freedom, second.freedom]).sum())
    freedom = float(squares.sum()) ** 2 / parts if parts > 0 else first.freedom + second.freedom
    return Difference(mean, float(squares.sum()) ** 0.5, freedom, first.count + second.count)


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
