"""--load: what is done with a file's columns on the way to a model, from the command line."""

import json
import re
from pathlib import Path

import pytest
from conftest import Run
from small_logs import HEADER, write

from tsrnn import store

pytest.importorskip("lasio")
TASK = ("--target", "GR", "--model", "ols", "--input-size", "12", "--horizon", "3")


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A well in metres and one in feet, a row every half metre."""
    folder = tmp_path / "logs"
    folder.mkdir()
    feet = HEADER.replace("31/2-10 A", "B").replace("DEPT.M", "DEPT.FT")
    for name, header, unit in (("a.las", HEADER, 1.0), ("b.las", feet, 1 / 0.3048)):
        rows = "".join(f"{(1000 + k / 2) * unit:.6f} {50 + k % 7}\n" for k in range(80))
        write(folder, name, header + rows)
    return folder


def test_wells_in_metres_and_feet_are_learnt_from_together(run: Run, logs: Path) -> None:
    status, _, err = run("fit", "logs", "--out", "saved", *TASK)
    assert (status, "pass --load depth_unit=m to convert them" in err) == (2, True)
    status, _, err = run("fit", "logs", "--out", "saved", *TASK, "--load", "depth_unit=m")
    assert (status, "depth: 80 values converted from ft to m" in err) == (0, True), err
    status, out, err = run(
        "backtest", "logs", *TASK, "--windows", "2", "--load", "depth_unit=m", "--load", "resample=1.0"
    )
    assert (status, out.startswith("well,depth,")) == (0, True), err


def test_every_command_that_reads_a_file_takes_the_words_of_load(run: Run, logs: Path, tmp_path: Path) -> None:
    other = HEADER.replace("GR.gAPI", "GRC.gAPI").replace("31/2-10 A", "C")
    write(tmp_path, "c.las", other + "".join(f"{1000 + k / 2} {50 + k % 7}\n" for k in range(400)))
    meant = ("--load", "families=true", "--load", "resample=1.0", "--load", "depth_unit=m")
    assert run("fit", "logs", "--out", "saved", *TASK, *meant)[0] == 0
    plain = ("--load", "families=false", "--load", "resample=false", "--load", "depth_unit=false")
    assert "unknown column of c.las 'GR'" in run("predict", "saved", "c.las", *plain)[2]
    status, out, err = run("predict", "saved", "c.las", *meant)
    assert (status, out.count("C,120")) == (0, 3), err  # a row per metre
    for command in ("forecasts", "calibrate"):
        status, _, err = run(command, "saved", "c.las", *meant)
        assert status == 0, err
    assert "nothing is watched for drift" in run("drift", "saved", "c.las", *meant)[2]
    status, _, err = run("card", "saved", "--data", "c.las", *meant)
    assert status == 0, err
    assert "160    rows averaged into 41 of step 1" in run("describe", "logs", *meant)[1]
    swept = ("--model", "ols", "--trials", "1", "--input-size", "8", "--horizon", "2", "--out", "swept")
    assert run("tune", "logs", "--target", "GR", *swept)[0] == 2
    status, _, err = run("tune", "logs", "--target", "GR", *swept, *meant)
    assert status == 0, err
    status, out, err = run("bench", "logs", "--target", "GR", "--preset", "smoke", "--models", "ols", "--input-size",
                           "8", "--horizons", "2", "--workers", "0", *meant)  # fmt: skip
    assert (status, "ols" in out) == (0, True), err


def test_a_picture_takes_the_words_of_load(run: Run, logs: Path, tmp_path: Path) -> None:
    meant = ("--load", "families=true", "--load", "resample=1.0", "--load", "depth_unit=m")
    assert "pass --load depth_unit=m to convert them" in run("plot", "logs", "--out", "p.svg")[2]
    assert not (tmp_path / "p.svg").exists()
    status, _, err = run("plot", "logs", "--out", "p.svg", *meant)
    assert (status, (tmp_path / "p.svg").stat().st_size > 1000) == (0, True), err
    assert run("fit", "logs", "--out", "saved", *TASK, *meant)[0] == 0
    for words in ((), ("--tracks",)):
        picture = f"q{len(words)}.svg"
        assert run("plot", "saved", "logs", *words, "--out", picture, "--load", "depth_unit=false")[0] == 2
        status, _, err = run("plot", "saved", "logs", *words, "--out", picture, *meant)
        assert (status, (tmp_path / picture).stat().st_size > 1000) == (0, True), err


def test_values_that_are_missing_in_one_column_alone_are_for_a_bench_too(run: Run, tmp_path: Path) -> None:
    rows = "".join(f"2020-01-{1 + k // 24:02} {k % 24:02}:00,{k % 13 if k % 20 else -9999}\n" for k in range(480))
    (tmp_path / "t.csv").write_text("date,T\n" + rows)
    status, out, err = run("bench", "t.csv", "--missing", "T=-9999", "--preset", "smoke", "--models", "ols",
                           "--input-size", "8", "--horizons", "2", "--workers", "0")  # fmt: skip
    assert (status, "ols" in out) == (0, True), err


def test_what_load_does_not_do_is_one_sentence(run: Run, logs: Path) -> None:
    for given, said in (
        ("depth_unt=m", "unknown --load 'depth_unt': did you mean 'depth_unit'?"),
        ("depth_unit", "--load takes name=value, not 'depth_unit'"),
        ("clip=1", "clip takes true or false, not 1"),
    ):
        status, _, err = run("fit", "logs", "--out", "saved", *TASK, "--load", given)
        assert (status, err.count("\n"), said in err) == (2, 1, True), err


def test_a_saved_model_calls_a_bad_file_by_its_path(run: Run, logs: Path, tmp_path: Path) -> None:
    assert run("fit", "logs/a.las", "--out", "saved", *TASK)[0] == 0
    words = HEADER + "".join(f"{1000 + k / 2} {50 + k}\n" for k in range(80))
    write(tmp_path, "other.las", words.replace("GR.gAPI", "SGR.gAPI"))
    (tmp_path / "bad.csv").write_text("well,depth,GR\n" + "".join(f"A,{1000 + k / 2},high\n" for k in range(80)))
    for command in (("predict", "saved"), ("forecasts", "saved"), ("calibrate", "saved"), ("plot", "saved")):
        out = ("--out", "x.png") if command[0] == "plot" else ()
        status, _, err = run(*command, "other.las", *out)
        assert (status, "unknown column of other.las 'GR'" in err) == (2, True), err
        status, _, err = run(*command, "bad.csv", *out)
        assert (status, "tsrnn: bad.csv: column 'GR'" in err) == (2, True), err


def test_one_thing_is_not_asked_for_twice(run: Run, logs: Path) -> None:
    status, _, err = run("describe", "logs", "--resample", "0.5", "--load", "resample=0.3", "--load", "depth_unit=m")
    assert (status, "--resample and --load resample= ask for one thing twice" in err) == (2, True)


def test_a_saved_model_reads_files_as_its_training_s_was(run: Run, logs: Path, tmp_path: Path) -> None:
    other = HEADER.replace("GR.gAPI", "GRC.gAPI").replace("31/2-10 A", "C")
    write(tmp_path, "c.las", other + "".join(f"{1000 + k / 2} {50 + k % 7}\n" for k in range(400)))
    meant = ("--load", "families=true", "--load", "resample=1.0", "--load", "depth_unit=m")
    assert run("fit", "logs", "--out", "saved", *TASK, *meant)[0] == 0
    asked = run("predict", "saved", "c.las", *meant)
    assert (asked[0], "as the training's was" in asked[2]) == (0, False)
    status, out, err = run("predict", "saved", "c.las")
    assert (status, out) == (0, asked[1]), err
    said = "c.las is read with --load depth_unit=m --load families=true --load resample=1, as the training's was"
    assert said in err
    finer = run("predict", "saved", "c.las", "--load", "resample=false")
    assert finer[0] == 2
    assert re.search(r"rows are 0\.5\d* steps of the training's apart", finer[2]), finer
    assert "families yes" in run("card", "saved")[1]
    for command in (("forecasts", "saved"), ("calibrate", "saved"), ("plot", "saved")):
        out = ("--out", "x.svg") if command[0] == "plot" else ()
        status, _, err = run(*command, "c.las", *out)
        assert (status, said in err) == (0, True), err


def test_what_stands_for_missing_is_so_beside_the_words_of_load(run: Run, tmp_path: Path) -> None:
    rows = [f"2020-01-{1 + k // 24:02} {k % 24:02}:00,{k % 13}\n" for k in range(240)]
    (tmp_path / "t.csv").write_text("date,T\n" + "".join(rows))
    (tmp_path / "u.csv").write_text("date,T\n" + "".join(rows[:-1]) + "2020-01-10 23:00,-9999\n")
    (tmp_path / "v.csv").write_text("date,T\n" + "".join(rows[:-1]) + "2020-01-10 23:00,\n")
    task = ("--target", "T", "--model", "ols", "--input-size", "12", "--horizon", "3", "--out", "saved")
    assert run("fit", "t.csv", *task, "--missing", "-9999", "--load", "resample=1h")[0] == 0
    told, empty = (run("predict", "saved", name) for name in ("u.csv", "v.csv"))
    assert told[0] == 0, told
    assert told[1] == empty[1]


def test_a_model_that_was_saved_before_knows_no_words_of_load(run: Run, logs: Path, tmp_path: Path) -> None:
    assert run("fit", "logs/a.las", "--out", "saved", *TASK)[0] == 0
    assert "loaded" not in json.loads((tmp_path / "saved" / "config.json").read_text())["reading"]
    status, _, err = run("predict", "saved", "logs/a.las")
    assert (status, "as the training's was" in err) == (0, False)
    for strange in ({"maps": "x"}, {"clip": 3}, []):
        saved = store.opened(tmp_path / "saved")
        store.add(tmp_path / "saved", {"reading": {**saved.config["reading"], "loaded": strange}}, {})
        status, _, err = run("predict", "saved", "logs/a.las")
        assert (status, "load" in err) == (2, True), err


def test_what_load_cannot_do_with_a_file_is_told_by_its_option_and_not_by_a_target(run: Run, tmp_path: Path) -> None:
    rows = "".join(f"2020-01-{1 + k // 24:02} {k % 24:02}:00,{k % 13},calm\n" for k in range(240))
    (tmp_path / "t.csv").write_text("date,T,sky\n" + rows)
    assert run("fit", "t.csv", "--out", "saved", "--target", "T", *TASK[2:])[0] == 0
    for given, said in (
        ("clip=true", "t.csv has no column whose quantity and unit tell its range; leave out --load clip=true"),
        (
            "families=true",
            "no column that is called as a curve of some family; leave out --load families=true",
        ),
        ("washout=true", "in known units; leave out --load washout=true"),
        ("depth_unit=m", "whose depths depth_unit is for; leave out --load depth_unit=m"),
        ("resample=2h", "load it with --load resample=1h, or fit again on these"),
        ("fill=3", "t.csv is read with the fill of the training; leave --load fill out"),
    ):
        status, _, err = run("predict", "saved", "t.csv", "--load", given)
        assert (status, said in err, "target" in err) == (2, True, False), err
    status, _, err = run("predict", "saved", "t.csv", "--load", "sort=true")
    assert (status, err) == (0, ""), "nothing is said of columns that the model does not read"
