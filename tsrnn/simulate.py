"""Deterministic small worlds for tests and for work without a network: a transformer, a weather station, wells, sines.

Each world follows the physics of the real thing closely enough to be forecast better than by repetition, and has
enough weather in it not to be forecast well. One seed is one world, drawn from numpy's `Generator` alone; the
first rows of a longer world are not the rows of a shorter one.
"""

from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]

FACIES = ("sand", "shaly_sand", "shale", "limestone", "coal")
DEPTH_STEP = 0.1524  # m, half a foot


def transformer(seed: int = 0, rows: int = 17420) -> pl.DataFrame:
    """Hourly loads and oil temperature of a power transformer, with the columns of ETTh1.

    The load of the high winding is that of the middle and the low ones; `..UFL` is active, `..ULL` reactive power
    (MW, Mvar). Demand follows the hour, the weekday and the outdoor temperature (heating below 14 degC, cooling
    above 22 degC), and drifts. OT is the top-oil temperature in degC after the exponential model of the loading guide,

        k11 tau dOT/dt = rise ((1 + R K^2) / (1 + R))^x - (OT - ambient),

    K the apparent load over the rated one, with x = 0.8, R = 8, k11 = 1, tau = 3 h and a rise of 40 K, integrated
    exactly over each hour, and read with 0.3 K of noise.

    Source: IEC 60076-7, Loading guide for mineral-oil-immersed power transformers, differential equations.
    """
    rng = np.random.default_rng(seed)
    hour = np.arange(rows) % 24
    day = np.arange(rows) / 24.0
    ambient = _outdoors(rng, day, mean=15.0, year=11.0, clock=4.5)
    weekend = (day.astype(int) % 7 == 1) | (day.astype(int) % 7 == 2)  # the first row is a Friday
    active, reactive = [], []
    for size, heating, industry in ((7.0, 0.09, 0.3), (4.0, 0.16, 0.0)):
        humps = _hump(hour, 19, 2.0) + 0.6 * _hump(hour, 9, 3.0)
        weather = heating * np.maximum(14 - ambient, 0) / 5 + 0.12 * np.maximum(ambient - 22, 0) / 5
        drift = 0.10 * _wander(rng, rows, 24 * 20) + 0.06 * _wander(rng, rows, 5)
        load = size * (0.5 + 0.5 * humps * (1 - industry * weekend) + weather + drift) + 0.15 * rng.standard_normal(
            rows
        )
        angle = 0.35 + 0.05 * _wander(rng, rows, 24 * 7)
        active.append(load)
        reactive.append(load * np.tan(angle) + 0.1 * rng.standard_normal(rows))
    high, high_reactive = sum(active) + 0.1 * rng.standard_normal(rows), sum(reactive) + 0.1 * rng.standard_normal(rows)
    factor = np.hypot(high, high_reactive) / 14.0
    settled = ambient + 40.0 * ((1 + 8.0 * factor**2) / 9.0) ** 0.8
    oil = _follow(settled, np.exp(-1 / 3.0)) + 0.3 * rng.standard_normal(rows)
    names = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
    series = (high, high_reactive, active[0], reactive[0], active[1], reactive[1], oil)
    return _timed(datetime(2016, 7, 1), timedelta(hours=1), dict(zip(names, series, strict=True)))


def station(seed: int = 0, rows: int = 52_560) -> pl.DataFrame:
    """A weather station at 51 degrees north, every 10 minutes from 1 January.

    Columns: pressure (hPa), temperature and dew_point (degC), relative_humidity (%), wind_speed (m/s),
    wind_direction (degrees the wind comes from), radiation (W/m2), rain (mm in 10 minutes).

    Fronts pass every few days: falling pressure brings cloud, cloud brings rain and takes sunshine and the daily
    swing. Sources: declination, Cooper (1969); clear-sky radiation, Haurwitz (1945); cloud, Kasten and Czeplak (1980);
    vapour pressure, the Magnus formula of WMO-No. 8, by which the humidity follows from temperature and dew point.
    """
    rng = np.random.default_rng(seed)
    minutes = 10.0 * np.arange(rows)
    day, clock = minutes / 1440, 2 * np.pi * (minutes % 1440) / 1440
    front = _follow(_wander(rng, rows, 144 * 1.5), np.exp(-1 / 72))
    wet = 1.6 * front + 0.7 * _wander(rng, rows, 36)
    cloud = 1 / (1 + np.exp(-2 * wet))
    radiation = _clear_sky(_sun_height(day, clock, latitude=51.0)) * (1 - 0.75 * cloud**3.4)
    season = -np.cos(2 * np.pi * (day - 20) / 365.25)
    warmth = _follow(radiation, np.exp(-1 / 24))  # the ground answers to the sun within some four hours
    air_mass = 3.5 * _wander(rng, rows, 144 * 4)
    temperature = 5 + 5 * season + air_mass + 0.018 * warmth + 1.5 * (cloud - 0.5) + 0.15 * _wander(rng, rows, 3)
    spread = 1.0 + 5.0 * (1 - cloud) + 1.2 * _wander(rng, rows, 144)
    dew_point = np.minimum(_follow(temperature, np.exp(-1 / 200)) - spread, temperature)
    east, north = 3.0 + 2.5 * _wander(rng, rows, 90) + 1.5 * front, 2.5 * _wander(rng, rows, 90)
    columns = {
        "pressure": 990 - 9 * front + 1.5 * _wander(rng, rows, 144) + 0.05 * rng.standard_normal(rows),
        "temperature": temperature,
        "dew_point": dew_point,
        "relative_humidity": 100 * vapour_pressure(dew_point) / vapour_pressure(temperature),
        "wind_speed": np.hypot(east, north) * np.exp(0.25 * _wander(rng, rows, 2)),
        "wind_direction": np.degrees(np.arctan2(-east, -north)) % 360,
        "radiation": np.round(radiation, 1),
        "rain": _rain(rng, wet),
    }
    return _timed(datetime(2021, 1, 1), timedelta(minutes=10), columns)


def vapour_pressure(temperature: Floats) -> Floats:
    """Saturation vapour pressure over water in hPa at a temperature in degC (Magnus, WMO-No. 8)."""
    return np.asarray(6.112 * np.exp(17.62 * temperature / (243.12 + temperature)), dtype=np.float64)


def wells(seed: int = 0, wells: int = 8, rows: int = 1500) -> pl.DataFrame:
    """Logs of a field of wells, one row per 0.1524 m of depth.

    Columns: well, depth (m), facies (text), GR (gAPI), RHOB (g/cm3), NPHI (v/v), DTC (us/ft), RDEP (ohm.m).

    Beds follow one another by a Markov chain with each rock's own mean thickness. Porosity falls with depth (Athy
    1930) and with shale; density and slowness mix grains and water (Wyllie 1956), resistivity follows Archie (1942).
    The tools average over their own lengths and add noise; each well's gamma ray has its own calibration. RHOB, NPHI
    and DTC are missing over some stretches.
    """
    rng = np.random.default_rng(seed)
    return pl.concat([_well(rng, f"W-{number:02d}", rows) for number in range(1, wells + 1)])


def sines(seed: int = 0, sequences: int = 10_000, length: int = 24, channels: int = 5) -> pl.DataFrame:
    """Sequences of sines, each channel of a frequency and a phase of its own, both drawn evenly from 0 to 0.1 rad.

    Columns: sequence (text), step (from 0), x1, x2...: (sin(frequency step + phase) + 1) / 2, from 0 to 1.

    Source: Yoon et al. 2019 (TimeGAN), NeurIPS, whose code draws from 0 to 0.1.
    """
    rng = np.random.default_rng(seed)
    frequency, phase = rng.uniform(0, 0.1, (2, sequences, 1, channels))
    values = (np.sin(frequency * np.arange(length)[:, None] + phase) + 1) / 2  # [sequence step channel]
    names = np.char.zfill(np.arange(sequences).astype(str), 5)
    columns = {f"x{k + 1}": values[..., k].ravel() for k in range(channels)}
    keys = {"sequence": np.repeat(names, length), "step": np.tile(np.arange(length), sequences)}
    return pl.DataFrame({**keys, **columns})


# Per facies: thickness (m), shale share, porosity at the surface, compaction length (m), grains' density (g/cm3)
# and slowness (us/ft)
_ROCKS = np.array(
    [
        [4.0, 0.08, 0.42, 3000, 2.65, 54],
        [3.0, 0.40, 0.45, 2700, 2.67, 60],
        [8.0, 0.85, 0.55, 2000, 2.72, 70],
        [2.0, 0.10, 0.30, 2500, 2.71, 47],
        [0.9, 0.15, 0.08, 9000, 1.30, 115],
    ]
)
_NEXT = np.array(  # which facies follows which: [from to]
    [
        [0.00, 0.55, 0.30, 0.10, 0.05],
        [0.40, 0.00, 0.45, 0.05, 0.10],
        [0.25, 0.45, 0.00, 0.20, 0.10],
        [0.20, 0.15, 0.65, 0.00, 0.00],
        [0.20, 0.30, 0.50, 0.00, 0.00],
    ]
)


def _well(rng: np.random.Generator, name: str, rows: int) -> pl.DataFrame:
    depth = np.round(rng.uniform(1200, 2200), 1) + DEPTH_STEP * np.arange(rows)
    facies = _beds(rng, rows)
    _, shale, surface, length, grain, slowness = _ROCKS[facies].T
    shale = np.clip(shale + 0.06 * _wander(rng, rows, 8), 0, 1)
    porosity = np.clip(surface * np.exp(-depth / length) + 0.02 * _wander(rng, rows, 10), 0.02, 0.6)
    coal = facies == FACIES.index("coal")
    water = np.where(
        facies == 0, np.clip(0.6 + 0.3 * _wander(rng, rows, 60), 0.2, 1), 1.0
    )  # hydrocarbon in sands alone
    archie = 0.06 / (porosity**2 * water**2)
    logs = {
        "GR": 15 + 115 * shale * rng.uniform(0.85, 1.15),
        "RHOB": grain * (1 - porosity) + 1.03 * porosity,
        "NPHI": np.where(coal, 0.5, porosity + 0.22 * shale),
        "DTC": slowness * (1 - porosity) + 189 * porosity + 10 * shale,
        "RDEP": np.log(np.where(coal, 80.0, 1 / (1 / archie + shale / 2.5))),
    }
    tools = {"GR": (5, 2.0), "RHOB": (3, 0.01), "NPHI": (5, 0.008), "DTC": (5, 0.7), "RDEP": (11, 0.02)}
    for mnemonic, (span, noise) in tools.items():
        logs[mnemonic] = _averaged(logs[mnemonic], span) + noise * rng.standard_normal(rows)
    logs["RDEP"] = np.exp(logs["RDEP"])  # a resistivity tool averages on a logarithmic scale
    for mnemonic in ("RHOB", "NPHI", "DTC"):
        for _ in range(2):
            start = rng.integers(0, rows)
            logs[mnemonic][start : start + rng.integers(rows // 100, rows // 20 + 2)] = np.nan
    columns: dict[str, object] = {"well": [name] * rows, "depth": depth, "facies": np.array(FACIES)[facies], **logs}
    return pl.DataFrame(columns).with_columns(pl.col(*logs).fill_nan(None))


def _beds(rng: np.random.Generator, rows: int) -> npt.NDArray[np.int64]:
    """Facies of each row: beds of geometric thickness, one after another."""
    facies = np.empty(rows, dtype=np.int64)
    here, row = 2, 0
    while row < rows:
        thickness = int(rng.geometric(DEPTH_STEP / _ROCKS[here, 0]))
        facies[row : row + thickness] = here
        row += thickness
        here = int(rng.choice(len(FACIES), p=_NEXT[here]))
    return facies


def _outdoors(rng: np.random.Generator, day: Floats, mean: float, year: float, clock: float) -> Floats:
    """Air temperature by the hour from 1 July: season, day and passing weather."""
    season = np.cos(2 * np.pi * (day - 20) / 365.25)
    daily = np.cos(2 * np.pi * (day - 15 / 24))
    return mean + year * season + clock * daily + 3.0 * _wander(rng, len(day), 60)


def _hump(hour: npt.NDArray[np.int64], peak: float, sharpness: float) -> Floats:
    """One at the peak's hour, falling off around the clock."""
    return np.asarray(np.exp(sharpness * (np.cos(2 * np.pi * (hour - peak) / 24) - 1)), dtype=np.float64)


def _sun_height(day: Floats, clock: Floats, latitude: float) -> Floats:
    """Sine of the sun's height above the horizon; `clock` is the angle of the time of day, 0 at midnight."""
    declination = np.radians(23.45) * np.sin(2 * np.pi * (285 + day) / 365)
    phi = np.radians(latitude)
    height = np.sin(phi) * np.sin(declination) - np.cos(phi) * np.cos(declination) * np.cos(clock)
    return np.asarray(height, dtype=np.float64)


def _clear_sky(height: Floats) -> Floats:
    """Global radiation in W/m2 under a clear sky, from the sine of the sun's height (Haurwitz 1945)."""
    return np.asarray(np.where(height > 0, 1098 * height * np.exp(-0.057 / np.maximum(height, 1e-3)), 0.0))


def _rain(rng: np.random.Generator, wet: Floats) -> Floats:
    """Millimetres in ten minutes: none most of the time, gamma-distributed showers where it is wet."""
    rate = np.maximum(wet - 1.6, 0)
    falls = rng.random(len(wet)) < np.minimum(0.9 * rate, 0.9)
    return np.where(falls, np.round(rng.gamma(0.7, 0.2 * (0.2 + rate)), 2), 0.0)


def _wander(rng: np.random.Generator, rows: int, memory: float) -> Floats:
    """A stationary first-order autoregression of unit variance that forgets over `memory` rows."""
    keep = float(np.exp(-1 / memory))
    shocks = rng.standard_normal(rows) * np.sqrt(1 - keep**2)
    shocks[0] /= np.sqrt(1 - keep**2)
    return _recur(shocks, keep)


def _follow(goal: Floats, keep: float) -> Floats:
    """A first-order answer to `goal`: y[t] = keep y[t-1] + (1 - keep) goal[t], at rest in the beginning."""
    drive = (1 - keep) * goal
    drive[0] = goal[0]
    return _recur(drive, keep)


def _recur(drive: Floats, keep: float) -> Floats:
    state, states = 0.0, []
    for value in drive.tolist():
        state = keep * state + value
        states.append(state)
    return np.array(states)


def _averaged(log: Floats, span: int) -> Floats:
    """A triangular average over `span` rows; the ends are held."""
    weights = np.bartlett(span + 2)[1:-1]
    return np.convolve(np.pad(log, span // 2, mode="edge"), weights / weights.sum(), mode="valid")


def _timed(start: datetime, step: timedelta, columns: dict[str, Floats]) -> pl.DataFrame:
    rows = len(next(iter(columns.values())))
    date = pl.datetime_range(start, start + step * (rows - 1), step, time_unit="us", eager=True).alias("date")
    return pl.DataFrame([date, *(pl.Series(name, values) for name, values in columns.items())])
