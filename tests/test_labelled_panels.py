"""What a panel did to its rows, and how it read them, is done to the rows that a model of labels is asked about."""

import polars as pl
import pytest
from small import hours, waves

from tsrnn import InputError, Panel, SequenceClassifier, Tagger, faces, load

SMALL = {"input_size": 8, "hidden_size": 4, "max_epochs": 1, "progress": False}
KEYS = {"id": "well", "time": "depth"}


def rows():
    values = waves(120, 2, period=8, noise=0.1)
    return pl.DataFrame(
        {
            "well": ["A"] * 60 + ["B"] * 60,
            "depth": [*range(60)] * 2,
            "GR": values[:, 0],
            "RHOB": values[:, 1],
            "bad": ["x" if k % 7 == 3 else "" for k in range(120)],
            "rock": [float(value > 0) for value in values[:, 0]],
        }
    )


def holed():
    return rows().with_columns(GR=pl.when(pl.col("depth") % 5 == 2).then(-9999.0).otherwise("GR"))


def dated():
    return rows().with_columns(depth=pl.concat([hours(60), hours(60)]).dt.strftime("%d/%m/%Y %H:%M"))


TREATED = {
    "missing": (holed, KEYS | {"missing": [-9999]}),
    "missing of a column": (holed, KEYS | {"missing": {"GR": [-9999]}}),
    "flags": (rows, KEYS | {"flags": {"GR": ["bad", [""]]}}),
    "sort": (lambda: rows()[::-1], KEYS | {"sort": True}),
    "duplicates": (lambda: pl.concat([rows(), rows()[:3]]), KEYS | {"sort": True, "duplicates": "first"}),
    "rows as they stand": (lambda: rows().with_columns(depth=0), KEYS | {"rows_as_they_stand": True}),
    "numbered": (lambda: rows().drop("depth"), {"id": "well"}),
    "dates": (dated, KEYS | {"date_format": "%d/%m/%Y %H:%M"}),
}


@pytest.mark.filterwarnings("ignore:frame has no column or index")
@pytest.mark.parametrize("treated", TREATED)
def test_a_tagger_of_a_panel_reads_rows_as_one_of_its_frame(treated):
    made, roles = TREATED[treated]
    unfitted, frame = Tagger("bigru", loss="cross_entropy", **SMALL), made()
    panel = Panel.of(frame, target="rock", past_covariates=["GR", "RHOB"], **roles)
    of_panel = unfitted.clone().fit(panel)
    of_frame = unfitted.clone().fit(frame, target="rock", inputs=["GR", "RHOB"], **roles)
    assert of_panel.preparation_.reading == of_frame.preparation_.reading
    assert of_panel.predict(frame.drop("rock")).equals(of_frame.predict(frame.drop("rock")))


def test_an_input_without_a_role_in_the_panel_is_treated_too():
    panel = Panel.of(holed(), target="rock", past_covariates="RHOB", missing=[-9999], **KEYS)
    tagger = Tagger("bigru", loss="cross_entropy", **SMALL).fit(panel, inputs=["GR", "RHOB"])
    assert tagger.lesson_.frame["GR"].null_count() == holed().filter(pl.col("GR") == -9999).height


def test_a_classifier_of_a_panel_reads_what_is_missing_as_it_did():
    labelled = holed().with_columns(rock=pl.when(pl.col("well") == "A").then(0.0).otherwise(1.0))
    frame = pl.concat([labelled.with_columns(well=pl.col("well") + str(k)) for k in range(4)])
    panel = Panel.of(frame, target="rock", past_covariates=["GR", "RHOB"], missing=[-9999], **KEYS)
    classifier = SequenceClassifier("rocket", views=50).fit(panel)
    assert classifier.preparation_.reading["missing"] == [-9999]
    without = frame.with_columns(GR=pl.when(pl.col("GR") != -9999).then("GR"))
    assert classifier.predict(frame).equals(classifier.predict(without))


@pytest.mark.parametrize("task", ["along", "whole"])
def test_a_file_without_an_index_is_told_by_the_command(run, tmp_path, task):
    sand = pl.col("GR") > 0 if task == "along" else pl.col("well") == "A"
    labelled = rows().with_columns(rock=pl.when(sand).then(pl.lit("sand")).otherwise(pl.lit("shale")))
    each = [labelled.with_columns(well=pl.col("well") + str(k)) for k in range(3)]
    pl.concat(each).drop("depth", "bad").write_csv(tmp_path / "logs.csv")
    words = ("--task", task, "--target", "rock", "--id", "well", "--input-size", "8", "--set", "max_epochs=1")
    assert run("fit", "logs.csv", *words, "--out", "m")[0] == 0
    assert run("predict", "m", "logs.csv", "--out", "told.csv")[0] == 0
    assert faces.load(tmp_path / "m").preparation_.reading["numbered"]


def numbers():
    return rows().with_columns(rock=(pl.col("rock") - 1).cast(pl.Int64), GR=pl.col("GR").round(0))


def words():
    return rows().with_columns(rock=pl.col("rock").replace_strict({0.0: "shale", 1.0: "sand"}))


def unsure():
    return words().with_columns(rock=pl.when(pl.col("depth") % 4 == 1).then(pl.lit("unsure")).otherwise("rock"))


def of_frame(frame, **treatment):
    tagger = Tagger("bigru", loss="cross_entropy", **SMALL)
    return tagger.fit(frame, target="rock", inputs=["GR", "RHOB"], **KEYS, **treatment)


def of_file(frame, tmp_path, **treatment):
    frame.write_parquet(tmp_path / "logs.parquet")
    roles = {"target": "rock", "past_covariates": ["GR", "RHOB"], **KEYS, **treatment}
    panel = load(str(tmp_path / "logs.parquet"), labels=True, **roles)
    return Tagger("bigru", loss="cross_entropy", **SMALL).fit(panel)


@pytest.mark.parametrize("given", [[0], {"GR": [0]}, {"GR": [0], "RHOB": [-9999]}], ids=str)
@pytest.mark.parametrize("made", [numbers, words])
def test_a_class_s_number_stands_for_nothing_else(tmp_path, made, given):
    frame, kept = made(), 120 if isinstance(given, dict) or made is words else int((numbers()["rock"] != 0).sum())
    if kept < 120:
        frame = frame.with_columns(rock=pl.when(pl.col("depth") % 3 == 0).then(2).otherwise("rock"))
        kept = int((frame["rock"] != 0).sum())
    for tagger in (of_frame(frame, missing=given), of_file(frame, tmp_path, missing=given)):
        assert tagger.lesson_.frame["rock"].count() == kept
        assert tagger.lesson_.frame["GR"].null_count() == int((frame["GR"] == 0).sum())
        assert tagger.preparation_.reading["missing"] == given
        every = tagger.score(frame, split={"by_series": {}}, part="train")
        assert every.windows == kept
        tagger.save(tmp_path / "m")
        assert Tagger.load(tmp_path / "m").score(frame, split={"by_series": {}}, part="train").values == every.values


@pytest.mark.parametrize(
    "given", [{"missing": ["unsure"]}, {"missing": {"rock": ["unsure"]}}, {"flags": {"rock": ["q", ["good"]]}}], ids=str
)
def test_a_label_that_stands_for_none_is_no_class(tmp_path, given):
    frame = unsure().with_columns(q=pl.when(pl.col("rock") == "unsure").then(pl.lit("bad")).otherwise(pl.lit("good")))
    known = int((frame["rock"] != "unsure").sum())
    for tagger in (of_frame(frame, **given), of_file(frame, tmp_path, **given)):
        assert tagger.classes_ == ["sand", "shale"]
        assert tagger.score(frame, split={"by_series": {}}, part="train").windows == known


def test_series_whose_label_stands_for_none_are_not_counted():
    frame = pl.concat(
        [
            rows()[:20].with_columns(well=pl.lit(f"{k}"), rock=pl.lit(["sand", "shale", "unsure"][k % 3]))
            for k in range(9)
        ]
    )
    classifier = SequenceClassifier("rocket", views=50).fit(frame, "rock", missing=["unsure"], **KEYS)
    assert classifier.classes_.tolist() == ["sand", "shale"]
    right = classifier.predict(frame)["rock"] == pl.Series(["sand", "shale", "unsure"] * 3)
    assert classifier.score(frame) == pytest.approx(right.sum() / 6)


def test_no_line_is_drawn_between_labels():
    said = "^frame: fill=3 draws a line between two values, and labels have none between them; leave fill= out"
    tagger = Tagger("bigru", loss="cross_entropy", **SMALL)
    with pytest.raises(InputError, match=said):
        tagger.fit(rows(), target="rock", inputs=["GR"], fill=3, **KEYS)
    with pytest.raises(InputError, match=said):
        tagger.fit(Panel.of(rows(), target="rock", past_covariates="GR", fill=3, **KEYS))
    assert Tagger("bigru", loss="mse", **SMALL).fit(rows(), target="RHOB", inputs=["GR"], fill=3, **KEYS)
