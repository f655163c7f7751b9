"""Labels come back as they were written, and files without them are told."""

from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from tsrnn import InputError, SequenceClassifier, Tagger, las_writer, simulate
from tsrnn.classed import categories, classes_of, encode, restored

SMALL = {"input_size": 32, "progress": False}
CODES = (30000, 65000, 65030)
KEYS = {"id": "well", "time": "depth"}


def coded(kind=pl.Int64, wells=3, rows=60):
    frame = simulate.wells(wells=wells, rows=rows)
    return frame.with_columns(facies=pl.Series([CODES[k // 5 % 3] for k in range(frame.height)], dtype=kind))


@pytest.mark.parametrize("kind", [pl.Int64, pl.UInt32, pl.Float64, pl.Float32, pl.Decimal(10, 2)])
def test_whole_numbers_come_back_as_they_were_written(tmp_path, kind):
    frame = coded(kind)
    tagger = Tagger("majority", loss="cross_entropy", **SMALL).fit(frame, target="facies", **KEYS)
    tagger.save(tmp_path / "tagger")
    for each in (tagger, Tagger.load(tmp_path / "tagger")):
        told = each.predict(frame)
        assert told.schema["facies"] == pl.Int64
        assert [name for name in told.columns if "_p_" in name] == [f"facies_p_{code}" for code in tagger.classes_]
        assert {str(code) for code in told["facies"].unique()} <= {str(code) for code in CODES}


@pytest.mark.parametrize("cells", [[65000.0, 3.0, None], [Decimal("65000"), Decimal("3"), None], [65000, 3, None]])
def test_a_label_of_a_whole_number_has_no_fraction(cells):
    column = pl.Series("facies", cells)
    assert [repr(each) for each in classes_of(column, "frame")] == ["3", "65000"]
    assert encode(column, [3, 65000], "frame").to_list() == [1.0, 0.0, None]
    with pytest.raises(InputError, match="holds '65000', which is no class"):
        encode(column, [3, 4], "frame")


def test_classes_that_an_older_folder_has_as_floats_are_whole_numbers():
    assert [repr(each) for each in restored([65000.0, 3, "a", True], 4)] == ["65000", "3", "'a'", "True"]


def test_big_whole_numbers_of_sequences_are_told_to_the_last_digit():
    big = 2**63
    X = [np.full((12, 1), k % 2, float) + 0.01 * np.arange(12)[:, None] for k in range(8)]
    y = np.array([big + 1, big + 2] * 4, np.uint64)
    classifier = SequenceClassifier("rocket", views=100).fit(X, y)
    assert classifier.classes_.tolist() == [big + 1, big + 2]
    assert classifier.predict(X).tolist() == y.tolist()


def test_fractions_in_a_column_of_decimals_are_values():
    frame = simulate.wells(wells=2, rows=60).with_columns(pl.col("DTC").cast(pl.Decimal(12, 4)))
    tagger = Tagger("ridge_along", **SMALL).fit(frame, target="DTC", inputs=["GR"], **KEYS)
    assert tagger.classes_ is None


def test_one_column_is_told():
    with pytest.raises(InputError, match=r"one column is told, and target= names 2 \('facies', 'DTC'\); name one"):
        Tagger("majority", **SMALL).fit(coded(), target=["facies", "DTC"], **KEYS)
    assert Tagger("majority", loss="mae", **SMALL).fit(coded(), target=["DTC"], **KEYS).classes_ is None


def test_two_targets_of_a_file_are_one_sentence(run, tmp_path):
    simulate.wells(wells=2, rows=60).write_csv(tmp_path / "logs.csv")
    words = ("--task", "along", "--target", "DTC", "--target", "facies", "--id", "well", "--out", "m")
    status, _, err = run("fit", "logs.csv", *words)
    assert (status, err) == (2, "tsrnn: one column is told, and --target names 2 ('DTC', 'facies'); name one\n")


def test_a_log_without_the_label_s_curve_is_told(run, tmp_path):
    frame = coded()
    for folder, columns in (("labelled", ["GR", "RHOB", "facies"]), ("bare", ["GR", "RHOB"]), ("less", ["RHOB"])):
        las_writer.write(frame.select("well", "depth", *columns), tmp_path / folder, id="well", index="depth")
    words = ("--task", "along", "--target", "facies", "--model", "ridge_along", "--set", "loss=mse")
    assert run("fit", "labelled", *words, "--input-size", "32", "--out", "m")[0] == 0
    status, out, _ = run("predict", "m", "bare")
    assert (status, len(out.splitlines())) == (0, 1 + frame.height)
    status, _, err = run("predict", "m", "less")
    assert status == 2
    assert "less 'GR': Known: RHOB, depth, well;" in " ".join(err.split())


def test_an_unknown_column_is_shown_what_the_frame_has():
    frame = coded()
    tagger = Tagger("ridge_along", loss="mse", **SMALL).fit(frame, target="facies", inputs=["GR", "RDEP"], **KEYS)
    with pytest.raises(InputError, match=r"'RDEP': .*Known: GR, depth, well;"):
        tagger.predict(frame.select("well", "depth", "GR"))
    with pytest.raises(InputError, match=r"Known: GR, RDEP, depth$"):
        tagger.predict(frame.select("depth", "GR", "RDEP"))
    series = frame.with_columns(facies=pl.col("well"))
    kinds = SequenceClassifier("rocket", views=100, val_size=0.0).fit(series, "facies", inputs=["GR"], **KEYS)
    with pytest.raises(InputError, match="'GR': Known: depth, well;"):
        kinds.predict(series.select("well", "depth"))


ROCKS = ["shale", "sand", "coal"]


@pytest.mark.parametrize("library", ["polars", "pandas"])
@pytest.mark.parametrize("kind", [pl.Categorical(), pl.Enum(ROCKS), pl.String()], ids=str)
def test_words_come_back_in_the_type_that_they_had(tmp_path, kind, library):
    words = pl.Series([ROCKS[k // 5 % 2] for k in range(180)])
    frame = coded().with_columns(facies=words.cast(kind))
    given = frame if library == "polars" else frame.to_pandas()
    tagger = Tagger("majority", **SMALL).fit(given, target="facies", **KEYS)
    tagger.save(tmp_path / "m")
    for each in (tagger, Tagger.load(tmp_path / "m")):
        for asked in (given, given.drop("facies") if library == "polars" else given.drop(columns="facies")):
            told = each.predict(asked)["facies"]
            assert str(told.dtype) == str(given["facies"].dtype)


def test_so_do_those_of_sequences(tmp_path):
    series = pl.concat(
        pl.DataFrame({"id": [f"s{k}"] * 12, "t": range(12), "x": [float(k % 2)] * 12, "what": [ROCKS[k % 2]] * 12})
        for k in range(8)
    )
    frame = series.with_columns(pl.col("what").cast(pl.Enum(ROCKS)))
    classifier = SequenceClassifier("rocket", views=50).fit(frame, "what", id="id", time="t")
    classifier.save(tmp_path / "m")
    for each in (classifier, SequenceClassifier.load(tmp_path / "m")):
        assert each.predict(frame.drop("what")).schema["what"] == pl.Enum(ROCKS)


def test_categories_of_a_damaged_folder_are_refused():
    for strange in ("sand", ["shale"], ["shale", "sand", "sand"], [1, 2]):
        with pytest.raises(InputError, match=r"^categories must be different words, the classes among them"):
            categories(strange, ["sand", "shale"])
