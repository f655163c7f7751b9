"""Cards of models that forecast nothing: task, labels and measures, saved with the model, asked by a command."""

import json

import numpy as np
import polars as pl
import pytest
from small import hours, waves

from tsrnn import Generator, Reconstructor, SequenceClassifier, faces, faults
from tsrnn.detector import Detector
from tsrnn.errors import InputError
from tsrnn.simulate import sines, wells
from tsrnn.tagger import Tagger

KEYS = {"id": "well", "time": "depth"}
SPLIT = {"by_series": {"val": ["W-02", "W-03"]}}
SMALL = {"input_size": 16, "hidden_size": 8, "max_epochs": 1, "max_windows": 64, "progress": False}


def logs():
    rock = pl.when(pl.col("GR") > pl.col("GR").median()).then(pl.lit("shale")).otherwise(pl.lit("<b>sand|"))
    labelled = pl.when(pl.int_range(pl.len()) % 5 != 0).then(rock)
    return wells(wells=4, rows=60).select("well", "depth", "GR", pl.col("NPHI").fill_null(0.2), rock=labelled)


def loads(rows=240):
    values = waves(rows, 2, period=8, noise=0.1)
    return pl.DataFrame({"ds": hours(rows), "a": values[:, 0], "b": values[:, 1]})


def cases(count=24):
    rng = np.random.default_rng(0)
    rows = [
        {"case": f"c{k}", "step": step, "x": rng.standard_normal() + k % 2, "kind": k % 2}
        for k in range(count)
        for step in range(8)
    ]
    return pl.DataFrame(rows)


def tagger():
    return Tagger("bigru", num_layers=1, **SMALL).fit(logs(), target="rock", inputs=["GR"], split=SPLIT, **KEYS)


def classifier():
    return SequenceClassifier("rocket", views=50, loss="cross_entropy").fit(cases(), "kind", id="case", time="step")


def reconstructor():
    return Reconstructor("gru_autoencoder", code_size=4, **SMALL).fit(loads(), time="ds")


def generator():
    small = {"input_size": 8, "steps": 2, "hidden_size": 4, "num_layers": 1, "judging_steps": 2, "progress": False}
    return Generator("timegan", **small).fit(sines(0, 40, 8, 2), id="sequence", time="step")


ROWS = {tagger: logs, classifier: cases, reconstructor: loads, generator: lambda: sines(1, 40, 8, 2)}
TELLS = {
    tagger: ("along", "labels of rows"),
    classifier: ("whole", "labels of whole series"),
    reconstructor: ("reconstruct", "rows told again, whose distance from what was measured says which stand out"),
    generator: ("generate", "new sequences"),
}
MEASURES = {
    tagger: ["error", "accuracy", "macro f1"],
    classifier: ["error", "accuracy", "macro f1"],
    reconstructor: ["MSE, scaled", "MAE, scaled"],
    generator: ["correlational"],
}


@pytest.fixture(scope="module", params=TELLS, ids=lambda made: made.__name__)
def made(request):
    return request.param, request.param()


def test_a_card_tells_the_task_and_its_measures(made):
    kind, face = made
    told = json.loads(json.dumps(face.card().json(), allow_nan=False))
    assert (told["model"]["task"], told["model"]["tells"]) == TELLS[kind]
    assert [row["measure"] for row in told["metrics"]] == MEASURES[kind]
    assert told["model"]["parameters"] == told["cost"]["parameters"]
    assert told["data"]["rows"] == len(ROWS[kind]())
    assert told["protocol"]["options"]["scaler"] == "standard"
    assert told["use"][0].lower().startswith(TELLS[kind][1])
    words = f"{told['use']} {told['misuse']} {told['limits']}"
    assert "orecast" not in words
    assert "Quantiles" not in words


def test_a_saved_one_keeps_its_card_and_the_command_prints_it(made, run, tmp_path):
    kind, face = made
    face.save(tmp_path / "saved")
    assert str(faces.load(tmp_path / "saved").card()) == str(face.card())
    assert faces.load(tmp_path / "saved").report_ == face.report_
    faces.load(tmp_path / "saved").save(tmp_path / "again")
    assert run("card", "again")[:2] == (0, str(face.card()))
    ROWS[kind]().write_csv(tmp_path / "rows.csv")
    status, out, err = run("card", "saved", "--data", "rows.csv", "--json")
    assert status == 0, err
    given = [row for row in json.loads(out)["metrics"] if row["part"] == "rows given"]
    assert {row["measure"] for row in given} >= {*MEASURES[kind]} - {"correlational"}
    assert given


def test_what_a_tagger_learnt_is_counted_and_where_it_is_worst():
    face = tagger()
    told = face.card().json()
    learnt = logs().filter(pl.col("well").is_in(["W-01", "W-04"]))["rock"].drop_nulls().value_counts()
    assert told["data"]["labels of the training"] == dict(learnt.iter_rows())
    assert told["model"]["classes"] == face.classes_ == ["<b>sand|", "shale"]
    score = face.score(part="val")
    assert {row["measure"]: row["value"] for row in told["metrics"]}["error"] == score.error
    assert told["metrics"][0]["counted"] == score.windows == 96
    by_series = dict(zip(score.series, score.by_lead["error"][:-1, 0], strict=True))
    assert {row["where"]: row["error"] for row in told["worst"]["series"]} == {
        name: by_series[name] for name in ("W-02", "W-03")
    }
    counts = sum(each.counts for each in score.agreements)
    missed = {row["where"]: row["told for another"] for row in told["worst"]["class"]}
    assert missed["shale"] == pytest.approx(1 - counts[1, 1] / counts[1].sum())
    assert "Rows without a truth were read, and neither learnt from nor measured." in told["limits"]
    assert "<b>" not in str(face.card())
    assert "&lt;b&gt;sand\\|" in str(face.card())


def test_a_truth_that_stands_once_in_a_series_has_no_holes():
    told = classifier().card().json()
    assert told["data"]["missing cells"] == {}
    assert not any("truth" in each or "Missing" in each for each in told["limits"])
    holed = cases().with_columns(
        pl.when(pl.int_range(pl.len()) % 8 != 3).then("x").alias("x"), kind=pl.when(pl.col("case") != "c5").then("kind")
    )
    face = SequenceClassifier("rocket", views=50, loss="cross_entropy").fit(holed, "kind", id="case", time="step")
    told = face.card().json()
    assert told["data"]["missing cells"] == {"kind": pytest.approx(1 / 24), "x": pytest.approx(1 / 8)}
    assert "Series without a truth were read, and neither learnt from nor measured." in told["limits"]
    rows = tagger().card().json()["data"]["missing cells"]
    assert rows == {"rock": pytest.approx(1 / 5)}


def test_holes_that_a_model_is_told_of_are_not_called_untold():
    holed = logs().with_columns(GR=pl.when(pl.int_range(pl.len()) % 7 != 3).then("GR"))
    sentence = "It is not told which values of its past were missing."
    for masks in (True, False):
        face = Tagger("bigru", num_layers=1, masks=masks, **SMALL).fit(holed, target="rock", inputs=["GR"], **KEYS)
        assert (sentence in face.card().json()["limits"]) == (not masks)


def test_values_are_measured_in_their_own_unit():
    face = Tagger("ridge_along", loss="mse", input_size=16).fit(logs(), target="NPHI", inputs=["GR"], **KEYS)
    told = face.card().json()
    assert told["model"]["tells"] == "values of rows"
    assert "classes" not in told["model"]
    assert [row["measure"] for row in told["metrics"]] == ["MAE in the data's units", "MSE, scaled", "MAE, scaled"]
    assert told["metrics"][0]["value"] == face.score(part="val", measures="physical_mae").physical_mae


def flawed():
    table = faults.inject(loads(600), ["a", "b"], 8, 400, count=6)
    return table.with_columns(pl.col(faults.LABEL).cast(pl.Int64))


INSIDE = {
    "ols": {"model": "ols", "input_size": 16, "steps": 2},
    "told again": {"model": "gru_autoencoder", "code_size": 2, **SMALL, "smooth": 3},
}


@pytest.mark.parametrize("inside", INSIDE)
def test_a_detector_s_card_is_that_of_the_model_inside_and_of_what_its_errors_tell(inside, run, tmp_path):
    detector = Detector(**INSIDE[inside]).fit(flawed(), time="ds", split={"borders": [250, 390, 600]})
    detector.save(tmp_path / "saved")
    assert run("card", "saved")[:2] == (0, str(detector.card()))
    inner, told = (json.loads(json.dumps(face.card().json(), allow_nan=False)) for face in (detector.face_, detector))
    model = told["model"]
    assert (model["task"], model["tells"].startswith("rows that stand out")) == ("detect", True)
    chosen = {"ols": "chosen by faults put into the validation rows", "told again": "named"}[inside]
    assert model["a score is a mean over"] == f"{detector.smooth_} rows, {chosen}"
    assert "a share alpha is told of, 0.01" in model["threshold"]
    assert {**inner["model"], **{name: model[name] for name in ("task", "tells")}}.items() <= model.items()
    found = {"part": "validation, faults put in", "measure": "vus pr", "value": detector.found_[detector.smooth_]}
    assert told["metrics"] == [*inner["metrics"], {**found, "counted": 140}]
    assert {name: told[name] for name in ("data", "protocol", "worst", "cost")} == {
        name: inner[name] for name in ("data", "protocol", "worst", "cost")
    }
    assert told["use"][0].startswith("Rows that stand out, ")
    assert [each for each in told["limits"] if each.startswith("Drift is watched in 0 ")]  # of so few rows
    assert len(told["use"]) == 1
    assert "Quantiles" not in str(told["misuse"])
    assert Detector.load(tmp_path / "saved").face_.card().json() == inner


def test_a_detector_s_card_says_of_what_drift_is_watched(tmp_path):
    detector = Detector("ols", input_size=16, steps=2).fit(loads(2000), time="ds")
    limit = "Drift is watched in 4 streams."  # values and errors of two targets
    told = detector.card().json()
    assert told["limits"][-1] == limit
    assert "tsrnn drift" in told["use"][1]
    detector.save(tmp_path / "saved")
    assert Detector.load(tmp_path / "saved").card().json() == told


def test_labelled_rows_say_how_well_a_detector_finds_them(run, tmp_path):
    detector = Detector(**INSIDE["ols"]).fit(flawed(), time="ds", split={"borders": [250, 390, 600]})
    given = [row for row in detector.card(flawed()).json()["metrics"] if row["part"] == "rows given"]
    every = detector.score(flawed(), split={"by_series": {"test": ["frame"]}}, measures="vus_pr")
    assert given[-1] == {"part": "rows given", "measure": "vus pr", "value": every.vus_pr, "counted": 600}
    assert len(given) == 4
    bare = (flawed().drop(faults.LABEL), flawed().with_columns(pl.lit(0).alias(faults.LABEL)))
    for rows in bare:
        assert "vus pr" not in str(
            [row for row in detector.card(rows).json()["metrics"] if row["part"] == "rows given"]
        )
    detector.save(tmp_path / "saved")
    flawed().write_csv(tmp_path / "rows.csv")
    status, out, err = run("card", "saved", "--data", "rows.csv", "--json")
    assert status == 0, err
    assert json.loads(out)["metrics"][-1]["value"] == every.vus_pr
    assert "| part | measure | value | low | high | windows | counted |" in run("card", "saved")[1]
    with pytest.raises(InputError, match="column 'is_anomaly' holds '2'; an anomaly is 1 or true"):
        detector.card(flawed().with_columns(pl.col(faults.LABEL) * 2))


def test_one_without_a_validation_has_no_measures_and_one_not_fitted_no_card():
    face = SequenceClassifier("rocket", views=50, val_size=0.0).fit(
        cases().with_columns(kind=pl.col("kind") == 1), "kind", id="case", time="step"
    )
    assert face.card().json()["metrics"] == []
    assert "## Metrics" not in str(face.card())
    with pytest.raises(InputError, match="this Tagger is not fitted; call fit first"):
        Tagger().card()
