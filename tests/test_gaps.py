"""Curves with holes cut into them: what is asked lies in the holes, and is shown nowhere."""

import numpy as np
import polars as pl
import pytest

from tsrnn import InputError, gaps, simulate, suites
from tsrnn.board import rows as results
from tsrnn.panel import Panel
from tsrnn.tagger import Tagger

ROLES = {"target": "DTC", "past_covariates": ["GR", "RHOB"], "id": "well", "time": "depth"}
SUITE = """
task = "along"
data = "field.csv"
gaps = "1.5 m"
roles = { id = "well", time = "depth", target = "DTC", past_covariates = ["GR", "RHOB"], freq = 0.1524 }
split = { leave_one_out = "well" }
measures = ["physical_rmse"]
models.interpolated = { loss = "mse", input_size = 64 }
models.majority = { loss = "mse", input_size = 64 }
"""


def world(rows=200):
    whole = pl.col("DTC").fill_nan(None).forward_fill().backward_fill().over("well")
    return simulate.wells(wells=3, rows=rows).with_columns(whole)


def panel(rows=200):
    return Panel.of(world(rows), **ROLES)


def test_a_gap_is_asked_and_the_rest_is_shown():
    plain, cut = panel(), gaps.cut(panel(), 10)
    assert cut.roles.past == ("DTC_shown", "GR", "RHOB")
    asked, shown = cut.frame["DTC"].is_not_null(), cut.frame["DTC_shown"].is_not_null()
    assert (asked ^ shown).all()
    whole = cut.frame.select(pl.coalesce("DTC", "DTC_shown"))["DTC"]
    assert whole.to_list() == plain.frame["DTC"].to_list()
    for _, well in cut.frame.group_by("well"):
        edges = np.flatnonzero(np.diff(well["DTC"].is_not_null().to_numpy().astype(int), prepend=0, append=0))
        begins, ends = edges[::2], edges[1::2]
        assert set(ends - begins) == {10}
        assert begins[0] > 0
        assert ends[-1] < len(well)
        assert (begins[1:] - ends[:-1]).min() >= 10
    assert 0.15 < asked.mean() < 0.3


def test_gaps_lie_where_the_seed_says():
    assert gaps.cut(panel(), 10).frame.equals(gaps.cut(panel(), 10).frame)
    assert not gaps.cut(panel(), 10, seed=1).frame.equals(gaps.cut(panel(), 10).frame)


def test_no_gap_lies_beside_a_row_that_was_not_measured():
    frame = simulate.wells(wells=1, rows=300).with_columns(
        pl.when(pl.int_range(pl.len()) > 150).then(pl.col("DTC")).alias("DTC")
    )
    cut = gaps.cut(Panel.of(frame, **ROLES), 10).frame
    assert cut["DTC"].is_not_null().sum() > 0
    assert cut["DTC"][:152].is_null().all()


def test_where_no_gap_fits_it_is_said():
    with pytest.raises(InputError, match="no gap of 90 rows has 'DTC' measured above and below it"):
        gaps.cut(panel(100), 90)


def test_a_line_over_a_gap_is_in_the_target_s_own_unit():
    cut = gaps.cut(panel(), 10)
    tagger = Tagger("interpolated", loss="mse", input_size=64, progress=False).fit(cut)
    told = tagger.predict(cut)["DTC"].to_numpy()
    for name in cut.ids:
        rows = (cut.frame["well"] == name).to_numpy()
        shown = cut.frame["DTC_shown"].cast(pl.Float64).to_numpy()[rows]
        steps, seen = np.arange(rows.sum()), np.isfinite(shown)
        inside = slice(seen.argmax(), len(seen) - seen[::-1].argmax())
        np.testing.assert_allclose(told[rows][seen], shown[seen], rtol=1e-4)
        line = np.interp(steps, steps[seen], shown[seen])
        assert np.abs(told[rows] - line)[inside].mean() < 0.02 * shown[seen].std()


def test_a_suite_of_gaps_counts_the_rows_in_them_alone(run, tmp_path):
    world().write_csv(tmp_path / "field.csv")
    (tmp_path / "lost.toml").write_text(SUITE)
    assert suites.find("lost.toml").gaps == 10
    assert run("bench", "lost.toml", "--workers", "0", "--out", "res")[0] == 0
    rows = results.read(tmp_path / "res")
    asked = gaps.cut(panel(), 10).frame.group_by("well").agg(pl.col("DTC").is_not_null().sum())
    assert dict(rows.filter(model="majority").select("fold", "windows").iter_rows()) == dict(asked.iter_rows())
    assert rows["config"].str.contains('"gaps": 10').all()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"1.5 m"', "0", "gaps takes a length such as"),
        ('"1.5 m"', '"1.5 s"', "gaps has '1.5 s'; along a depth"),
        (
            ", freq = 0.1524",
            "",
            "gaps has '1.5 m', but no step of the data is known; say how far apart rows are, roles.freq",
        ),
        ('task = "along"', "", "gaps are of the task 'along'"),
    ],
)
def test_gaps_that_cannot_be_are_one_sentence(run, tmp_path, old, new, said):
    world().write_csv(tmp_path / "field.csv")
    (tmp_path / "lost.toml").write_text(SUITE.replace(old, new))
    status, _, err = run("bench", "lost.toml", "--workers", "0", "--out", "res")
    assert status == 2
    assert said in err
    assert not (tmp_path / "res").exists()
