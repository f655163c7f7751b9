"""Boards of labels: what was counted lies beside a row, and measures are of each well and of all wells together."""

import polars as pl
import pytest

from tsrnn import simulate
from tsrnn.board import beside
from tsrnn.board import rows as results

SUITE = """
task = "along"
data = "field.csv"
roles = { id = "well", time = "depth", target = "facies", past_covariates = ["GR", "RHOB"] }
split = { leave_one_out = "well" }
measures = ["error", "accuracy", "macro_f1", "boundary_f1"]
baseline = "majority"
seeds = [0]
models.majority = { loss = "cross_entropy", input_size = 64 }
models.trees = { loss = "cross_entropy", input_size = 64, rounds = 5 }
"""


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    folder = tmp_path_factory.mktemp("field")
    simulate.wells(wells=4, rows=150).write_csv(folder / "field.csv")
    (folder / "along.toml").write_text(SUITE)
    return folder


@pytest.fixture
def benched(run, field):
    path, folder = field / "along.toml", field / "res"
    assert run("bench", str(path), "--workers", "0", "--out", str(folder))[0] == 0
    return path, folder


def counted(folder, model):
    """[well] of what lies beside a model's rows, from which every measure of labels can be made."""
    found = {}
    for row in results.read(folder).filter(model=model).iter_rows(named=True):
        table = beside.read(folder, "confusion", results.stem(row))
        assert table["series"].unique().to_list() == [row["fold"]]
        found[row["fold"]] = table
    return found


def test_what_is_counted_of_a_well_says_its_measures(benched):
    _, folder = benched
    tables = counted(folder, "trees")
    assert len(tables) == 4
    for row in results.read(folder).filter(model="trees").iter_rows(named=True):
        table, stored = tables[row["fold"]], beside.read(folder, "measures", results.stem(row))
        labelled = table.filter(what="label")
        assert labelled["rows"].sum() == row["windows"]
        right = labelled.filter(pl.col("true") == pl.col("told"))["rows"].sum()
        assert stored.filter(measure="accuracy", series=row["fold"])["value"].item() == pytest.approx(
            right / row["windows"]
        )
        bounds = {each: table.filter(what="boundary", **each_of(each))["rows"].sum() for each in ("yy", "yn", "ny")}
        f1 = 2 * bounds["yy"] / (2 * bounds["yy"] + bounds["yn"] + bounds["ny"])
        assert stored.filter(measure="boundary_f1", series=row["fold"])["value"].item() == pytest.approx(f1)


def each_of(word):
    return {name: {"y": "yes", "n": "no"}[letter] for name, letter in zip(("true", "told"), word, strict=True)}
