"""Suites of one's own: folds, leads and measures that are not MSE, from a file to the board."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from tsrnn import InputError, bench, catalog, simulate, suites
from tsrnn.board import rows as results
from tsrnn.board import table as boards
from tsrnn.board.lines import measured
from tsrnn.board.own import comparable
from tsrnn.board.text import board
from tsrnn.split import folds

Run = Callable[..., tuple[int, str, str]]

SUITE = """
data = "{folder}/field.csv"
roles = {{ id = "well", time = "depth", target = "GR", past_covariates = ["NPHI"] }}
split = {{ leave_one_out = "series" }}
measures = ["physical_rmse", "mae"]
horizons = [4]
seeds = [0, 1]
baselines.repeat_last = {{ input_size = 12 }}
models.nlinear = {{ input_size = 12, max_epochs = 1, max_windows = 128 }}
"""


@pytest.fixture
def suite(tmp_path: Path) -> str:
    """Four simulated wells, each left out in turn, on gamma ray in gAPI."""
    simulate.wells(wells=4, rows=150).drop("facies").write_csv(tmp_path / "field.csv")
    path = tmp_path / "field-suite.toml"
    path.write_text(SUITE.format(folder=tmp_path))
    return str(path)


def test_wells_left_out_one_by_one_are_ranked_in_physical_units(run: Run, suite: str) -> None:
    status, out, _ = run("bench", suite, "--workers", "0", "--out", "res", "--json")
    assert status == 0
    rows = json.loads(out)
    assert len(rows) == (1 + 2) * 4  # a model that no seed changes, the seeds of the other; wells
    assert {row["fold"] for row in rows} == {f"W-0{k}" for k in range(1, 5)}
    assert {row["dataset"] for row in rows} == {"field-suite"}
    assert all(json.loads(row["config"])["split"] == {"leave_one_out": "series"} for row in rows)
    status, out, err = run("bench", suite, "--workers", "0", "--out", "res")
    assert status == 0
    assert "12 of 12 rows already in" in err
    assert "4 PHYSICAL RMSE" in " ".join(out.split())
    assert f"Again: tsrnn leaderboard {suite} --out res" in out
    status, out, _ = run("leaderboard", suite, "--out", "res")
    assert status == 0
    assert "nlinear" in out
    compared = json.loads(run("leaderboard", suite, "--out", "res", "--compare", "--json")[1])
    assert compared[0]["seeds"] == 3
    assert compared[0]["p"] is None, "four wells are too few to judge by"


def test_what_load_does_with_columns_stands_in_a_suite(suite: str) -> None:
    text = Path(suite).read_text().replace("horizons = [4]", 'leads = ["2 m"]\nload = { resample = 0.5 }')
    Path(suite).write_text(text)
    panel, _ = bench.opened(bench.Source(suite))
    assert (panel.step.size, suites.find(suite).leads) == (0.5, (4,))
    named = Path(suite).with_name("kin.toml")
    named.write_text("")
    Path(suite).write_text(text.replace("resample = 0.5", 'families = "kin.toml", resample = 0.5'))
    assert suites.find(suite).roles["families"] == str(named), "beside the suite"


def test_a_fold_that_has_a_row_is_not_run_again(suite: str, tmp_path: Path) -> None:
    jobs = bench.plan(bench.Source(suite), "quick", bench.Wishes(models=("repeat_last",), seeds=(0,)))
    assert [job.fold for job in jobs] == ["W-01", "W-02", "W-03", "W-04"]
    bench.run(jobs[1:3], tmp_path / "r", workers=0)
    assert [job.fold for job in bench.pending(jobs, tmp_path / "r")] == ["W-01", "W-04"]


def test_measures_beside_a_row_are_those_of_the_well_in_its_own_units(suite: str, tmp_path: Path) -> None:
    jobs = bench.plan(bench.Source(suite), "quick", bench.Wishes(models=("repeat_last",), seeds=(0,)))
    bench.run(jobs, tmp_path / "r", workers=0)
    read = results.read(tmp_path / "r", "field-suite")
    rows = measured(read, ("physical_rmse", "mae", "val_physical_rmse"), tmp_path / "r")
    wells = pl.read_csv(tmp_path / "field.csv").partition_by("well", as_dict=True)
    for row in rows.iter_rows(named=True):
        gamma = wells[(row["fold"],)]["GR"].to_numpy()
        errors = [gamma[start : start + 4] - gamma[start - 1] for start in range(12, 150 - 4 + 1)]
        assert row["windows"] == len(errors)
        assert row["physical_rmse"] == pytest.approx(np.sqrt(np.square(errors).mean()), rel=1e-4)
    by_fold = dict(rows.select("fold", "physical_rmse").iter_rows())
    assert rows.filter(fold="W-01")["val_physical_rmse"].item() == pytest.approx(by_fold["W-02"], rel=1e-4)
    table = boards.board(rows, "horizon", ("physical_rmse", "mae"))
    assert table["physical_rmse_4"].item() == pytest.approx(np.mean(list(by_fold.values())))
    wide = boards.board(rows, "fold", ("physical_rmse",))
    assert wide["physical_rmse_W-03"].item() == pytest.approx(by_fold["W-03"])


def test_a_board_by_lead(suite: str, tmp_path: Path) -> None:
    path = tmp_path / "leads.toml"
    path.write_text(Path(suite).read_text().replace("horizons = [4]", "leads = [1, 3]"))
    assert suites.find(str(path)).by == "lead"
    jobs = bench.plan(bench.Source(str(path)), "quick", bench.Wishes(models=("repeat_last",), seeds=(0,)))
    assert {job.horizon for job in jobs} == {3}
    bench.run(jobs, tmp_path / "r", workers=0)
    rows = measured(results.read(tmp_path / "r"), ("physical_rmse",), tmp_path / "r", leads=(1, 3))
    table = boards.board(rows, "lead", ("physical_rmse",), folder=tmp_path / "r")
    assert table.columns[6:10] == ["physical_rmse_1", "spread_1", "physical_rmse_3", "spread_3"]
    assert 0 < table["physical_rmse_1"].item() < table["physical_rmse_3"].item()


def test_a_line_is_judged_by_the_wells_that_were_left_out() -> None:
    """Eight wells, each harder than the last: model b is a little worse in every one, c now better and now worse."""
    rows = []
    for fold in range(8):
        gaps = {"a": 0.0, "b": 0.1 + 0.01 * (fold % 3), "c": 0.02 + 0.3 * (-1) ** fold}
        for model, gap in gaps.items():
            row = dict.fromkeys(results.COLUMNS) | {"model": model, "fold": f"W-{fold}", "mae": 1 + fold + gap}
            rows.append(row | {"dataset": "d", "sha256": "s", "horizon": 4, "seed": 0, "config": "{}", "track": "t"})
    table = boards.board(pl.DataFrame(rows, schema=results.COLUMNS), "horizon", ("mae",), folder=Path("none"))
    groups = dict(table.select("model", "group").iter_rows())
    assert groups["a"] == 1
    assert groups["b"] == 2
    assert groups["c"] == 1


def test_lines_that_lack_a_fold_are_not_averaged_over_the_others() -> None:
    row = dict.fromkeys(results.COLUMNS) | {"dataset": "d", "sha256": "s", "horizon": 4, "config": "{}", "track": "t"}
    rows = [row | {"model": "a", "seed": 0, "fold": fold, "mae": 1.0, "mse": 1.0} for fold in ("x", "y")]
    rows += [row | {"model": "b", "seed": 0, "fold": "x", "mae": 0.1, "mse": 0.1}]
    table = boards.board(pl.DataFrame(rows, schema=results.COLUMNS), "horizon", ("mae",))
    assert table["model"].to_list() == ["a"]


def test_a_sweep_takes_a_suite_of_one_split_and_its_first_measure(run: Run, suite: str, tmp_path: Path) -> None:
    words = ("--model", "nlinear", "--trials", "1", "--input-size", "12", "--horizon", "4", "--set", "max_epochs=1")
    status, _, err = run("tune", suite, *words, "--out", "res")
    assert status == 2
    assert "has 4 folds, and a sweep takes one split" in err
    split = 'split.by_series = { val = ["W-03"], test = ["W-04"] }'
    text = Path(suite).read_text().replace('split = { leave_one_out = "series" }', split)
    (tmp_path / "one.toml").write_text(text)
    status, out, _ = run("tune", "one.toml", *words, "--out", "res", "--json")
    assert status == 0
    chosen = json.loads(out)["chosen"]
    assert chosen["by"] == "validation physical_rmse"
    assert 1 < chosen["value"] < 100  # gAPI
    assert chosen["study"] == "one-nlinear-4"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("horizons = [4", "cannot be read as TOML"),
        ("horizon = [4]\nmodels.ols = {}", "'horizon' is neither a word of a suite"),
        ("[quick]\nhorizons = [4]\nmodel = 3", "'quick' is neither a word of a suite"),
        ("models.ols = {}", "preset 'smoke' names no models or no horizons"),
        ("horizons = [4]", "preset 'smoke' names no models or no horizons"),
        (
            'baseline = "gru"\nhorizons = [4]\nmodels.ols = {}',
            "baseline names 'gru', a model of no preset; name one of ols",
        ),
        ('measures = ["rmsse"]\nhorizons = [4]\nmodels.ols = {}', "unknown measure 'rmsse': did you mean"),
    ],
)
def test_a_suite_that_cannot_be_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(InputError, match=said):
        suites.find(str(tmp_path / "bad.toml"))
    with pytest.raises(InputError, match=r"none\.toml is not there"):
        suites.find(str(tmp_path / "none.toml"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "well"', 'idd = "well"', "unknown word of roles 'idd': did you mean 'id'"),
        ('target = "GR"', "target = 3", "roles.target takes a column or a list of them, not 3"),
        ("horizons = [4]", "load = true\nhorizons = [4]", "load takes a table such as { families = true"),
        ("horizons = [4]", "load = { clips = true }\nhorizons = [4]", "unknown word of load 'clips': did you mean"),
        ("horizons = [4]", "load = { clip = 1 }\nhorizons = [4]", "load.clip cannot be 1; see what tsrnn.load"),
        ("horizons = [4]", "horizons = 4", "horizons takes a list of whole numbers of at least 1, not 4"),
        ("horizons = [4]", "horizons = []", "horizons takes a list of whole numbers of at least 1"),
        ("horizons = [4]", "leads = [0, 3]", "leads takes a list of steps, or of words"),
        ("horizons = [4]", "horizons = [4]\nleads = [1, 8]", "leads has 8, which no horizon reaches: the longest is 4"),
        ("seeds = [0, 1]", "seeds = [-1]", "seeds takes a list of whole numbers of at least 0"),
        ("seeds = [0, 1]", "seeds = [true]", "seeds takes a list of whole numbers of at least 0"),
        ("seeds = [0, 1]", "seeds = [1, 1]", "seeds names 1 twice"),
        ('["physical_rmse", "mae"]', "[]", "measures takes a list of measures"),
        ('["physical_rmse", "mae"]', '["physical_bias", "mae"]', "physical_bias orders nothing, for it is best at 0"),
        ("{ input_size = 12 }", "3", 'baselines.repeat_last takes a table of parameters, or "recipe", not 3'),
        ("input_size = 12, max", 'input_size = "12", max', "models.nlinear.input_size takes a whole number"),
        (
            'leave_one_out = "series"',
            'leave_on_out = "series"',
            "Known: borders, by_series, last, leave_one_out, ratios",
        ),
        ('leave_one_out = "series"', "ratios = [0.5, 0.2, 0.2]", "three shares that add up to 1"),
        ('leave_one_out = "series"', "by_series = { val = 3 }", "a split by_series is such as"),
    ],
)
def test_a_value_that_cannot_be_is_refused_when_the_suite_is_read(suite: str, old: str, new: str, said: str) -> None:
    text = Path(suite).read_text()
    assert old in text
    Path(suite).write_text(text.replace(old, new, 1))
    with pytest.raises(InputError) as refusal:
        suites.find(suite)
    assert str(refusal.value).startswith(f"{suite}: ")
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('leave_one_out = "series"', 'by_series = { test = ["W-9"] }', "unknown series 'W-9'"),
        ('{ leave_one_out = "series" }', '"standard"', "has no standard split"),
        ("max_epochs", "max_epoch", "nlinear: unknown option of model 'nlinear' 'max_epoch'"),
        ("max_epochs = 1", 'max_epochs = "x"', "nlinear: max_epochs takes a whole number or None, not 'x'"),
        ("repeat_last", "repeat_lst", "unknown model 'repeat_lst'"),
        ('"mae"]', '"coverage"]', "coverage takes quantiles, and repeat_last forecasts points"),
    ],
)
def test_what_data_or_models_refuse_is_refused_before_any_fit(suite: str, old: str, new: str, said: str) -> None:
    text = Path(suite).read_text()
    assert old in text
    Path(suite).write_text(text.replace(old, new, 1))
    with pytest.raises(InputError) as refusal:
        bench.plan(bench.Source(suite), "quick", bench.Wishes())
    assert str(refusal.value).startswith(suite)
    assert said in str(refusal.value)


def test_a_model_with_quantiles_may_be_measured_by_coverage(suite: str) -> None:
    text = Path(suite).read_text().replace('"mae"]', '"coverage"]')
    Path(suite).write_text(text.replace("input_size = 12", "input_size = 12, quantiles = [0.1, 0.9]"))
    assert len(bench.plan(bench.Source(suite), "quick", bench.Wishes())) == (1 + 2) * 4


def test_data_are_looked_for_beside_the_suite_then_in_the_current_folder(
    suite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = Path(suite).read_text().replace(f'"{tmp_path}/field.csv"', '"field.csv"')
    deep, here = tmp_path / "suites" / "mine.toml", tmp_path / "elsewhere"
    for folder in (deep.parent, here):
        folder.mkdir()
    monkeypatch.chdir(here)
    deep.write_text(text)
    with pytest.raises(InputError) as refusal:
        bench.opened(bench.Source(str(deep)))
    assert f"as {deep.parent}/field.csv and {here}/field.csv" in str(refusal.value)
    (here / "field.csv").write_bytes((tmp_path / "field.csv").read_bytes())
    other = deep.with_name("other.toml")
    other.write_text(text)
    assert suites.find(str(other)).data == "field.csv"
    (deep.parent / "field.csv").write_bytes((tmp_path / "field.csv").read_bytes())
    third = deep.with_name("third.toml")
    third.write_text(text)
    assert suites.find(str(third)).data == str(deep.parent / "field.csv")


def test_suites_of_one_name_share_a_folder_and_no_board(run: Run, suite: str, tmp_path: Path) -> None:
    """The second has other data and one split; the name alone is known to neither."""
    words = ("--workers", "0", "--seeds", "0", "--models", "repeat_last", "--out", "res")
    other = tmp_path / "other" / Path(suite).name
    other.parent.mkdir()
    simulate.wells(wells=4, rows=140).drop("facies").write_csv(other.parent / "field.csv")
    text = Path(suite).read_text().replace(f"{tmp_path}/", "")
    other.write_text(text.replace('leave_one_out = "series"', 'by_series = { val = ["W-03"], test = ["W-04"] }'))
    assert [run("bench", str(each), *words)[0] for each in (suite, other)] == [0, 0]
    for each, mine, others in ((suite, 4, 1), (str(other), 1, 4)):
        status, out, err = run("leaderboard", each, "--out", "res", "--json")
        assert status == 0
        assert len(json.loads(out)) == mine
        count = "1 row" if others == 1 else f"{others} rows"
        told = f"field-suite in res: {count} of other data, another split or another task"
        assert told in " ".join(err.split())
    status, _, err = run("leaderboard", "field-suite", "--out", "res")
    assert status == 2
    assert "all 5 rows of field-suite in res" in err
    assert "name the file of their suite, such as field-suite.toml" in err


def test_a_board_of_a_name_alone_says_that_its_rows_are_a_suites(run: Run, suite: str) -> None:
    path = Path(suite)
    path.write_text(path.read_text().replace("split = ", "#"))
    assert run("bench", suite, "--workers", "0", "--seeds", "0", "--models", "repeat_last", "--out", "res")[0] == 0
    status, out, err = run("leaderboard", "field-suite", "--out", "res")
    assert status == 0
    assert "MSE" in out
    assert "were measured for a suite, but this is the usual board" in " ".join(err.split())
    assert "measured for a suite" not in run("leaderboard", suite, "--out", "res")[2]


def test_published_numbers_stand_beside_their_own_data_alone(suite: str, tmp_path: Path) -> None:
    asked, config = suites.find("ETTh1"), {"config": ["{}"]}
    assert comparable(pl.DataFrame(config), asked).height
    assert not comparable(pl.DataFrame({"config": ['{"roles": {"target": ["OT"]}}']}), asked).height
    assert not comparable(pl.DataFrame(config), replace(asked, split={"ratios": [0.7, 0.1, 0.2]})).height
    other = tmp_path / "ETTh1.toml"
    other.write_text(Path(suite).read_text().replace("split = ", "#"))
    assert not comparable(pl.DataFrame(config), suites.find(str(other))).height
    assert not comparable(pl.DataFrame(config), suites.find("mine/ETTh1.csv")).height


def test_columns_are_left_out_before_names_are_cut() -> None:
    row = dict.fromkeys(results.COLUMNS) | {"dataset": "d", "sha256": "s", "config": "{}", "track": "t"}
    row |= {"model": "seasonal_naive", "mse": 0.5, "mae": 0.4, "seconds": 3.0}
    fits = [row | {"horizon": horizon, "seed": seed} for horizon in (96, 192, 336, 720) for seed in (0, 1)]
    asked = replace(suites.find("default"), data="d")
    for width, inside, outside in ((70, "96 MSE", "MAE"), (80, "96 MSE  MAE", "class"), (200, "class", "nothing")):
        console = Console(width=width, file=StringIO(), record=True)
        console.print(board(pl.DataFrame(fits, schema=results.COLUMNS), asked, width, Path("none")))
        shown = console.export_text()
        assert "seasonal_naive" in shown
        assert inside in shown
        assert outside not in shown


def test_a_fit_is_told_by_the_suites_own_measures(run: Run, suite: str) -> None:
    _, _, err = run("bench", suite, "--workers", "0", "--seeds", "0", "--models", "repeat_last", "--out", "res")
    assert "PHYSICAL RMSE" in err
    assert "MSE 0" not in err.replace("RMSE", "")


def test_a_suite_goes_before_a_data_set_and_a_data_set_before_nothing(tmp_path: Path) -> None:
    assert suites.known("ETTh1")
    assert not suites.known("transformer")
    assert suites.find("transformer").presets == {**suites.find("default").presets}
    assert (suites.find("weather").data, suites.find("a/mine.csv").data) == ("weather", "a/mine.csv")
    assert suites.find("ETTh1").measures == ("mse", "mae")
    for name in ("ETTh1", "weather"):
        assert folds(("x",), suites.find(name).split) == {"": None}
        assert name in catalog.names()


@pytest.mark.parametrize("way", ["two", "two/", "./two//", "{here}/two", "two/."])
def test_a_folder_goes_by_its_name_however_its_path_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    (tmp_path / "two").mkdir()
    monkeypatch.chdir(tmp_path)
    assert suites.find(way.format(here=tmp_path)).name == "two"
    monkeypatch.chdir(tmp_path / "two")
    assert suites.find(".").name == "two"


def test_a_suite_of_the_same_words_elsewhere_or_written_anew_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.toml").write_text(f'data = "{name}.csv"\nhorizons = [2]\nmodels.ols = {{}}\n')
        monkeypatch.chdir(tmp_path / name)
        assert suites.find("mine.toml").data == f"{name}.csv"
    (tmp_path / "b" / "mine.toml").write_text('data = "c.csv"\nhorizons = [2]\nmodels.ols = {}\n')
    os.utime(tmp_path / "b" / "mine.toml", ns=(1, 1))
    assert suites.find("mine.toml").data == "c.csv"


def test_two_folders_of_one_name_have_each_its_own_score(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("lasio")
    top = "~V\nVERS. 2.0:\nWRAP. NO:\n~W\nNULL. -999.25:\nWELL. W:\n~C\nDEPT.M:\nGR.GAPI:\n~A\n"
    scores = []
    for folder, size in (("x", 1.0), ("y", 30.0)):
        logs = tmp_path / folder / "logs"
        logs.mkdir(parents=True)
        values = 50 + size * np.random.default_rng(0).normal(size=200).cumsum()
        (logs / f"{folder}.LAS").write_text(top + "".join(f"{k} {value:.2f}\n" for k, value in enumerate(values)))
        task = ("--models", "repeat_last", "--horizons", "4", "--input-size", "8", "--workers", "0", "--out", "res")
        status, out, err = run("bench", f"{logs}/", *task, "--json")
        assert status == 0, err
        (row,) = json.loads(out)
        assert row["dataset"] == "logs"
        scores.append((row["sha256"], row["mse"]))
    assert len(set(scores)) == 2
