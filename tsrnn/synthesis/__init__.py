"""How like real sequences made ones are: measures of a generator, each by several critics, beside real against real.

What was learnt from is cut at random into two halves. Made sequences are held against the one, and the other half is,
too: a score that no generator can be expected to better (the floor), of as many sequences and by the same critics.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tsrnn.arrays import Floats
from tsrnn.errors import InputError, unknown
from tsrnn.synthesis import contexts, critics, distances

CRITICS = 5
MOST = 10_000  # real sequences that are judged by
NEAREST = "nearest"  # the one measure that needs sequences held out
_TINY = 1e-9
_FEWEST = 10  # sequences in a half

Judge = Callable[[Floats, Sequence[Floats], int, int | None], list[float]]
# reference, sets that are held against it, seed, most steps that are learnt by


def _discriminative(reference: Floats, sets: Sequence[Floats], seed: int, most: int | None) -> list[float]:
    return [critics.discriminative(reference, each, seed, most) for each in sets]


def _predictive(reference: Floats, sets: Sequence[Floats], seed: int, most: int | None) -> list[float]:
    return [critics.predictive(reference, each, seed, most) for each in sets]


def _correlational(reference: Floats, sets: Sequence[Floats], seed: int, most: int | None) -> list[float]:
    drawn = np.random.default_rng(seed).permutation(len(reference))[: max(2, len(reference) // 2)]
    return [distances.correlational(reference[drawn], each[drawn % len(each)]) for each in sets]


def _context_fid(reference: Floats, sets: Sequence[Floats], seed: int, most: int | None) -> list[float]:
    encoder = contexts.learn(reference, seed, most)
    true = contexts.represent(encoder, reference)
    return [contexts.frechet(true, contexts.represent(encoder, each)) for each in sets]


JUDGES: dict[str, Judge] = {
    "discriminative": _discriminative,
    "predictive": _predictive,
    "correlational": _correlational,
    "context_fid": _context_fid,
}


@dataclass(frozen=True)
class Verdict:
    """A measure of what was made: mean and standard deviation over critics, and the same of real against real."""

    value: float
    spread: float
    floor: float
    floor_spread: float


def judge(
    real: Floats,
    made: Floats,
    measures: Sequence[str] = tuple(JUDGES),
    number: int = CRITICS,
    seed: int = 0,
    most: int | None = None,
) -> dict[str, Verdict]:
    """Measures of made sequences. Less is better, down to the floor.

    Args:
        real: [sequence time channel] those that the generator learnt from, in any units.
        made: [sequence time channel] what it made, in the same units.
        measures: discriminative, predictive, correlational, context_fid.
        number: critics that judge each.
        seed: of the first critic, and of the halves.
        most: steps that a critic learns for; None: those that its measure is published with. A score by fewer is that
            of a trial run alone.

    Raises:
        InputError: there is no such measure, there are too few sequences, or they cannot be held against one another.
    """
    _refuse_unlike(real=real, made=made)
    for word in measures:
        if word not in JUDGES:
            raise unknown("measure", word, [*JUDGES, NEAREST])
    shuffled = real[np.random.default_rng(seed).permutation(len(real))[:MOST]]
    half = min(len(shuffled) // 2, len(made))
    if half < _FEWEST:
        raise InputError(
            f"{len(real)} real and {len(made)} made sequences are too few to judge by; give at least {2 * _FEWEST} and "
            f"{_FEWEST}"
        )
    reference, *sets = (_between(each, real) for each in (shuffled[:half], made[:half], shuffled[half : 2 * half]))
    verdicts = {}
    for word in measures:
        scores = np.array([JUDGES[word](reference, sets, seed + k, most) for k in range(number)])  # [critic 2]
        (value, floor), (spread, floor_spread) = scores.mean(0).tolist(), scores.std(0).tolist()
        verdicts[word] = Verdict(value, spread, floor, floor_spread)
    return verdicts


def nearness(real: Floats, held: Floats, made: Floats) -> float:
    """Whether rows of the training come back: how near made sequences lie to it, over how near those held out do.

    The median distance to the nearest sequence learnt from, of made ones, over that of held-out ones: about 1 where
    what was made is as new as what came; near 0 where it was copied; above 1 where it is unlike both.

    Args:
        real: [sequence time channel] those that the generator learnt from.
        held: [sequence time channel] real ones that it has not seen.
        made: [sequence time channel] what it made.

    Raises:
        InputError: they cannot be held against one another.
    """
    _refuse_unlike(real=real, held=held, made=made)
    learnt, new, own = (_between(each, real) for each in (real, held, made))
    apart = [float(np.median(distances.nearest(each, learnt))) for each in (own, new)]
    return apart[0] / max(apart[1], _TINY)


def _refuse_unlike(**sets: Floats) -> None:
    """Sets of sequences that can be held against the first: [sequence time channel], of its length, without a hole."""
    first, real = next(iter(sets.items()))
    for name, each in sets.items():
        if each.ndim != 3:
            raise InputError(f"{name} has {each.ndim} axes; sequences are [sequence time channel]")
        if each.shape[1:] != real.shape[1:]:
            steps, width = each.shape[1:]
            raise InputError(
                f"sequences of {name} have {steps} steps of {width} channels and those of {first} {real.shape[1]} of "
                f"{real.shape[2]}; give both the same"
            )
        if not np.isfinite(each).all():
            row = int(np.isfinite(each).all((1, 2)).argmin())
            raise InputError(f"{name}: sequence {row} holds a cell that is missing or infinite; leave the sequence out")


def _between(sequences: Floats, real: Floats) -> Floats:
    """Each channel from 0 to 1 where real ones reach from their least to their greatest value."""
    low, high = real.min((0, 1)), real.max((0, 1))
    scaled: Floats = (sequences - low) / np.where(high > low, high - low, 1.0)
    return scaled
