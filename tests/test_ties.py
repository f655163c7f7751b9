"""Pairs of lines judged by seeds and by stored windows; standings over data sets."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tsrnn.board import rows as results
from tsrnn.board import table as boards
from tsrnn.board import ties
from tsrnn.board.ranks import standings
from tsrnn.errors import InputError

ROW: dict[str, Any] = {
    "dataset": "mine",
    "horizon": 8,
    "input_size": 24,
    "track": "L chosen",
    "config": "{}",
    "sha256": "ab12",
    "finished": "2026-01-01T00:00:00+00:00",
}
WINDOWS = 400


def store(folder: Path, model: str, seed: int, losses: Any, first: int = 0, **more: Any) -> None:
    """A row and its windows, one step apart from step `first` on."""
    losses = np.asarray(losses)
    row = {**ROW, "model": model, "seed": seed, "mse": float(losses.mean()), "mae": 0.5, **more}
    steps = np.arange(first, first + len(losses))
    columns = {"series": np.zeros_like(steps), "step": steps, "mse": losses, "mae": losses}
    results.append(folder, row, columns)


def means(values: Any, horizon: int = 8) -> Any:
    """Means over the next `horizon` values: what windows one step apart lose."""
    sums = np.cumsum(np.pad(values, (1, 0)))
    return (sums[horizon:] - sums[:-horizon]) / horizon


def world(folder: Path, rng: np.random.Generator, gaps: dict[str, float], seeds: int = 1, **more: Any) -> None:
    """Models that share the world's noise, add their own, and differ by `gaps` in their mean loss."""
    shared = rng.standard_normal(WINDOWS + 7) ** 2
    for model, gap in gaps.items():
        for seed in range(seeds):
            own = 0.3 * rng.standard_normal(WINDOWS + 7)
            store(folder, model, seed, 1 + means(shared + own) + gap, **more)


def groups(folder: Path, windows: bool = True) -> dict[str, int | None]:
    table = boards.board(results.read(folder), "horizon", ("mse", "mae"), folder=folder if windows else None)
    return dict(table.select("model", "group").iter_rows())


def test_windows_tell_fits_of_one_seed_apart(tmp_path: Path) -> None:
    world(tmp_path, np.random.default_rng(0), {"gru": 0.0, "lstm": 0.01, "rnn": 0.5})
    found = groups(tmp_path)
    assert found["gru"] == found["lstm"] == 1
    assert found["rnn"] == 2
    assert set(groups(tmp_path, windows=False).values()) == {None}


def test_rows_from_one_folder_up_find_their_windows(tmp_path: Path) -> None:
    world(tmp_path / "mine", np.random.default_rng(0), {"gru": 0.0, "rnn": 0.5})
    assert groups(tmp_path) == groups(tmp_path / "mine") == {"gru": 1, "rnn": 2}


def test_without_windows_the_seeds_judge(tmp_path: Path) -> None:
    for model, mse in (("gru", 0.4), ("rnn", 0.6)):
        for seed in range(5):
            results.append(tmp_path, {**ROW, "model": model, "seed": seed, "mse": mse + seed / 1000, "mae": 0.5})
    assert groups(tmp_path) == {"gru": 1, "rnn": 2}
    (pair,) = ties.pairs(_lines(tmp_path), "horizon", "mse", tmp_path)
    assert pair.by_windows is None
    assert pair.by_seeds is not None
    assert (pair.by_seeds.count, pair.by_seeds.freedom) == (10, pytest.approx(8))


def _lines(folder: Path) -> list[pl.DataFrame]:
    rows = results.read(folder)
    lines = [line for _, line in rows.group_by("model", maintain_order=True)]
    return sorted(lines, key=lambda line: float(line["mse"].mean()))  # type: ignore[arg-type]


def test_seeds_are_compared_as_welch_does(tmp_path: Path) -> None:
    from scipy import stats

    first, second = [0.40, 0.43, 0.41], [0.45, 0.52, 0.47, 0.46]
    for model, each in (("gru", first), ("rnn", second)):
        for seed, mse in enumerate(each):
            results.append(tmp_path, {**ROW, "model": model, "seed": seed, "mse": mse, "mae": 0.5})
    (pair,) = ties.pairs(_lines(tmp_path), "horizon", "mse")
    expected = stats.ttest_ind(first, second, equal_var=False)
    assert pair.by_seeds is not None
    assert pair.by_seeds.p == pytest.approx(expected.pvalue)
    assert pair.by_seeds.interval() == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert pair.p == pair.by_seeds.p


def test_what_one_seed_is_worth(tmp_path: Path) -> None:
    """One seed has the widest spread and the freedom of all; a naive or solved line has no spread at all."""
    seeds = {"gru": [0.40, 0.43, 0.41], "rnn": [0.45, 0.52, 0.47, 0.46], "lstm": [0.6], "ols": [0.9]}
    for model, each in seeds.items():
        for seed, mse in enumerate(each):
            epochs = 0 if model == "ols" else 3
            row = {**ROW, "model": model, "seed": seed, "mse": mse, "mae": 0.5, "epochs": epochs}
            results.append(tmp_path, row)
    gru, _, lstm, ols = ties._seeds(_lines(tmp_path), "horizon", "mse")
    assert gru is not None
    assert lstm is not None
    assert ols is not None
    assert (lstm.freedom, lstm.error) == (5, pytest.approx(np.std(seeds["rnn"], ddof=1)))
    assert ols.error == 0
    known = ties._welch(gru, ols)
    assert known is not None
    assert (known.error, known.freedom) == (pytest.approx(gru.error), pytest.approx(gru.freedom))


def test_both_windows_and_seeds_must_say_so(tmp_path: Path) -> None:
    """The same windows for every seed, but seeds so far apart that either model could be the better."""
    losses = 1 + means(np.random.default_rng(0).standard_normal(WINDOWS + 7) ** 2)
    for seed, by in enumerate((0.0, 3.0, 0.5)):
        store(tmp_path, "gru", seed, losses + by)
        store(tmp_path, "rnn", seed, losses + by + 0.2)
    (pair,) = ties.pairs(_lines(tmp_path), "horizon", "mse", tmp_path)
    assert pair.by_windows is not None
    assert pair.by_windows.p < 1e-6
    assert not pair.told_apart
    assert set(groups(tmp_path).values()) == {1}


def test_seeds_are_averaged_before_windows_are_compared(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    a, b, c = (rng.uniform(0.5, 1, WINDOWS) for _ in range(3))
    store(tmp_path, "gru", 0, a)
    store(tmp_path, "gru", 1, b)
    store(tmp_path, "rnn", 0, c, first=100)
    (pair,) = ties.pairs(_lines(tmp_path), "horizon", "mse", tmp_path)
    assert pair.by_windows is not None
    expected = ((a + b) / 2)[100::8] - c[:300:8]
    assert abs(pair.by_windows.mean) == pytest.approx(abs(expected.mean()), rel=1e-5)
    assert pair.by_windows.error == pytest.approx(expected.std(ddof=1) / len(expected) ** 0.5, rel=1e-5)
    assert pair.by_windows.count == 38


def test_series_at_the_same_step_count_once(tmp_path: Path) -> None:
    """Ten copies of one series are no ten times as sure."""
    rng = np.random.default_rng(0)
    steps = np.arange(WINDOWS)
    for model in ("gru", "rnn"):
        losses = rng.uniform(0.5, 1, WINDOWS)
        for copies in (1, 10):
            many = np.tile(losses, copies)
            columns = {"series": np.repeat(range(copies), WINDOWS), "step": np.tile(steps, copies)}
            row = {**ROW, "model": model, "seed": 0, "mse": losses.mean(), "mae": 0.5}
            results.append(tmp_path / str(copies), row, {**columns, "mse": many, "mae": many})
    one, ten = (ties.pairs(_lines(tmp_path / copies), "horizon", "mse", tmp_path / copies)[0] for copies in ("1", "10"))
    assert one.by_windows is not None
    assert ten.by_windows is not None
    assert ten.by_windows.p == pytest.approx(one.by_windows.p)


def test_horizons_with_too_few_windows_are_left_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for horizon in (8, 60):
        world(tmp_path, rng, {"gru": 0.0, "rnn": 0.5}, horizon=horizon)
    (pair,) = ties.pairs(_lines(tmp_path), "horizon", "mse", tmp_path)
    assert pair.places == (8,)
    assert pair.told_apart


def test_every_pair_is_paid_for(tmp_path: Path) -> None:
    world(tmp_path, np.random.default_rng(3), {"a": 0.0, "b": 0.0, "c": 0.0, "d": 0.0})
    lines = _lines(tmp_path)
    compared = ties.pairs(lines, "horizon", "mse", tmp_path)
    alone = [
        ties.pairs([lines[pair.first], lines[pair.second]], "horizon", "mse", tmp_path)[0].p for pair in compared
    ]  # each as if it were the only one
    least = int(np.argmin(alone))
    assert len(compared) == 6
    assert compared[least].p == pytest.approx(min(1, 6 * alone[least]))
    assert all(pair.p >= p for pair, p in zip(compared, alone, strict=True))


@pytest.mark.slow
def test_a_board_of_equal_models_is_rarely_split(tmp_path: Path) -> None:
    split = 0
    for number in range(60):
        world(tmp_path / str(number), np.random.default_rng(number), dict.fromkeys("abcde", 0.0))
        split += set(groups(tmp_path / str(number)).values()) != {1}
    assert split <= 6


def test_comparisons_as_records(tmp_path: Path) -> None:
    world(tmp_path, np.random.default_rng(0), {"gru": 0.0, "rnn": 0.5})
    world(tmp_path, np.random.default_rng(1), {"gru": 1.0}, config='{"hidden_size": 8}')
    first, second, third = boards.comparisons(results.read(tmp_path), "horizon", ("mse", "mae"), tmp_path)
    assert (first["first"], first["second"]) == ("gru", "rnn")
    assert (second["second"], third["first"]) == ("gru hidden_size=8", "rnn")
    assert first["difference"] == pytest.approx(-0.5, abs=0.1)
    assert first["low"] < first["difference"] < first["high"] < 0
    assert (first["told apart"], first["windows"], first["horizons"], first["seeds"]) == (True, 50, "8", None)


def scores(sets: int, gap: float = 0.0, seed: int = 0, horizons: tuple[int, ...] = (8, 16)) -> pl.DataFrame:
    """Rows of three models on `sets` data sets; `gru` is better by a share `gap`."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(sets):
        for horizon in horizons:
            for model in ("gru", "lstm", "rnn"):
                mse = (10.0**number % 7 + 1) * np.exp(0.1 * rng.standard_normal() - gap * (model == "gru"))
                task = {"dataset": f"set{number}", "horizon": horizon, "model": model}
                rows += [{**ROW, **task, "seed": seed, "mse": mse * (0.9 + 0.2 * seed), "mae": 1.0} for seed in (0, 1)]
    return pl.DataFrame(rows, schema=results.COLUMNS)


def test_standings_rank_models_over_data_sets() -> None:
    table = standings(scores(12, gap=1.0))
    first = table.row(0, named=True)
    assert (first["model"], first["group"], first["tasks"], first["p"]) == ("gru", 1, 24, None)
    assert [first[name] for name in ("rank", "low", "high", "wins")] == pytest.approx([1.0] * 4)
    assert table["group"].to_list() == [1, 2, 2]
    assert table["p"][1:].to_list() == pytest.approx([2 * 2 / 2**12] * 2)  # the least that twelve can say, twice
    assert table["rank"].sum() == pytest.approx(6)


def test_standings_of_equals_are_one_group_and_few_data_sets_have_none() -> None:
    equal = standings(scores(12))
    assert equal["group"].to_list() == [1, 1, 1]
    assert equal["p"][1:].min() > 0.05  # type: ignore[operator]
    few = standings(scores(7, gap=1.0))
    assert few["group"].is_null().all()
    assert few["p"].is_null().all()
    assert few["low"].is_not_null().all()
    with pytest.raises(InputError, match="need at least two"):
        standings(scores(1))


def test_standings_take_the_configuration_chosen_on_validation() -> None:
    rows = scores(8).with_columns(val_mse=pl.lit(0.5))
    other = scores(8, gap=9.0).filter(pl.col("model") == "gru").with_columns(config=pl.lit('{"a": 1}'))
    worse, better = (standings(pl.concat([rows, other.with_columns(val_mse=v)])) for v in (pl.lit(0.6), pl.lit(0.4)))
    assert worse.equals(standings(rows))
    assert better["wins"][0] == 1.0


def test_standings_put_models_that_lack_a_task_last() -> None:
    rows = scores(8, gap=1.0)
    lacking = rows.filter(~((pl.col("model") == "gru") & (pl.col("dataset") == "set3") & (pl.col("horizon") == 8)))
    table = standings(lacking)
    assert table["model"][2] == "gru"
    assert table.row(2, named=True)["tasks"] == 15
    assert table["rank"].to_list()[2] is None
    with pytest.raises(InputError, match="no model has a row for every data set"):
        standings(rows.filter(pl.col("dataset").str.ends_with("1") == (pl.col("model") == "gru")))
