"""A sonic log told from other curves, scored over all rows and over those that hold the three main ones.

    python benchmarks/missing_curve.py [--models ridge_along,trees,bigru]

Each of the 14 wells of FORCE 2020 is left out in turn, by the suite `force2020-missing`. Studies of curves that were
not run score the rows where GR, RHOB and NPHI were all measured; the suite scores each row where the sonic was. Two
wells have a sonic log hundreds of metres above their first density: there is little to tell it from.
"""

import argparse
from dataclasses import replace

import numpy as np
import polars as pl

from tsrnn import bench, suites
from tsrnn.panel import Panel
from tsrnn.tagger import Tagger

SUITE = "force2020-missing"
MAIN = ("GR", "RHOB", "NPHI")


def options(model: str) -> dict[str, object]:
    """What the suite gives a model."""
    said = suites.find(SUITE).presets["quick"]["models"][model]
    return {"model": model, **(suites.recipe(SUITE, model) if said == "recipe" else said)}


def errors(panel: Panel, split: dict[str, object], model: str) -> tuple[str, float, float, int, int]:
    """A well's name, its error over all rows and over complete ones, and how many of each there are."""
    (well,) = split["by_series"]["test"]  # type: ignore[index]  # what leave_one_out makes
    tagger = Tagger(**{**options(model), "progress": False}).fit(panel, split=split)
    target, keys = panel.roles.targets[0], [panel.roles.id, panel.roles.index]
    rows = panel.frame.filter(pl.col("well") == well)
    told = tagger.predict(replace(panel, frame=rows)).select(*keys, pl.col(target).alias("told"))
    both = rows.join(told, on=keys, how="left").filter(pl.col(target).is_not_null())
    square = (both["told"] - both[target]).to_numpy() ** 2
    whole = both.select(pl.all_horizontal(pl.col(MAIN).is_not_null())).to_series().to_numpy()
    return well, float(np.sqrt(square.mean())), float(np.sqrt(square[whole].mean())), len(square), int(whole.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="ridge_along,trees,bigru")
    asked = parser.parse_args()
    panel, splits = bench.opened(bench.Source(SUITE))
    for model in asked.models.split(","):
        table = []
        for split in splits.values():
            table.append(errors(panel, split, model))
            well, every, complete, rows, of_complete = table[-1]
            print(f"{model:12s} {well:32s} {every:7.2f} {complete:7.2f} {rows:7d} {of_complete:7d}", flush=True)
        every, complete = (np.array([row[k] for row in table]) for k in (1, 2))
        print(
            f"{model:12s} mean of wells: all rows {every.mean():.2f} (median {np.median(every):.2f}), complete rows "
            f"{complete.mean():.2f} (median {np.median(complete):.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
