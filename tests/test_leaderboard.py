"""Boards: means and spreads, complete lines first, published numbers marked, and no winner where lines are tied."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from tsrnn.board import remarks, text
from tsrnn.board import rows as results
from tsrnn.board import table as boards
from tsrnn.board.published import published
from tsrnn.errors import InputError
from tsrnn.metrics import USUAL

Run = Callable[..., tuple[int, str, str]]
DEFAULTS: dict[str, Any] = {
    "dataset": "ETTh1",
    "model": "lstm",
    "horizon": 96,
    "input_size": 336,
    "track": "L chosen",
    "seed": 0,
    "mse": 0.5,
    "mae": 0.4,
    "parameters": 1000,
    "seconds": 3.0,
    "config": "{}",
    "sha256": "ab12",
    "finished": "2026-01-01T00:00:00+00:00",
}


def _rows(*changes: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{**DEFAULTS, **change} for change in changes], schema=results.COLUMNS)


def _fits(model: str, scores: dict[int, list[float]], **more: Any) -> list[dict[str, Any]]:
    """One row per horizon and seed."""
    return [
        {"model": model, "horizon": horizon, "seed": seed, "mse": mse, **more}
        for horizon, each in scores.items()
        for seed, mse in enumerate(each)
    ]


def _text(table: pl.DataFrame, width: int = 200) -> str:
    console = Console(width=width, record=True, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(text.render(table))
    return console.export_text(styles=True)


def test_means_and_spreads_over_seeds() -> None:
    rows = _rows(
        *_fits("lstm", {96: [0.4, 0.5], 192: [0.6, 0.9]}, mae=0.3, seconds=4.0),
        *_fits("ols", {96: [0.7], 192: [0.8]}),
    )
    first, second = boards.board(rows, "horizon", USUAL).to_dicts()
    assert (first["model"], first["seeds"], first["class"]) == ("lstm", 2, "")
    assert first["mse_96"] == pytest.approx(0.45)
    assert first["spread_96"] == pytest.approx(0.1 / 2**0.5)
    assert first["mse"] == pytest.approx(0.6)
    assert first["mae"] == pytest.approx(0.3)
    assert first["spread"] == pytest.approx(0.2 / 2**0.5)
    assert (second["model"], second["mse"], second["spread"]) == ("ols", pytest.approx(0.75), None)


def test_no_mean_without_every_horizon() -> None:
    rows = _rows(*_fits("short", {96: [0.1]}), *_fits("lstm", {96: [0.4], 192: [0.6]}))
    table = boards.board(rows, "horizon", USUAL)
    assert table["model"].to_list() == ["lstm", "short"]
    assert table["mse"].to_list() == [pytest.approx(0.5), None]
    assert table["mse_96"].to_list() == [0.4, 0.1]


def test_tracks_and_configurations_are_lines_of_their_own() -> None:
    rows = _rows(
        *_fits("lstm", {96: [0.4]}),
        *_fits("lstm", {96: [0.5]}, track="L=96", input_size=96),
        *_fits("lstm", {96: [0.6]}, config='{"hidden_size": 8}'),
    )
    table = boards.board(rows, "horizon", USUAL)
    assert table["mse"].to_list() == [0.4, 0.5, 0.6]
    assert table["options"].to_list() == [None, None, "hidden_size=8"]
    assert "hidden_size=8" in _text(table)
    assert "options" not in _text(table.filter(pl.col("options").is_null()))


def test_options_name_what_differs_and_nothing_else() -> None:
    same = {"loss": "mae", "segment": 24}
    configs = [same, {**same, "hidden_size": 8}, {**same, "segment": 48, "roles": {"target": ["OT"]}}]
    rows = _rows(
        *({"config": json.dumps(config), "mse": 0.1 * place} for place, config in enumerate(configs, 1)),
        {"config": json.dumps(same), "mse": 0.4, "sha256": "cd3456789"},
        {"config": json.dumps(same), "mse": 0.5, "input_size": 720},
        {"model": "gru", "config": json.dumps({"loss": "mse"}), "mse": 0.6},
    )
    assert boards.board(rows, "horizon", USUAL)["options"].to_list() == [
        "segment=24 input_size=336 data=ab12",
        "segment=24 hidden_size=8 input_size=336 data=ab12",
        'segment=48 roles={"target":["OT"]} input_size=336 data=ab12',
        "segment=24 input_size=336 data=cd345678",
        "segment=24 input_size=720 data=ab12",
        None,
    ]


SURE = [0.400, 0.401, 0.402, 0.403, 0.404]


@pytest.mark.parametrize(
    ("groups", "place"),
    [
        ([1, 2, 3], 0),
        ([1, 2, 2], 0),
        ([1, 1, 2], None),
        ([1, 1, 1], None),
        ([1, 2, 1], None),
        ([1, 2, None], None),  # who is not compared is not told apart
        ([None, None, None], None),
    ],
)
def test_a_winner_is_alone_in_its_group_or_there_is_none(groups: list[int | None], place: int | None) -> None:
    table = boards.board(
        _rows(*_fits("gru", {96: [0.5]}), *_fits("lstm", {96: [0.4]}), *_fits("lstm", {96: [0.6]}, track="L=96")),
        "horizon",
        USUAL,
    ).with_columns(group=pl.Series(groups, dtype=pl.Int64))
    assert boards.winner(table) == place
    bold = [line for line in _text(table).splitlines() if line.startswith("\x1b[1m") and "MSE" not in line]
    assert len(bold) == (0 if place is None else 1)
    assert boards.winner(table.filter(pl.col("group") == 1).head(1)) is None  # a line without rivals wins nothing


def test_a_winner_below_published_lines_is_the_line_that_is_bold() -> None:
    rows = _rows(*_fits("gru", {96: [mse + 0.1 for mse in SURE]}), *_fits("lstm", {96: SURE}))
    table = boards.board(rows, "horizon", USUAL, published("ETTh1"))
    assert table["group"].is_null().all()
    known = pl.col("model").replace_strict({"lstm": 1, "gru": 2}, default=None)
    table = table.with_columns(group=pl.when(pl.col("class") == "").then(known))
    place = boards.winner(table)
    assert place is not None
    assert place > 0
    bold = [line for line in _text(table).splitlines() if line.startswith("\x1b[1m") and "MSE" not in line]
    assert len(bold) == 1
    assert "lstm" in bold[0]


def test_a_board_without_groups_still_prints() -> None:
    table = boards.board(_rows(*_fits("gru", {96: SURE}), *_fits("lstm", {96: [0.1, 0.11]})), "horizon", USUAL)
    shown = _text(table.drop("group"))
    assert "group" not in shown
    assert not [line for line in shown.splitlines() if line.startswith("\x1b[1m") and "MSE" not in line]


def test_what_a_reader_of_groups_must_know() -> None:
    table = boards.board(_rows(*_fits("gru", {96: SURE}), *_fits("lstm", {96: SURE})), "horizon", USUAL)
    tied = table.with_columns(group=1)
    assert len(remarks.notes(tied)) == 1
    assert "these fits, not the models" in remarks.notes(tied.with_columns(seeds=1))[1]
    assert "can be told apart is not known: losses" in remarks.notes(table)[0]
    assert "A line without a group" in remarks.notes(tied.with_columns(group=pl.Series([1, None])))[1]
    assert remarks.notes(table.head(1)) == []


def test_lines_that_are_not_whole_have_no_mean_and_no_group() -> None:
    lone = [{"horizon": 96, "seed": 0, "mse": 0.1}, {"horizon": 192, "seed": 1, "mse": 0.1}]
    lost = _fits("rnn", {96: [float("nan")] * 2, 192: [0.5] * 2})
    known = _fits("gru", {96: [0.5, 0.5], 192: [0.6, 0.6]})
    table = boards.board(
        _rows(*lone, *lost, *_fits("short", {96: [0.2]}), *known), "horizon", USUAL, None, Path("none")
    )
    assert table["model"][0] == "lstm"
    assert table["group"].is_null().all()
    assert boards.winner(table) is None
    assert "lstm" in _text(table)


def test_where_nothing_is_known_there_are_no_groups() -> None:
    table = boards.board(_rows(*_fits("gru", {96: [0.5]}), *_fits("lstm", {96: [0.4]})), "horizon", USUAL)
    assert table["group"].is_null().all()
    assert boards.winner(table) is None
    assert "group" not in _text(table)


def test_published_lines_are_marked_and_kept_as_printed() -> None:
    others = published("ETTh1")
    assert set(others["class"]) == {"A", "B"}
    table = boards.board(_rows(*_fits("lstm", {96: [0.2]})), "horizon", USUAL, others)
    assert table["model"][0] == "lstm"
    shown = _text(table)
    ours = next(line for line in shown.splitlines() if "lstm" in line)
    theirs = next(line for line in shown.splitlines() if "SparseTSF/Linear" in line)
    assert "0.2000" in ours
    assert "\x1b[2m" not in ours
    assert "0.362  0.389" in theirs
    assert theirs.startswith("\x1b[2m")
    assert "not run here" in remarks.CAPTION


def test_names_of_ours_stay_whole_in_a_narrow_terminal() -> None:
    rows = _rows(*_fits("seasonal_naive", {h: [0.4, 0.5] for h in (96, 192, 336, 720)}))
    table = boards.board(rows, "horizon", USUAL, published("ETTh1"))
    assert "seasonal_naive" in _text(table, width=80)


@pytest.mark.parametrize("tracks", [("L chosen", "L=720"), ("L chosen",)])
def test_lines_of_several_tracks_say_theirs_in_a_narrow_terminal(tracks: tuple[str, ...]) -> None:
    fits = [fit for track in tracks for fit in _fits("ols", {96: [0.4], 192: [0.5]}, track=track)]
    table = boards.board(_rows(*fits), "horizon", USUAL)
    shown = text.render(table, narrow=True)
    assert ("track" in [column.header for column in shown.columns]) == (len(tracks) > 1)


def test_published_classes_are_chosen() -> None:
    assert published("my own file").is_empty()
    shot = published("ETTh1", ("Z",))
    table = boards.board(_rows({}), "horizon", USUAL, shot)
    assert set(table.filter(pl.col("class") == "Z")["track"]) == {"zero-shot"}
    searched = boards.board(_rows({}), "horizon", USUAL, published("ETTh1", ("B",)))
    assert "L searched" in searched["track"].to_list()
    with pytest.raises(InputError, match="unknown class of published numbers 'z': did you mean 'Z'"):
        published("ETTh1", ("A", "z"))


def test_stored_rows_are_read_again(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no result rows; run `tsrnn bench"):
        results.read(tmp_path)
    results.append(tmp_path / "ETTh1", DEFAULTS)
    results.append(tmp_path / "ETTh2", {**DEFAULTS, "dataset": "ETTh2"})
    assert results.read(tmp_path).height == 2
    assert results.read(tmp_path, "ETTh2")["dataset"].to_list() == ["ETTh2"]
    with pytest.raises(InputError, match="no result rows of weather"):
        results.read(tmp_path, "weather")
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"notes\.csv is not a results file"):
        results.read(tmp_path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ETTh1", "--csv", "--compare"), "--compare and --csv are two ways to show a board"),
        (("ETTh1", "--html", "b.html", "--by-series"), "--by-series and --html are two ways"),
        (("ETTh1", "--markdown", "--json"), "--markdown and --json are two ways"),
        (("--by-class",), "--by-class is of one board; name its data set"),
        (("check",), "name the folder of rows to be checked: tsrnn leaderboard check DIR"),
        (("competitions", "--by-class"), "competitions is a group of suites"),
        (("ETTh1", "--published", "-1"), "--published must be at least 0, not -1"),
    ],
)
def test_an_option_that_could_not_be_followed_is_refused(run: Run, words: tuple[str, ...], said: str) -> None:
    status, out, err = run("leaderboard", *words)
    assert (status, out) == (2, "")
    assert said in err


def test_a_folder_of_other_rows_says_whose_they_are(tmp_path: Path) -> None:
    stored = {**DEFAULTS, "dataset": "sun"}
    stored |= {name: "1" if kind == pl.String else 1 for name, kind in results.COLUMNS.items() if name not in stored}
    results.append(tmp_path / "sun", stored)
    with pytest.raises(InputError, match="holds no result rows of moon, but of 'sun'; run"):
        results.read(tmp_path, "moon")


def test_a_board_says_of_how_many_windows_mase_knows_nothing_once(run: Run, tmp_path: Path) -> None:
    """Two of five series never change, and of two targets one."""
    walks = np.random.default_rng(0).normal(size=(5, 60)).cumsum(1)
    walks[[1, 3]] = 3.0
    long = [(f"s{k}", step, walks[k, step], 7.0) for k in range(5) for step in range(60)]
    table = pl.DataFrame(long, ["unique_id", "ds", "y", "still"], orient="row")
    table.write_csv(tmp_path / "mine.csv")
    suite = 'data = "mine.csv"\nsplit = {{ {split} }}\nmeasures = ["mase"]\nhorizons = [4]\n{more}'
    models = "\nbaselines.repeat_last = { input_size = 6 }\nbaselines.ols = { input_size = 6 }\n"
    asked = {
        "flat": (suite.format(split="last = 4", more='roles.target = "y"'), "2 of 5 test windows"),
        "folds": (suite.format(split='leave_one_out = "series"', more='roles.target = "y"'), "2 of 5 series"),
        "still": (suite.format(split="last = 4", more='roles.target = ["y", "still"]'), "1 of 2 targets"),
    }
    for name, (text_of, said) in asked.items():
        (tmp_path / f"{name}.toml").write_text(text_of + models)
        status, out, _ = run("bench", f"{name}.toml", "--workers", "0", "--out", "res")
        sentence = f"MASE leaves out {said}, whose history is shorter than a season or the same in each."
        assert (status, " ".join(out.split()).count(sentence)) == (0, 1)
        assert Path(f"res/{name}/board.html").read_text(encoding="utf-8").count(sentence) == 1
