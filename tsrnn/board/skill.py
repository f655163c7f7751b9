"""How much better than a baseline, how often ahead, at which place: numbers over tasks, with intervals.

A task is one column of numbers to compare: a horizon, a lead, a well, a data set's horizon. Tasks that share their rows
belong to one unit (a data set, a well), and intervals draw units again with repetition, and the seeds of each line once
for all its tasks: what an interval holds is what another choice of units and seeds would have said.

    skill   1 - geometric mean over tasks of the error over the baseline's, each held between 0.01 and 100
    wins    share of the other lines that a line is ahead of, a mean over tasks; half of one where they are equal
    rank    mean place over tasks, among the lines that have every task

Sources: the skill and win rate of fev-bench (Shchur et al. 2025, section 4).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsrnn.board.difference import Numbers

DRAWS = 500
LEVEL = 0.95
_HELD = (0.01, 100.0)
_CELLS = 4_000_000  # of [draw line task], held at once

Interval = tuple[float, float]


@dataclass(frozen=True)
class Standing:
    """A line over all its tasks; `skill` is None without a baseline there, `wins` and `rank` where it lacks a task."""

    tasks: int
    skill: float | None = None
    skill_interval: Interval | None = None
    wins: float | None = None
    rank: float | None = None
    rank_interval: Interval | None = None


def standings(
    scores: Sequence[Numbers], units: Sequence[str], base: int | None = None, draws: int = DRAWS, seed: int = 0
) -> list[Standing]:
    """Every line over the tasks that it has.

    Args:
        scores: of each line [seed task], lower being better; NaN where there is no number.
        units: of each task [task], by name.
        base: the line that skill is counted from; None: none is.
    """
    means = np.stack([_over_seeds(each) for each in scores])  # [line task]
    whole: npt.NDArray[np.bool_] = np.asarray(np.isfinite(means).all(1))
    logs = None if base is None else _logs(means, means[base])
    drawn = _drawn(scores, units, base, whole, draws, seed)
    ends = _ends if len({*units}) > 1 or any(len(each) > 1 for each in scores) else _none
    wins, ranks = ahead(means[whole]), _places(means[whole][None])[0].mean(1)
    found, place = [], iter(range(int(whole.sum())))
    for line, tasks in enumerate(np.isfinite(means).sum(1)):
        skill, between = None, None
        if logs is not None and np.isfinite(logs[line]).any():
            skill, between = _skill(np.nanmean(logs[line])), ends(drawn[0][:, line])
        if not whole[line]:
            found.append(Standing(int(tasks), skill, between))
            continue
        k = next(place)
        others = float((wins[k].sum() - 0.5) / (len(wins) - 1)) if len(wins) > 1 else None
        found.append(Standing(int(tasks), skill, between, others, float(ranks[k]), ends(drawn[1][:, k])))
    return found


def ahead(means: Numbers) -> npt.NDArray[np.float64]:
    """Share of the tasks on which a line is ahead of another one, [line line]; equal ones count for half."""
    lower = (means[:, None] < means[None]).mean(2) if means.size else np.zeros((len(means),) * 2)
    same = (means[:, None] == means[None]).mean(2) if means.size else np.zeros((len(means),) * 2)
    shares: npt.NDArray[np.float64] = lower + same / 2
    return shares


def _over_seeds(scores: Numbers) -> Numbers:
    """The mean over the seeds that a task has: [task]."""
    seen = np.isfinite(scores)
    count = seen.sum(0)
    total = np.where(seen, scores, 0.0).sum(0)
    mean: Numbers = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def _logs(means: Numbers, base: Numbers) -> Numbers:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(means == base, 1.0, means / base)
        logs: Numbers = np.where(np.isfinite(means + base), np.log(np.clip(ratio, *_HELD)), np.nan)
    return logs


def _skill(log: float) -> float:
    return float(1 - np.exp(log))


def _ends(values: Numbers) -> Interval | None:
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _none(values: Numbers) -> None:
    """The interval where nothing can be drawn again: of one unit and one seed."""


def _places(means: Numbers) -> Numbers:
    """Places [draw line task] from 1 among the lines; equal ones share the mean of theirs."""
    order = means.argsort(1).argsort(1) + 1.0
    tied = (np.diff(np.sort(means, 1), axis=1) == 0).any()
    if not tied:
        return order
    below = (means[:, None] < means[:, :, None]).sum(2)
    same = (means[:, None] == means[:, :, None]).sum(2)
    places: Numbers = below + (same + 1) / 2
    return places


def _drawn(
    scores: Sequence[Numbers],
    units: Sequence[str],
    base: int | None,
    whole: npt.NDArray[np.bool_],
    draws: int,
    seed: int,
) -> tuple[Numbers, Numbers]:
    """Skills [draw line] and mean ranks [draw whole-line] of units and seeds drawn again."""
    rng = np.random.default_rng(seed)
    names, of = np.unique(np.asarray(units), return_inverse=True)
    lines, tasks = len(scores), len(units)
    at_once = max(1, _CELLS // max(1, lines * tasks))
    skills, ranks = [], []
    for first in range(0, draws, at_once):
        count = min(at_once, draws - first)
        weights = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), count)[:, of].astype(float)
        means = np.stack([_reseeded(each, count, rng) for each in scores], 1)  # [draw line task]
        if base is not None:
            logs = _logs(means, means[:, base : base + 1])
            seen = weights[:, None] * np.isfinite(logs)
            with np.errstate(invalid="ignore", divide="ignore"):
                skills.append(1 - np.exp((seen * np.nan_to_num(logs)).sum(2) / seen.sum(2)))
        places = _places(means[:, whole])
        ranks.append((places * weights[:, None]).sum(2) / weights.sum(1)[:, None])
    return np.concatenate(skills) if skills else np.zeros((draws, 0)), np.concatenate(ranks)


def _reseeded(scores: Numbers, draws: int, rng: np.random.Generator) -> Numbers:
    """Means over a line's seeds, drawn again with repetition: [draw task]."""
    count = len(scores)
    if count == 1:
        return np.broadcast_to(scores[0], (draws, scores.shape[1]))
    weights = rng.multinomial(count, np.full(count, 1 / count), draws).astype(float)  # [draw seed]
    seen = np.isfinite(scores)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Numbers = (weights @ np.where(seen, scores, 0.0)) / (weights @ seen)
    return means
