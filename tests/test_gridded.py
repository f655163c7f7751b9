"""NetCDF and Zarr: variables over time become columns, stations series; what is no table is refused by name."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from tsrnn import Forecaster, catalog, load
from tsrnn.errors import InputError, Notice
from tsrnn.readers import netcdf, zarr

xarray = pytest.importorskip("xarray")
pytest.importorskip("h5netcdf")

HOURS = np.arange("2020-01-31T12", "2020-02-01T12", dtype="datetime64[h]").astype("datetime64[ns]")
FILLED = {"_FillValue": -9999.0, "dtype": "f4"}


def _one(**extra):
    """A station's day; T lacks two hours."""
    T = 10 + np.sin(np.arange(24.0))
    T[[3, 4]] = np.nan
    said = {"units": "degC", "long_name": "air temperature"}
    return xarray.Dataset({"T": ("time", T, said), "p": ("time", np.arange(24.0))}, {"time": HOURS, **extra})


def _several():
    values = np.arange(48.0).reshape(24, 2)
    data = {"T": (("time", "site"), values, {"units": "K"}), "index": ("time", np.arange(24.0)), "crs": ((), 0)}
    return xarray.Dataset(data, {"time": HOURS, "site": ["Jena", "Gera"], "lat": ("site", [50.9, 50.8])})


def _saved(data, path, encoding=None, engine="h5netcdf"):
    data.to_netcdf(path, engine=engine, encoding=encoding or {})
    return path


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
def test_variables_are_columns_with_units_and_fill_values_are_counted(tmp_path, engine):
    reading = netcdf.read(_saved(_one(), tmp_path / "a.nc", {"T": FILLED}, engine))
    assert reading.frame.schema == {"time": pl.Datetime("us"), "T": pl.Float32, "p": pl.Float64}
    assert reading.frame["time"][1] == dt.datetime(2020, 1, 31, 13)
    assert reading.frame["T"].is_null().arg_true().to_list() == [3, 4]
    assert (reading.columns["T"].unit, reading.columns["T"].description) == ("degC", "air temperature")
    assert [(note.column, note.count, note.loud) for note in reading.notes] == [("T", 2, False)]


def test_packed_numbers_and_a_missing_value_beside_the_fill_value(tmp_path):
    encoding = {"T": {"dtype": "i2", "scale_factor": 0.01, "add_offset": 10.0, "_FillValue": -32768}}
    frame = netcdf.read(_saved(_one(), tmp_path / "a.nc", encoding)).frame
    assert abs(frame["T"][1] - 10.8415) < 0.006
    assert frame["T"].null_count() == 2


def test_stations_are_series_and_what_is_theirs_is_no_target(tmp_path):
    path = _saved(_several(), tmp_path / "a.nc")
    panel = load(path)
    assert (panel.ids, panel.roles.targets, panel.roles.id) == (("Jena", "Gera"), ("T", "index"), "station")
    assert panel.frame["T"].to_list()[:3] == [0, 2, 4]
    assert panel.frame["lat"].unique(maintain_order=True).to_list() == [50.9, 50.8]
    assert panel.columns["station"].original == "site"
    assert panel.frame["index"].to_list() == [*range(24)] * 2
    model = Forecaster("gru", input_size=6, horizon=2, hidden_size=8, max_epochs=1)
    made = model.fit(load(path, target="T", static_covariates="lat")).predict()
    assert made["station"].to_list() == ["Jena"] * 2 + ["Gera"] * 2


def test_flags_of_stations_are_no_targets_and_directions_are_told_of(tmp_path):
    wd = (("time", "site"), np.linspace(0, 359, 48).reshape(24, 2))
    data = _several().assign(T_qc=(("time", "site"), np.zeros((24, 2), "i1")), wd=wd)
    with pytest.warns(Notice, match="wd: 48 degrees of a circle"):
        panel = load(_saved(data, tmp_path / "a.nc"))
    assert panel.roles.targets == ("T", "index", "wd")


def test_names_of_stations_may_be_a_variable(tmp_path):
    data = _several().drop_vars("site")
    names = ("site", np.array([b"Jena", b"Gera"]), {"cf_role": "timeseries_id"})
    for engine in ("h5netcdf", "scipy"):
        path = _saved(data.assign(station_name=names), tmp_path / f"{engine}.nc", engine=engine)
        assert load(path).ids == ("Jena", "Gera")
    assert load(_saved(data, tmp_path / "b.nc")).ids == ("0", "1")


def test_fractions_of_a_day_are_whole_hours(tmp_path):
    encoding = {"time": {"units": "days since 1990-01-01", "dtype": "f8"}}
    panel = load(_saved(_one(), tmp_path / "a.nc", encoding))
    assert panel.step.word == "1h"
    assert panel.frame["time"].to_list() == HOURS.astype("datetime64[us]").tolist()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data.expand_dims(level=[1, 2]), ["has the dimension 'level'", "isel(level=0)"]),
        (lambda data: data.isel(time=0, drop=True).expand_dims(x=3), ["no dimension of time", "'x'"]),
        (lambda data: data.convert_calendar("noleap", use_cftime=True), ["'noleap'", "convert_calendar('standard')"]),
        (lambda data: data.expand_dims(run=HOURS[:2]), ["2 dimensions of time"]),
        (lambda data: data[["time"]], ["no variable over 'time'"]),
    ],
)
def test_what_is_no_table_is_refused_by_name(tmp_path, change, words):
    if "noleap" in str(words):
        data = xarray.Dataset({"T": ("time", np.arange(3.0))}, {"time": ("time", [0, 1, 2])})
        data["time"].attrs = {"units": "days since 2020-01-01", "calendar": "noleap"}
    else:
        data = change(_one())
    path = _saved(data, tmp_path / "a.nc")
    with pytest.raises(InputError) as caught:
        netcdf.read(path)
    assert all(word in str(caught.value) for word in [path.name, *words]), caught.value
    assert "\n" not in str(caught.value)


def test_a_dimension_of_one_is_none(tmp_path):
    assert netcdf.read(_saved(_one().expand_dims(level=[2.0]), tmp_path / "a.nc")).frame.columns == ["time", "T", "p"]


def test_bounds_are_no_columns(tmp_path):
    data = _one().assign(time_bnds=(("time", "bnds"), np.zeros((24, 2))))
    data["time"].attrs["bounds"] = "time_bnds"
    data["time"].encoding["units"] = "hours since 2020-01-01"
    assert netcdf.read(_saved(data, tmp_path / "a.nc")).frame.columns == ["time", "T", "p"]


@pytest.mark.parametrize("content", [b"\x89HDF\r\n\x1a\n" + bytes(90), b"CDF\x01" + bytes(9), b"ds,y\n1,2\n", b""])
def test_what_is_no_netcdf_file_is_refused(tmp_path, content):
    path = tmp_path / "a.nc"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.nc"):
        netcdf.read(path)


def test_months_are_no_length_of_time(tmp_path):
    data = xarray.Dataset({"T": ("time", np.arange(3.0))}, {"time": ("time", [0.0, 1.5, 2.0])})
    data["time"].attrs["units"] = "months since 2020-01-01"
    with pytest.raises(InputError, match="hours since"):
        netcdf.read(_saved(data, tmp_path / "a.nc"))


@pytest.mark.filterwarnings("ignore::UserWarning:zarr", "ignore::FutureWarning:zarr")
def test_a_zarr_store_is_read_and_summed(tmp_path):
    pytest.importorskip("zarr")
    path = tmp_path / "a.zarr"
    _several().assign_coords(site=[4, 7]).to_zarr(path, consolidated=False)
    panel = load(path)
    assert panel.ids == ("4", "7")
    assert panel.frame["T"].to_list()[:3] == [0, 2, 4]
    before = catalog.digest(path)
    assert panel.sha256 == before
    next(file for file in (path / "T").rglob("*") if file.is_file()).write_bytes(b"other")
    assert catalog.digest(path) != before
    with pytest.raises(InputError, match=r"b\.zarr"):
        zarr.read(tmp_path / "b.zarr")
    (tmp_path / "c.zarr").mkdir()
    with pytest.raises(InputError, match=r"c\.zarr"):
        zarr.read(tmp_path / "c.zarr")


def test_without_xarray_the_mend_is_named(tmp_path, monkeypatch):
    path = _saved(_one(), tmp_path / "a.nc")
    monkeypatch.setitem(__import__("sys").modules, "xarray", None)
    with pytest.raises(InputError, match=r"tsrnn\[weather\]"):
        netcdf.read(path)
