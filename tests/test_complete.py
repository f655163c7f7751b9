"""A curve that counts only where others were measured beside it."""

import polars as pl
import pytest

from tsrnn import InputError, complete, simulate, suites
from tsrnn.board import rows as results
from tsrnn.panel import Panel

ROLES = {"target": "DTC", "past_covariates": ["GR", "RHOB"], "id": "well", "time": "depth"}
SUITE = """
task = "along"
data = "field.csv"
complete = ["GR", "RHOB"]
roles = { id = "well", time = "depth", target = "DTC", past_covariates = ["GR", "RHOB"], freq = 0.1524 }
split = { leave_one_out = "well" }
measures = ["physical_rmse"]
models.majority = { loss = "mse", input_size = 64 }
"""


def world():
    """Three wells whose density begins 40 rows below their sonic log, which reads steel above it."""
    above = pl.int_range(pl.len()).over("well") < 40
    return simulate.wells(wells=3, rows=200).with_columns(
        pl.when(above).then(57.0).otherwise(pl.col("DTC").fill_nan(None).forward_fill().backward_fill()).alias("DTC"),
        pl.when(~above).then(pl.col("RHOB")).alias("RHOB"),
    )


def test_what_was_measured_alone_is_read_and_not_asked():
    plain = Panel.of(world(), **ROLES)
    counted = complete.counted(plain, ["GR", "RHOB"])
    held = plain.frame["GR"].is_not_null() & plain.frame["RHOB"].is_not_null()
    assert (counted.frame["DTC"].is_not_null() == (held & plain.frame["DTC"].is_not_null())).all()
    assert counted.frame.drop("DTC").equals(plain.frame.drop("DTC"))
    assert not (counted.frame["DTC"] == 57.0).any()


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["RHOP"], "unknown column of frame 'RHOP': did you mean 'RHOB'"),
        (["DTC"], "complete names 'DTC', which is the target itself"),
        (["NPHI"], "no row holds 'NPHI' and 'DTC'"),
    ],
)
def test_columns_that_cannot_stand_beside_it_are_refused(columns, said):
    panel = Panel.of(world().with_columns(NPHI=pl.lit(None, pl.Float64)), **ROLES)
    with pytest.raises(InputError, match=said):
        complete.counted(panel, columns)


def test_a_suite_scores_complete_rows_alone(run, tmp_path):
    world().write_csv(tmp_path / "field.csv")
    (tmp_path / "lost.toml").write_text(SUITE)
    assert suites.find("lost.toml").complete == ("GR", "RHOB")
    assert run("bench", "lost.toml", "--workers", "0", "--out", "res")[0] == 0
    rows = results.read(tmp_path / "res")
    counted = complete.counted(Panel.of(world(), **ROLES), ["GR", "RHOB"]).frame
    asked = counted.group_by("well").agg(pl.col("DTC").is_not_null().sum())
    assert dict(rows.select("fold", "windows").iter_rows()) == dict(asked.iter_rows())
    assert rows["config"].str.contains('"complete"').all()
    (tmp_path / "again.toml").write_text(SUITE.replace('["GR", "RHOB"]\nroles', "[]\nroles"))
    assert run("bench", "again.toml", "--workers", "0", "--out", "res")[0] == 0
    every = results.read(tmp_path / "res").filter(dataset="again")
    assert every["windows"].sum() > rows["windows"].sum()
    assert not every["config"].str.contains('"complete"').any()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('complete = ["GR", "RHOB"]', 'complete = "GR"', "complete takes a list of columns"),
        ('complete = ["GR", "RHOB"]', 'complete = ["GR", "GR"]', "complete names 'GR' twice"),
        ('complete = ["GR", "RHOB"]', 'complete = ["PEF"]', "unknown column"),
        ('task = "along"', "", "complete is of the task 'along'"),
    ],
)
def test_what_cannot_be_is_one_sentence(run, tmp_path, old, new, said):
    world().write_csv(tmp_path / "field.csv")
    (tmp_path / "lost.toml").write_text(SUITE.replace(old, new, 1))
    status, _, err = run("bench", "lost.toml", "--workers", "0", "--out", "res")
    assert status == 2
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "res").exists()
