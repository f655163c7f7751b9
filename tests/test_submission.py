"""False rows of every kind are refused, with the reason; honest ones pass, and come out the same when run again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import Run

from tsrnn import InputError, bench, simulate, submission
from tsrnn.board import rows as results
from tsrnn.models import find, seen
from tsrnn.submission import truth

Row = dict[str, Any]


@pytest.fixture(scope="module")
def honest() -> list[Row]:
    """Rows of two models on simulated data, made by the benchmark itself."""
    options = {"hidden_size": 4, "max_epochs": 1, "max_windows": 64, "val_windows": 64}
    source = bench.Source("transformer")
    sha256 = bench.opened(source)[0].fingerprint
    jobs = [bench.Job(source, sha256, "repeat_last", 24, 48, 0, {})]
    jobs += [bench.Job(source, sha256, "gru", 24, 48, seed, options) for seed in (0, 1)]
    return [bench.run_one(job) for job in jobs]


def _written(rows: list[Row], folder: Path) -> Path:
    """Rows in files as they are, however false they are."""
    table = pl.DataFrame([dict.fromkeys(results.COLUMNS) | row for row in rows], schema=results.COLUMNS)
    (folder / "sent").mkdir(parents=True)
    for (model,), part in table.group_by("model", maintain_order=True):
        part.with_columns(pl.col("fold").fill_null("")).write_csv(folder / "sent" / f"{model}.csv")
    return folder / "sent"


@pytest.fixture
def checked(honest: list[Row], tmp_path: Path) -> Callable[[Callable[[list[Row]], object]], list[str]]:
    """What is said of the honest rows once something was done to them."""

    def faults(spoil: Callable[[list[Row]], object]) -> list[str]:
        rows = [dict(row) for row in honest]
        spoil(rows)
        return [f"{said.where}: {said.what}" for said in submission.check(_written(rows, tmp_path)).faults]

    return faults


def test_honest_rows_pass_and_come_out_the_same_again(honest: list[Row], tmp_path: Path) -> None:
    found = submission.check(_written(honest, tmp_path), rerun=3)
    assert (found.rows, found.faults, found.remarks) == (3, [], [])
    assert len(found.rerun) == 3
    assert found.plain()["accepted"] is True


def test_rows_of_ones_own_file_or_suite_are_held_against_one_another(
    honest: list[Row], tmp_path: Path, run: Run
) -> None:
    config = json.dumps({"split": {"ratios": [0.6, 0.2, 0.2]}})
    own = [row | {"dataset": "my-suite", "config": config} for row in honest[:1]]
    folder = _written(own, tmp_path)
    (tmp_path / "my-suite").mkdir()  # a folder of rows is no data
    status, out, _ = run("leaderboard", "check", str(folder), "--rerun", "1")
    assert (status, out.splitlines()[-1]) == (0, "1 row, 0 faults")
    assert "split by" not in out
    assert "my-suite is no data set of the catalogue and no suite of this version" in out
    assert "its data, its split and how many windows its test has cannot be checked here" in out
    labels = tmp_path / "labels"
    nothing = dict.fromkeys(("mse", "mae", "val_mse", "val_mae"), float("nan"))
    found = submission.check(_written([own[0] | nothing | {"horizon": 1}], labels)).faults
    assert [said.what for said in found] == [
        "it is of no forecast, and no measures lie beside it: nothing says how good it is"
    ]


FALSE = {
    "a leaked test": (
        {"config": json.dumps({"split": {"ratios": [0.9, 0.05, 0.05]}})},
        "its training may hold rows of the test",
    ),
    "a choice on the test": ("chosen", "it was chosen on the test"),
    "the answer among the covariates": (
        {"config": json.dumps({"roles": {"target": "OT", "future_covariates": ["OT"]}})},
        "the model was shown the answer",
    ),
    "dropped windows": ("dropped", "some were dropped"),
    "a wrong checksum": ({"sha256": "f" * 64}, "its data have the checksum ffffffffffff"),
    "no number": ({"mse": float("nan")}, "mse is nan, which is no error"),
    "an impossible pair": ({"mse": 0.1, "mae": 0.9}, "which no errors have"),
    "no commit": ({"commit": None, "version": None}, "version, commit are empty"),
    "no JSON": ({"config": "loss=mae"}, "which is no object of JSON"),
    "no time": ({"finished": "yesterday"}, "which is no time"),
    "roles without names": ({"config": '{"roles": ["OT"]}'}, "its roles of columns are"),
    "no cost": ({"seconds": float("nan")}, "seconds is nan, which is no cost"),
    "no track": ({"track": "foo"}, "its track is 'foo', and its look-back 48"),
    "a track of another look-back": ({"track": "L=96"}, "its track is 'L=96', and its look-back 48"),
    "a track of more knowledge": (
        {"track": "online"},
        "forecasts of transformer learn nothing from what came true",
    ),
    "no window": ({"windows": 0}, "windows is 0; it counts from 1"),
}


@pytest.mark.parametrize("name", FALSE)
def test_a_false_row_is_refused_with_the_reason(checked: Any, name: str) -> None:
    change, reason = FALSE[name]

    def spoil(rows: list[Row]) -> None:
        if change == "chosen":
            rows[1] |= {"val_mse": rows[1]["mse"], "val_mae": rows[1]["mae"]}
        elif change == "dropped":
            rows[1]["windows"] -= 7
        else:
            rows[1] |= change

    found = checked(spoil)
    assert any(reason in said for said in found)
    assert all("gru.csv, row 1" in said for said in found)


def test_forecasts_that_learn_from_what_has_come_true_cannot_pass_for_others(tmp_path: Path) -> None:
    rows = results.load(Path(__file__).parents[1] / "benchmarks" / "results" / "ETTh1-online" / "ols.csv").to_dicts()
    found = submission.check(_written([rows[0], rows[1] | {"track": "L chosen"}], tmp_path)).faults
    (said,) = found
    assert said.where.endswith("row 2")
    assert "'L chosen', and forecasts of ETTh1-online learn from what came true: they are never mixed" in said.what


def test_a_doubled_key_is_refused_however_its_configuration_is_written(checked: Any) -> None:
    def spoil(rows: list[Row]) -> None:
        again = json.dumps(dict(reversed(json.loads(rows[1]["config"]).items())), indent=1)
        rows.append(rows[1] | {"mse": rows[1]["mse"] * 0.9, "config": again})

    (said,) = checked(spoil)
    assert "row 3: it is the result of" in said
    assert "row 1 again" in said


def test_a_fit_that_is_counted_as_two_seeds_is_refused(checked: Any) -> None:
    (said,) = checked(lambda rows: rows.append(rows[1] | {"seed": 7}))
    assert "seed 7 has the errors of seed 0 to the last digit" in said


def test_a_solved_model_may_have_the_same_errors_from_every_seed(checked: Any) -> None:
    assert checked(lambda rows: rows.append(rows[0] | {"seed": 7})) == []


def test_an_invented_score_is_found_out_by_running_the_row_again(honest: list[Row], tmp_path: Path) -> None:
    rows = [honest[0] | {"mse": honest[0]["mse"] * 0.8, "mae": honest[0]["mae"] * 0.9}]
    found = submission.check(_written(rows, tmp_path), rerun=1)
    (said,) = found.faults
    assert f"mse {honest[0]['mse']:.4f} where it says {rows[0]['mse']:.4f}" in said.what


def test_losses_of_other_windows_beside_a_row_are_found_out(honest: list[Row], tmp_path: Path) -> None:
    count = honest[0]["windows"]
    losses = {"series": [0] * count, "step": [*range(count)], "mse": [9.0] * count, "mae": [2.0] * count}
    results.append(tmp_path / "all", honest[0], losses)
    short = {name: values[:5] for name, values in losses.items()}
    results.append(tmp_path / "some", honest[0] | {"seed": 1}, short)
    said = [each.what for each in submission.check(tmp_path).faults]
    assert any("the losses of its windows have the mean 9" in what for what in said)
    assert any(what.startswith("5 losses of windows lie beside it") for what in said)


def test_a_damaged_file_is_refused_and_the_others_are_checked(honest: list[Row], tmp_path: Path) -> None:
    folder = _written(honest, tmp_path)
    (folder / "other.csv").write_text("dataset,model\nETTh1,gru\n")
    found = submission.check(folder)
    assert found.rows == 3
    assert "it has no column 'horizon'" in found.faults[0].what


def test_what_a_model_had_read_before_is_said(honest: list[Row], tmp_path: Path) -> None:
    assert {row["seen"] for row in honest} == {"no"}
    rows = [honest[0] | {"seen": "a corpus that holds transformer"}, honest[1] | {"seen": None}]
    found = submission.check(_written(rows, tmp_path))
    assert found.faults == []
    assert sorted(said.what.split(":")[0] for said in found.remarks) == [
        "does not say whether its model had read the data before (column `seen`",
        "its model had read data before",
    ]


def test_a_class_says_what_its_weights_had_read() -> None:
    class Borrowed(find("repeat_last").kind):
        SEEN = "a corpus"
        Config = find("repeat_last").config

    assert (seen("gru"), seen(Borrowed)) == ("no", "a corpus")


def test_the_command_says_what_is_wrong_and_exits_with_two(run: Run, honest: list[Row], tmp_path: Path) -> None:
    good = _written(honest, tmp_path / "good")
    status, out, _ = run("leaderboard", "check", str(good), "--rerun", "1")
    assert status == 0
    assert "run again  " in out
    assert out.endswith("3 rows, 0 faults\n")
    bad = _written([honest[0] | {"sha256": "0" * 64}], tmp_path / "bad")
    status, out, _ = run("leaderboard", "check", str(bad))
    assert status == 2
    assert out.startswith("refused  ")
    status, out, _ = run("leaderboard", "check", str(bad), "--json")
    assert (status, json.loads(out)["accepted"]) == (2, False)
    status, _, err = run("leaderboard", "check", str(tmp_path / "good"), "--json")
    assert status == 0
    status, _, err = run("leaderboard", "check", str(tmp_path / "nothing"))
    assert (status, "holds no file of result rows" in err) == (2, True)


def test_a_folder_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name the folder"):
        submission.check(tmp_path)
    (tmp_path / "ols.csv").write_text(",".join(results.COLUMNS) + "\n")
    with pytest.raises(InputError, match="hold no result row"):
        submission.check(tmp_path)


@pytest.fixture
def labelled(run: Run, tmp_path: Path) -> Path:
    """Rows of a user's own file and a task that no suite says, as the benchmark leaves them."""
    simulate.wells(wells=4, rows=120).write_csv(tmp_path / "w.csv")
    words = ("--task", "along", "--target", "facies", "--id", "well", "--models", "majority", "--workers", "0")
    status, out, _ = run("bench", str(tmp_path / "w.csv"), *words, "--out", str(tmp_path / "res"))
    assert (status, "ACCURACY" in out) == (0, True)
    return tmp_path


def test_rows_of_labels_say_their_task_and_are_shown_by_its_measures(run: Run, labelled: Path) -> None:
    for words in ((), ("--csv",), ("--markdown",), ("--html", "w.html")):
        status, out, err = run("leaderboard", str(labelled / "w.csv"), "--out", str(labelled / "res"), *words)
        shown = Path("w.html").read_text(encoding="utf-8") if "--html" in words else out
        assert (status, "suite" in err) == (0, False)
        assert "accuracy" in shown.lower()
        assert "nan" not in shown.lower().split()
    assert "--config majority.toml --task along --seeds 0" in shown
    status, out, _ = run("leaderboard", "w", "--json", "--out", str(labelled / "res"))
    (row,) = json.loads(out, parse_constant=pytest.fail)
    assert (status, row["mse"], row["accuracy"] > 0) == (0, None, True)
    status, out, _ = run("leaderboard", "w", "--by-series", "--out", str(labelled / "res"))
    assert (status, "majority" in out) == (0, True)


def test_rows_of_labels_pass_and_need_their_measures(labelled: Path) -> None:
    assert submission.check(labelled / "res").faults == []
    for path in (labelled / "res" / "w" / "measures").iterdir():
        path.unlink()
    (said,) = submission.check(labelled / "res").faults
    assert "no measures lie beside it" in said.what


def test_a_row_of_labels_comes_out_the_same_again(labelled: Path) -> None:
    table = results.load(labelled / "res" / "w" / "majority.csv")
    row = table.row(0, named=True)
    beside = pl.read_parquet(labelled / "res" / "w" / "measures" / f"{results.stem(row)}.parquet")
    knows, stored = truth.Truth(), truth.scores(beside.to_dict(as_series=False))
    agrees, what = knows.again(row | {"dataset": str(labelled / "w.csv")}, stored)
    assert agrees, what
    assert "accuracy" in what
    assert not knows.again(row | {"dataset": str(labelled / "w.csv")}, stored | {"accuracy": 0.99})[0]
