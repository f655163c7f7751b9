"""Seeds of the segment RNN at once and one after another: python benchmarks/side_by_side.py [--times 3] [--targets 2]

Fits `segrnn` (hidden 64) to a simulated transformer (336 hours to 96, one to seven targets) with four seeds, in turns:
one after another with one thread of arithmetic, all at once with one thread each, and with `--wide` one after another
with as many threads as there are cores, which other work on the machine slows down out of all measure. Says seconds on
the wall, the share of the quickest other way that all at once took, and whether weights, losses and forecasts are equal
to the bit to those of one thread.
"""

import argparse
import json
import os
import sys
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

import torch

from tsrnn import Forecaster, Panel, fit_seeds
from tsrnn.simulate import transformer
from tsrnn.workers import cores

SEEDS = 4
TARGETS = ("OT", "HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL")


def estimator(hidden: int, epochs: int) -> Forecaster:
    size = {"input_size": 336, "horizon": 96, "hidden_size": hidden}
    return Forecaster("segrnn", **size, max_epochs=epochs, max_windows=128 * 64, batch_size=64, progress=False)


def equal(first: Forecaster, second: Forecaster) -> bool:
    pairs = zip(first.model_.state_dict().values(), second.model_.state_dict().values(), strict=True)
    weights = all(torch.equal(one, other) for one, other in pairs)
    return weights and first.report_.losses == second.report_.losses and first.predict().equals(second.predict())


def measured(times: int, hidden: int, epochs: int, rows: int, wide: bool, targets: int) -> dict[str, Any]:
    """Seconds of each way, and what they say."""
    names = list(TARGETS[:targets])
    panel = Panel.of(transformer(rows=rows).select("date", *names), target=names)
    fit = partial(fit_seeds, estimator(hidden, epochs), panel, SEEDS)
    ways = {"at once": fit, "one after another": partial(fit, workers=1)}
    if wide:
        ways[f"one after another, {cores()} threads"] = partial(fit, workers=1, threads=cores())
    estimator(hidden, 1).fit(panel.frame.head(1000))  # imports and kernels
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    same = True
    for _ in range(times):
        done = {}
        for name, way in ways.items():
            began = perf_counter()
            done[name] = way()
            seconds[name].append(perf_counter() - began)
            print(f"{name}: {seconds[name][-1]:.1f} s", file=sys.stderr, flush=True)
        same &= all(equal(*pair) for pair in zip(done["at once"], done["one after another"], strict=True))
    at_once, *apart = (median(each) for each in seconds.values())
    return {
        "seeds": SEEDS,
        "hidden": hidden,
        "cores": cores(),
        "load": round(os.getloadavg()[0], 1),
        **{f"{name}, s": round(median(each), 2) for name, each in seconds.items()},
        "share of the quickest": round(at_once / min(apart), 3),
        "same bits": same,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=8000)
    parser.add_argument("--targets", type=int, default=2, choices=range(1, 8))
    parser.add_argument("--wide", action="store_true")
    parser.add_argument("--json", action="store_true")
    wish = parser.parse_args()
    record = measured(wish.times, wish.hidden, wish.epochs, wish.rows, wish.wide, wish.targets)
    print(json.dumps(record) if wish.json else "\n".join(f"{key}: {value}" for key, value in record.items()))


if __name__ == "__main__":
    main()
