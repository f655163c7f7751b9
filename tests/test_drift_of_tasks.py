"""Drift of what models of other tasks read: later rows of a series, without its labels."""

import numpy as np
import polars as pl
import pytest
from small import hours

from tsrnn import Generator, Reconstructor, SequenceClassifier, Tagger, faces
from tsrnn.detector import Detector
from tsrnn.errors import InputError
from tsrnn.simulate import wells

ROWS, LEARNT = 1400, 1000
TINY = {"input_size": 16, "hidden_size": 4, "num_layers": 1, "max_epochs": 1, "max_windows": 32, "progress": False}


def machine(shift=0.0, rows=ROWS):
    """A machine's two sensors by the hour, `shift` away from row 1,200 on, and its state by the first of them."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((ROWS, 2))
    values[1200:] += shift
    state = np.where(values[:, 0] > 0, "high", "low")
    frame = pl.DataFrame({"ds": hours(ROWS), "a": values[:, 0], "b": values[:, 1], "state": state})
    return frame.head(rows)


def tagger():
    face = Tagger("bigru", **TINY)
    return face.fit(machine(rows=LEARNT), target="state", inputs=["a", "b"], time="ds")


def reconstructor():
    small = {"input_size": 16, "hidden_size": 4, "code_size": 2, "max_epochs": 1, "max_windows": 64, "progress": False}
    return Reconstructor("gru_autoencoder", **small).fit(machine(rows=LEARNT).drop("state"), time="ds")


def generator():
    small = {"input_size": 8, "steps": 1, "hidden_size": 4, "num_layers": 1, "progress": False}
    return Generator("timegan", **small).fit(machine(rows=LEARNT).drop("state"), time="ds")


def detector():
    return Detector("ols", input_size=16, steps=2).fit(machine(rows=LEARNT).drop("state"), time="ds")


@pytest.fixture(scope="module", params=[tagger, reconstructor, generator, detector], ids=lambda made: made.__name__)
def made(request):
    return request.param()


def test_a_shift_is_seen_and_quiet_rows_are_none(made, run, tmp_path):
    assert not made.drift(machine())
    found = made.drift(machine(5.0))
    assert found
    assert set(found.frame.filter(pl.col("kind") == "input")["column"]) >= {"a", "b"}
    assert "state" not in found.frame["column"]
    made.save(tmp_path / "saved")
    again = faces.load(tmp_path / "saved")
    assert str(again.drift(machine(5.0))) == str(found)
    machine().write_csv(tmp_path / "quiet.csv")
    machine(5.0).write_csv(tmp_path / "moved.csv")
    assert run("drift", "saved", "quiet.csv")[0] == 0
    status, _, err = run("drift", "saved", "moved.csv")
    assert (status, f"tsrnn: {found}" in err) == (3, True)


def test_labels_are_neither_watched_nor_needed():
    face = tagger()
    other = machine(5.0).with_columns(state=pl.lit("never seen"))
    assert str(face.drift(other)) == str(face.drift(machine(5.0).drop("state"))) == str(face.drift(machine(5.0)))
    assert {key[1:] for key in face._reference().keys} == {("a", "input"), ("b", "input")}
    assert "Drift is watched in 2 streams." in face.card().json()["limits"]
    assert any("tsrnn drift" in each for each in face.card().json()["use"])


def test_what_cannot_be_watched_is_one_sentence(run, tmp_path):
    known = wells(wells=2, rows=600)
    face = Tagger("bigru", on_unlearnt="note", **TINY)
    face.fit(known, target="facies", inputs=["GR"], id="well", time="depth")
    new = wells(wells=1, rows=100, seed=1).with_columns(well=pl.lit("NEW"))
    with pytest.raises(InputError, match="series 'NEW'; drift is looked for in later rows of what was learnt from"):
        face.drift(new)
    cases = pl.DataFrame({"case": [f"c{k // 8}" for k in range(192)], "step": [k % 8 for k in range(192)]})
    cases = cases.with_columns(x=pl.int_range(192) * 0.01, kind=pl.col("case").str.tail(1).is_in(["1", "3", "5"]))
    classifier = SequenceClassifier("rocket", views=20).fit(cases, "kind", id="case", time="step")
    classifier.save(tmp_path / "saved")
    cases.write_csv(tmp_path / "cases.csv")
    status, out, err = run("drift", "saved", "cases.csv")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "a SequenceClassifier is asked about new series, and drift looks at later rows of those" in err
    assert not any("tsrnn drift" in each for each in classifier.card().json()["use"])
