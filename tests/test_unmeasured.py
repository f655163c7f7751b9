"""Columns that no row of the training measured reach no model, and it is said; alone, they are refused."""

import polars as pl
import pytest
from small import QUICK, ROLES, covaried, plans, wide_frame

from tsrnn import Forecaster, Generator, InputError, Notice, Reconstructor, SequenceClassifier, Tagger
from tsrnn.simulate import wells

SPLIT = {"by_series": {"val": ["W-03"], "test": ["W-04"]}}
KEYS = {"id": "well", "time": "depth"}
FEW = {"input_size": 32, "hidden_size": 8, "max_epochs": 1, "max_windows": 64, "progress": False}


def logs():
    """Two wells that train without NPHI, which two others have, and rocks that all know."""
    frame = wells(wells=4, rows=96).with_columns(
        facies=pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("sand")).otherwise(pl.lit("shale"))
    )
    return frame.with_columns(NPHI=pl.when(pl.col("well").is_in(["W-03", "W-04"])).then("NPHI"))


def held_out(frame, name):
    """The frame with a column that only the second series has."""
    return frame.with_columns(pl.when(pl.col("unique_id") == "b").then(name).alias(name))


def test_a_curve_of_the_blind_wells_alone_is_left_out_by_a_tagger():
    tagger = Tagger(**FEW)
    with pytest.warns(Notice, match="frame: no row of the training holds a value of 'NPHI', measured in others: left"):
        tagger.fit(logs(), target="facies", inputs=["GR", "NPHI"], split=SPLIT, **KEYS)
    assert tagger.preparation_.reading["past"] == ("GR",)
    far = logs().with_columns(pl.col("NPHI") * 1e6)
    assert tagger.predict(far).equals(tagger.predict(logs().drop("NPHI")))
    assert tagger.score(None, measures=["accuracy"]).windows == 96


def test_where_it_is_all_that_is_read_it_is_refused():
    with pytest.raises(InputError, match="no row of the training holds a value of 'NPHI', and nothing else is read"):
        Tagger(**FEW).fit(logs(), target="facies", inputs=["NPHI"], split=SPLIT, **KEYS)


def test_a_classifier_leaves_it_out():
    kinds = {"W-01": "a", "W-02": "b", "W-03": "a", "W-04": "b"}
    frame = logs().with_columns(pl.col("well").replace_strict(kinds).alias("kind"))
    classifier = SequenceClassifier(hidden_size=8, max_epochs=1, progress=False)
    with pytest.warns(Notice, match="no row of the training holds a value of 'NPHI', measured in others: left out"):
        classifier.fit(frame, "kind", inputs=["GR", "NPHI"], split=SPLIT, rows_as_they_stand=True, **KEYS)
    assert classifier.predict(frame.drop("NPHI")).equals(classifier.predict(frame))


@pytest.mark.parametrize("name", ["wind", "plan", "height"])
def test_a_covariate_of_each_kind_is_left_out_by_a_forecaster(name):
    roles = {**ROLES, "transforms": {"wind": "log10"}}
    frame = covaried().with_columns(pl.col("wind") + 10)
    forecaster = Forecaster("seq2seq", **QUICK, progress=False)
    with pytest.warns(Notice, match=f"no row of the training holds a value of '{name}', measured in others: left out"):
        forecaster.fit(held_out(frame, name), split={"by_series": {"val": ["b"]}}, **roles)
    kept = {"past": ("wind",), "future": ("plan",), "static": ("height",)}
    kind = {"wind": "past", "plan": "future", "height": "static"}[name]
    reading = forecaster.preparation_.reading
    assert {word: reading[word] for word in kept} == {**kept, kind: ()}
    ahead = {} if name == "plan" else {"future": plans(frame)}
    assert forecaster.predict(frame.drop(name), **ahead).equals(forecaster.predict(frame, **ahead))
    assert forecaster.predict(**ahead).height == 12


@pytest.mark.parametrize(
    "face", [Forecaster("nlinear", input_size=24, horizon=6), Reconstructor(input_size=24), Generator(input_size=24)]
)
def test_a_target_that_the_training_never_measured_is_refused(face):
    late = wide_frame().with_columns(c1=pl.when(pl.int_range(pl.len()) >= 150).then("c1"))
    with pytest.raises(InputError, match="no row of the training holds a value of 'c1', a target that is measured"):
        face.fit(late, time="date", target=["c0", "c1"], split={"ratios": [0.7, 0.2, 0.1]})


def test_a_curve_that_one_training_well_has_is_read(recwarn):
    frame = logs().with_columns(NPHI=pl.when(pl.col("well") != "W-01").then(pl.col("GR") / 200))
    tagger = Tagger(**FEW).fit(frame, target="facies", inputs=["GR", "NPHI"], split=SPLIT, **KEYS)
    assert tagger.preparation_.reading["past"] == ("GR", "NPHI")
    assert not [each for each in recwarn if "no row of the training" in str(each.message)]
