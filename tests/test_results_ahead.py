"""The rows of suites by lead in benchmarks/results: every fold, the suite's configuration, measures of each lead."""

import json
import math
from pathlib import Path

import pytest

from tsrnn import catalog, suites
from tsrnn.board import beside
from tsrnn.board import rows as results
from tsrnn.registry import names

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
ROWS = sorted(path for path in RESULTS.glob("*/*.csv") if path.parent.name not in catalog.names())
FILES = [path for path in ROWS if suites.find(path.parent.name).leads]
OTHERS = [path for path in ROWS if path not in FILES]
WELLS = 14
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")


def test_there_are_some():
    assert {"force2020-ahead", "weather-clean"} <= {path.parent.name for path in FILES}


@every_file
def test_every_fold_was_read_once_by_each_seed(path):
    suite, rows = suites.find(path.parent.name), results.load(path)
    assert (rows["dataset"].unique().item(), rows["model"].unique().item()) == (suite.name, path.stem)
    assert path.stem in names("models")
    assert not rows.select(results.KEY).is_duplicated().any()
    folds = WELLS if suite.split else 1
    assert (rows.group_by("seed").len()["len"] == folds).all()
    assert (rows.group_by("seed").n_unique()["fold"] == folds).all()
    assert all(row[name] for row in rows.iter_rows(named=True) for name in ("sha256", "version", "commit", "torch"))


@every_file
def test_one_configuration_met_the_test_and_it_is_the_suite_s(path):
    suite, rows = suites.find(path.parent.name), results.load(path)
    assert rows["config"].n_unique() == rows["sha256"].n_unique() == rows["input_size"].n_unique() == 1
    config = json.loads(rows["config"][0])
    said = {"roles": dict(suite.roles), "split": suite.split}
    assert {name: config.pop(name, None) for name in said} == said
    asked = dict(suites.preset(suite.name, "full").models[path.stem])
    assert {**config, "input_size": rows["input_size"][0]} == asked
    assert rows["horizon"].unique().item() == max(suite.leads)


@every_file
def test_each_lead_has_its_measures(path):
    suite = suites.find(path.parent.name)
    for row in results.load(path).iter_rows(named=True):
        table = beside.read(path.parent, "measures", results.stem(row))
        assert table is not None
        at = {(each["measure"], each["lead"]): each["value"] for each in table.iter_rows(named=True) if each["series"]}
        for lead in suite.leads:
            assert at["physical_mae", lead] <= at["physical_rmse", lead] * (1 + 1e-6)
            assert 0 < at["coverage", lead] < 1
            assert all(math.isfinite(at[name, lead]) for name in suite.measures)


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_rows_of_other_tasks_are_of_their_suite(path):
    suite, rows = suites.find(path.parent.name), results.load(path)
    assert not suite.leads
    assert (rows["dataset"].unique().item(), rows["model"].unique().item()) == (suite.name, path.stem)
    assert not rows.select(results.KEY).is_duplicated().any()
    folds = WELLS if suite.split and "leave_one_out" in suite.split else 1
    assert (rows.group_by("seed").n_unique()["fold"] == folds).all()
    assert rows["config"].n_unique() == rows["sha256"].n_unique() == rows["input_size"].n_unique() == 1
    assert all(row[name] for row in rows.iter_rows(named=True) for name in ("sha256", "version", "commit", "torch"))
    config, (preset,) = json.loads(rows["config"][0]), rows["preset"].unique()
    asked = dict(suites.preset(suite.name, preset).models[path.stem])
    assert {name: config.get(name, rows["input_size"][0]) for name in asked} == asked
    for row in rows.iter_rows(named=True) if suite.beside else ():
        table = beside.read(path.parent, "measures", results.stem(row))
        assert table is not None
        assert set(suite.measures) <= set(table.filter(table["series"].is_null())["measure"])


def test_what_lies_beside_is_of_a_row():
    measured = [path for path in ROWS if suites.find(path.parent.name).beside]
    stems = {results.stem(row) for path in measured for row in results.load(path).iter_rows(named=True)}
    beside_rows = {path for path in RESULTS.glob("*/measures/*.parquet") if path.parts[-3] not in catalog.names()}
    assert {path.stem for path in beside_rows} == stems
