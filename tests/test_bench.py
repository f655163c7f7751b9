"""The benchmark: plans from suites, rows with provenance, nothing lost by a kill, no test row used before its time."""

import json
import os
import signal
import subprocess
import sys
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import jobs
import numpy as np
import polars as pl
import pytest
import torch
from filelock import FileLock
from small import wide_frame

from tsrnn import InputError, alive, allocator, bench, catalog, claims, faces, models, registry, simulate, suites
from tsrnn import fit as training
from tsrnn.bench import data
from tsrnn.bench.screen import seconds_left
from tsrnn.board import rows as results
from tsrnn.errors import Notice
from tsrnn.forecaster import Forecaster
from tsrnn.registry import names


@pytest.fixture
def file(tmp_path: Path) -> str:
    """400 hours of two loads."""
    t = np.arange(400)
    noise = np.random.default_rng(0).standard_normal(400) / 20
    frame = pl.DataFrame({"date": pl.datetime_range(*_YEAR, "1h", eager=True).head(400), "a": np.sin(t / 3.8) + noise})
    path = tmp_path / "mine.csv"
    frame.with_columns(b=pl.col("a").shift(1).fill_null(0)).write_csv(path)
    return str(path)


_YEAR = (pl.datetime(2024, 1, 1), pl.datetime(2024, 12, 31))
WELLS = simulate.wells(wells=4, rows=120).with_columns(
    pl.col("RHOB", "NPHI").fill_nan(None).forward_fill().backward_fill()
)
TINY = bench.Wishes(models=("repeat_last", "ols"), horizons=(6,), seeds=(0,), input_size=24)


def suite_files() -> list[str]:
    return sorted(path.stem for path in Path(suites.__file__).parent.glob("*.toml"))


@pytest.mark.parametrize("suite", suite_files())
@pytest.mark.parametrize("preset", ["smoke", "quick", "full"])
def test_every_suite_asks_for_models_and_options_that_exist(suite: str, preset: str) -> None:
    found = suites.preset(suite, preset)
    assert suite == "default" or suites.find(suite).data in catalog.names()
    assert found.horizons
    assert found.seeds
    for name, params in found.models.items():
        said = {option: value for option, value in params.items() if option not in ("input_size", "horizon")}
        faces.make(suites.find(suite).task, name, params.get("input_size", 24), 1, said).configs()


def test_the_quick_preset_of_etth1_is_broad_and_the_full_one_has_every_model() -> None:
    quick, full = suites.preset("ETTh1", "quick"), suites.preset("ETTh1", "full")
    assert quick.horizons == (96, 336)
    assert {"repeat_last", "seasonal_naive", "ols", "lstm", "gru", "bilstm", "seq2seq", "segrnn", "selective"} <= set(
        quick.models
    )
    others = {"arx", "damped", "residual", "smoothing_gru"}  # of wells, of stations, of short series
    assert set(full.models) == set(names("models")) - others
    assert (full.horizons, len(full.seeds)) == ((96, 192, 336, 720), 5)


def test_a_row_can_be_run_again(file: str, tmp_path: Path) -> None:
    job = bench.plan(bench.Source(file), "smoke", replace(TINY, models=("nlinear",)))[0]
    row, again = bench.run_one(job), bench.run_one(job)
    assert (row["mse"], row["mae"]) == (again["mse"], again["mae"])
    assert row["windows"] == 400 // 5 - 6 + 1
    assert row["sha256"] == catalog.digest(Path(file))
    assert json.loads(row["config"]) == job.options
    assert set(row) <= set(results.COLUMNS)
    naive = bench.run_one(replace(job, model="repeat_last", options={}))
    test = pl.read_csv(file)["a"].to_numpy()
    train = test[:280]
    scaled = (test - train.mean()) / train.std()
    starts = np.arange(320, 400 - 6 + 1)
    mse = np.mean([(scaled[s : s + 6] - scaled[s - 1]) ** 2 for s in starts])
    rows = bench.run_one(
        replace(job, source=bench.Source(file, (("target", ("a",)),)), model="repeat_last", options={})
    )
    assert rows["mse"] == pytest.approx(mse, rel=1e-4)
    assert naive["parameters"] == 0


def test_a_row_names_the_device_of_its_fit(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    job = bench.plan(bench.Source(file), "smoke", TINY)[0]
    assert bench.run_one(job)["device"] == "cpu"
    fit = training.fit
    monkeypatch.setattr(training, "fit", lambda *given: replace(fit(*given), device="cuda"))
    assert bench.run_one(job)["device"] == "cuda"


@pytest.mark.parametrize("threads", [1, 2])
def test_a_fit_has_the_threads_that_its_row_says_whatever_the_process_has(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    job = bench.plan(bench.Source(file), "smoke", replace(TINY, threads=threads))[0]
    seen, fit = [], training.fit
    monkeypatch.setattr(training, "fit", lambda *given: seen.append(torch.get_num_threads()) or fit(*given))
    with allocator.threads(3):
        row = bench.run_one(job)
        assert (row["threads"], seen, torch.get_num_threads()) == (threads, [threads], 3)
    results.append(tmp_path, row)
    assert results.load(tmp_path / "repeat_last.csv")["threads"].to_list() == [threads]


def test_rows_from_before_threads_were_written_are_read_and_added_to(file: str, tmp_path: Path) -> None:
    row = bench.run_one(bench.plan(bench.Source(file), "smoke", TINY)[0])
    results.append(tmp_path, row | {"threads": None})
    assert "threads" not in (tmp_path / "repeat_last.csv").read_text().split("\n")[0]
    results.append(tmp_path, row | {"seed": 1})
    assert results.load(tmp_path / "repeat_last.csv")["threads"].to_list() == [None, 1]


def test_rows_that_are_there_are_not_run_again(file: str, tmp_path: Path) -> None:
    jobs = bench.plan(bench.Source(file), "smoke", TINY)
    assert len(bench.run(jobs, tmp_path / "r", workers=0)) == 2
    assert bench.run(jobs, tmp_path / "r", workers=0) == []
    more = bench.plan(bench.Source(file), "smoke", replace(TINY, horizons=(6, 12)))
    assert [job.horizon for job in bench.pending(more, tmp_path / "r")] == [12, 12]
    other = bench.plan(bench.Source(file, (("target", ("a",)),)), "smoke", TINY)
    assert len(bench.pending(other, tmp_path / "r")) == 2


def test_a_file_of_the_same_name_is_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prints = []
    for folder, factor in (("x", 1.0), ("y", 2.0), ("y", 3.0)):
        (tmp_path / folder).mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / folder)
        rows = pl.DataFrame({"depth": range(100), "a": [factor * (k % 7) for k in range(100)]})
        rows.write_csv("mine.csv")
        os.utime("mine.csv", (factor, factor))
        prints.append(bench.plan(bench.Source("mine.csv"), "smoke", TINY)[0].sha256)
    assert len({*prints}) == 3


def test_workers_do_not_say_again_what_was_said_of_a_file(tmp_path: Path) -> None:
    rows = pl.DataFrame({"depth": range(100), "a": [-9999.0 if k == 5 else k % 7 / 7 for k in range(100)]})
    rows.write_csv(tmp_path / "mine.csv")
    source = bench.Source(str(tmp_path / "mine.csv"))
    with pytest.warns(Notice, match="holds? -9999"):
        jobs = bench.plan(source, "smoke", TINY)
    data._opened.cache_clear()  # as in a worker
    with warnings.catch_warnings():
        warnings.simplefilter("error", Notice)
        bench.run_one(jobs[0])


def test_a_model_that_no_seed_changes_is_fitted_once(file: str) -> None:
    wishes = replace(TINY, models=("repeat_last", "ols", "nlinear"), seeds=(2, 0))
    jobs = bench.plan(bench.Source(file), "smoke", wishes)
    assert [(job.name, job.seed) for job in jobs] == [("repeat_last", 2), ("ols", 2), ("nlinear", 2), ("nlinear", 0)]


@pytest.mark.parametrize("name", sorted(name for name in names("models.*") if not models.find(name).kind.by_chance))
def test_what_no_seed_changes_is_the_same_by_two_seeds(name: str) -> None:
    if name == "trees":
        pytest.importorskip("sklearn")
    ahead = "ahead" in models.find(name).kind.tasks
    values = ahead or registry.declared("models", name, "TELLS") == "values"
    roles = {"id": "well", "time": "depth", "target": "GR" if values else "facies"}
    if "past" in models.reads(name, models.configure(name, {})):
        roles["past_covariates" if ahead else "inputs"] = ["RHOB", "NPHI"]
    held_out = {"by_series": {"val": ["W-03"], "test": ["W-04"]}}
    task = "ahead" if ahead else "along"
    fits = [faces.make(task, name, 24, 4, {**faces.comparing(task), "random_state": seed}) for seed in (0, 1)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Notice)
        one, other = (each.fit(WELLS, split=held_out, **roles).score(split=held_out).values for each in fits)
    assert one == other


def test_a_seed_named_twice_is_one_fit(file: str, tmp_path: Path) -> None:
    jobs = bench.plan(bench.Source(file), "smoke", replace(TINY, seeds=(0, 0)))
    assert len(bench.run(jobs, tmp_path / "r", workers=0)) == 2


@pytest.mark.parametrize("workers", [0, 1])
def test_every_test_window_is_stored_beside_its_row(file: str, tmp_path: Path, workers: int) -> None:
    jobs = bench.plan(bench.Source(file), "smoke", TINY)
    folder, told = tmp_path / "r", list[float]()
    outcomes = bench.run(jobs, folder, workers, on_done=lambda outcome: told.append(outcome.result["mse"]))
    rows = results.existing(folder)
    assert rows is not None
    assert sorted(told) == sorted(rows["mse"]) == sorted(outcome.result["mse"] for outcome in outcomes)  # type: ignore[index]
    for row in rows.to_dicts():
        losses = results.losses(folder, row)
        assert losses is not None
        assert losses["step"].to_list() == list(range(320, 400 - 6 + 1))
        assert set(losses["series"]) == {0}
        for metric in ("mse", "mae"):
            assert losses[metric].mean() == pytest.approx(row[metric], rel=1e-4)  # in half precision


def test_losses_of_windows_count_measured_cells_and_steps_of_their_series() -> None:
    pieces = []
    for name, rows in (("a", 300), ("b", 200)):
        values = np.sin(np.arange(rows) / 4.0) + (name == "b")
        values[-20:-10] = np.nan
        dates = pl.datetime_range(*_YEAR, "1h", eager=True).head(rows)
        pieces.append(pl.DataFrame({"unique_id": [name] * rows, "ds": dates, "y": values}))
    model = Forecaster("repeat_last", input_size=12, horizon=6).fit(pl.concat(pieces), split=bench.SHARES)
    score = model.score(split=bench.SHARES)
    losses = pl.DataFrame(dict(score.by_window))
    assert len(losses) == score.windows
    assert losses.filter(series=0)["step"].to_list()[0] == 240
    assert losses.filter(series=1)["step"].to_list()[0] == 160
    assert losses["step"].max() == 300 - 6
    seen = losses.filter(pl.col("mse").is_not_nan())
    assert 0 < len(seen) <= len(losses)
    assert score.mse > 0
    assert not np.isclose(seen["mse"].mean(), score.mse)  # windows with missing cells weigh less in the score


def test_a_fit_that_fails_does_not_stop_the_others(file: str, tmp_path: Path) -> None:
    jobs = bench.plan(bench.Source(file), "smoke", replace(TINY, horizons=(6, 900)))
    outcomes = bench.run(jobs, tmp_path / "r", workers=0)
    assert [outcome.error is None for outcome in outcomes] == [True, False, True, False]
    assert "need 924" in str(outcomes[1].error)
    assert results.existing(tmp_path / "r").height == 2  # type: ignore[union-attr]


def test_the_time_left_is_guessed_from_fits_that_trained(file: str, tmp_path: Path) -> None:
    jobs = bench.plan(bench.Source(file), "smoke", TINY)
    outcomes = bench.run(jobs, tmp_path / "r", workers=0)
    assert seconds_left(jobs, outcomes, 1) is None  # naive fits say nothing about training
    trained = [replace(outcomes[0], result={"epochs": 3}, seconds=8.0)]
    assert seconds_left(jobs, trained, 2) == pytest.approx(4.0)


def test_a_config_without_a_model_is_refused(file: str, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("hidden_size = 3\n")
    with pytest.raises(InputError, match="names no model"):
        bench.plan(bench.Source(file), "smoke", bench.Wishes(config=path))


def start(file: str, out: Path, workers: int = 1) -> "subprocess.Popen[str]":
    words = [
        "bench",
        file,
        "--models",
        "repeat_last,ols,nlinear",
        "--horizons",
        "6",
        "--seeds",
        "0",
        "--input-size",
        "24",
    ]
    command = [sys.executable, "-m", "tsrnn.cli", *words, "--out", str(out), "--workers", str(workers)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def session(number: int) -> list[str]:
    """The processes of a session that still run, where the system lists them."""
    running = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            state, _, _, its, *_ = path.read_text(errors="replace").rpartition(")")[2].split()
            running += [path.parent.name] if its == str(number) and state not in "ZX" else []
    return running


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_stopped_benchmark_keeps_what_was_finished_and_goes_on(
    file: str, tmp_path: Path, how: signal.Signals
) -> None:
    folder = tmp_path / "res" / "mine"
    last = bench.plan(bench.Source(file), "quick", replace(TINY, models=("nlinear",)))[0]
    folder.mkdir(parents=True)
    assert claims.Claims(folder, alive.this(), "this test").take(last.stem)  # it cannot end before it is stopped
    process = start(file, tmp_path / "res")
    jobs.wait_for(lambda: list(folder.glob("*.csv")), process)
    with FileLock(folder / ".lock"):  # nor go on
        process.send_signal(how)
        if how is signal.SIGKILL:
            process.wait()
    _, err = process.communicate()
    assert process.returncode == (-signal.SIGKILL if how is signal.SIGKILL else 128 + how)
    jobs.wait_for(lambda: not session(process.pid))
    if how is not signal.SIGKILL:
        assert "what was finished is kept" in err
        assert "Traceback" not in err
        assert "leaked" not in err
    kept = results.existing(folder)
    assert kept is not None
    assert 1 <= kept.height <= 2
    claims.Claims(folder, alive.this(), "this test").release(last.stem)
    process = start(file, tmp_path / "res")
    _, err = process.communicate()
    assert process.returncode == 0
    assert f"{kept.height} of 3 rows already in" in err
    rows = results.existing(folder)
    assert rows is not None
    assert rows.height == 3
    assert [path.name for path in folder.glob(".*")] == [".lock"]


@pytest.mark.slow
@pytest.mark.parametrize(("runs", "workers"), [(2, 2), (4, 0)])
def test_benchmarks_into_one_folder_share_the_fits_and_show_all_rows(
    file: str, tmp_path: Path, runs: int, workers: int
) -> None:
    folder = tmp_path / "res" / "mine"
    programs = [start(file, tmp_path / "res", workers) for _ in range(runs)]
    said = [program.communicate() for program in programs]
    assert [program.returncode for program in programs] == [0] * runs
    rows = results.load(folder / "nlinear.csv").vstack(results.load(folder / "ols.csv"))
    assert rows.height == 2
    assert sum(err.count("MSE") for _, err in said) == 3
    assert all(model in out for out, _ in said for model in ("repeat_last", "ols", "nlinear"))
    assert [path.name for path in folder.glob(".*")] == [".lock"]


@pytest.mark.parametrize("name", ["ETTh1"])
def test_the_naive_forecasts_reach_their_known_scores_on_every_window(name: str) -> None:
    if catalog.find(catalog.row(name)) is None:
        pytest.skip(f"{name} is not here")
    known = {
        "repeat_last": (1.2944, 1.3249, 1.3299, 1.3351),
        "seasonal_naive": (0.5122, 0.5808, 0.6499, 0.6554),
    }
    windows = {96: 2785, 192: 2689, 336: 2545, 720: 2161}
    for model, scores in known.items():
        wishes = bench.Wishes(models=(model,), horizons=tuple(windows), seeds=(0,))
        for job, score in zip(bench.plan(bench.Source(name), "quick", wishes), scores, strict=True):
            row = bench.run_one(job)
            assert row["windows"] == windows[job.horizon]
            assert round(row["mse"], 4) == score


def test_a_fit_that_fails_is_told_of_once(run, tmp_path):
    wide_frame(200).write_csv(tmp_path / "w.csv")
    status, _, err = run(
        "bench", "w.csv", "--models", "ols", "--input-size", "150", "--horizons", "60", "--workers", "0"
    )
    assert status == 2
    assert err.count("failed: ") == 1, err
    assert "run `tsrnn bench" not in err, err  # that there are no rows to make a page of goes without saying


def test_a_fit_is_told_by_its_number_or_its_id(run, file: str, tmp_path: Path) -> None:
    words = ("bench", file, "--models", "repeat_last,ols", "--horizons", "6,12", "--input-size", "24")
    status, out, err = run(*words, "--out", "res", "--list", "--json")
    fits = json.loads(out)
    assert (status, [fit["number"] for fit in fits], {fit["done"] for fit in fits}) == (0, [0, 1, 2, 3], {False})
    assert fits[3]["fit"] == "ols horizon 12 seed 0"
    assert not Path("res").exists()
    assert run(*words, "--out", "res", "--only", f"0,{fits[3]['id']}", "--workers", "0")[0] == 0
    assert run(*words, "--out", "res", "--only", "3", "--on", "here")[2].startswith("1 of 1 row already in")
    assert not list(Path("res").glob("**/*.html"))
    status, out, err = run(*words, "--out", "res", "--list")
    assert [line.split()[0] for line in out.splitlines() if " done " in line] == ["0", "3"]
    assert err == "tsrnn: 2 of 4 fits left to do, into res/mine\n"
    status, _, err = run(*words, "--out", "res", "--only", "4", "--workers", "0")
    assert (status, err.count("no fit of this benchmark is called '4'; take a number from 0 to 3")) == (2, 1)
    status, _, err = run(*words, "--out", "res", "--only", "", "--workers", "0")  # as of an unset variable
    assert (status, err.count("no fit was named; give numbers or ids")) == (2, 1)
    said = run(*words, "--out", "res", "--only", f"3,{fits[3]['id']}", "--on", "here")[2]
    assert said.startswith("1 of 1 row already")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a shell's script")
def test_the_script_of_the_guide_does_one_fit_of_an_array(file: str, tmp_path: Path) -> None:
    script = Path(__file__).parents[1] / "docs" / "guide" / "bench.slurm"
    words = [file, "--models", "repeat_last,ols", "--horizons", "6", "--input-size", "24", "--seeds", "0"]
    (tmp_path / "tsrnn").write_text(f'#!/bin/sh\nexec {sys.executable} -m tsrnn.cli "$@"\n')
    (tmp_path / "tsrnn").chmod(0o755)
    task = {"SLURM_ARRAY_TASK_ID": "1", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    out = ["--out", str(tmp_path / "res")]
    done = subprocess.run(["sh", script, *words, *out], env={**os.environ, **task}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "res" / "mine").glob("*.csv")] == ["ols.csv"]


def test_a_cluster_s_resources_are_asked_of_a_cluster(run, file: str) -> None:
    status, _, err = run("bench", file, "--need", "gpu=0.5")
    assert (status, "'processes' has no resources to ask for, such as 'gpu'" in err) == (2, True)
    assert run("bench", file, "--on", "processes://a:1")[0] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--models", ","), "--models names nothing; name one or several, separated by commas, or leave it out"),
        (("--seeds", ""), "--seeds takes whole numbers separated by commas, not ''"),
        (("--horizons", ","), "--horizons takes whole numbers separated by commas, not ','"),
    ],
)
def test_an_option_that_names_nothing_is_not_left_out(run, file: str, words: tuple[str, str], said: str) -> None:
    """As of a shell's variable that was never set: the whole suite would run."""
    status, _, err = run("bench", file, *words, "--list")
    assert (status, said in err) == (2, True)
