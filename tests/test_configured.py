"""A TOML file of options beside what the command says: together they name a model, and no option twice."""

import pytest
from small import wide_frame

from tsrnn import Forecaster, InputError, bench

SMALL = "max_epochs = 1\nhidden_size = 4\n"


@pytest.fixture
def file(tmp_path):
    wide_frame().write_csv(tmp_path / "my.csv")
    return str(tmp_path / "my.csv")


@pytest.mark.parametrize("words", [("--model", "gru"), ("--set", "model=gru")])
def test_a_model_may_be_named_beside_its_options(run, file, tmp_path, words):
    (tmp_path / "c.toml").write_text(SMALL)
    sizes = ("--input-size", "8", "--horizon", "2")
    assert run("fit", file, "--config", "c.toml", *sizes, *words, "--out", "m")[0] == 0
    saved = Forecaster.load(tmp_path / "m")
    assert (saved.model, saved.options["hidden_size"], saved.input_size) == ("gru", 4, 8)
    again = Forecaster.from_toml(tmp_path / "c.toml", model="gru", input_size=8, horizon=2)
    assert again.options["hidden_size"] == 4
    with pytest.raises(InputError, match=r"c.toml names no input_size and no horizon; add a line such as input_"):
        Forecaster.from_toml(tmp_path / "c.toml", model="gru")


@pytest.mark.parametrize(
    ("line", "words", "said"),
    [
        ('model = "lstm"', ("--model", "gru"), "c.toml names model = 'lstm', and --model says 'gru'"),
        (
            'model = "gru"\ninput_size = 9',
            ("--input-size", "8"),
            "c.toml names input_size = 9, and --input-size says '8'",
        ),
        ("", (), "c.toml names no model; add a line such as"),
    ],
)
def test_what_is_named_twice_or_never_is_one_sentence(run, file, tmp_path, line, words, said):
    (tmp_path / "c.toml").write_text(SMALL + line)
    status, _, err = run("fit", file, "--config", "c.toml", *words, "--out", "m")
    assert (status, err.startswith(f"tsrnn: {said}")) == (2, True), err
    assert not (tmp_path / "m").exists()


def test_what_is_named_twice_alike_or_set_over_both_is_taken(run, file, tmp_path):
    (tmp_path / "c.toml").write_text(SMALL + 'model = "gru"\ninput_size = 9\nhorizon = 2\n')
    words = ("--config", "c.toml", "--model", "gru", "--input-size", "8", "--set", "input_size=7")
    assert run("fit", file, *words, "--out", "m")[0] == 0
    assert Forecaster.load(tmp_path / "m").input_size == 7


def test_a_bench_takes_the_model_that_it_is_asked_for(file, tmp_path):
    (tmp_path / "c.toml").write_text(SMALL)
    jobs = bench.plan(bench.Source(file), "smoke", bench.Wishes(config=tmp_path / "c.toml", models=("gru",)))
    assert {job.model for job in jobs} == {"gru"}
    (tmp_path / "c.toml").write_text(SMALL + 'model = "lstm"\n')
    with pytest.raises(InputError, match=r"c.toml names model 'lstm', and models= names 'gru'; leave one out"):
        bench.plan(bench.Source(file), "smoke", bench.Wishes(config=tmp_path / "c.toml", models=("gru",)))


@pytest.mark.parametrize("there", ["file", "folder", "another task's"])
def test_a_folder_that_cannot_be_written_is_refused_before_the_training(run, file, tmp_path, monkeypatch, there):
    words = ("--input-size", "8", "--horizon", "2", "--model", "repeat_last")
    if there == "file":
        (tmp_path / "m").write_text("mine")
    elif there == "folder":
        (tmp_path / "m").mkdir()
        (tmp_path / "m" / "mine.txt").write_text("mine")
    else:
        assert run("fit", file, "--task", "generate", "--input-size", "8", "--set", "steps=1", "--out", "m")[0] == 0
    monkeypatch.setattr(Forecaster, "fit", lambda *args, **words: pytest.fail("it was trained"))
    status, _, err = run("fit", file, *words, "--out", "m")
    assert (status, err.strip().endswith("choose another folder")) == (2, True), err


@pytest.mark.parametrize("task", ["ahead", "detect", "generate", "reconstruct"])
def test_a_model_is_written_over_one_of_its_kind(run, file, task):
    words = ("--task", task, "--input-size", "8", "--set", "steps=1") if task == "generate" else ("--task", task)
    words += ("--model", "ols", "--input-size", "8") if task in ("ahead", "detect") else ()
    words += ("--set", "max_epochs=1", "--set", "hidden_size=4", "--input-size", "8") if task == "reconstruct" else ()
    for _ in range(2):
        status, _, err = run("fit", file, *words, "--out", "m")
        assert status == 0, err
