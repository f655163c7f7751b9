"""How often calibrated intervals hold: python benchmarks/coverage.py [ETTh1] [panel] [drift] [--json]

80 % intervals around the point forecast of least squares, calibrated on the validation part and looked at on rows that
nothing was chosen on: moved once (constant), or after each truth that was known by then (adaptive).

    ETTh1   look-back 336, horizons 96 to 720, every window of the standard test, all seven channels
    panel   200 hourly series of unlike level and noise, scaled each by itself, horizon 24
    drift   an hourly series and a week in which its noise grows twofold, at once or day by day, or its level wanders
            away; horizon 24, the mean of 10 worlds, every window whose first step lies in that week

The step by which adaptive ends move (`tsrnn.conformal.RATE`) was chosen for coverage on ETTh2, the simulated
transformer and other seeds of the drifting worlds; a smaller one has the better interval score where nothing drifts.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import torch

from tsrnn import Forecaster, load
from tsrnn.panel import Panel

MEASURES = ("coverage", "width", "interval_score")
REACH = {"ETTh1": (0.78, 0.82), "panel": (0.78, 0.82), "drift": (0.75, 1.0)}  # adaptive, on average per horizon
WEEK, TRAIN, VAL, WORLDS = 168, 3000, 1000, range(10, 20)
DRIFTS: dict[str, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]] = {  # hour of the week -> deviation, level
    "twofold": lambda hour: (np.where(hour >= 0, 2.0, 1.0), 0 * hour),
    "day by day": lambda hour: (1 + np.clip(hour / WEEK, 0, 1), 0 * hour),
    "level": lambda hour: (np.ones(len(hour)), 0.05 * np.clip(hour, 0, None)),
}


def measured(forecaster: Forecaster, split: Any) -> dict[str, dict[str, float]]:
    """Coverage, width and interval score on the test part, constant and adaptive; and by lead the extremes of one."""
    said = {}
    for kind in ("constant", "adaptive"):
        forecaster.calibrate(levels=[0.8], adaptive=kind == "adaptive")
        score = forecaster.score(split=split, measures=MEASURES)
        leads = score.by_lead["coverage"][-1, :-1]
        said[kind] = {**score.values, "least": float(leads.min()), "most": float(leads.max())}
    return said


def etth1() -> Iterator[tuple[str, dict[str, dict[str, float]]]]:
    panel = load("ETTh1")
    for horizon in (96, 192, 336, 720):
        forecaster = Forecaster("ols", input_size=336, horizon=horizon).fit(panel, split="standard")
        yield f"ETTh1, horizon {horizon}", measured(forecaster, "standard")


def many(series: int = 200, rows: int = 1500) -> Iterator[tuple[str, dict[str, dict[str, float]]]]:
    rng, parts = np.random.default_rng(0), []
    for name in range(series):
        level, noise = 10 ** rng.uniform(0, 3), rng.uniform(0.1, 1)
        shape = np.sin(2 * np.pi * (np.arange(rows) + rng.integers(24)) / 24)
        parts.append(frame_of(level * (3 + shape + noise * wander(rng, rows)), str(name)))
    rule = {"ratios": [0.5, 0.25, 0.25]}
    forecaster = Forecaster("ols", input_size=48, horizon=24, scale_per_series=True).fit(pl.concat(parts), split=rule)
    yield "panel, horizon 24", measured(forecaster, rule)


def drifting() -> Iterator[tuple[str, dict[str, dict[str, float]]]]:
    rule = {"borders": [TRAIN, TRAIN + VAL, TRAIN + VAL + WEEK + 23]}
    for name, drift in DRIFTS.items():
        worlds = []
        for seed in WORLDS:
            hour = np.arange(-TRAIN - VAL, WEEK + 23)
            deviation, level = drift(hour)
            rng = np.random.default_rng(seed)
            y = 3 * np.sin(2 * np.pi * hour / 24) + level + deviation * wander(rng, len(hour))
            forecaster = Forecaster("ols", input_size=48, horizon=24).fit(Panel.of(frame_of(y, "a")), split=rule)
            worlds.append(measured(forecaster, rule))
        mean = {kind: {key: mean_of(worlds, kind, key) for key in worlds[0][kind]} for kind in worlds[0]}
        yield f"drift, {name}", mean


def mean_of(worlds: list[dict[str, dict[str, float]]], kind: str, key: str) -> float:
    return float(np.mean([world[kind][key] for world in worlds]))


def wander(rng: np.random.Generator, rows: int, keep: float = 0.7) -> np.ndarray:
    """Noise of deviation 1 that keeps a share of itself."""
    noise = rng.standard_normal(rows) * np.sqrt(1 - keep**2)
    for t in range(1, rows):
        noise[t] += keep * noise[t - 1]
    return noise


def frame_of(y: np.ndarray, name: str) -> pl.DataFrame:
    start = datetime(2024, 1, 1)
    hours = pl.datetime_range(start, start + timedelta(hours=len(y) - 1), "1h", eager=True)
    return pl.DataFrame({"unique_id": [name] * len(y), "ds": hours, "y": y})


WORK = {"ETTh1": etth1, "panel": many, "drift": drifting}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=[*WORK], metavar="part", help=", ".join(WORK))
    parser.add_argument("--json", action="store_true")
    wish = parser.parse_args()
    torch.set_num_threads(1)
    missed = 0
    for part in wish.parts:
        low, high = REACH[part]
        for name, said in WORK[part]():
            within = low <= said["adaptive"]["coverage"] <= high
            missed += not within
            if wish.json:
                print(json.dumps({"what": name, "reach": [low, high], **said}), flush=True)
                continue
            for kind, row in said.items():
                print(
                    f"{name}, {kind}: {row['coverage']:.3f} ({row['least']:.2f} to {row['most']:.2f} by lead), "
                    f"width {row['width']:.2f}, interval score {row['interval_score']:.2f}",
                    flush=True,
                )
            print(f"  to reach: {low:.2f} to {high:.2f}{'' if within else ', missed'}", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
