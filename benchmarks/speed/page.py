"""The page of many data sets: its size, and the time to make it from rows on disk."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
from measuring import Row, at_most, bench, report

from tsrnn import page
from tsrnn.board.rows import COLUMNS
from tsrnn.page.overall import overall

HORIZONS = (96, 192, 336, 720)


def write(folder: Path, models: int, sets: int, seeds: int) -> None:
    """Invented rows, one file per model."""
    rng = np.random.default_rng(0)
    for model in range(models):
        name = "seasonal_naive" if model == models - 1 else f"model_{model}"
        rows = [
            {
                **{"dataset": f"dataset_{data}", "model": name, "horizon": horizon, "input_size": 336, "seed": seed},
                **{
                    "track": "L chosen",
                    "mse": float(np.exp(rng.normal(model / 100, 0.05))),
                    "mae": 0.3,
                    "val_mse": 0.3,
                },
                **{"seconds": 3.0, "epochs": 3, "config": '{"hidden_size": 64}', "sha256": f"{data:064d}"},
                **{"finished": "2026-01-01T00:00:00+00:00", "hardware": "a machine", "version": "0.1.0"},
            }
            for data in range(sets)
            for horizon in HORIZONS
            for seed in range(seeds)
        ]
        pl.DataFrame(rows, schema=COLUMNS).drop("fold", "threads").write_csv(folder / f"{name}.csv")


def measure(models: int = 50, sets: int = 15, seeds: int = 5, repeats: int = 3) -> Iterable[Row]:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), models, sets, seeds)
        what = f"page of {models} models x {len(HORIZONS) * sets} tasks"
        kilobytes = len(page.html(overall(Path(folder))).encode()) / 1000
        yield at_most(
            f"{what}, {seeds} seeds: made from rows",
            bench(lambda: page.html(overall(Path(folder))), repeats, 1),
            "s",
            2,
        )
        yield at_most(f"{what}: size", kilobytes, "kB", 250)


if __name__ == "__main__":
    report(__doc__, measure)
