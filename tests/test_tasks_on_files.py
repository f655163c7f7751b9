"""Files of one's own under tasks beside a forecast: what needs no word more, and what is refused in one sentence."""

import json
import re
import tomllib

import numpy as np
import polars as pl
import pytest
import typer.main

from tsrnn import Generator, bench, simulate, tasks
from tsrnn.commands._app import app
from tsrnn.detector import Detector
from tsrnn.errors import InputError, Notice
from tsrnn.tagger import Tagger

SMALL = {"input_size": 32, "hidden_size": 8, "num_layers": 1, "max_epochs": 1, "max_windows": 64, "progress": False}


def cases(count=24, steps=12):
    rng = np.random.default_rng(0)
    rows = [
        {"case": f"c{k}", "step": step, "x": rng.standard_normal() + k % 2, "kind": "ab"[k % 2]}
        for k in range(count)
        for step in range(steps)
    ]
    return pl.DataFrame(rows)


def test_a_few_whole_numbers_are_classes_and_it_is_said(run, tmp_path):
    frame = simulate.wells(wells=4, rows=80)
    codes = pl.col("facies").cast(pl.Categorical).to_physical().cast(pl.Int64)
    frame.with_columns(facies=codes).write_csv(tmp_path / "codes.csv")
    words = ("codes.csv", "--task", "along", "--target", "facies", "--id", "well")
    status, out, err = run("bench", *words, "--models", "majority", "--workers", "0", "--out", "res", "--json")
    assert status == 0
    assert json.loads(json.loads(out)[0]["config"])["loss"] == "cross_entropy"
    assert "'facies' holds a few whole numbers, which are taken for classes" in err


def test_whole_series_are_held_out_class_by_class_where_no_suite_says_which(run, tmp_path):
    sorted_by_kind = cases().sort("kind", maintain_order=True)
    sorted_by_kind.write_csv(tmp_path / "cases.csv")
    words = ("cases.csv", "--task", "whole", "--target", "kind", "--id", "case", "--time", "step")
    status, out, _ = run("bench", *words, "--models", "rocket", "--workers", "0", "--out", "res", "--json")
    assert (status, [(row["model"], row["seed"]) for row in json.loads(out)]) == (0, [("rocket", 0)])
    named = (("time", "step"), ("target", "kind"), ("id", "case"))
    (split,) = bench.opened(bench.Source("cases.csv", named, "whole"))[1].values()
    kinds = dict(sorted_by_kind.select("case", "kind").unique().rows())
    assert sorted(kinds[case] for case in split["by_series"]["test"]) == ["a", "a", "b", "b"]
    assert {kinds[case] for case in split["by_series"]["val"]} == {"a", "b"}
    assert not {*split["by_series"]["val"]} & {*split["by_series"]["test"]}


def test_too_few_whole_series_ask_for_a_suite_that_can_be_written_so(run, tmp_path):
    cases(4).write_csv(tmp_path / "cases.csv")
    words = ("cases.csv", "--task", "whole", "--target", "kind", "--time", "step", "--models", "rocket")
    status, _, err = run("bench", *words, "--id", "case")
    assert (status, "cases.csv has 4 series, too few to validate on some of each label" in err) == (2, True)
    asked = err.partition("write a suite: ")[2].removesuffix(", a line each\n").replace(" and ", ", ")
    text = "\n".join(part for part in re.split(r", (?=\w+(?:\.\w+)? = )(?![^{]*})", asked))
    assert tomllib.loads(text) == {
        "task": "whole",
        "data": "cases.csv",
        "roles": {"id": "case", "time": "step", "target": "kind"},
        "split": {"by_series": {"val": ["c0"], "test": ["c3"]}},
        "models": {"rocket": {}},
    }
    cases(1).drop("case").with_columns(kind=pl.Series(["a", "b"] * 6)).write_csv(tmp_path / "cases.csv")
    status, _, err = run("bench", *words)
    assert (status, "cases.csv holds one series and so one label; name the column that tells" in err) == (2, True)


def test_a_sweep_of_whole_series_names_no_length(run, tmp_path):
    cases().write_csv(tmp_path / "cases.csv")
    split = 'split = { by_series = { val = ["c0", "c1"], test = ["c2", "c3"] } }'
    roles = 'roles = { id = "case", time = "step", target = "kind", past_covariates = ["x"] }'
    suite = f'task = "whole"\ndata = "cases.csv"\n{roles}\n{split}\nmodels.gru_classifier = {{}}\n'
    (tmp_path / "mine.toml").write_text(suite)
    words = ("tune", "mine.toml", "--model", "gru_classifier", "--trials", "1", "--set", "max_epochs=1", "--out", "out")
    assert run(*words)[0] == 0
    found = tomllib.loads(next((tmp_path / "out").glob("*.toml")).read_text())
    assert "input_size" not in found
    assert found["model"] == "gru_classifier"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("export", "tagger", "graphs"), "a graph makes a forecast of one window"),
        (("calibrate", "tagger", "logs.csv"), "intervals are of forecasts"),
        (("diagnose", "tagger", "logs.csv"), "what reaches a forecast is looked at"),
        (("forecasts", "tagger", "logs.csv"), "it has no steps ahead"),
    ],
)
def test_a_command_of_forecasts_alone_says_why_and_what_asks_a_tagger(run, tmp_path, words, why):
    frame = simulate.wells(wells=2, rows=80)
    frame.write_csv(tmp_path / "logs.csv")
    tagger = Tagger("majority", loss="cross_entropy", input_size=32, progress=False)
    tagger.fit(frame, target="facies", inputs=[], id="well", time="depth").save(tmp_path / "tagger")
    status, out, err = run(*words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert f"tagger holds a Tagger, no Forecaster: {why}" in err
    assert "; `tsrnn predict tagger` asks it" in err
    assert not (tmp_path / "graphs").exists()


@pytest.mark.parametrize("words", [("export", "saved", "graphs"), ("calibrate", "saved", "load.csv")])
def test_so_does_a_detector_whatever_is_inside(run, tmp_path, words):
    frame = simulate.transformer(rows=400).select("date", "OT")
    frame.write_csv(tmp_path / "load.csv")
    Detector("ols", input_size=16, steps=2).fit(frame, time="date", target="OT").save(tmp_path / "saved")
    status, out, err = run(*words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "saved holds a Detector, no Forecaster: " in err
    assert "; `tsrnn predict saved` asks it" in err
    assert not (tmp_path / "graphs").exists()


def test_what_a_training_in_phases_does_not_read_is_said():
    frame = pl.DataFrame({"ds": range(60), "a": np.sin(np.arange(60))})
    small = {"input_size": 8, "steps": 1, "hidden_size": 4, "progress": False}
    with pytest.warns(Notice, match="takes the steps of each, and patience is not read"):
        Generator("timegan", **small, patience=2).fit(frame, time="ds", target="a")


def logs(rows=80, wells=3):
    frame = simulate.wells(wells=wells, rows=rows)
    return frame.with_columns(facies=pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("a")).otherwise(pl.lit("b")))


def test_a_target_to_be_named_is_all_that_is_said(run, tmp_path):
    logs().write_csv(tmp_path / "logs.csv")
    status, _, err = run("fit", "logs.csv", "--task", "along", "--out", "m")
    assert status == 2
    assert len(err.strip().splitlines()) == 1
    assert "logs.csv has 5 targets, 'GR', " in err
    words = ("--task", "along", "--target", "facies", "--past", "GR", "--id", "well", "--model", "majority")
    status, _, err = run("fit", "logs.csv", *words, "--on-short", "skip", "--out", "m")
    assert (status, "the task 'along' forecasts nothing; leave --on-short out" in err) == (2, True)
    status, _, err = run("fit", "logs.csv", *words, "--seeds", "2", "--out", "m")
    assert (status, len(err.splitlines())) == (2, 1)
    assert "forecasts of several seeds are averaged, and the task 'along' makes none: fit each by itself, with " in err
    assert "--set random_state=N and a folder of its own; leave --seeds out" in err


@pytest.mark.parametrize("command", ["fit", "bench", "tune", "models"])
def test_help_names_every_task_with_a_word_of_each(command):
    option = next(each for each in typer.main.get_command(app).commands[command].params if each.name == "task")
    for name in tasks.names():
        assert re.search(rf"\b{name}[,:] \w+", option.help), f"--task of {command} says nothing of {name}"


def test_notices_of_a_file_that_is_taken_are_said(run, tmp_path):
    logs().with_columns(GR=pl.when(pl.int_range(pl.len()) == 5).then(-999.25).otherwise("GR")).write_csv("logs.csv")
    words = ("--task", "along", "--target", "RHOB", "--past", "GR", "--id", "well", "--model", "ridge_along")
    status, _, err = run("fit", "logs.csv", *words, "--set", "input_size=32", "--out", "m")
    assert status == 0
    assert "-999.25" in err


def test_of_nothing_nothing_is_told_and_the_columns_are_named(run, tmp_path):
    logs().write_csv(tmp_path / "logs.csv")
    blank = [pl.lit(None, pl.Float64).alias(name) for name in ("GR", "RHOB")]
    logs().with_columns(blank).write_csv(tmp_path / "blank.csv")
    logs().with_columns(pl.when(pl.col("well") != "W-02").then(name).alias(name) for name in ("GR", "RHOB")).write_csv(
        tmp_path / "some.csv"
    )
    small = [word for name, value in SMALL.items() for word in ("--set", f"{name}={str(value).lower()}")]
    along = ("--task", "along", "--target", "facies", "--past", "GR", "--past", "RHOB")
    for task in (along, ("--task", "reconstruct", "--target", "GR", "--target", "RHOB")):
        assert run("fit", "logs.csv", *task, "--id", "well", *small, "--out", task[1])[0] == 0
        every = ("'W-01', 'W-02', 'W-03' hold", "leave them out")
        for name, (who, mend) in (("blank.csv", every), ("some.csv", ("'W-02' holds", "leave it out"))):
            status, out, err = run("predict", task[1], name)
            said = f"{name}: series {who} no value of 'GR', 'RHOB', and nothing else is read; {mend}"
            assert (status, out, err.strip()) == (2, "", f"tsrnn: {said}")


def test_windows_longer_than_every_series_are_one_sentence(run, tmp_path):
    logs().write_csv(tmp_path / "logs.csv")
    words = ("--task", "reconstruct", "--target", "GR", "--id", "well", "--set", "input_size=500", "--out", "m")
    status, _, err = run("fit", "logs.csv", *words)
    assert status == 2
    assert "logs.csv: --input-size 500 is longer than every series, the longest of which has 80 rows" in err


@pytest.mark.parametrize(
    "model", [("trees",), ("lagged",), ("vote", "--set", 'members=[{"model":"bigru"},{"model":"trees"}]')]
)
def test_a_model_that_lies_in_no_file_is_refused_before_its_training(run, tmp_path, monkeypatch, model):
    simulate.wells(wells=4, rows=80).write_csv(tmp_path / "logs.csv")
    monkeypatch.setattr(Tagger, "fit", lambda *_, **__: pytest.fail("it was trained"))
    words = ("logs.csv", "--task", "along", "--target", "facies", "--id", "well", "--model", *model)
    status, _, err = run("fit", *words, "--out", "saved")
    assert status == 2
    assert "cannot be saved" in err
    assert not (tmp_path / "saved").exists()


ALONG = ("--task", "along", "--id", "well")


def test_values_of_a_file_are_measured_as_values_and_shown_again(run, tmp_path):
    simulate.wells(wells=4, rows=80).write_csv(tmp_path / "logs.csv")
    words = ("logs.csv", *ALONG, "--target", "DTC", "--models", "majority,ridge_along", "--workers", "0")
    status, out, err = run("bench", *words, "--out", "res")
    assert status == 0, err
    assert "MSE" in out
    assert "MSE" in (tmp_path / "res" / "logs" / "board.html").read_text()
    assert "no page was written" not in err
    rows = json.loads(run("leaderboard", "logs.csv", "--out", "res", "--json")[1])
    assert {row["model"] for row in rows} == {"majority", "ridge_along"}
    assert all(row["mse"] > 0 for row in rows)
    labels = ("bench", "logs.csv", *ALONG, "--target", "facies", "--preset", "smoke", "--list", "--json")
    listed = run(*labels)[1]
    assert "majority" in listed
    assert not any(name in listed for name in ("ridge_along", "interpolated", "lagged"))


def test_a_folder_has_one_question_and_another_asks_for_a_folder_of_its_own(run, tmp_path):
    simulate.wells(wells=24, rows=30).with_columns(kind=pl.col("well") > "W-12").write_csv(tmp_path / "logs.csv")
    fits = ("logs.csv", "--id", "well", "--models", "majority", "--workers", "0", "--out", "res")
    first = ("bench", *fits, "--task", "along", "--target", "facies")
    assert run(*first)[0] == 0
    before = sorted((tmp_path / "res" / "logs").iterdir())
    for words, held in (
        (("--task", "whole", "--target", "kind"), "rows of the task 'along'"),
        (("--task", "along", "--target", "DTC"), "rows of the task 'along' that tell labels"),
        (("--task", "along", "--target", "kind"), "rows of the target 'facies'"),
    ):
        named = [word if word != "majority" or "whole" not in words else "rocket" for word in fits]
        status, out, err = run("bench", *named, *words)
        said = f"tsrnn: res/logs holds {held}, and a board is of one; name another folder with --out"
        assert (status, out, err.strip()) == (2, "", said)
    assert sorted((tmp_path / "res" / "logs").iterdir()) == before
    assert run(*first)[0] == 0  # what is there is shown
    assert run("bench", *fits[:-1], "other", "--task", "along", "--target", "DTC")[0] == 0


def test_a_board_of_labels_has_no_horizon(run, tmp_path):
    logs(wells=4).write_csv(tmp_path / "logs.csv")
    words = ("logs.csv", *ALONG, "--target", "facies", "--models", "majority", "--workers", "0")
    status, out, err = run("bench", *words, "--out", "res")
    assert status == 0, err
    assert "mean ERROR" in out
    assert "1 ERROR" not in out
    page = (tmp_path / "res" / "logs" / "board.html").read_text()
    assert "Error of each line, lowest mean first" in page
    assert "by horizon" not in page


def test_what_a_sweep_of_labels_cannot_read_is_refused(run, tmp_path, monkeypatch):
    logs(wells=4).write_csv(tmp_path / "logs.csv")
    words = ("tune", "logs.csv", *ALONG, "--trials", "1", "--out", "res")
    status, _, err = run(*words, "--target", "facies", "--horizon", "3")
    assert (status, err) == (2, "tsrnn: the task 'along' forecasts nothing; leave --horizon out\n")
    asked = []
    monkeypatch.setattr("tsrnn.tune.run", lambda panel, sweep, *_: asked.append(sweep) or pytest.skip("asked"))
    for target, metric in (("facies", "error"), ("DTC", "mse")):
        with pytest.raises(pytest.skip.Exception):
            run(*words, "--target", target)
        assert (asked[-1].model, asked[-1].metric) == ("bigru", metric)


def test_a_target_to_be_named_is_asked_for_before_a_fit(run, tmp_path):
    logs(wells=4).write_csv(tmp_path / "logs.csv")
    status, _, err = run("bench", "logs.csv", *ALONG, "--models", "majority", "--workers", "0", "--out", "res")
    assert status == 2
    assert "logs.csv has 5 targets, 'GR', " in err
    assert not (tmp_path / "res").exists()


def test_a_detector_s_labels_are_asked_for_before_a_fit(run, tmp_path):
    simulate.transformer(rows=400).write_csv(tmp_path / "load.csv")
    words = ("load.csv", "--task", "detect", "--target", "OT", "--models", "ols", "--workers", "0", "--out", "res")
    status, _, err = run("bench", *words)
    assert status == 2
    assert "unknown column of load.csv 'is_anomaly': Known: " in err
    assert "name the column of them with label in a TOML file (--config)" in err


def test_a_measure_that_is_none_is_said_to_be_none(tmp_path):
    frame = logs()
    tagger = Tagger("majority", input_size=32, progress=False).fit(frame, target="facies", id="well", time="depth")
    for part in ("val", "test"):  # which is empty
        with pytest.raises(InputError, match="unknown measure 'acuracy': did you mean 'accuracy'"):
            tagger.score(frame, part=part, measures=["acuracy"])
    with pytest.raises(InputError, match=r"Known: accuracy, boundary_f1, error, macro_f1$") as told:
        tagger.score(frame, part="val", measures=["nope"])  # without a matrix there is no penalty
    named = str(told.value).partition("Known: ")[2].split(", ")
    assert {*tagger.score(frame, part="val", measures=named).values} == {*named}
    with pytest.raises(InputError, match=r"labels; take error, accuracy, macro_f1, boundary_f1$"):
        tagger.score(frame, part="val", measures=["mae"])
    with pytest.raises(InputError, match=r"such as \['error', 'accuracy'\], not 3"):
        tagger.score(frame, part="val", measures=3)


@pytest.mark.parametrize("task", ["along", "whole", "reconstruct", "detect", "generate"])
def test_measures_that_a_plan_names_are_those_that_the_task_takes(task):
    asked = tasks.find(task)
    with pytest.raises(InputError, match=f"unknown measure of the task '{task}' 'nope':") as told:
        tasks.check_measure(asked, "nope")
    named = str(told.value).partition("Known: ")[2].partition(" and ")[0].split(", ")
    assert ("penalty" in named, "mse" in named, "mase" in named) == (
        task in ("along", "whole"),
        task in ("along", "whole", "reconstruct"),
        False,
    )
    for word in named:
        tasks.check_measure(asked, word)


def test_a_smoke_run_of_made_sequences_says_that_its_critics_learnt_little(run, tmp_path):
    simulate.transformer(rows=160).select("date", "OT", "HUFL").write_csv(tmp_path / "tiny.csv")
    words = ("tiny.csv", "--task", "generate", "--preset", "smoke", "--models", "timegan", "--input-size", "8")
    status, out, _ = run("bench", *words, "--workers", "0", "--out", "res")
    assert status == 0
    assert "Critics learnt for 20 steps at most, where the published measures have up to 5,000" in " ".join(out.split())
    assert "Critics learnt for 20 steps at most" in (tmp_path / "res" / "tiny" / "board.html").read_text()
    row = pl.read_csv(tmp_path / "res" / "tiny" / "timegan.csv").row(0, named=True)
    assert json.loads(row["config"])["judging_steps"] == 20
