"""A folder of result rows with all that may lie beside them, and with words that would break a careless page."""

from pathlib import Path
from typing import Any

import numpy as np

from tsrnn.board import rows as results

SCRIPT = "<script>document.title='broken'</script>"
FORMULA = "=cmd|' /C calc'!A0"
ROW: dict[str, Any] = {
    "dataset": "small",
    "input_size": 24,
    "track": "L chosen",
    "windows": 60,
    "parameters": 1000,
    "seconds": 3.0,
    "val_mse": 0.5,
    "val_mae": 0.4,
    "epochs": 3,
    "preset": "full",
    "sha256": "ab" * 32,
    "version": "0.1.0",
    "commit": "c0ffee",
    "torch": "2.13.0",
    "device": "cpu",
    "hardware": FORMULA,
    "finished": "2026-01-01T00:00:00+00:00",
    "fold": "",
    "threads": 1,
}
MODELS = {"gru": 0.40, "lstm": 0.45, "ols": 0.50, "seasonal_naive": 0.80}
HORIZONS = (6, 12)


def rows(dataset: str = "small") -> list[dict[str, Any]]:
    """Two seeds and two horizons of each model, and another configuration of one of them at a look-back of its own."""
    found = [
        {**ROW, "dataset": dataset, "model": model, "horizon": horizon, "seed": seed, "config": "{}"}
        | {"mse": error + horizon / 100 + seed / 1000, "mae": error / 2 + seed / 500, "seconds": 100 * (1 - error)}
        for model, error in MODELS.items()
        for horizon in HORIZONS
        for seed in (0, 1)
    ]
    other = {"config": f'{{"note": "{SCRIPT}"}}', "input_size": 96, "track": "L=96", "mse": 0.52, "model": "lstm"}
    return found + [{**row, **other} for row in found if row["model"] == "gru" and row["seed"] == 0]


def folder(path: Path, dataset: str = "small") -> Path:
    """The rows, the losses of their windows, errors of parts of the test, and sample forecasts."""
    rng = np.random.default_rng(0)
    for row in rows(dataset):
        noise = rng.normal(0, 0.02, 200)
        windows = {
            "series": np.zeros(200),
            "step": np.arange(200),
            "mse": row["mse"] + noise,
            "mae": row["mae"] + noise,
        }
        shown = {"slices": _slices(row), "samples": _samples(row)}
        assert results.append(path / dataset, row, windows, shown=shown)
    return path


def _slices(row: dict[str, Any]) -> dict[str, list[Any]]:
    places = [("lead", str(lead)) for lead in range(1, row["horizon"] + 1)]
    places += [("channel", SCRIPT), ("channel", "b|c"), ("month", "Jan"), ("month", "Feb")]
    columns: dict[str, list[Any]] = {"axis": [axis for axis, _ in places], "at": [at for _, at in places]}
    return columns | {"measure": ["mse"] * len(places), "value": [row["mse"] + k / 100 for k in range(len(places))]}


def _samples(row: dict[str, Any]) -> dict[str, list[Any]]:
    steps = [*range(-7, row["horizon"] + 1)] * 2
    count = len(steps) // 2
    ahead = np.array(steps) > 0
    wave = np.sin(np.array(steps) / 3)
    forecast = np.where(ahead, wave + row["mse"], np.nan)
    return {
        "series": ["one"] * 2 * count,
        "target": [SCRIPT] * 2 * count,
        "start": [10] * count + [20] * count,
        "at": ["2026-01-01 10:00"] * count + ["2026-01-01 20:00"] * count,
        "step": steps,
        "measured": wave.tolist(),
        "forecast": forecast.tolist(),
        "low": (forecast - 0.5).tolist(),
        "high": (forecast + 0.5).tolist(),
    }
