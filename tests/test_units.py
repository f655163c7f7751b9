"""Units: one spelling each, factors between them, and wells that are never merged across two of them."""

import polars as pl
import pytest
from polars.testing import assert_series_equal

from tsrnn.catalog import load
from tsrnn.errors import InputError, Notice
from tsrnn.reading import Column, Note, Reading
from tsrnn.units import Conversion, conversion, spelling, united


def well(name, unit="G/C3", values=(2.3, None, 2.5), curve="RHOB", depth_unit="M", depths=(1.0, 2.0, 3.0)):
    frame = pl.DataFrame({"well": [name] * 3, "depth": depths, curve: values}, schema_overrides={curve: pl.Float64})
    return Reading(frame, {"depth": Column(depth_unit), curve: Column(unit, description="of a tool")})


@pytest.mark.parametrize(
    ("unit", "wanted", "value", "becomes"),
    [
        ("K/M3", "G/CC", 2300, 2.3),
        ("%", "v/v", 23, 0.23),
        ("PU", "decp", 23, 0.23),
        ("US/M", "us/ft", 300, 91.44),
        ("µs/ft", "US/F", 100, 100),
        ("[GAPI]", "API", 75, 75),
        ("OHMM", "ohm.m", 2, 2),
        (".1IN", "in", 85, 8.5 / 1 * 0.00254 / 0.0254 * 10),
        ("mm", "IN", 215.9, 8.5),
        ("FT", "m", 100, 30.48),
        ("degF", "degC", 212, 100),
        ("K", "degC", 273.15, 0),
        ("degC", "K", 20, 293.15),
        ("degC", "°F", 20, 68),
        ("mbar", "kPa", 1013.25, 101.325),
        ("psi", "Pa", 1, 6894.757293),
        ("kt", "m/s", 1, 0.514444444),
        ("km/h", "m s-1", 36, 10),
        ("mmho/m", "S/m", 500, 0.5),
    ],
)
def test_values_in_another_unit(unit, wanted, value, becomes):
    way = conversion(unit, wanted)
    assert way.of(pl.Series([float(value)]))[0] == pytest.approx(becomes, rel=1e-6, abs=1e-9)


def test_no_way_leads_from_one_quantity_to_another():
    assert conversion("g/cm3", "v/v") is None
    assert conversion("ohm.m", "mS/m") is None
    assert conversion("furlong", "m") is None
    assert conversion("furlong", "furlong") == Conversion(1.0)


def test_one_spelling_for_each_unit():
    assert {spelling(each) for each in ("G/C3", "g/cc", "g/cm³", "G/CM3", " g/cm^3 ")} == {"g/cm3"}
    assert spelling(" furlong ") == "furlong"
    assert {spelling(each) for each in ("", "-", "UNITLESS", "N/A")} == {""}


def test_wells_in_two_units_are_brought_to_one_and_it_is_said():
    made = united([well("W1"), well("W2", "K/M3", (2300.0, None, 2500.0)), well("W3")])
    assert_series_equal(made.frame["RHOB"], pl.Series("RHOB", [2.3, None, 2.5] * 3), rel_tol=1e-12)
    assert made.columns["RHOB"] == Column("g/cm3", description="of a tool")
    assert made.columns["depth"].unit == "m"
    assert made.notes == (Note("values converted from kg/m3 to g/cm3", 2, "RHOB", "W2"),)


def test_a_curve_that_no_factor_converts_is_refused_by_both_wells():
    with pytest.raises(InputError, match=r"'GR' is in 'gAPI' in well 'W1' and in 'CPS' in well 'W2'"):
        united([well("W1", "GAPI", curve="GR"), well("W2", "CPS", curve="GR")])


def test_units_that_nobody_knows_are_kept_apart():
    made = united([well("W1", "ABC", curve="X"), well("W2", "XYZ", curve="X")])
    assert made.frame["X"].to_list() == [2.3, None, 2.5, None, None, None]
    assert made.frame["X:XYZ"].to_list() == [None, None, None, 2.3, None, 2.5]
    assert made.columns["X:XYZ"].unit == "XYZ"
    assert made.notes == (Note("values in XYZ where others are in ABC, kept apart as X:XYZ", 2, "X", "W2"),)


def test_a_well_that_names_no_unit_is_taken_as_the_others_and_that_is_noted():
    made = united([well("W1"), well("W2", "", (2.1, 2.2, 2.3))])
    assert made.frame["RHOB"].to_list()[3:] == [2.1, 2.2, 2.3]
    assert made.notes == (Note("values without a unit, taken as g/cm3", 3, "RHOB", "W2", loud=False),)


def test_depths_in_two_units_are_refused_or_converted_where_asked():
    feet = well("W2", depth_unit="F", depths=(100.0, 200.0, 300.0))
    with pytest.raises(InputError, match=r"'W1' measures depth in 'm' and well 'W2' in 'ft'; pass depth_unit='m'"):
        united([well("W1"), feet])
    made = united([well("W1"), feet], depth_unit="m")
    assert made.frame["depth"].to_list() == pytest.approx([1, 2, 3, 30.48, 60.96, 91.44])
    assert made.columns["depth"].unit == "m"
    assert made.notes == (Note("values converted from ft to m", 3, "depth", "W2"),)
    assert united([feet], depth_unit="m").frame["depth"].to_list() == pytest.approx([30.48, 60.96, 91.44])
    with pytest.raises(InputError, match="depth_unit is a length"):
        united([feet], depth_unit="s")


def test_curves_that_a_well_does_not_have_are_null():
    made = united([well("W1"), well("W2", "GAPI", curve="GR")])
    assert made.frame["GR"].to_list()[:3] == [None] * 3
    assert not made.notes


def _log(folder, name, unit, values, depth="M"):
    rows = "\n".join(f"{100 + row}.0 {value}" for row, value in enumerate(values))
    header = f"~V\nVERS. 2.0:\nWRAP. NO:\n~W\nNULL. -999.25:\nWELL. {name}:\n~C\nDEPT.{depth} :\nRHOB.{unit} :\n~A\n"
    (folder / f"{name}.las").write_text(header + rows + "\n")


def test_a_folder_of_logs_is_read_in_one_unit(tmp_path):
    pytest.importorskip("lasio")
    _log(tmp_path, "A", "G/C3", (2.3, 2.4))
    _log(tmp_path, "B", "K/M3", (2300, 2400))
    with pytest.warns(Notice, match="RHOB: 2 values converted from kg/m3 to g/cm3"):
        panel = load(tmp_path)
    assert panel.frame["RHOB"].to_list() == pytest.approx([2.3, 2.4] * 2)
    assert panel.columns["RHOB"].unit == "g/cm3"
    _log(tmp_path, "B", "US/F", (90, 91))
    with pytest.raises(InputError, match="'RHOB' is in 'g/cm3' in well 'A' and in 'us/ft' in well 'B'"):
        load(tmp_path)


@pytest.mark.filterwarnings("ignore:.*converted from ft to m")
def test_a_folder_of_logs_in_metres_and_feet_is_read_where_a_unit_is_asked(tmp_path):
    pytest.importorskip("lasio")
    _log(tmp_path, "A", "G/C3", (2.3, 2.4))
    _log(tmp_path, "B", "G/C3", (2.3, 2.4), "F")
    with pytest.raises(InputError, match="pass depth_unit='m' to convert them"):
        load(tmp_path)
    panel = load(tmp_path, depth_unit="m")
    assert panel.frame["depth"].to_list() == pytest.approx([100, 101, 30.48, 30.7848])
    (tmp_path / "a.csv").write_text("depth,y\n1,2\n2,3\n")
    with pytest.raises(InputError, match="holds no well logs, whose depths depth_unit is for"):
        load(tmp_path / "a.csv", depth_unit="m")
