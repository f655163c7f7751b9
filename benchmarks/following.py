"""What `Forecaster.follow` takes off, and costs, in worlds whose level moves: python benchmarks/following.py

Two hourly series of 6,000 rows: a daily wave in noise, whose level stood still while the model learnt, and a simulated
transformer's oil temperature (`tsrnn.simulate.transformer`), whose level always wanders. 60 % train, 20 % validate, the
rest tests. Behind the training a step of random size and sign is added every 200 hours; or one step alone, behind
validation; or nothing. The steps' deviation, and the one step's size, is the deviation of the training part. A line is
the squared error of test forecasts that knew what had come true by each origin (class O) over that of those without.
"""

import argparse
import sys
from itertools import product

import numpy as np
import polars as pl

from tsrnn import Forecaster
from tsrnn.simulate import transformer

ROWS, TRAINED_ON, SPLIT = 6000, 3600, {"ratios": [0.6, 0.2, 0.2]}
BEHIND, EVERY = 5200, 200  # rows: of the one step, between many
SERIES, MOVES = ("wave", "transformer"), ("still", "one step", "steps")
LINEAR = {"input_size": 96}
TRAINED = {**LINEAR, "max_steps": 512, "progress": False}
MODELS = {
    "ols, not centred": ("ols", {**LINEAR, "centring": "none"}),
    "ols": ("ols", LINEAR),
    "gru, not centred": ("gru", {**TRAINED, "centring": "none"}),
    "gru": ("gru", TRAINED),
}


def series(name: str, seed: int) -> pl.DataFrame:
    """Columns date and y."""
    frame = transformer(seed=seed, rows=ROWS).select("date", y="OT")
    if name == "transformer":
        return frame
    noise = np.random.default_rng(100 + seed).standard_normal(ROWS)
    return frame.with_columns(y=np.sin(2 * np.pi * np.arange(ROWS) / 24) + 0.5 * noise)


def moved(move: str, seed: int) -> np.ndarray:
    """[row] what is added, in deviations."""
    if move == "one step":
        return 1.0 * (np.arange(ROWS) >= BEHIND)
    if move == "steps":
        steps = np.repeat(np.random.default_rng(seed).standard_normal(ROWS // EVERY), EVERY)
        return steps * (np.arange(ROWS) >= TRAINED_ON)
    return np.zeros(ROWS)


def ratio(name: str, move: str, seed: int, model: str, horizon: int, correctors: list[str]) -> float:
    """Squared error with what came true over that without."""
    kind, options = MODELS[model]
    frame = series(name, seed)
    deviation = float(frame["y"][:TRAINED_ON].std())
    frame = frame.with_columns(pl.col("y") + deviation * moved(move, seed))
    forecaster = Forecaster(kind, horizon=horizon, **options).fit(frame, target="y", split=SPLIT)
    asked = (frame, SPLIT, ("test",), ("mse",))
    return forecaster.followed(*asked, correctors)["test"].mse / forecaster.scores(*asked)["test"].mse


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--horizons", default="24,96")
    parser.add_argument("--models", default=";".join(MODELS), help="separated by semicolons")
    parser.add_argument("--correctors", default="level", help="that validation chooses among, such as level,fourier")
    wish = parser.parse_args()
    for name, model, horizon, move in product(
        SERIES, wish.models.split(";"), map(int, wish.horizons.split(",")), MOVES
    ):
        parts = [ratio(name, move, seed, model, horizon, wish.correctors.split(",")) for seed in range(wish.seeds)]
        shares = " ".join(f"{100 * (part - 1):+.1f}" for part in parts)
        print(f"| {name}, {move} | {model} | {horizon} | {100 * (np.mean(parts) - 1):+.1f} % | {shares} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
