"""Rows that are asked about: whose split is taken, and what is said where it holds none of them."""

import numpy as np
import polars as pl
import pytest

from tsrnn import Generator, InputError, Reconstructor, SequenceClassifier
from tsrnn.simulate import sines, wells
from tsrnn.tagger import Tagger

KEYS = {"id": "well", "time": "depth"}
SMALL = {"input_size": 16, "hidden_size": 4, "code_size": 2, "max_epochs": 1, "max_windows": 64, "progress": False}
NAMED = {"by_series": {"val": ["W-03"], "test": ["W-04"]}}
MEND = r"pass a split= of these rows, such as split=\{'by_series': \{'test': \['W-06'\]\}\}, or call card\(frame\)"


def logs(first, last):
    rock = pl.when(pl.col("GR") > pl.col("GR").median()).then(pl.lit("shale")).otherwise(pl.lit("sand"))
    frame = wells(wells=last, rows=60).select("well", "depth", "GR", rock=rock)
    return frame.filter(pl.col("well").is_in([f"W-{k:02d}" for k in range(first, last + 1)]))


def tagger(split=NAMED):
    small = {name: value for name, value in SMALL.items() if name != "code_size"}
    return Tagger("bigru", num_layers=1, **small).fit(logs(1, 4), target="rock", inputs=["GR"], split=split, **KEYS)


def reconstructor(split=NAMED):
    return Reconstructor("gru_autoencoder", **SMALL).fit(logs(1, 4), target="GR", split=split, **KEYS)


def cases(names):
    rng = np.random.default_rng(0)
    rows = [
        {"well": name, "depth": step, "x": rng.standard_normal() + k % 2, "kind": "ab"[k % 2]}
        for k, name in enumerate(names)
        for step in range(8)
    ]
    return pl.DataFrame(rows)


def classifier(split=NAMED):
    frame = cases([f"W-{k:02d}" for k in (1, 2, 3, 4, 7, 8)])
    return SequenceClassifier("rocket", views=50).fit(frame, "kind", split=split, **KEYS)


FACES = {tagger: lambda: logs(5, 6), reconstructor: lambda: logs(5, 6), classifier: lambda: cases(["W-05", "W-06"])}
every_face = pytest.mark.parametrize("make", FACES, ids=lambda make: make.__name__)


def score(face, frame, **words):
    return face.scores(frame, words.get("split", "standard"), (words.get("part", "test"),))[words.get("part", "test")]


@every_face
def test_series_that_the_training_s_split_names_are_not_looked_for_among_others(make):
    face, new = make(), FACES[make]()
    with pytest.raises(
        InputError, match=rf"^.* holds no series 'W-03', 'W-04', which the split that fit got names; {MEND}"
    ):
        score(face, new)
    told = score(face, new, split={"by_series": {"test": ["W-06"]}})
    assert told.windows == {tagger: 60, reconstructor: 60, classifier: 1}[make]
    assert {row["part"] for row in face.card(new).json()["metrics"]} >= {"rows given"}


@every_face
def test_a_split_that_was_not_named_makes_no_test_part(make):
    face, new = make(None), FACES[make]()
    with pytest.raises(
        InputError, match=rf"holds no row in the part 'test', for fit got no split= that makes one; {MEND}"
    ):
        score(face, new)
    held = "" if make is classifier else "take part='val', which was held out of the training, or "  # of six none is
    with pytest.raises(InputError, match=f"no split= that makes one; {held}fit with a split= that gives it some$"):
        score(face, None)


@every_face
def test_a_split_of_shares_is_taken_of_other_rows_and_one_that_does_not_fit_is_called_the_training_s(make):
    face, new = make({"by_series": {"val": 0.2, "test": 0.3}}), FACES[make]()
    assert score(face, new).windows == {tagger: 60, reconstructor: 60, classifier: 1}[make]
    face.split_ = {"borders": [300, 400, 500]}
    said = rf"^the split that fit got does not fit .* \(series 'W-05' has \d+ rows, but .* row 500\); {MEND}"
    with pytest.raises(InputError, match=said):
        score(face, new)


@every_face
def test_a_loaded_one_keeps_no_split_and_says_so(make, tmp_path):
    make().save(tmp_path / "saved")
    again = type(make()).load(tmp_path / "saved")
    with pytest.raises(
        InputError, match=rf"in the part 'test', for a loaded model keeps no split of its training; {MEND}"
    ):
        score(again, FACES[make]())


def test_a_part_of_a_split_that_was_asked_for_is_blamed_on_no_training():
    said = "frame holds no row in the part 'test' of that split; give it some in split=, or take another part"
    with pytest.raises(InputError, match=said):
        score(tagger(), logs(5, 6), split={"by_series": {"val": ["W-05"]}})
    with pytest.raises(InputError, match="unknown series 'W-03': did you mean 'W-06'"):
        score(tagger(), logs(5, 6), split=NAMED)


def test_rows_without_a_truth_are_told_from_a_part_without_rows():
    split = {"by_series": {"test": ["W-06"]}}
    bare = logs(5, 6).with_columns(rock=pl.when(pl.col("well") == "W-05").then("rock"))
    with pytest.raises(InputError, match="no row of that part holds a label to be held against; take another part, or"):
        tagger().score(bare, split=split)
    bare = logs(5, 6).with_columns(GR=pl.when(~pl.int_range(pl.len()).over("well").is_between(30, 39)).then("GR"))
    with pytest.raises(InputError, match="no row of that part holds a value to be held against; take another part, or"):
        reconstructor().score(bare, split={"borders": [30, 40, 60]}, part="val")


@every_face
def test_a_measure_that_is_none_is_told_before_any_split(make):
    with pytest.raises(InputError, match="unknown measure 'acuracy'"):
        make().scores(FACES[make](), measures="acuracy")


def test_a_class_that_other_parts_alone_hold_is_no_fault_of_rows_that_are_only_scored():
    split = {"by_series": {"test": ["W-05", "W-06"]}}
    assert classifier().scores(cases(["W-05", "W-06"]), split, ("test",))["test"].windows == 2


def test_a_generator_s_split_is_not_looked_for_among_other_sequences():
    small = {"input_size": 8, "hidden_size": 4, "num_layers": 1, "steps": 2, "progress": False}
    frame = sines(0, 40, 8, 2).with_columns(pl.format("S-{}", "sequence").alias("sequence"))
    split = {"by_series": {"val": ["S-00001"], "test": ["S-00002"]}}
    generator = Generator("timegan", **small).fit(frame, id="sequence", time="step", split=split)
    others = frame.with_columns(pl.col("sequence").str.replace("S", "T"))
    with pytest.raises(
        InputError, match=r"holds no series 'S-00001', 'S-00002', which the split that fit got names; pass a split="
    ):
        generator.score(others, measures="correlational")
    named = {"by_series": {"test": ["T-00002"]}}
    assert generator.score(others, split=named, measures="correlational").windows == 39
