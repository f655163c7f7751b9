"""What a panel did to its rows, and how it read them, is done to the rows that a model of labels is asked about."""

import polars as pl
import pytest
from small import hours, waves

from tsrnn import InputError, Panel, SequenceClassifier, Tagger, faces

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


def test_no_line_is_drawn_between_labels():
    said = "^frame: fill=3 draws a line between two values, and labels have none between them; leave fill= out"
    tagger = Tagger("bigru", loss="cross_entropy", **SMALL)
    with pytest.raises(InputError, match=said):
        tagger.fit(rows(), target="rock", inputs=["GR"], fill=3, **KEYS)
    with pytest.raises(InputError, match=said):
        tagger.fit(Panel.of(rows(), target="rock", past_covariates="GR", fill=3, **KEYS))
    assert Tagger("bigru", loss="mse", **SMALL).fit(rows(), target="RHOB", inputs=["GR"], fill=3, **KEYS)
