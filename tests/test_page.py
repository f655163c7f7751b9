"""The page as a file: small, alone, complete without a script, and never broken by what stands in a row."""

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import small_boards
from conftest import Run

from tsrnn import bench, catalog, page, suites
from tsrnn.board import rows as results
from tsrnn.board.skill import ahead, standings
from tsrnn.errors import InputError
from tsrnn.metrics import USUAL
from tsrnn.page import origin
from tsrnn.page.overall import overall

OPEN = {"meta", "input", "br", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "p", "link"}  # need not be closed


class Reader(HTMLParser):
    """What a page holds: its tags with their attributes, its words, and which tags are not closed as they should be."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.stack: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in OPEN:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in OPEN and (not self.stack or self.stack.pop() != tag):
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    return reader


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_boards.folder(tmp_path_factory.mktemp("rows"))


@pytest.fixture(scope="module")
def text(folder: Path) -> str:
    return page.html(page.sheet(suites.find("small"), folder))


def test_a_page_is_whole_and_asks_nobody_for_anything(text: str) -> None:
    found = read(text)
    assert (found.wrong, found.stack) == ([], [])
    for _, attributes in found.tags:
        for name in ("src", "href", "action", "data", "srcset"):
            assert (attributes.get(name) or "#").startswith("#")
    assert not re.search(r"url\(|@import|https?://", text.replace("http://www.w3.org/", ""))
    assert [tag for tag, _ in found.tags].count("script") == 1


def test_words_of_rows_break_no_page(text: str) -> None:
    found = read(text)
    assert small_boards.SCRIPT not in text
    assert small_boards.SCRIPT in "".join(found.words)
    assert small_boards.FORMULA in "".join(found.words)


def test_ids_are_there_once_and_links_lead_somewhere(text: str) -> None:
    found = read(text)
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len({*ids})
    links = {attributes["href"][1:] for tag, attributes in found.tags if tag == "a" and attributes.get("href")}
    assert links <= {*ids}
    named = [
        attributes[name] for _, attributes in found.tags for name in ("aria-labelledby", "for") if name in attributes
    ]
    assert {*named} <= {*ids}


def test_a_page_says_who_wins_and_what_every_line_costs(text: str) -> None:
    words = " ".join("".join(read(text).words).split())
    for said in ("gru (L chosen) stands first and is told apart", "seasonal_naive", "Error against time", "c0ffee"):
        assert said in words
    for part in ("Error by step ahead, horizon 6", "Error by channel", "Error by time of year", "12 steps from"):
        assert part in words


def test_a_board_of_labels_has_no_horizons(tmp_path: Path) -> None:
    config = json.dumps({"split": suites.find("ItalyPowerDemand").split})
    row = {**small_boards.ROW, "dataset": "ItalyPowerDemand", "horizon": 1, "config": config, "seed": 0}
    row["sha256"] = catalog.checksum("ItalyPowerDemand") or row["sha256"]
    for model, error in (("rocket", 0.04), ("gru_classifier", 0.3)):
        measures = {"measure": ["error", "val_error"], "series": [None] * 2, "lead": [None] * 2, "value": [error] * 2}
        results.append(tmp_path, row | {"model": model, "mse": float("nan"), "mae": float("nan")}, measures=measures)
    small_boards.folder(tmp_path)
    assert [path.name for path in page.site(tmp_path, tmp_path)] == ["ItalyPowerDemand.html", "small.html"]
    made = (tmp_path / "ItalyPowerDemand.html").read_text()
    words = " ".join("".join(read(made).words).split())
    assert "0.3000" in words
    assert "horizon 1" not in words
    assert "nan" not in words


def test_of_lines_that_cannot_be_told_apart_none_is_called_the_winner(tmp_path: Path) -> None:
    for row in small_boards.rows():
        results.append(tmp_path / "small", row)
    words = page.html(page.sheet(suites.find("small"), tmp_path))
    assert "No winner can be named" in words


def test_lines_of_which_nothing_is_known_are_not_passed_over_where_others_tie(tmp_path: Path) -> None:
    rng, steps = np.random.default_rng(0), np.arange(400)
    for row in small_boards.rows():
        losses = {"series": 0 * steps, "step": steps} | {name: row[name] + rng.normal(0, 9, 400) for name in USUAL}
        results.append(tmp_path / "small", row, None if row["model"] == "ols" else losses)
    words = page.html(page.sheet(suites.find("small"), tmp_path))
    verdict = re.search(r"No winner can be named: \d lines cannot be told apart: [^<]*", words)
    assert verdict is not None
    assert verdict[0].strip().endswith("; of 1 other line of ours it is not known.")
    assert "ols" not in verdict[0]


def test_a_page_of_fifty_models_and_sixty_tasks_is_small(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for model in range(50):
        rows = [
            {**small_boards.ROW, "dataset": f"set{data}", "horizon": horizon, "seed": seed, "config": "{}"}
            | {"model": "seasonal_naive" if model == 49 else f"model{model}", "mae": 0.3, "sha256": f"{data:064d}"}
            | {"mse": float(np.exp(rng.normal(model / 100, 0.05)))}
            for data in range(15)
            for horizon in (96, 192, 336, 720)
            for seed in (0, 1)
        ]
        pl.DataFrame(rows, schema=results.COLUMNS).drop("fold").write_csv(tmp_path / f"{rows[0]['model']}.csv")
    made = page.html(overall(tmp_path))
    assert len(made.encode()) <= 250_000
    assert made.count("<tr") > 150
    assert read(made).wrong == []


def test_the_command_on_a_page_makes_the_row_again(tmp_path: Path) -> None:
    source = bench.Source("transformer")
    wishes = bench.Wishes(models=("nlinear",), horizons=(24,), seeds=(3,), input_size=96)
    job = bench.plan(source, "quick", wishes)[0]
    row = dict.fromkeys(results.COLUMNS) | {
        **job.task,
        "mse": 0.1,
        "mae": 0.1,
        "finished": "2026",
        "windows": 1,
    }
    said = origin.origin(pl.DataFrame([row], schema=results.COLUMNS), source.suite)
    (tmp_path / "nlinear.toml").write_text(said["file"])
    assert said["command"] == ("tsrnn bench transformer --config nlinear.toml --horizons 24 --seeds 3 --input-size 96")
    again = bench.plan(
        source,
        "quick",
        bench.Wishes(config=tmp_path / "nlinear.toml", horizons=(24,), seeds=(3,), input_size=96),
    )
    assert [each.key for each in again] == [job.key]


def test_the_picture_of_a_board_stands_alone(folder: Path, tmp_path: Path) -> None:
    page.picture(suites.find("small"), folder, tmp_path / "board.svg")
    drawn = ET.parse(tmp_path / "board.svg").getroot()
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
    assert "gru" in "".join(drawn.itertext())
    assert "prefers-color-scheme:dark" in (tmp_path / "board.svg").read_text()


def test_leaderboard_writes_pages(run: Run, folder: Path) -> None:
    status, out, err = run("leaderboard", "small", "--out", str(folder), "--html", "b.html", "--svg", "b.svg")
    assert (status, out) == (0, "")
    assert err.count("tsrnn: wrote") == 2
    assert Path("b.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    status, _, err = run("leaderboard", "small", "--out", str(folder), "--html", "b.xml/c.txt")
    assert status == 0  # a folder may have any name
    status, _, err = run("leaderboard", "small", "--out", str(folder), "--svg", "b.png")
    assert (status, "draw into an .svg file" in err) == (2, True)


def test_leaderboard_draws_a_forecast_that_lies_beside_the_rows(run: Run, folder: Path, tmp_path: Path) -> None:
    assert run("leaderboard", "small", "--out", str(folder), "--forecast", "f.svg")[0] == 0
    assert "measured" in "".join(ET.parse("f.svg").getroot().itertext())
    for row in small_boards.rows():
        results.append(tmp_path / "bare" / "small", row)
    status, _, err = run("leaderboard", "small", "--out", str(tmp_path / "bare"), "--forecast", "f.svg")
    assert (status, "no forecasts lie beside the rows" in err) == (2, True)


def test_bench_leaves_a_page_and_a_picture_and_what_they_show(run: Run) -> None:
    words = ("transformer", "--models", "repeat_last", "--horizons", "12", "--input-size", "24", "--target", "OT")
    status, _, err = run("bench", *words, "--workers", "0")
    assert status == 0, err
    folder = Path("tsrnn-results/transformer")
    text = (folder / "board.html").read_text(encoding="utf-8")
    for part in ("Error by step ahead", "Error by time of year", "OT, 12 steps from"):
        assert part in text
    assert read(text).wrong == []
    assert ET.parse(folder / "board.svg").getroot().tag.endswith("svg")
    samples = pl.read_parquet(next((folder / "samples").iterdir()))
    ahead = samples.filter(pl.col("step") > 0)
    before = samples.filter(pl.col("step") == 0)
    assert ahead["forecast"].null_count() == 0
    told = ahead.join(before.select("start", last="measured"), on="start")
    assert told["forecast"].to_list() == pytest.approx(told["last"].to_list(), rel=1e-3)


def test_pages_of_several_data_sets_lead_to_each_other(run: Run, tmp_path: Path) -> None:
    rows = small_boards.folder(small_boards.folder(tmp_path / "rows"), "other")
    assert run("leaderboard", "--out", str(rows), "--html", "site")[0] == 0
    assert sorted(path.name for path in Path("site").iterdir()) == ["index.html", "other.html", "small.html"]
    assert 'href="small.html"' in Path("site/index.html").read_text()
    assert 'href="index.html"' in Path("site/small.html").read_text()


def test_csv_and_markdown_of_a_board(run: Run, folder: Path) -> None:
    status, out, _ = run("leaderboard", "small", "--out", str(folder), "--csv")
    assert status == 0
    table = pl.read_csv(out.encode())
    assert table["model"].to_list() == ["gru", "lstm", "lstm", "ols", "seasonal_naive"]
    assert table["mse"][0] == pytest.approx(0.4905)
    status, out, _ = run("leaderboard", "small", "--out", str(folder), "--markdown")
    lines = out.splitlines()
    assert status == 0
    assert lines[2].startswith("| 1 | gru |")
    assert len({line.count(" | ") for line in lines}) == 1
    assert "<script>" not in out


def test_a_formula_is_a_word_in_csv_and_a_bar_is_a_letter_in_markdown() -> None:
    from tsrnn.board import formats

    table = pl.DataFrame({"model": [small_boards.FORMULA, "a|b"], "mse": [-1.0, 0.5]})
    assert formats.csv(table).splitlines()[1].startswith("'=cmd|")
    assert formats.csv(table).splitlines()[1].endswith(",-1.0")
    assert r"a\|b" in formats.markdown(table)


def test_skill_wins_and_ranks_of_a_case_by_hand() -> None:
    scores = [np.array([[0.5, 1.0]]), np.array([[1.0, 1.0]]), np.array([[2.0, np.nan]])]
    first, base, lacking = standings(scores, ["a", "b"], base=1)
    assert first.skill == pytest.approx(1 - 0.5**0.5)
    assert (base.skill, lacking.skill) == (0.0, pytest.approx(-1.0))
    assert (first.rank, base.rank, lacking.rank) == (1.25, 1.75, None)
    assert (first.wins, base.wins) == (0.75, 0.25)
    assert first.skill_interval == pytest.approx((0.0, 0.5))
    assert ahead(np.array([[1.0, 2.0], [1.0, 3.0]])).tolist() == [[0.5, 0.75], [0.25, 0.5]]


def test_an_interval_of_one_task_and_one_seed_is_not_known() -> None:
    (only, other) = standings([np.array([[0.5]]), np.array([[1.0]])], ["a"], base=1)
    assert (only.skill, only.skill_interval, only.rank_interval) == (0.5, None, None)
    assert other.rank == 2.0


def test_one_data_set_has_no_page_over_all(folder: Path) -> None:
    with pytest.raises(InputError, match="name one to see its board"):
        overall(folder)


def test_stored_configurations_are_read_as_they_are(text: str) -> None:
    stored = [row["config"] for row in small_boards.rows() if row["config"] != "{}"]
    assert json.loads(stored[0])["note"] == small_boards.SCRIPT
    assert "note = " in text
