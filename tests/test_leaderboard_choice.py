"""What validation would have chosen stands beside every board: among all models, and the best of each kind."""

from typing import Any

import polars as pl

from tsrnn.board import choice
from tsrnn.board import rows as results
from tsrnn.board import table as boards
from tsrnn.board.published import SHOWN, published
from tsrnn.metrics import USUAL

CRITERION = choice.criterion(USUAL)
SCORES = {  # test MSE, validation MAE at two horizons
    "ensemble": [(0.30, 0.70), (0.40, 0.80)],
    "gru": [(0.31, 0.60), (0.41, 0.85)],
    "dlinear": [(0.50, 0.65), (0.60, 0.60)],
    "ols": [(0.45, 0.90), (0.55, 0.90)],
    "MyOwn": [(0.70, 0.64), (0.80, 0.64)],
}


def board(scores: dict[str, list[tuple[float, float | None]]], track: str = "L chosen") -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for model, places in scores.items():
        for horizon, (mse, val) in zip((96, 192), places, strict=False):
            row = {"dataset": "ETTh1", "sha256": "ab", "config": "{}", "seed": 0, "input_size": 336, "track": track}
            rows.append({**row, "model": model, "horizon": horizon, "mse": mse, "mae": mse, "val_mae": val, "fold": ""})
    table = pl.DataFrame(rows, schema=results.COLUMNS)
    return boards.board(table, "horizon", (*USUAL, CRITERION), published("ETTh1", SHOWN))


def test_validation_chooses_by_the_mean_of_its_mae_over_all_horizons() -> None:
    among, *kinds = choice.choices(board(SCORES), USUAL)
    assert (among.kind, among.chosen["model"], among.place, among.lines) == ("all", "dlinear", 4, 5)
    assert (among.best["model"], among.best_place) == ("ensemble", 1)
    assert [(kind.kind, kind.chosen["model"], kind.best["model"]) for kind in kinds] == [
        ("linear", "dlinear", "ols"),
        ("recurrent", "gru", "gru"),
        ("mixed", "ensemble", "ensemble"),
    ]


def test_a_board_says_it_in_two_sentences() -> None:
    assert choice.said(board(SCORES), USUAL) == [
        "Validation (MAE) would have chosen dlinear among all: MSE 0.5500, MAE 0.5500, place 4 of 5.",
        "Best of each kind on the test: linear ols 0.5000, recurrent gru 0.3600, mixed ensemble 0.3500.",
    ]


def test_each_track_has_its_own_choice() -> None:
    both = pl.concat([board(SCORES), board({"gru": [(0.9, 0.1)] * 2, "ols": [(0.8, 0.2)] * 2}, "L=96")])
    first, second, _ = choice.said(both, USUAL)
    assert "dlinear among all (L chosen)" in first
    assert "gru among all (L=96): MSE 0.9000, MAE 0.9000, place 2 of 2." in second


def test_lines_that_lack_a_horizon_or_validation_are_not_chosen() -> None:
    lacking = {**SCORES, "rnn": [(0.1, 0.1)], "nlinear": [(0.2, None), (0.2, None)]}
    among = choice.choices(board(lacking), USUAL)[0]
    assert (among.chosen["model"], among.place, among.lines) == ("dlinear", 5, 6)
    assert choice.said(board({"ols": [(0.1, None)] * 2, "gru": [(0.1, None)] * 2}), USUAL) == []


def test_a_measure_of_ones_own_is_chosen_by_itself() -> None:
    assert choice.criterion(("physical_rmse", "mae")) == "val_mae"
    assert choice.criterion(("physical_rmse",)) == "val_physical_rmse"


def test_one_zero_shot_line_is_shown_beside_the_best_published_ones() -> None:
    classes = boards.shortened(board(SCORES), 3).filter(pl.col("class") != "")
    assert sorted(classes["class"].to_list()).count("Z") == 1
    assert classes.height == 4
    assert classes.filter(pl.col("class") == "Z")["model"].to_list() == ["Time-MoE large"]
    assert boards.shortened(board(SCORES), 0).filter(pl.col("class") != "").is_empty()
