"""The rows of the competitions' suites in benchmarks/results: every series once, by the suite's configuration."""

import json
import math
import runpy
from pathlib import Path

import polars as pl
import pytest

from tsrnn import catalog, suites
from tsrnn.board import lines
from tsrnn.board import rows as results
from tsrnn.suites.groups import members

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SUITES = members("competitions")
FILES = sorted(path for name in SUITES for path in (BENCHMARKS / "results" / name).glob("*.csv"))
SERIES = {"m1": (617, 203, 181), "m3": (1428, 756, 645), "tourism": (366, 427)}
WINDOWS = dict(zip(SUITES, [count for counts in SERIES.values() for count in counts], strict=True))
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")


@every_file
def test_every_series_was_read_once_by_the_suites_configuration(path):
    suite, rows = suites.find(path.parent.name), results.load(path)
    assert not rows.select(results.KEY).is_duplicated().any()
    for row in rows.iter_rows(named=True):
        assert (row["dataset"], row["model"]) == (suite.name, path.stem)
        assert row["windows"] == WINDOWS[suite.name]
        assert row["sha256"] == catalog.row(suite.data).sha256
        asked = suites.preset(suite, "full").models[path.stem]
        assert {**json.loads(row["config"]), "input_size": row["input_size"]} == asked
        assert all(row[name] for name in ("version", "commit", "torch", "hardware", "finished"))


@every_file
def test_scores_are_those_of_the_series(path):
    suite, rows = suites.find(path.parent.name), results.load(path)
    table = lines.measured(rows, (*suite.measures, "val_mase"), path.parent)
    for row in table.iter_rows(named=True):
        assert all(math.isfinite(row[name]) and row[name] > 0 for name in (*suite.measures, "val_mase"))
        losses = results.losses(path.parent, row)
        assert losses["series"].n_unique() == losses.height == row["windows"]
        assert losses["mase"].cast(pl.Float64).mean() == pytest.approx(row["mase"], rel=5e-4)


def test_what_lies_beside_is_of_a_row():
    stems = {results.stem(row) for path in FILES for row in results.load(path).iter_rows(named=True)}
    for kind in ("windows", "measures", "slices", "samples"):
        assert {path.stem for name in SUITES for path in (BENCHMARKS / "results" / name).glob(f"{kind}/*")} == stems


def test_the_document_has_the_table_of_the_rows():
    made = runpy.run_path(str(BENCHMARKS / "competitions.py"))["table"](BENCHMARKS / "results")
    assert made in (BENCHMARKS / "README.md").read_text(encoding="utf-8"), (
        "run `python benchmarks/competitions.py --table benchmarks/results`"
    )
