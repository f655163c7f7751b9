"""What the library says in Python, a command says in its own options; what it wrote, it names."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tsrnn import Tagger, load
from tsrnn.errors import InputError
from tsrnn.simulate import wells
from tsrnn.spoken import Option, command, worded

Run = Callable[..., tuple[int, str, str]]
FIT = {
    "id": Option("--id"),
    "missing": Option("--missing", many=True),
    "wind": Option("--wind"),
    "future": Option("--future", many=True),
    "load": Option("--load", many=True),
    "set": Option("--set", many=True),
}
PREDICT = {"load": Option("--load", many=True), "future": Option("--future"), "on_short": Option("--on-short")}
BENCH = {"config": Option("--config"), "horizons": Option("--horizons"), "input_size": Option("--input-size")}
ALONG = {"past": Option("--past", many=True)}
SAMPLE = {"count": Option("--count"), "seed": Option("--seed")}
ALPHA = {"alpha": Option("--alpha")}
FLAGGED = {"adaptive": Option("--adaptive", switch=True)}


@pytest.mark.parametrize(
    ("options", "python", "shell"),
    [
        (FIT, "pass sort=True", "pass --load sort=true"),
        (FIT, "pass id='my shop' if it tells", "pass --id 'my shop' if it tells"),
        (FIT, "pass its name as id=, if not", "pass its name as --id, if not"),
        (FIT, "(missing=[-9999] takes them)", "(--missing -9999 takes them)"),
        (FIT, 'missing={"wv": [-9999, "M"]} does', "--missing wv=-9999 --missing wv=M does"),
        (FIT, 'wind={"speed": ..., "direction": ...} makes', "--wind SPEED,DIRECTION makes"),
        (FIT, "name past_covariates= or future_covariates='rain'", "name past_covariates= or --future rain"),
        (FIT, "pass future=... with the next steps'", "pass future=... with the next steps'"),
        (PREDICT, "pass future=... with the next steps'", "pass --future with the next steps'"),
        (PREDICT, "give more, or fit with pad=True", "give more, or fit with --set pad=true"),
        (PREDICT, "it must be fitted with quantiles=[...]", "it must be fitted with --quantiles"),
        (PREDICT, "pass pad=True", "pass pad=True"),
        (PREDICT, "it has input_size=24", "it has input_size=24"),
        (PREDICT, "leave it out with on_short='skip'", "leave it out with --on-short skip"),
        (FIT, "fit it with masks=False, centring='none'", "fit it with --set masks=false, --set centring=none"),
        (
            FIT,
            "--load resample=0.5, --load families= and --set pad=",
            "--load resample=0.5, --load families= and --set pad=",
        ),
        (FIT, "column 'my id=3' and \"a sort=True\"", "column 'my id=3' and \"a sort=True\""),
        (FIT, "nobody=3 and x=4 and f(sort=True)", "nobody=3 and x=4 and f(sort=True)"),
        (FLAGGED, "call it with adaptive=True", "call it with --adaptive"),
        (FLAGGED, "call it with adaptive=False", "call it with adaptive=False"),
        (
            FIT,
            "clip takes True or False; panel.notes tells all",
            "--load clip takes true or false; `tsrnn describe` tells all",
        ),
        (SAMPLE, "n must be a whole number from 1, not 0", "--count must be a whole number from 1, not 0"),
        (ALONG, "to tell 'rock' from; name inputs=", "to tell 'rock' from; name --past"),
        (FIT, "n must be a whole number from 1, not 0", "n must be a whole number from 1, not 0"),
        (FIT, "id takes a column, and the wind is 3", "--id takes a column, and the wind is 3"),
        (FIT, "max_epochs must be above 0", "max_epochs must be above 0"),
        (PREDICT, "on_short must be 'error' or 'skip'", "--on-short must be 'error' or 'skip'"),
        (BENCH, "give more, or fit with pad=True", "give more, or fit with pad = true in a TOML file (--config)"),
        (BENCH, "leave it out with on_short='skip'", 'leave it out with on_short = "skip" in a TOML file (--config)'),
        (BENCH, "input_size=24 and horizon=6 need 30", "--input-size 24 and --horizons 6 need 30"),
        (BENCH, "lower input_size or horizon, or give", "lower --input-size or --horizons, or give"),
        (BENCH, "nobody=3; fit with quantiles=[...]", "nobody=3; fit with quantiles in a TOML file (--config)"),
        (FLAGGED, "lower input_size or horizon; or lower horizon", "lower input_size or horizon; or lower horizon"),
        (PREDICT, "take a larger alpha, or fit with a larger val_size=", "fit with a larger --set val_size="),
        (PREDICT, "fit with a larger val_size=, or pass sound=, rows", "fit with a larger --set val_size="),
        (ALPHA, "take a larger alpha, or fit anew", "take a larger alpha, or fit anew"),
        (PREDICT, "or load them with sort=True", "or load them with --load sort=true"),
        (PREDICT, "give one series, or fit with id='my well'", "give one series, or fit with --id 'my well'"),
        ({}, "take a larger alpha, or pass sound=", "take a larger alpha, or pass sound="),
        ({}, "pass sort=True; panel.notes tells all", "pass sort=True; panel.notes tells all"),
    ],
)
def test_a_sentence_is_in_the_words_of_the_command_that_runs(
    options: dict[str, Option], python: str, shell: str
) -> None:
    with command(options):
        assert worded(python) == shell
    assert worded(python) == python


def test_what_a_refusal_tells_to_pass_can_be_passed(run: Run, tmp_path: Path) -> None:
    hours = [f"2024-01-{day:02d},{day % 7}.0" for day in (2, 1, *range(3, 29))]
    (tmp_path / "mine.csv").write_text("\n".join(["date,load", *hours]) + "\n")
    status, _, err = run("describe", "mine.csv")
    assert status == 2
    assert err.endswith("sort the rows, or pass --load sort=true\n")
    assert run("describe", "mine.csv", "--load", "sort=true")[0] == 0
    status, _, err = run("describe", "mine.csv", "--load", "sort=often")
    assert (status, err) == (2, "tsrnn: --load sort takes true or false, not 'often'\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fit", "transformer", "--out", "m", "--input-size", "0"), "--input-size must be a whole number of steps"),
        (("fit", "transformer", "--out", "m", "--quantiles", "2"), "--quantiles must be different numbers between 0"),
        (("tune", "transformer", "--minutes", "0"), "--minutes must be above 0, not 0.0"),
        (("tune", "transformer", "--seed", "-1"), "--seed takes a whole number of 64 bits"),
        (("backtest", "transformer", "--windows", "0"), "--windows must be at least 1, not 0"),
        (("fit", "transformer", "--out", "m", "--load", "fill=0"), "--load fill takes the most steps"),
    ],
)
def test_a_refusal_begins_with_the_option_that_is_wrong(run: Run, words: tuple[str, ...], said: str) -> None:
    status, _, err = run(*words)
    assert status == 2
    assert err.startswith(f"tsrnn: {said}")


@pytest.mark.parametrize(
    ("words", "mended"),
    [
        (("fit", "mine.csv", "--model", "ols", "--horizon", "4", "--out", "m"), ("--set", "pad=true")),
        (
            ("tune", "mine.csv", "--model", "ols", "--horizon", "4", "--trials", "1"),
            ("--set", "pad=true", "--study", "2"),
        ),
        (("bench", "mine.csv", "--models", "ols", "--horizons", "4", "--workers", "0"), ("--config", "c.toml")),
    ],
)
def test_short_series_are_mended_by_what_the_refusal_names(
    run: Run, tmp_path: Path, words: tuple[str, ...], mended: tuple[str, ...]
) -> None:
    rows = [f"{name},{step},{step % 7}" for name, count in (("a", 200), ("b", 24)) for step in range(count)]
    (tmp_path / "mine.csv").write_text("\n".join(["unique_id,ds,y", *rows]) + "\n")
    (tmp_path / "c.toml").write_text('model = "ols"\ninput_size = 30\npad = true\n')
    asked = (*words, "--input-size", "30")
    status, _, err = run(*asked)
    option = "--set pad=true" if mended[0] == "--set" else "pad = true in a TOML file (--config)"
    assert (status, f"or fit with {option}" in err) == (2, True)
    assert "pad=True" not in err
    assert "lower --input-size or --horizon" in err
    status, _, err = run(*asked, *mended)
    assert status == 0, err


def test_a_notice_names_the_option_and_the_notes_do_too(run: Run, tmp_path: Path) -> None:
    rows = [f"{hour},{hour % 5 if hour != 30 else -9999}" for hour in range(60)]
    (tmp_path / "mine.csv").write_text("\n".join(["time,load", *rows]) + "\n")
    _, out, err = run("describe", "mine.csv")
    assert "(--missing -9999 takes" in err
    assert "--missing" in out
    assert "missing=" not in out + err


def test_rows_of_a_saved_model_are_read_as_its_training_was(run: Run, tmp_path: Path) -> None:
    rows = [f"{hour},{hour % 5}" for hour in range(80)]
    (tmp_path / "mine.csv").write_text("\n".join(["time,load", *rows[:40], *rows[43:]]) + "\n")
    fit = ("fit", "mine.csv", "--model", "repeat_last", "--input-size", "4", "--horizon", "2")
    assert run(*fit, "--load", "fill=3", "--out", "saved")[0] == 0
    status, _, err = run("predict", "saved", "mine.csv", "--load", "fill=2")
    assert status == 2
    assert "leave --load fill out" in err


def test_what_was_written_is_named(run: Run, tmp_path: Path) -> None:
    rows = [f"{hour},{hour % 5}" for hour in range(80)]
    (tmp_path / "mine.csv").write_text("\n".join(["time,load", *rows]) + "\n")
    run("fit", "mine.csv", "--model", "repeat_last", "--input-size", "4", "--horizon", "2", "--out", "saved")
    for words, out in (
        (("predict", "saved", "mine.csv"), "f.csv"),
        (("forecasts", "saved", "mine.csv"), "g.parquet"),
        (("plot", "mine.csv"), "h.png"),
    ):
        status, shown, err = run(*words, "--out", out)
        assert (status, shown) == (0, "")
        assert f"tsrnn: wrote {out}\n" in err
        assert Path(out).stat().st_size
    assert "wrote" not in run("predict", "saved", "mine.csv")[2]


def test_what_a_saved_model_is_told_to_be_given_can_be_given(run: Run, tmp_path: Path) -> None:
    """Its columns, and how its rows are read, are the training's: no word of a fit mends what it is asked of."""
    rows = wells(wells=2, rows=60).select("well", "depth", "facies", "GR")
    small = {"input_size": 16, "hidden_size": 2, "num_layers": 1, "max_epochs": 1, "max_windows": 16}
    small |= {"on_unlearnt": "note", "progress": False}
    rows = rows.with_columns(facies=pl.Series(["sand", "shale"] * 60))
    told = Tagger("bigru", **small).fit(rows, target="facies", inputs=["GR"], id="well", time="depth")
    told.save(tmp_path / "tagger")
    turned, twice = pl.concat([rows[9::-1], rows[10:]]), pl.concat([rows[:10], rows[9:]])
    turned.write_csv(tmp_path / "turned.csv")
    twice.write_csv(tmp_path / "twice.csv")
    with pytest.raises(InputError, match=r"sort the rows, or load them with sort=True$"):
        told.predict(turned)
    assert told.predict(load(tmp_path / "turned.csv", target="GR", sort=True)).equals(told.predict(rows))
    with pytest.raises(InputError, match=r"stands twice; drop one$"):
        told.predict(twice)
    status, _, err = run("predict", "tagger", "turned.csv")
    assert (status, err.endswith("sort the rows, or load them with --load sort=true\n")) == (2, True)
    assert run("predict", "tagger", "turned.csv", "--load", "sort=true")[0] == 0
    status, _, err = run("sample", "tagger")
    said = "tagger holds no Generator, but a saved Tagger, which `tsrnn predict` asks; in Python read it with"
    assert (status, said in err) == (2, True)
    one = rows.filter(pl.col("well") == "W-01").drop("well")
    alone = Tagger("bigru", **small).fit(one, target="facies", inputs=["GR"], time="depth")
    joined = pl.concat([one, one.with_columns(GR=pl.col("GR") + 1)])
    with pytest.raises(InputError, match="if these are several series, give one series at a time, as the training's"):
        alone.predict(joined)


def test_a_detector_that_wants_more_sound_rows_says_how_to_fit_it(run: Run, tmp_path: Path) -> None:
    waves = pl.DataFrame({"ds": range(300), "a": [(k % 13) * 1.0 + (k % 7) for k in range(300)]})
    waves.write_csv(tmp_path / "waves.csv")
    fit = ("fit", "waves.csv", "--task", "detect", "--model", "ols", "--input-size", "16", "--out")
    assert run(*fit, "few")[0] == 0
    status, _, err = run("predict", "few", "waves.csv")
    assert (status, err.endswith("and there are 30; fit with a larger --set val_size=\n")) == (2, True)
    assert run(*fit, "many", "--set", "val_size=0.5")[0] == 0
    assert run("predict", "many", "waves.csv")[0] == 0
