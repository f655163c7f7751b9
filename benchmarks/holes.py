"""What models gain from being told which cells were measured: python benchmarks/holes.py lstm segrnn

Forty hourly series of a daily and a weekly cycle, a slow drift and noise; a tenth of their cells was never measured,
half of them one by one and half in outages of a quarter of a day to two days. Three more series are too short to learn
from, and are skipped. Every model is trained as it comes, four days to one, with masks and without; every window of the
last fifth of each series is scored: mean absolute error of what was measured, in the series' units (deviation 1.6).
"""

import argparse
import time
import warnings
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from tsrnn import Forecaster

SERIES, SHORT, ROWS, FEW, SHARE = 40, 3, 1_200, 60, 0.1
SPLIT = {"ratios": [0.7, 0.1, 0.2]}


def series(name: str, rows: int, rng: np.random.Generator, share: float) -> pl.DataFrame:
    """unique_id, ds, y of one series."""
    hour = np.arange(rows)
    drift = np.cumsum(rng.normal(0, 0.08, rows))
    daily, weekly = rng.uniform(0.5, 2) * np.sin(2 * np.pi * (hour / 24 + rng.random())), np.sin(2 * np.pi * hour / 168)
    y = daily + 0.5 * weekly + drift - drift.mean() + rng.normal(0, 0.3, rows)
    gone = rng.random(rows) < share / 2
    while gone.mean() < share:
        begin = rng.integers(rows)
        gone[begin : begin + rng.integers(6, 49)] = True
    ds = [datetime(2024, 1, 1) + timedelta(hours=int(each)) for each in hour]
    return pl.DataFrame({"unique_id": [name] * rows, "ds": ds, "y": np.where(gone, np.nan, y)}).fill_nan(None)


def world(seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    long = [series(f"s{k:02}", ROWS, rng, SHARE) for k in range(SERIES)]
    return pl.concat([*long, *(series(f"short {k}", FEW, rng, 0.0) for k in range(SHORT))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["lstm", "segrnn"])
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{'model':10} {'masks':6} {'MAE of each seed':30} mean    seconds  skipped")
    for model in asked.models:
        for masks in (False, True):
            errors, began = [], time.perf_counter()
            for seed in range(asked.seeds):
                task = {"input_size": 96, "horizon": 24, "on_short": "skip", "random_state": seed, "masks": masks}
                frame = world(seed)
                fitted = Forecaster(model, **task).fit(frame, split=SPLIT)
                errors.append(fitted.score(frame, split=SPLIT, measures=["physical_mae"]).values["physical_mae"])
            taken = (time.perf_counter() - began) / asked.seeds
            each = " ".join(f"{error:.4f}" for error in errors)
            print(f"{model:10} {masks!s:6} {each:30} {np.mean(errors):.4f} {taken:7.1f}  {len(fitted.skipped_)}")


if __name__ == "__main__":
    main()
