"""Lines judged by stored windows, with the spread of seeds added; standings over data sets."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from tsrnn.board import difference, ties
from tsrnn.board import rows as results
from tsrnn.board import table as boards
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
    together = groups(tmp_path)
    assert together["gru"] == together["lstm"] == 1
    assert together["rnn"] == 2
    assert set(groups(tmp_path, windows=False).values()) == {None}


def test_rows_from_one_folder_up_find_their_windows(tmp_path: Path) -> None:
    world(tmp_path / "mine", np.random.default_rng(0), {"gru": 0.0, "rnn": 0.5})
    assert groups(tmp_path) == groups(tmp_path / "mine") == {"gru": 1, "rnn": 2}


def test_seeds_alone_tell_nothing(tmp_path: Path) -> None:
    for model, mse in (("gru", 0.4), ("rnn", 0.6)):
        for seed in range(5):
            results.append(tmp_path, {**ROW, "model": model, "seed": seed, "mse": mse + seed / 1000, "mae": 0.5})
    assert groups(tmp_path) == {"gru": None, "rnn": None}
    (pair,) = ties.pairs(_lines(tmp_path), "horizon", "mse", tmp_path)
    assert (pair.p, pair.told_apart, pair.difference) == (None, None, None)
    assert pair.mean == pytest.approx(-0.2)


def test_a_line_without_losses_has_no_group_and_without_the_leaders_there_are_none(tmp_path: Path) -> None:
    world(tmp_path, np.random.default_rng(0), {"gru": 0.0, "rnn": 0.5})
    bare = {**ROW, "seed": 0, "mae": 0.5}
    results.append(tmp_path, {**bare, "model": "lstm", "mse": 9.0})
    assert groups(tmp_path) == {"gru": 1, "rnn": 2, "lstm": None}
    assert boards.winner(boards.board(results.read(tmp_path), "horizon", ("mse", "mae"), folder=tmp_path)) is None
    results.append(tmp_path, {**bare, "model": "braid", "mse": 0.1})
    assert set(groups(tmp_path).values()) == {None}


def test_every_seed_of_a_line_must_have_its_losses(tmp_path: Path) -> None:
    world(tmp_path, np.random.default_rng(0), {"gru": 0.0, "rnn": 0.5})
    results.append(tmp_path, {**ROW, "model": "rnn", "seed": 1, "mse": 2.5, "mae": 0.5})
    assert groups(tmp_path) == {"gru": None, "rnn": None}


def _lines(folder: Path) -> list[pl.DataFrame]:
    rows = results.read(folder)
    lines = [line for _, line in rows.group_by("model", maintain_order=True)]
    return sorted(lines, key=lambda line: float(line["mse"].mean()))  # type: ignore[arg-type]


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


def test_the_spread_of_seeds_makes_a_difference_less_sure(tmp_path: Path) -> None:
    """The same windows for every seed, but seeds so far apart that either model could be the better."""
    losses = 1 + means(np.random.default_rng(0).standard_normal(WINDOWS + 7) ** 2)
    apart = (0.0, 3.0, 0.5)
    for seed, by in enumerate(apart):
        store(tmp_path, "gru", seed, losses + by)
        store(tmp_path, "rnn", seed, losses + by + 0.2)
    (pair,) = ties.pairs(_lines(tmp_path), "horizon", "mse", tmp_path)
    assert pair.difference is not None
    assert pair.difference.mean == pytest.approx(-0.2, rel=0.01)
    assert pair.difference.error == pytest.approx((2 * np.var(apart, ddof=1) / 3) ** 0.5, rel=0.01)
    assert pair.difference.freedom == pytest.approx(4, rel=0.01)
    assert (pair.seeds, pair.told_apart) == (6, False)
    alone = difference.cosine(losses, losses + 0.2 + 1e-3 * np.arange(WINDOWS) / WINDOWS, 8)
    assert alone.p < 1e-6, "windows alone would tell them apart"
    assert set(groups(tmp_path).values()) == {1}


def test_seeds_are_averaged_before_windows_are_compared(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    a, b, c = (rng.uniform(0.5, 1, WINDOWS) for _ in range(3))
    store(tmp_path, "gru", 0, a, epochs=0)
    store(tmp_path, "gru", 1, b, epochs=0)  # without epochs nothing is drawn: no spread of seeds is added
    store(tmp_path, "rnn", 0, c, first=100, epochs=0)
    (pair,) = ties.pairs(_lines(tmp_path), "horizon", "mse", tmp_path)
    expected = difference.cosine(((a + b) / 2)[100:], c[:300], 8)
    assert pair.difference is not None
    assert abs(pair.difference.mean) == pytest.approx(abs(expected.mean), rel=1e-2)
    assert pair.difference.error == pytest.approx(expected.error, rel=1e-3)
    assert pair.windows == 300


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
    assert one.p is not None
    assert ten.p == pytest.approx(one.p)


@pytest.mark.parametrize("gap", [0.5, 0.0])
def test_series_of_one_window_each_are_compared_in_pairs(tmp_path: Path, gap: float) -> None:
    """However long they are: at which step of a series its last window begins says nothing."""
    rng = np.random.default_rng(0)
    shared, steps = rng.uniform(0.5, 4, 40), rng.integers(20, 26, 40)  # few lengths, windows that would overlap
    apart = gap + 0.1 * rng.standard_normal(40)
    for model, losses in (("gru", shared), ("rnn", shared + apart)):
        row = {**ROW, "model": model, "seed": 0, "mse": losses.mean(), "mae": 0.5}
        results.append(tmp_path, row, {"series": np.arange(40), "step": steps, "mse": losses, "mae": losses})
    (pair,) = ties.pairs(_lines(tmp_path), "horizon", "mse", tmp_path)
    assert pair.windows == 40
    assert pair.difference is not None
    assert abs(pair.difference.mean) == pytest.approx(abs(apart.mean()), rel=1e-2)
    assert pair.p == pytest.approx(stats.ttest_1samp(apart, 0).pvalue, rel=0.05, abs=1e-6)


def test_horizons_with_too_few_windows_are_left_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for horizon in (8, 81):
        world(tmp_path, rng, {"gru": 0.0, "rnn": 0.5}, horizon=horizon)
    (pair,) = ties.pairs(_lines(tmp_path), "horizon", "mse", tmp_path)
    assert pair.places == (8,)
    assert pair.told_apart


def test_comparisons_with_one_line_are_paid_for_together(tmp_path: Path) -> None:
    world(tmp_path, np.random.default_rng(3), {"a": 0.0, "b": 0.0, "c": 0.0, "d": 0.0})
    lines = _lines(tmp_path)
    compared = ties.pairs(lines, "horizon", "mse", tmp_path)
    judge = ties.Judge(lines, "horizon", "mse", tmp_path)
    alone = [judge.pair(pair.first, pair.second).p for pair in compared]
    assert len(compared) == 6
    families = [difference.holm(np.array(alone[first:last])).tolist() for first, last in ((0, 3), (3, 5), (5, 6))]
    assert [pair.p for pair in compared] == [p for family in families for p in family]


def test_a_line_that_cannot_be_compared_counts_all_the_same(tmp_path: Path) -> None:
    """It might have led: who leads was found among all lines."""
    world(tmp_path, np.random.default_rng(3), {"a": 0.0, "b": 0.01})
    (alone,) = ties.pairs(_lines(tmp_path), "horizon", "mse", tmp_path)
    results.append(tmp_path, {**ROW, "model": "lstm", "seed": 0, "mse": 9.0, "mae": 0.5})
    first, unknown, _ = ties.pairs(_lines(tmp_path), "horizon", "mse", tmp_path)
    assert alone.p is not None
    assert first.p == pytest.approx(min(1, 2 * alone.p))
    assert unknown.p is None


def test_groups_pay_for_comparisons_with_the_leader_alone(tmp_path: Path) -> None:
    """Six lines behind a leader, each at p = 0.005 or so: too much for 21 pairs, not for 6."""
    losses = 1 + means(np.random.default_rng(1).standard_normal(WINDOWS + 7))
    place = np.arange(WINDOWS) + 0.5
    store(tmp_path, "a", 0, losses)
    for number, model in enumerate("bcdefg", 1):
        gap = 0.3 + 0.003 * number + 0.69 * np.cos(np.pi * place * number / WINDOWS)
        store(tmp_path, model, 0, losses + gap)
    lines = _lines(tmp_path)
    alone = [ties.Judge(lines, "horizon", "mse", tmp_path).pair(0, line).p for line in range(1, 7)]
    assert all(p is not None and 0.05 / 21 < p < 0.05 / 6 for p in alone)
    assert groups(tmp_path) == {"a": 1, **dict.fromkeys("bcdefg", 2)}
    assert [pair.told_apart for pair in ties.pairs(lines, "horizon", "mse", tmp_path)][:6] == [True] * 6


@pytest.mark.slow
def test_each_of_equal_models_is_rarely_put_behind_the_leader(tmp_path: Path) -> None:
    split = behind = 0
    for number in range(200):
        world(tmp_path / str(number), np.random.default_rng(number), dict.fromkeys("abcde", 0.0))
        together = groups(tmp_path / str(number))
        split += set(together.values()) != {1}
        behind += together["a"] != 1
    assert behind / 200 <= 0.05
    assert 0.04 <= split / 200 <= 0.15, "that none of them is put behind is not promised"


def test_comparisons_as_records(tmp_path: Path) -> None:
    world(tmp_path, np.random.default_rng(0), {"gru": 0.0, "rnn": 0.5})
    world(tmp_path, np.random.default_rng(1), {"gru": 1.0}, config='{"hidden_size": 8}')
    first, second, third = boards.comparisons(results.read(tmp_path), "horizon", ("mse", "mae"), tmp_path)
    assert (first["first"], first["second"]) == ("gru", "rnn")
    assert (second["second"], third["first"]) == ("gru hidden_size=8", "rnn")
    assert first["difference"] == pytest.approx(-0.5, abs=0.1)
    assert first["low"] < first["difference"] < first["high"] < 0
    assert (first["told apart"], first["windows"], first["horizons"], first["seeds"]) == (True, 400, "8", None)


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
    alone = scores(1).filter(model="gru").head(1)
    for rows in (scores(1), alone):
        with pytest.raises(InputError, match="ranks of mse need two data sets, and these rows are of 'set0' alone"):
            standings(rows)
    unknown = pl.when(pl.col("dataset") == "set0").then("mse").otherwise(float("nan"))
    for mse, said in ((unknown, "have it of 'set0' alone"), (pl.lit(float("nan")), "have it of none")):
        with pytest.raises(InputError, match=f"need two data sets, and these rows {said}; name one to see its board"):
            standings(scores(8).with_columns(mse=mse))


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
