"""Boards of labels: what was counted lies beside a row, and measures are of each well and of all wells together."""

import json
import re
import shutil
import warnings

import polars as pl
import pytest
import small_boards

from tsrnn import bench, page, simulate, suites
from tsrnn.board import beside, pooled
from tsrnn.board import rows as results
from tsrnn.errors import Notice

SUITE = """
task = "along"
data = "field.csv"
roles = { id = "well", time = "depth", target = "facies", past_covariates = ["GR", "RHOB"] }
split = { leave_one_out = "well" }
measures = ["error", "accuracy", "macro_f1", "boundary_f1"]
baseline = "majority"
seeds = [0]
models.majority = { loss = "cross_entropy", input_size = 64 }
models.trees = { loss = "cross_entropy", input_size = 64, rounds = 5 }
"""


@pytest.fixture(scope="module")
def benched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("field")
    simulate.wells(wells=4, rows=150).write_csv(folder / "field.csv")
    path = folder / "along.toml"
    path.write_text(SUITE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Notice)  # of a rock that one well alone has
        done = bench.run(bench.plan(bench.Source(str(path)), "full", bench.Wishes()), folder / "res", workers=0)
    assert all(each.result for each in done)
    return path, folder / "res"


def counted(folder, model):
    """[well] of what lies beside a model's rows, from which every measure of labels can be made."""
    found = {}
    for row in results.read(folder).filter(model=model).iter_rows(named=True):
        table = beside.read(folder, "confusion", results.stem(row))
        assert table["series"].unique().to_list() == [row["fold"]]
        found[row["fold"]] = table
    return found


def test_what_is_counted_of_a_well_says_its_measures(benched):
    _, folder = benched
    tables = counted(folder, "trees")
    assert len(tables) == 4
    for row in results.read(folder).filter(model="trees").iter_rows(named=True):
        table, stored = tables[row["fold"]], beside.read(folder, "measures", results.stem(row))
        labelled = table.filter(what="label")
        assert labelled["rows"].sum() == row["windows"]
        right = labelled.filter(pl.col("true") == pl.col("told"))["rows"].sum()
        assert stored.filter(measure="accuracy", series=row["fold"])["value"].item() == pytest.approx(
            right / row["windows"]
        )
        bounds = {each: table.filter(what="boundary", **each_of(each))["rows"].sum() for each in ("yy", "yn", "ny")}
        f1 = 2 * bounds["yy"] / (2 * bounds["yy"] + bounds["yn"] + bounds["ny"])
        assert stored.filter(measure="boundary_f1", series=row["fold"])["value"].item() == pytest.approx(f1)


def each_of(word):
    return {name: {"y": "yes", "n": "no"}[letter] for name, letter in zip(("true", "told"), word, strict=True)}


def test_f1_of_all_wells_together_is_not_the_mean_of_the_wells(run, benched):
    path, folder = benched
    status, out, _ = run("leaderboard", str(path), "--by-series", "--json", "--out", str(folder))
    assert status == 0
    told = {(each["model"], each["measure"]): each for each in json.loads(out)["pooled"]}
    cells = pl.concat(counted(folder, "trees").values()).filter(what="label")
    scores = []
    for label in cells["true"].unique():
        right = cells.filter(true=label, told=label)["rows"].sum()
        scores.append(2 * right / (cells.filter(true=label)["rows"].sum() + cells.filter(told=label)["rows"].sum()))
    record = told["trees", "macro_f1"]
    assert record["pooled"] == pytest.approx(sum(scores) / len(scores))
    assert record["mean of series"] != pytest.approx(record["pooled"], abs=0.01)
    for each in told.values():
        for way in ("mean of series", "pooled"):
            assert each[f"{way} low"] <= each[way] <= each[f"{way} high"]
    assert record["pooled low"] < record["pooled high"]
    right = cells.filter(pl.col("true") == pl.col("told"))["rows"].sum()
    assert told["trees", "accuracy"]["pooled"] == pytest.approx(right / cells["rows"].sum())
    assert (record["series"], record["seeds"]) == (4, 1)


def test_a_board_of_labels_says_both_numbers_and_which_is_which(run, benched, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    path, folder = benched
    status, out, _ = run("leaderboard", str(path), "--out", str(folder))
    assert status == 0
    assert "mean of series" in out
    assert "pooled, the rows of all are counted together" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80


def test_each_class_has_its_rows_and_what_it_is_taken_for(run, benched):
    path, folder = benched
    records = json.loads(run("leaderboard", str(path), "--by-class", "--json", "--out", str(folder))[1])
    cells = pl.concat(counted(folder, "majority").values()).filter(what="label")
    coal = next(each for each in records if (each["model"], each["class"]) == ("majority", "coal"))
    assert coal["rows"] == cells.filter(true="coal")["rows"].sum()
    assert (coal["recall"], coal["precision"], coal["else told"], coal["of its rows"]) == (0, None, "shale", 1)


def test_the_page_has_both_numbers_and_every_class(run, benched, tmp_path):
    path, folder = benched
    asked = ("--out", str(folder))
    assert run("leaderboard", str(path), *asked, "--html", str(tmp_path / "board.html"))[0] == 0
    text = (tmp_path / "board.html").read_text()
    labels = text[text.index('<section id="labels"') : text.index('<section id="slices"')]
    cells = re.findall(r"<t[dh][^>]*>(.*?)(?=<t[dhr]|\n)", labels)
    summary = json.loads(run("leaderboard", str(path), *asked, "--by-series", "--json")[1])["pooled"]
    way = "{pooled:.3f} ({pooled low:.3f} to {pooled high:.3f})"
    pooled_of = {(each["model"], each["measure"]): way.format(**each) for each in summary}
    for model in ("majority", "trees"):
        own = next(row for row in labels.split("<tr>") if row.startswith(f'<th scope="row">{model}<'))
        for place, word in enumerate(("error", "accuracy", "macro_f1", "boundary_f1")):
            assert own.count(f'<span class="m{place}">') == 2
            assert f'<span class="m{place}">{pooled_of[model, word]}</span>' in own
    for each in json.loads(run("leaderboard", str(path), *asked, "--by-class", "--json")[1]):
        said = [each["class"], f"{each['rows']:,}", "-" if each["precision"] is None else f"{each['precision']:.3f}"]
        place = next(k for k, cell in enumerate(cells) if cells[k : k + 3] == said)
        assert cells[place + 3 : place + 5] == [f"{each['recall']:.3f}", f"{each['F1']:.3f}"]


def test_the_page_of_forecasts_has_no_labels(tmp_path):
    folder = small_boards.folder(tmp_path / "rows")
    text = page.write(suites.find("small"), folder, tmp_path / "board.html").read_text()
    assert 'id="labels"' not in text


def test_a_line_that_lacks_a_well_is_not_pooled(benched):
    path, folder = benched
    rows = results.read(folder)
    some = rows.filter((pl.col("model") == "majority") | (pl.col("fold") != "W-02"))
    assert {each["model"] for each in pooled.summary(some, suites.find(str(path)), folder)} == {"majority"}
    assert pooled.summary(rows.filter(fold="W-02"), suites.find(str(path)), folder) == []


def test_rows_beside_which_nothing_was_counted_are_refused_by_class(run, benched, tmp_path):
    path, folder = benched
    folder = shutil.copytree(folder, tmp_path / "res", ignore=shutil.ignore_patterns("confusion"))
    status, _, err = run("leaderboard", str(path), "--by-class", "--out", str(folder))
    assert (status, "holds no counts of labels" in err) == (2, True)
    assert run("leaderboard", str(path), "--out", str(folder))[0] == 0
