"""How often drift is called where there is none, and how soon where there is.

    python benchmarks/drift.py                        # false alarms of 1,000 quiet worlds each, then delays
    python benchmarks/drift.py --learnt 500           # with a shorter reference
    python benchmarks/drift.py --data worlds.npz      # and keep the shifted worlds, to hold another detector against

Every world is looked at after each of its rows: an alarm at any of them counts. A delay is counted in rows from the
first shifted one; where nothing was found within 500 rows it counts as 500.
"""

import argparse
import json

import numpy as np
import numpy.typing as npt

from tsrnn.drift import evidence
from tsrnn.drift.innovations import Design, Whitener

Floats = npt.NDArray[np.float64]

SEASON, ALPHA, LATEST, WARM = 24, 0.05, 500, 200
QUIET = ("independent", "ar 0.5", "ar 0.9", "seasonal", "t3", "t2 ar 0.9", "weekly", "hetero", "garch")
SHIFTS = (("level", 1.0), ("level", 2.0), ("level", 4.0), ("spread", 2.0), ("spread", 3.0))  # in deviations; times


def season(rows: int) -> Floats:
    hour = 2 * np.pi * np.arange(rows) / SEASON
    waves: Floats = 2 * np.sin(hour) + np.cos(2 * hour)
    return waves


def remembering(noise: Floats, weight: float) -> Floats:
    """An autoregression [run row] of unit deviation, where the noise has it, without its first rows."""
    values = np.zeros_like(noise)
    for row in range(1, noise.shape[1]):
        values[:, row] = weight * values[:, row - 1] + noise[:, row]
    started: Floats = values[:, WARM:] * np.sqrt(1 - weight**2)
    return started


def clustered(rng: np.random.Generator, runs: int, rows: int) -> Floats:
    """Noise [run row] whose variance remembers: GARCH(1, 1)."""
    noise, variance = np.zeros((runs, rows)), np.ones(runs)
    for row in range(1, rows):
        variance = 0.03 + 0.1 * noise[:, row - 1] ** 2 + 0.87 * variance
        noise[:, row] = np.sqrt(variance) * rng.standard_normal(runs)
    return noise


def quiet(name: str, runs: int, rows: int, seed: int) -> Floats:
    """[run row] of a world in which nothing drifts."""
    rng, shape, hour = np.random.default_rng(seed), (runs, rows + WARM), np.arange(rows)
    if name == "independent":
        return rng.standard_normal((runs, rows))
    if name == "garch":
        return remembering(clustered(rng, *shape), 0.5)
    if name.startswith("t"):
        degrees, weight = (2, 0.9) if name.startswith("t2") else (3, 0.5)
        return remembering(rng.standard_t(degrees, shape) / 3**0.5, weight)
    weight = {"ar 0.5": 0.5, "ar 0.9": 0.9}.get(name, 0.7)
    values = remembering(rng.standard_normal(shape), weight)
    if name == "hetero":
        values = values * (1.2 + np.sin(2 * np.pi * hour / SEASON))
    if name == "weekly":
        values = values - 1.5 * (hour // 24 % 7 >= 5)
    return values + season(rows) if name in ("seasonal", "weekly", "hetero") else values


def shifted(
    name: str, learnt: int, rows: int, runs: int, shift: tuple[str, float]
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Such a world whose level or spread changes at a row of its own: values [run row], and that row after `learnt`."""
    values = quiet(name, runs, learnt + rows, seed=5)
    at = np.random.default_rng(6).integers(300, 500, runs)
    base = season(learnt + rows) if name == "seasonal" else np.zeros(learnt + rows)
    after = np.arange(learnt + rows) >= learnt + at[:, None]
    kind, size = shift
    deviation = (values - base)[:, :learnt].std()
    changed = values + size * deviation if kind == "level" else base + (values - base) * size
    return np.where(after, changed, values), at


def gathered(values: Floats, learnt: int) -> Floats:
    """The evidence after each row behind the first `learnt`: [row run]."""
    numbers, design = np.arange(values.shape[1]), Design.of(SEASON, phased=True)
    whiteners = [Whitener.learn(run[:learnt], numbers[:learnt], design) for run in values]
    known = [each for each in whiteners if each is not None]
    from_ = learnt - 100
    late = [each.innovations(run[from_:], numbers[from_:])[100:] for each, run in zip(known, values, strict=True)]
    new, loose = np.array(late).T, np.array([each.loose for each in known])
    count, upward = np.concatenate([each.count for each in known]), np.zeros(len(known), bool)
    u = evidence.places(new, np.array([each.edges for each in known]), count)
    bets = (evidence.mean(u, loose[:, 0], upward), evidence.variance(u, loose[:, 1], upward))
    grown = [evidence.grow(bet, len(new), count) for bet in (*bets, evidence.shape(u, loose.prod(1)))]
    mean: Floats = np.mean(grown, 0)
    return mean


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learnt", type=int, default=1000, help="rows of the reference where nothing shifts")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=1000, help="rows looked at after it")
    parser.add_argument("--data", help="npz file to keep the shifted worlds in")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    told: list[dict[str, object]] = []
    for name in QUIET:
        found = gathered(quiet(name, asked.runs, asked.learnt + asked.rows, seed=7), asked.learnt).max(0) >= 1 / ALPHA
        told.append({"world": name, "learnt": asked.learnt, "false alarms": float(found.mean())})
        print(json.dumps(told[-1]) if asked.json else f"{name:12} false alarms {found.mean():.3f}", flush=True)
    kept = {}
    for name in ("ar 0.5", "ar 0.9", "seasonal", "t3"):
        for shift in SHIFTS:
            values, at = shifted(name, 2000, 1000, 200, shift)
            kept |= {f"{name}/{shift[0]}/{shift[1]:g}": values.astype(np.float32), f"{name}/at": at}
            passed = gathered(values, 2000).T >= 1 / ALPHA
            first = np.where(passed.any(1), passed.argmax(1), at + LATEST)
            delay = np.minimum(first - at + 1, LATEST)[first >= at]
            row = {"world": name, "shift": f"{shift[0]} {shift[1]:g}", "median delay": float(np.median(delay))}
            told.append({**row, "mean delay": float(delay.mean()), "before": float((first < at).mean())})
            print(json.dumps(told[-1]) if asked.json else told[-1], flush=True)
    if asked.data:
        np.savez_compressed(asked.data, **kept)  # type: ignore[arg-type]  # names to arrays


if __name__ == "__main__":
    main()
