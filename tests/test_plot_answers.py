"""What a tagger says, drawn beside what was measured: by Python, and by `tsrnn plot` of a saved one."""

import sys

import numpy as np
import polars as pl
import pytest

pytest.importorskip("matplotlib")

from tsrnn import Generator, Reconstructor, SequenceClassifier, Tagger, plot
from tsrnn.errors import InputError
from tsrnn.plot import strips
from tsrnn.reading import Column, Reading
from tsrnn.simulate import sines, wells

KEYS = {"id": "well", "time": "depth"}


def logs(count=2):
    return wells(wells=count, rows=80).select("well", "depth", "facies", "GR", "RHOB", "DTC")


def read(frame):
    return Reading(frame, {"DTC": Column("us/ft")}, index="depth", id="well", source="logs.csv")


@pytest.fixture(scope="module")
def tagger():
    small = {"input_size": 32, "hidden_size": 4, "num_layers": 1, "max_epochs": 1, "max_windows": 32}
    small |= {"on_unlearnt": "note", "progress": False}
    return Tagger("bigru", **small).fit(logs(), target="facies", inputs=["GR", "RHOB"], **KEYS)


@pytest.fixture(scope="module")
def seen(tagger):
    """What is handed to `tracks` of a log."""

    def asked(log, **shown):
        told = {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                sys.modules["tsrnn.plot.answers"], "tracks", lambda data, path, **how: told.update(how, data=data)
            )
            plot.answers(tagger, log, **shown)
        return told

    return asked


def test_truth_and_told_stand_beside_curves_and_the_likeliest_three(tagger, seen):
    told = seen(read(logs()))
    assert told["strips"] == ["facies", "facies_told"]
    answer = tagger.predict(logs())
    assert told["data"].frame["facies_told"].to_list() == answer["facies"].to_list()
    most = answer["facies"].mode()[0]
    assert told["also"][0] == f"facies_p_{most}"
    assert len(told["also"]) == min(3, len(tagger.classes_))
    for name in told["also"]:
        assert told["data"].frame[name].to_list() == answer[name].to_list()
    assert told["data"].frame["facies"].to_list() == logs()["facies"].to_list()


def test_rows_without_a_truth_and_those_that_are_asked_for(seen):
    told = seen(read(logs().drop("facies")), curves=["GR", "facies_p_sand"], series="W-02", depth=(1840.0, 1850.0))
    assert (told["strips"], told["curves"], told["also"]) == (
        ["facies_told"],
        ["GR", "facies_p_sand"],
        ["facies_p_sand"],
    )
    assert (told["series"], told["depth"]) == ("W-02", (1840.0, 1850.0))
    turned = logs().sort("well", descending=True, maintain_order=True)
    rows, straight = seen(read(turned))["data"].frame, seen(read(logs()))["data"].frame
    assert straight["facies_p_shale"].n_unique() > 80
    assert rows.sort("well", "depth").equals(straight)


def test_the_picture_shows_each_of_them(tagger, tmp_path):
    figure = plot.answers(tagger, read(logs()), tmp_path / "told.png", series="W-01")
    words = {each.get_text() for each in figure.texts}
    assert {"W-01", "facies", "GR", "0"} <= words
    assert any(word.endswith("facies_told"[-8:]) for word in words)
    assert any(word.startswith("facies_p_") for word in words)
    assert (tmp_path / "told.png").stat().st_size > 1000


def test_probabilities_have_the_colours_of_their_rocks_and_a_strip_says_what_decides(tagger):
    from matplotlib.colors import to_hex

    def heads(told):
        figure = plot.answers(told, read(logs()), series="W-01")
        lines = {to_hex(line.get_color()) for axes in figure.axes for line in axes.get_lines()}
        return {each.get_text() for each in figure.texts}, lines

    words, lines = heads(tagger)
    looks = strips.rocks(tagger.classes_)
    shown = [each for each in tagger.classes_ if f"facies_p_{each}" in words]
    assert len(shown) == min(3, len(tagger.classes_))
    assert {looks[each].colour.lower() for each in shown} <= lines
    assert not any(word.startswith("told,") for word in words)
    options = {**tagger.get_params(), "least_share": 0.05, "penalty": (1 - np.eye(len(tagger.classes_))).tolist()}
    for given, said in (("least_share", "told, least_share 0.05"), ("penalty", "told, least penalty")):
        one = Tagger(**{**tagger.get_params(), given: options[given]})
        assert said in heads(one.fit(logs(), target="facies", inputs=["GR", "RHOB"], **KEYS))[0]


def test_a_log_of_one_row_is_a_strip_of_one_row():
    figure = plot.tracks(logs(1).head(1), curves="GR")
    (strip,) = [each for axes in figure.axes for each in axes.collections if each.get_label() != ""][-1:]
    low, high = figure.axes[-1].get_ylim()
    down = strip.get_paths()[0].vertices[:, 1]
    assert high < down.min() < down.max() < low


def test_values_are_a_curve_in_the_target_s_unit():
    tagger = Tagger("ridge_along", loss="mse", input_size=16).fit(logs(), target="DTC", inputs=["GR"], **KEYS)
    figure = plot.answers(tagger, read(logs()), series="W-01")
    assert any(each.get_text().startswith("DTC_told") and "us/ft" in each.get_text() for each in figure.texts)


def test_what_cannot_be_drawn_is_one_sentence(tagger):
    with pytest.raises(InputError, match=r"logs.csv has a column 'facies_told', which is to hold what is told; rename"):
        plot.answers(tagger, read(logs().with_columns(facies_told=1)))
    with pytest.raises(InputError, match="unknown well 'W-09'"):
        plot.answers(tagger, read(logs()), series="W-09")


def test_the_command_draws_a_saved_tagger_and_refuses_what_has_no_picture(run, tagger, tmp_path):
    tagger.save(tmp_path / "tagger")
    logs().write_csv(tmp_path / "logs.csv")
    status, _, err = run("plot", "tagger", "logs.csv", "--series", "W-02", "--out", "told.svg")
    assert (status, err) == (0, "tsrnn: wrote told.svg\n")
    assert "facies_p_" in (tmp_path / "told.svg").read_text() or (tmp_path / "told.svg").stat().st_size > 10_000
    status, _, err = run("plot", "tagger", "logs.csv", "--cutoffs", "2", "--out", "p.png")
    assert (status, err) == (2, "tsrnn: tagger holds a Tagger, which forecasts nothing; leave --cutoffs out\n")
    small = {"input_size": 8, "max_epochs": 1, "max_windows": 32, "hidden_size": 4, "code_size": 2, "progress": False}
    told = Reconstructor("gru_autoencoder", **small).fit(logs(), target=["GR", "RHOB"], **KEYS)
    told.save(tmp_path / "again")
    status, _, err = run("plot", "again", "logs.csv", "--out", "p.png")
    said = (
        "again holds a Reconstructor, and forecasts and labels of rows alone are drawn; `tsrnn predict again logs.csv"
    )
    assert (status, said in err) == (2, True)
    made = Generator("timegan", input_size=8, steps=1, hidden_size=4, num_layers=1, progress=False)
    made.fit(sines(0, 24, 8, 1), id="sequence", time="step").save(tmp_path / "made")
    status, _, err = run("plot", "made", "logs.csv", "--out", "p.png")
    assert (status, "`tsrnn sample made --count 3 --out made.csv` writes a table" in err) == (2, True)
    asked = err.partition("`tsrnn plot ")[2].partition("`")[0].split()
    assert run("sample", "made", "--count", "3", "--out", "made.csv")[0] == 0
    with pytest.MonkeyPatch.context() as patch:
        drawn = []
        patch.setattr(plot, "columns", lambda panel, *_, **how: drawn.append((panel.ids, panel.roles.targets)))
        assert run("plot", *asked)[0] == 0
    assert drawn == [(("0", "1", "2"), ("x1",))]
    status, _, err = run("plot", "tagger", "logs.csv", "--id", "well", "--out", "p.png")
    assert (status, "a saved model knows which columns it reads; leave --id out" in err) == (2, True)
    cases = pl.DataFrame({"case": np.repeat(range(12), 8), "step": [*range(8)] * 12, "x": np.arange(96.0) % 7})
    cases = cases.with_columns(kind=pl.col("case") % 2)
    whole = SequenceClassifier("rocket", views=50, loss="cross_entropy").fit(cases, "kind", id="case", time="step")
    whole.save(tmp_path / "whole")
    status, _, err = run("plot", "whole", "logs.csv", "--out", "p.png")
    assert (status, "told.csv" in err, "`tsrnn card whole --data logs.csv` says" in err) == (2, False, True)
    assert not (tmp_path / "p.png").exists()


@pytest.mark.parametrize(
    ("index", "shown"),
    [
        (pl.int_range(pl.len()).cast(pl.Float64) * 10, "t"),
        (pl.int_range(pl.len()), "t"),
        (pl.datetime(2024, 1, 1) + pl.duration(hours=pl.int_range(pl.len())), "hours since 2024-01-01 00:00:00"),
    ],
    ids=["seconds", "counts", "times"],
)
def test_a_tagger_s_answers_stand_over_the_index_that_it_was_fitted_with(run, tmp_path, index, shown):
    rows = logs().select("well", index.over("well").alias("t"), "facies", "GR", "RHOB")
    small = {"input_size": 32, "hidden_size": 4, "num_layers": 1, "max_epochs": 1, "max_windows": 32}
    machine = Tagger("bigru", **small, on_unlearnt="note", progress=False)
    machine.fit(rows, target="facies", inputs=["GR", "RHOB"], id="well", time="t").save(tmp_path / "machine")
    rows.write_csv(tmp_path / "rows.csv")
    status, _, err = run("plot", "machine", "rows.csv", "--series", "W-01", "--out", "told.png")
    assert (status, err) == (0, "tsrnn: wrote told.png\n")
    figure = plot.answers(machine, Reading(rows, source="rows.csv"), series="W-01")
    assert figure.axes[0].get_ylabel() == shown
    curve = max((line.get_ydata() for axes in figure.axes for line in axes.get_lines()), key=len)
    assert np.isfinite(np.asarray(curve, float)).sum() == 80  # not cut where ten seconds are no ten metres
