"""The rows in benchmarks/results are what the protocol asks for, every one of them, and the document says the same."""

import json
import math
import runpy
import sys
import tomllib
from pathlib import Path

import polars as pl
import pytest

from tsrnn import catalog, parameters, suites, tune
from tsrnn.board import rows as results
from tsrnn.forecaster import Forecaster
from tsrnn.registry import names

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
TEST_WINDOWS = {  # rows of the test part, less the horizon, plus one
    "ETTh1": {96: 2785, 192: 2689, 336: 2545, 720: 2161},
    "ETTh2": {96: 2785, 192: 2689, 336: 2545, 720: 2161},
    "weather": {96: 10444, 192: 10348, 336: 10204, 720: 9820},
}
FILES = sorted(path for path in (BENCHMARKS / "results").glob("*/*.csv") if path.parent.name in TEST_WINDOWS)
STANDING = {"ridge_segrnn"}  # a fit may end at the line, which is the same for all seeds
NAIVE = {"repeat_last", "seasonal_naive", "ols", "ridge"}  # nothing in them is drawn: one seed says all
TRAINING = {"input_size", "horizon", "loss", "scaler", "quantiles", "calendar", "pad", "val_size", "scale_per_series"}

STUDIES = sorted(path for path in (BENCHMARKS / "studies").rglob("*.csv") if not path.stem.endswith("-liked"))
every_study = pytest.mark.parametrize("path", STUDIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")


@every_file
def test_every_row_is_of_a_known_task_with_its_provenance(path: Path) -> None:
    for row in results.load(path).iter_rows(named=True):
        assert (row["dataset"], row["model"]) == (path.parent.name, path.stem)
        assert row["model"] in names("models")
        assert row["windows"] == TEST_WINDOWS[row["dataset"]][row["horizon"]], "every test window is scored"
        assert all(math.isfinite(row[name]) and row[name] > 0 for name in ("mse", "mae", "val_mse", "val_mae"))
        assert row["mae"] ** 2 <= row["mse"] * (1 + 1e-6), "a mean of squares is no less than the square of the mean"
        assert row["seed"] in range(5)
        if row["track"] == results.AS_IT_COMES:
            assert (row["config"], row["preset"], row["seed"]) == ("{}", suites.AS_IT_COMES, 0)
        else:
            tracks = {96: ("L=96",), 720: ("L=720", "L chosen")}
            assert row["track"] in tracks.get(row["input_size"], ("L chosen",))
        assert len(row["sha256"]) == 64
        assert all(row[name] for name in ("version", "commit", "torch", "hardware", "finished"))
        options = json.loads(row["config"])
        Forecaster(row["model"], horizon=row["horizon"], input_size=row["input_size"], **options)
        parameters.sort(row["model"], {name: value for name, value in options.items() if name not in TRAINING})


@every_file
def test_one_configuration_met_the_test_and_it_is_the_recipe(path: Path) -> None:
    table = results.load(path)
    assert not table.select(results.KEY).is_duplicated().any()
    for (track,), rows in table.filter(pl.col("track") != results.AS_IT_COMES).group_by("track"):
        assert rows["config"].n_unique() == rows["sha256"].n_unique() == rows["input_size"].n_unique() == 1
        size = rows["input_size"][0]
        asked = suites.preset(path.parent.name, "full", None if track == "L chosen" else size)
        assert {**json.loads(rows["config"][0]), "input_size": size} == asked.models[path.stem]


LOSSES = sorted(path for name in TEST_WINDOWS for path in (BENCHMARKS / "results" / name).glob("windows/*.parquet"))


def test_losses_are_shipped_and_each_file_is_of_a_row() -> None:
    stems = {results.stem(row) for path in FILES for row in results.load(path).iter_rows(named=True)}
    assert LOSSES
    assert {path.stem for path in LOSSES} <= stems


@every_file
def test_losses_are_those_of_the_row(path: Path) -> None:
    """All windows, one step apart, whose means are the row's scores but for the rounding to half precision."""
    for row in results.load(path).iter_rows(named=True):
        table = results.losses(path.parent, row)
        if table is not None:
            assert table.height == row["windows"]
            assert (table["step"].diff().drop_nulls() == 1).all()
            for name in ("mse", "mae"):
                assert table[name].cast(pl.Float64).mean() == pytest.approx(row[name], rel=5e-5)


@pytest.mark.parametrize("path", LOSSES, ids=lambda path: path.stem)
def test_losses_take_little_room(path: Path) -> None:
    assert path.stat().st_size <= 4.5 * pl.read_parquet(path).height


@every_file
def test_seeds_are_drawn_where_there_is_something_to_draw(path: Path) -> None:
    for _, rows in results.load(path).group_by("horizon", "track"):
        assert (rows["mse"].n_unique() == rows.height) or path.stem in NAIVE | STANDING


def test_agreement_is_the_rank_correlation_of_means_over_seeds() -> None:
    def rows(model: str, val: float, test: float) -> list[dict[str, object]]:
        scores = {"mse": test, "val_mse": val, "mae": -test, "val_mae": val}  # by MAE validation has it the wrong way
        known = {"track": "L chosen", "parameters": 1, "model": model}
        off = (-0.1, 0.1)  # two seeds about each mean
        return [
            {**known, "horizon": h, **{name: value + by for name, value in scores.items()}}
            for h in (96, 192, 336, 720)
            for by in off
        ]

    table = pl.DataFrame([*rows("a", 1, 10), *rows("b", 2, 30), *rows("c", 3, 400)])
    said = runpy.run_path(str(BENCHMARKS / "report.py"))["agreement"](table)
    assert "| MSE |" + " 1.00 (3) |" * 4 in said
    assert "| MAE |" + " -1.00 (3) |" * 4 in said


def test_the_document_says_what_the_rows_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["report.py", "--check"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(BENCHMARKS / "report.py"), run_name="__main__")
    assert ended.value.code == 0, "run `python benchmarks/report.py`"


@every_study
def test_a_recipe_is_the_best_trial_of_its_study(path: Path) -> None:
    dataset, *track = path.parent.relative_to(BENCHMARKS / "studies").parts
    assert dataset in catalog.names()
    in_time = pl.col("seconds") <= 60 * runpy.run_path(str(BENCHMARKS / "recipes.py"))["MINUTES"][dataset]
    ended = pl.read_csv(path).filter((pl.col("state") == "complete") & in_time)
    best = ended.sort("value").row(0, named=True)
    params = json.loads(best["params"])
    chosen = suites.recipe(dataset, path.stem, int(track[0].removeprefix("L=")) if track else None)
    assert {name: chosen[name] for name in params} == params


@pytest.mark.parametrize("dataset", ["ETTh1", "ETTh2"])
def test_selective_is_swept_over_what_its_recipes_were_chosen_among(dataset: str) -> None:
    """One more range would change every later draw of a sweep that is run again."""
    path = suites.home(dataset) / "selective.toml"
    saved = tomllib.loads(path.read_text(encoding="utf-8"))
    swept = set(saved["chosen"]["ranges"]) - {"input_size"}
    assert set(tune.ranges("selective")) == swept | ({"batch_size", "averaging"} & set(saved))
