"""Families of curves: asked for, in order, said; ranges and washed-out hole: counted, changed only where asked."""

import numpy as np
import polars as pl
import pytest

from tsrnn import families, physical, refine
from tsrnn.catalog import load
from tsrnn.errors import InputError, Notice
from tsrnn.panel import Panel
from tsrnn.reading import Column, Note, Reading


def log(units=None, **curves):
    """Two wells of three rows each; `W1` and `W2` of a curve as six values."""
    table = {"well": ["W1"] * 3 + ["W2"] * 3, "depth": [1.0, 2.0, 3.0] * 2, **curves}
    kinds = dict.fromkeys(curves, pl.Float64)
    return Reading(pl.DataFrame(table, schema_overrides=kinds), {name: Column(u) for name, u in (units or {}).items()})


def test_each_wells_first_curve_of_a_family_wins_and_the_others_stay():
    nothing = [None] * 3
    read = log({"ECGR": "GAPI", "GR": "GAPI"}, ECGR=[1, 2, 3, 4, 5, 6], GR=[*nothing, 7, 8, 9], SGR=[5] * 6)
    made = families.applied(read, families.named(True))
    assert made.frame.columns == ["well", "depth", "ECGR", "GR", "SGR"]
    assert made.frame["GR"].to_list() == [1, 2, 3, 7, 8, 9]
    assert made.frame["ECGR"].to_list() == [*nothing, 4, 5, 6]
    assert made.frame["SGR"].to_list() == [5] * 6
    assert made.columns["GR"] == Column("gAPI", "GR, ECGR")
    assert made.notes == (
        Note("values of ECGR taken as GR", 3, "GR", "W1"),
        Note("values of GR taken as GR before ECGR", 3, "GR", "W2"),
    )


def test_a_family_has_one_unit_and_leaves_out_what_cannot_have_it():
    read = log({"RHOB": "K/M3", "RHOZ": "CPS"}, RHOB=[2300, 2400, 2500, None, None, None], RHOZ=[None] * 3 + [7] * 3)
    made = families.applied(read, families.named(True))
    assert made.frame["DEN"].to_list() == pytest.approx([2.3, 2.4, 2.5, None, None, None])
    assert made.frame["RHOZ"].to_list() == [None] * 3 + [7] * 3
    assert made.columns["DEN"].unit == "g/cm3"
    assert Note("values not taken as DEN, since 'CPS' is no unit of it", 3, "RHOZ") in made.notes


def test_a_file_of_ones_own_stands_over_tsrnns(tmp_path, monkeypatch):
    path = tmp_path / "mine.toml"
    path.write_text('[GR]\nunit = "gAPI"\naliases = ["CGR"]\n[ROP]\naliases = ["ROPA"]\nunit = "m/h"\n')
    mine = families.named(path)
    assert mine["GR"].aliases == ("GR", "CGR")
    assert mine["ROP"].unit == "m/h"
    assert "RHOB" in mine["DEN"].aliases
    (tmp_path / "pyproject.toml").write_text('[tool.tsrnn]\nfamilies = "mine.toml"\n')
    monkeypatch.chdir(tmp_path)
    assert families.named(True) == mine


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[GR]\nalias = []\n", "unknown word of family GR"),
        ("[GR]\naliases = 'GR'\n", "list of mnemonics"),
        ("[GR]\nrange = [3, 1]\n", "two rising numbers"),
        ("GR = 1\n", "is no table"),
        ("[GR\n", "cannot be read as TOML"),
    ],
)
def test_a_file_that_is_none_is_refused_by_name(tmp_path, text, words):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        families.named(path)
    with pytest.raises(InputError, match="there is no file"):
        families.named(tmp_path / "other.toml")


def test_values_beyond_a_range_are_counted_and_made_null_only_where_asked():
    read = log(
        {"GR": "GAPI", "RHOB": "kg/m3", "PEF": ""}, GR=[-1, 50, 301, 50, 50, 300], RHOB=[2300] * 5 + [9], PEF=[99] * 6
    )
    kin = families.named(True)
    kept = physical.checked(read, kin, "well")
    assert kept.frame.equals(read.frame)
    beyond = (
        Note("values beyond 0 to 300 GAPI", 2, "GR", "W1"),
        Note("values beyond 1200 to 3100 kg/m3", 1, "RHOB", "W2"),
    )
    assert kept.notes == beyond
    clipped = physical.checked(read, kin, "well", clip=True)
    assert clipped.frame["GR"].to_list() == [None, 50, None, 50, 50, 300]
    assert clipped.notes[0] == Note("values beyond 0 to 300 GAPI made null", 2, "GR", "W1")


def test_washed_out_hole_is_counted_and_flagged_where_asked():
    read = log({"CAL": "MM", "BS": "IN"}, CAL=[215.9, 300, None] * 2, BS=[8.5] * 3 + [None] * 3)
    kin = families.named(True)
    made = physical.washed_out(read, kin, "well", column=True)
    assert made.frame["washout"].to_list() == [0, 1, None, None, None, None]
    assert made.notes == (Note("rows of washed-out hole, CAL - BS above 2 in", 1, "CAL", "W1", loud=False),)
    assert "washout" not in physical.washed_out(read, kin, "well").frame.columns
    with pytest.raises(InputError, match="no caliper beside a bit size"):
        refine.panel(log({"GR": "gAPI"}, GR=[1, 2, 3, 4, 5, 6]), {"washout": True, "source": "x"})


def test_what_is_said_aloud_is_of_columns_that_count():
    read = log({"GR": "gAPI", "PEF": "b/e"}, GR=[-1, 50, 60, 50, 50, 30], PEF=[99] * 6)  # a third of W1's
    with pytest.warns(Notice, match=r"GR: 1 value beyond 0 to 300 gAPI; `tsrnn describe`"):
        panel = refine.panel(read, {"target": "GR", "source": "logs"})
    assert [note.loud for note in panel.notes] == [True, False, False]
    assert panel.columns["GR"].unit == "gAPI"


ALL = np.array([0, 4000])


class TestFar:
    def test_a_series_of_another_scale_is_not(self):
        values = np.random.default_rng(0).normal(size=4000)
        values[3900:] *= 1e4
        assert physical.far(["y"], [values], ALL)
        assert not physical.far(["y"], [values], np.array([0, 3900, 4000]))

    def test_a_value_a_hundred_deviations_away_is_told_of(self):
        values = np.random.default_rng(0).normal(size=500)
        values[7] = -9123
        with pytest.warns(Notice, match=r"y: 1 value a hundred deviations away from the others, such as -9123"):
            panel = Panel.of(pl.DataFrame({"ds": range(500), "y": values}))
        assert panel.notes == (Note("values a hundred deviations away from the others, such as -9123", 1, "y"),)

    @pytest.mark.parametrize("draw", ["normal", "lognormal", "rain", "constant", "missing", "kelvin"])
    def test_what_the_world_holds_is_not(self, draw):
        rng = np.random.default_rng(1)
        values = {
            "normal": rng.normal(size=4000),
            "lognormal": rng.lognormal(0, 1.5, 4000),
            "rain": np.where(rng.random(4000) < 0.04, rng.exponential(1, 4000), 0),
            "constant": np.full(4000, 3.0),
            "missing": np.full(4000, np.nan),
            "kelvin": rng.normal(280, 8, 4000),
        }[draw]
        assert not physical.far(["y"], [values], ALL)

    def test_a_sentinel_in_what_is_positive_is(self):
        values = np.random.default_rng(1).normal(280, 8, 4000)
        values[5] = 9999
        assert physical.far(["y"], [values], ALL)[0].count == 1

    def test_what_spans_decades_is_judged_by_its_logarithm(self):
        values = 10 ** np.random.default_rng(1).normal(0, 0.02, 4000)
        values[3] = 3e4
        assert physical.far(["y"], [values], ALL)
        assert physical.far(["y"], [values], ALL, ["y"])
        values[3] = 2
        assert not physical.far(["y"], [values], ALL, ["y"])


def test_a_few_values_beyond_a_range_are_noted_and_not_said():
    curve = pl.Series([500.0] + [50.0] * 19)
    read = Reading(pl.DataFrame({"depth": np.arange(20.0), "GR": curve}), {"GR": Column("gAPI")})
    assert refine.panel(read, {"target": "GR"}).notes == (Note("values beyond 0 to 300 gAPI", 1, "GR", loud=False),)


@pytest.mark.filterwarnings("ignore::tsrnn.errors.Notice")
def test_words_of_load_reach_a_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("depth,RHOZ\n1,2.3\n2,2.4\n3,2.5\n")
    assert load(path, families=True).roles.targets == ("DEN",)
    assert load(path).roles.targets == ("RHOZ",)
    with pytest.raises(InputError, match="clip takes True or False"):
        load(path, clip="yes")
