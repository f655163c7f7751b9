"""The simulated worlds: one seed is one world, the physics hold, and there is something to learn but not everything."""

import numpy as np
import polars as pl
import pytest

from tsrnn import simulate

WORLDS = {
    "transformer": lambda seed: simulate.transformer(seed, 4000),
    "station": lambda seed: simulate.station(seed, 6000),
    "wells": lambda seed: simulate.wells(seed, 3, 1200),
    "sines": lambda seed: simulate.sines(seed, 50),
}


@pytest.mark.parametrize("world", WORLDS)
def test_one_seed_is_one_world(world):
    assert WORLDS[world](3).equals(WORLDS[world](3))
    assert not WORLDS[world](3).equals(WORLDS[world](4))


@pytest.mark.parametrize("world", WORLDS)
def test_no_global_generator_is_touched(world):
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    WORLDS[world](0)
    np.testing.assert_array_equal(before, np.random.get_state()[1])


@pytest.mark.parametrize("world", WORLDS)
def test_numbers_are_finite(world):
    frame = WORLDS[world](1)
    for name, dtype in frame.schema.items():
        if dtype.is_float():
            assert frame[name].drop_nulls().is_finite().all(), name


def test_transformer_has_the_shape_of_etth1():
    frame = simulate.transformer()
    assert frame.columns == ["date", "HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"]
    assert frame.height == 17420
    assert frame["date"].diff().drop_nulls().unique().dt.total_minutes().to_list() == [60]
    assert str(frame["date"][0]) == "2016-07-01 00:00:00"


def test_transformer_obeys_its_thermal_model():
    frame = simulate.transformer(2)
    load = np.hypot(frame["HUFL"].to_numpy(), frame["HULL"].to_numpy()) / 14.0
    rise = 40 * ((1 + 8 * load**2) / 9) ** 0.8
    oil, keep = frame["OT"].to_numpy(), np.exp(-1 / 3)
    ambient = (oil[1:] - keep * oil[:-1]) / (1 - keep) - rise[1:]  # what is left of the equation is the air
    assert -25 < np.quantile(ambient, 0.01) < 5
    assert 25 < np.quantile(ambient, 0.99) < 45
    clock = np.cos(2 * np.pi * (np.arange(1, len(oil)) - 15) / 24)
    assert (ambient * clock).mean() > 1.5  # warmest at three in the afternoon


def test_transformer_windings_add_up():
    frame = simulate.transformer(1, 2000)
    assert abs(frame["HUFL"] - frame["MUFL"] - frame["LUFL"]).max() < 0.6
    assert abs(frame["HULL"] - frame["MULL"] - frame["LULL"]).max() < 0.6


def test_station_humidity_follows_from_its_temperatures():
    frame = simulate.station(1, 8000)
    temperature, dew = frame["temperature"].to_numpy(), frame["dew_point"].to_numpy()
    humidity = frame["relative_humidity"].to_numpy()
    expected = 100 * np.exp(17.62 * dew / (243.12 + dew) - 17.62 * temperature / (243.12 + temperature))
    np.testing.assert_allclose(humidity, expected, rtol=1e-9)
    assert (dew <= temperature).all()
    assert humidity.max() <= 100 + 1e-9
    assert humidity.min() > 5


def test_vapour_pressure_against_the_tables():
    found = simulate.vapour_pressure(np.array([0.0, 10.0, 20.0, 30.0]))
    np.testing.assert_allclose(found, [6.11, 12.27, 23.37, 42.43], rtol=3e-3)  # hPa over water, WMO-No. 188


def test_station_sun_rain_and_wind():
    frame = simulate.station(0)
    hour, month = frame["date"].dt.hour(), frame["date"].dt.month()
    radiation, rain = frame["radiation"], frame["rain"]
    assert radiation.min() == 0
    assert radiation.max() < 1100
    assert radiation.filter(hour.is_in([23, 0, 1])).max() == 0
    assert radiation.filter(month == 6).mean() > 4 * radiation.filter(month == 12).mean()
    assert (rain >= 0).all()
    assert 0.8 < (rain == 0).mean() < 0.99
    assert 300 < rain.sum() < 1800
    assert frame["wind_direction"].is_between(0, 360, closed="left").all()
    assert (frame["wind_speed"] >= 0).all()
    temperature = frame["temperature"]
    assert temperature.filter(month == 7).mean() > temperature.filter(month == 1).mean() + 8


def test_wells_rocks_answer_as_rocks_do():
    frame = simulate.wells(0)
    assert frame.height == 8 * 1500
    assert frame["well"].n_unique() == 8
    assert set(frame["facies"]) == set(simulate.FACIES)
    steps = frame.group_by("well").agg(pl.col("depth").diff().drop_nulls())["depth"].explode()
    np.testing.assert_allclose(steps, 0.1524, atol=1e-9)
    mean = {row["facies"]: row for row in frame.drop("well").group_by("facies").mean().iter_rows(named=True)}
    assert mean["shale"]["GR"] > mean["shaly_sand"]["GR"] > mean["sand"]["GR"]
    assert mean["coal"]["RHOB"] < mean["sand"]["RHOB"]
    assert mean["limestone"]["DTC"] < mean["sand"]["DTC"]
    assert mean["shale"]["NPHI"] > mean["limestone"]["NPHI"]
    shale = frame.filter(pl.col("facies") == "shale").drop_nulls()
    assert shale.select(pl.corr("depth", "RHOB")).item() > 0.2  # compaction
    assert (frame["RDEP"] > 0).all()


def test_wells_beds_have_their_thickness():
    facies = simulate.wells(0, 4, 20_000)["facies"]
    beds = facies.rle().struct.unnest().group_by("value").agg(pl.col("len").mean() * simulate.DEPTH_STEP)
    thickness = dict(beds.iter_rows())
    assert thickness["shale"] == pytest.approx(8.0, rel=0.25)
    assert thickness["coal"] == pytest.approx(0.9, rel=0.25)


def test_wells_miss_stretches_of_some_logs():
    frame = simulate.wells(0)
    for name in ("RHOB", "NPHI", "DTC"):
        assert 0.01 < frame[name].null_count() / frame.height < 0.15
        runs = frame[name].is_null().rle().struct.unnest().filter(pl.col("value"))["len"]
        assert runs.max() > 15
    assert not frame["GR"].null_count()


@pytest.mark.parametrize(
    ("series", "steps", "lags"),
    [
        (lambda: [simulate.transformer(0)["OT"]], 24, [0, 1, 2, 23, 47, 71, 167]),
        (lambda: [simulate.transformer(0)["HUFL"]], 24, [0, 1, 2, 23, 47, 71, 167]),
        (lambda: [simulate.station(0, 30_000)["temperature"]], 36, [0, 1, 6, 36, 107, 108, 143, 251, 287]),
        (lambda: [well["GR"] for well in simulate.wells(0).partition_by("well")], 33, [0, 1, 4, 12, 24, 48]),
    ],
    ids=["oil", "load", "air", "gamma"],
)
def test_forecastable_beyond_persistence_but_not_to_the_end(series, steps, lags):
    """Least squares on a few lags, fitted on the first part, beats repeating the last value and stays imperfect."""
    designs, answers, lasts = [], [], []
    for x in (each.to_numpy() for each in series()):
        ends = np.arange(max(lags), len(x) - steps)
        designs.append(np.stack([x[ends - lag] for lag in lags] + [np.ones(len(ends))], axis=1))
        answers.append(x[ends + steps])
        lasts.append(x[ends])
    design, answer, last = np.concatenate(designs), np.concatenate(answers), np.concatenate(lasts)
    cut = int(0.7 * len(answer))
    weights, *_ = np.linalg.lstsq(design[:cut], answer[:cut], rcond=None)
    error = ((design[cut:] @ weights - answer[cut:]) ** 2).mean()
    persistence = ((last[cut:] - answer[cut:]) ** 2).mean()
    assert error < 0.96 * persistence
    assert error > 0.02 * answer[cut:].var()


def test_sines_are_sines_of_a_frequency_and_a_phase_below_a_tenth():
    frame = simulate.sines(0, 30, 24, 2)
    assert frame.columns == ["sequence", "step", "x1", "x2"]
    angle = np.arcsin(2 * frame.select("x1", "x2").to_numpy().reshape(30, 24, 2) - 1)[:, :12]  # before any turns back
    pace = np.diff(angle, axis=1)
    np.testing.assert_allclose(pace, np.broadcast_to(pace[:, :1], pace.shape), atol=1e-6)
    for drawn in (pace[:, 0], angle[:, 0]):
        assert 0 <= drawn.min() < 0.02
        assert 0.08 < drawn.max() <= 0.1
    assert abs(np.corrcoef(pace[:, 0].T)[0, 1]) < 0.4
