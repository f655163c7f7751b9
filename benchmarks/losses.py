"""Store the windows' losses of rows that have none: python benchmarks/losses.py ETTh1 --models ols,nlinear

`tsrnn bench --out benchmarks/results` stores them beside each new row. A row that came without them is fitted again by
its own key, and its losses are kept only where both scores come out as they stand in the row; no row is added or
changed. Rows whose fits do not end in the same bits on this machine keep none, and the script says which.
"""

import argparse
import sys
from pathlib import Path

import polars as pl

from tsrnn import bench, execute
from tsrnn.board import beside, rows
from tsrnn.metrics import USUAL
from tsrnn.suites import Source

RESULTS = Path(__file__).parent / "results"
CLOSE = 1e-6  # of a score, to call a fit the one that made the row


def lacking(dataset: str, models: tuple[str, ...], input_size: int | None) -> list[bench.Job]:
    """The jobs of stored rows without losses, of these models and this look-back for all (None: of each one's own)."""
    stored = {tuple(row[name] for name in rows.KEY): row for row in rows.read(RESULTS, dataset).iter_rows(named=True)}
    jobs = bench.plan(Source(dataset), "full", bench.Wishes(models=models, input_size=input_size))
    return [job for job in jobs if job.key in stored and rows.losses(RESULTS, stored[job.key]) is None]


def keep(outcome: execute.Outcome) -> str:
    """Write a fit's losses where it is the row's; what became of it."""
    if outcome.result is None:
        return f"{outcome.job}: {outcome.error}"
    row, windows = outcome.result.row, outcome.result.windows
    same = pl.lit(True)
    for name in rows.KEY:
        same &= pl.col(name) == row[name]
    known = rows.read(RESULTS, row["dataset"]).filter(same).row(0, named=True)
    off = max(abs(known[name] - row[name]) for name in USUAL)
    if off <= CLOSE:
        beside.write(RESULTS / row["dataset"], "windows", rows.stem(row), windows, "name a folder you may write")
    return f"{outcome.job}: {'kept' if off <= CLOSE else 'NOT THE ROW, nothing kept'}, off by {off:.1e}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset")
    parser.add_argument("--models", required=True, help="names, separated by commas")
    parser.add_argument("--input-size", type=int, help="rows of the track of this look-back for all")
    parser.add_argument("--workers", type=int, default=execute.cores())
    wish = parser.parse_args()
    jobs = lacking(wish.dataset, tuple(wish.models.split(",")), wish.input_size)
    outcomes = execute.run(
        bench.measure, jobs, workers=wish.workers, on_done=lambda outcome: print(keep(outcome), flush=True)
    )
    return int(any(outcome.error for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
