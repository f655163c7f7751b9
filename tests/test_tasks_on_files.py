"""Files of one's own under tasks beside a forecast: what needs no word more, and what is refused in one sentence."""

import json
import tomllib

import numpy as np
import polars as pl
import pytest

from tsrnn import Generator, simulate
from tsrnn.errors import Notice
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


def test_whole_series_ask_for_a_split_of_series(run, tmp_path):
    cases().write_csv(tmp_path / "cases.csv")
    words = ("cases.csv", "--task", "whole", "--target", "kind", "--id", "case", "--time", "step")
    for command in (("bench", *words, "--models", "rocket"), ("tune", *words, "--model", "gru_classifier")):
        status, _, err = run(*command, "--out", "res")
        assert status == 2
        assert "has no split of whole series, which the task 'whole' takes; write a suite" in " ".join(err.split())
        assert "split = { by_series = { val = [...], test = [...] } }" in " ".join(err.split())
    assert not (tmp_path / "res").exists()


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


@pytest.mark.parametrize("command", [("card",), ("drift",), ("plot",)])
def test_a_saved_tagger_says_who_asks_it(run, tmp_path, command):
    frame = simulate.wells(wells=2, rows=80)
    frame.write_csv(tmp_path / "logs.csv")
    tagger = Tagger("majority", loss="cross_entropy", input_size=32, progress=False)
    tagger.fit(frame, target="facies", inputs=[], id="well", time="depth").save(tmp_path / "tagger")
    words = {"card": (), "drift": ("logs.csv",), "plot": ("logs.csv", "--out", "p.png")}[command[0]]
    status, _, err = run(*command, "tagger", *words)
    assert status == 2
    assert "holds no forecaster, but a saved 'tagger', which `tsrnn predict`" in " ".join(err.split())


def test_what_a_training_in_phases_does_not_read_is_said():
    frame = pl.DataFrame({"ds": range(60), "a": np.sin(np.arange(60))})
    small = {"input_size": 8, "steps": 1, "hidden_size": 4, "progress": False}
    with pytest.warns(Notice, match="takes the steps of each, and patience is not read"):
        Generator("timegan", **small, patience=2).fit(frame, time="ds", target="a")
