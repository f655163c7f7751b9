"""Labels that are none, or that may be meant otherwise, are refused or said; the others come back as they are."""

import numpy as np
import polars as pl
import pytest

from tsrnn import InputError, Panel, SequenceClassifier, Tagger
from tsrnn.cases import table_of
from tsrnn.classed import classes_of
from tsrnn.errors import Notice
from tsrnn.sequences import truths

BIG = 2**63 + 5


@pytest.mark.parametrize(
    ("cells", "kind", "said"),
    [
        ([1.0, float("inf")], None, "holds inf, too large to be the number of a class; write labels as text"),
        ([1.0, float("-inf")], None, "holds -inf, too large"),
        ([1.5, float("inf")], None, "holds inf, too large"),
        ([2.0, 1e300], None, r"holds 1e\+300, too large"),
        ([1.0, 2.0**53], None, "holds 9.00719925474099e[+]15, too large"),
        ([1, 2**70], pl.Int128, r"holds 1.18059162071741e\+21, too large"),
        ([-1, BIG], pl.Int128, r"too large"),
        ([b"a", b"b"], None, "holds Binary; labels are text, whole numbers or truth values"),
    ],
    ids=str,
)
def test_what_is_no_label_is_one_sentence(cells, kind, said):
    with pytest.raises(InputError, match=f"^frame: column 'rock' {said}" if said[0] == "h" else said):
        classes_of(pl.Series("rock", cells, dtype=kind), "frame")


@pytest.mark.parametrize("cells", [[-(2**63), 3], [1, 2**63 - 1], [0, 1]])
def test_whole_numbers_of_64_bits_are_labels(cells):
    assert classes_of(pl.Series("rock", cells, dtype=pl.Int128), "frame") == cells
    assert classes_of(pl.Series("rock", cells), "frame") == cells


@pytest.mark.parametrize(
    ("y", "said"),
    [
        ([1, 2**70], "^y holds 1180591620717411303424, which 64 bits do not hold beside the others"),
        ([-1, BIG], "^y holds 9223372036854775813, which 64 bits"),
        ([True, 2], "^y holds the truth value True and the number 2; write all labels one way"),
        ([b"a", b"b"], "^y holds b'a'; labels are text, whole numbers or truth values"),
        ([1j, 2], "^y holds 1j; labels are"),
        ([1.0, np.inf], "holds inf, too large"),
    ],
    ids=str,
)
def test_neither_is_it_of_sequences(y, said):
    with pytest.raises(InputError, match=said):
        SequenceClassifier("rocket", views=50).fit([np.arange(12.0), np.ones(12)] * 4, y * 4)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([1, "1"], "the word '1' and the number 1"),
        ([2.5, "b"], "the word 'b' and the number 2.5"),
        ([True, "True"], "the word 'True' and the truth value True"),
        ([1, True], "the truth value True and the number 1"),
        ([b"a", "b"], "the word 'b' and b'a'"),
    ],
    ids=str,
)
def test_labels_of_two_kinds_are_refused_in_a_frame_as_in_a_list(cells, said):
    pd = pytest.importorskip("pandas")
    said = f"{said}; write all labels one way"
    plain = pd.DataFrame({"case": np.repeat(range(8), 6), "t": [*range(6)] * 8, "x": np.arange(48.0) % 5})
    words = plain.assign(rock=np.repeat(["a", "b"] * 4, 6))
    mixed = plain.assign(rock=pd.Series([cells[k // 6 % 2] for k in range(48)], dtype=object))
    keys = {"id": "case", "time": "t"}
    rocket, rows = SequenceClassifier("rocket", views=50), Tagger("majority", input_size=6)
    alike = cells == [1, True]  # to pandas one category
    for frame in (mixed, mixed if alike else mixed.astype({"rock": "category"})):
        with pytest.raises(InputError, match=f"^frame: column 'rock' holds {said}"):
            rocket.fit(frame, "rock", **keys)
        with pytest.raises(InputError, match=f"^frame: column 'rock' holds {said}"):
            rows.fit(frame, target="rock", **keys)
    rocket.fit(words, "rock", **keys)
    rows.fit(words, target="rock", **keys)
    for score in (rocket.score, lambda frame: rows.score(frame, split={"ratios": [0.5, 0.2, 0.3]})):
        score(words)
        with pytest.raises(InputError, match=f"^frame: column 'rock' holds {said}"):
            score(mixed)
    with pytest.raises(InputError, match=f"^y holds {said}"):
        truths(cells, 2, False, np.array(["1", "b"]))


def test_series_called_by_categories_of_one_text_are_refused():
    pd = pytest.importorskip("pandas")
    ids = pd.Series([1] * 9 + ["1"] * 9, dtype=object).astype("category")
    frame = pd.DataFrame({"shop": ids, "t": [*range(9)] * 2, "y": range(18)})
    with pytest.raises(InputError, match="column 'shop' tells series apart and holds 1 and '1'; write them alike"):
        Panel.of(frame, target="y", id="shop", time="t")


def test_big_numbers_in_a_list_keep_their_last_digit():
    y = [1, BIG]
    assert table_of([np.ones((1, 1))] * 2, y)["label"].to_list() == y
    truth, _ = truths(y, 2, False, np.array(y, np.uint64))
    assert truth.tolist() == y


@pytest.mark.parametrize("word", ["nan", "NaN", "null", "None", "NA", " n/a"])
def test_a_word_that_elsewhere_stands_for_nothing_is_said(word):
    said = r"^frame: column 'rock' holds '.*', taken for a class as any other word; where it stands for no label"
    with pytest.warns(Notice, match=said):
        assert sorted(classes_of(pl.Series("rock", ["sand", word]), "frame")) == sorted(["sand", word])


@pytest.mark.parametrize("twin", [" sand", "Sand", "sand ", "sand\u00a0", "s\uff41nd"])
def test_labels_that_may_be_meant_as_one_are_said(twin):
    said = "differ by blanks, case or the coding of letters alone, and are taken for two classes; write them alike"
    with pytest.warns(Notice, match=said):
        assert len(classes_of(pl.Series("rock", ["sand", twin, "shale"]), "frame")) == 3


def test_letters_in_two_codings_are_said():
    with pytest.warns(Notice, match=r"holds 'e\\u0301' and '\\xe9', which differ by"):
        classes_of(pl.Series("rock", ["\u00e9", "e\u0301"]), "frame")


@pytest.mark.filterwarnings("error")
def test_other_words_are_taken_without_a_word():
    assert len(classes_of(pl.Series("rock", ["sand", "sandy", "no", "", None, "unknown"]), "frame")) == 4


def test_constant_sequences_have_probabilities():
    for X in ([np.ones((9, 2))] * 8, np.zeros((8, 9))):
        told = SequenceClassifier("rocket", views=100).fit(X, ["a", "b"] * 4).predict_proba(X)
        assert np.isfinite(told).all()
        np.testing.assert_allclose(told.sum(1), 1)


def test_constant_inputs_tell_the_mean():
    frame = pl.DataFrame({"t": range(64), "x": [3.0] * 64, "y": [float(k % 4) for k in range(64)]})
    tagger = Tagger("ridge_along", input_size=8, loss="mse").fit(frame, target="y", inputs=["x"], time="t")
    assert tagger.predict(frame)["y"].to_numpy() == pytest.approx(np.full(64, 1.5), abs=0.2)


def test_a_score_of_arrays_needs_their_labels():
    X = [np.arange(12.0), np.ones(12)] * 4
    with pytest.raises(
        InputError, match=r"^the share of labels that are told right needs them: give each case's label"
    ):
        SequenceClassifier("rocket", views=50).fit(X, [0, 1] * 4).score(X)
